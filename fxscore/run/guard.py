"""Global settings that a network's code may change, put back after each network that shares a process.

No garbage is collected while a network is looked at (`fxscore.collection`).

For code that is trusted not to be hostile (library models): this costs a fraction of a millisecond a network,
where a process of its own costs 25 ms and more (``benchmarks/speed/scaling.py`` measures both). Code that is not
trusted runs in a process of its own (`fxscore.run.child`), and nothing needs to be put back.
"""

from __future__ import annotations

import os
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from fxscore.collection import collection_paused

Setting = tuple[Callable[[], Any], Callable[[Any], object]]  # how it is read, how it is set


@contextmanager
def unchanged_globals() -> Iterator[None]:
    """Put back, at the end, random states, torch's modes, folder, import path, environment and warnings."""
    settings = [(read(), read, put) for read, put in (*_python(), *_torch())]
    states = [(read(), put) for read, put in _random()]
    try:
        with collection_paused():
            yield
    finally:
        for value, read, put in settings:
            if read() != value:  # some of torch's setters import a second's worth of modules
                put(value)
        for value, put in states:
            put(value)


def seed_everything(seed: int) -> None:
    """Seed the random states that exist: for a process that is a network's own, never for a user's."""
    random.seed(seed)
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed(seed)
    if torch := sys.modules.get("torch"):
        torch.manual_seed(seed)


def _python() -> Iterator[Setting]:
    yield os.getcwd, os.chdir
    yield sys.getrecursionlimit, sys.setrecursionlimit
    yield lambda: list(sys.path), lambda path: setattr(sys, "path", path)
    yield lambda: list(warnings.filters), _set_filters
    yield lambda: dict(os.environ), _set_environment


def _set_filters(filters: list[Any]) -> None:
    vars(warnings)["filters"] = filters


def _set_environment(environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)


def _torch() -> Iterator[Setting]:
    torch: Any = sys.modules.get("torch")  # importing it here would slow down jobs that do without
    if torch is None:
        return
    # the default device first: the others may make tensors
    yield torch.get_default_device, torch.set_default_device
    yield torch.get_default_dtype, torch.set_default_dtype
    yield torch.get_num_threads, torch.set_num_threads
    yield torch.get_float32_matmul_precision, torch.set_float32_matmul_precision
    yield torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode
    yield torch.is_grad_enabled, torch.set_grad_enabled
    yield torch.is_anomaly_enabled, torch.set_anomaly_enabled
    yield lambda: torch.is_autocast_enabled("cpu"), lambda on: torch.set_autocast_enabled("cpu", on)
    yield lambda: torch.backends.mkldnn.enabled, torch.backends.mkldnn.set_flags


def _random() -> Iterator[Setting]:
    yield random.getstate, random.setstate
    if numpy := sys.modules.get("numpy"):
        yield numpy.random.get_state, numpy.random.set_state
    if torch := sys.modules.get("torch"):
        yield torch.get_rng_state, torch.set_rng_state
