"""Garbage collection waits while a network is built, captured, rewritten and scored.

A graph is thousands of objects that refer to each other and all live until it is done: Python's collector looks through
them time and again and finds nothing, for a quarter of the time of a capture. So it waits until the network is done
with (`fxscore.run.guard`), when all of it is garbage.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collection_paused() -> Iterator[None]:
    """Within this context nothing is collected, unless somebody turns that on; afterwards it is as before."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
