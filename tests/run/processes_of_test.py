"""Which processes a test has started: they inherit a mark in their environment."""

from __future__ import annotations

import contextlib
import os
import time
import uuid
from collections.abc import Iterator
from multiprocessing import resource_tracker

import psutil

MARK = "FXSCORE_TEST_MARK"


@contextlib.contextmanager
def marked() -> Iterator[str]:
    """While this lasts, processes that are started can be found by the mark."""
    resource_tracker.ensure_running()  # Python's own, which lives as long as this process
    mark = uuid.uuid4().hex
    os.environ[MARK] = mark
    try:
        yield mark
    finally:
        del os.environ[MARK]


def living(mark: str) -> list[psutil.Process]:
    """Processes with the mark, save this one and those that wait to be reaped."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            alive = process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE
            if alive and process.environ().get(MARK) == mark:
                found.append(process)
    return found


def left_over(mark: str, seconds: float = 5.0) -> list[psutil.Process]:
    """Processes with the mark that do not end within `seconds`."""
    end = time.monotonic() + seconds
    while (found := living(mark)) and time.monotonic() < end:
        time.sleep(0.02)
    return found
