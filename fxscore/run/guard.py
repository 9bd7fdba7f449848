"""Global settings that a network's code may change, put back after each network that shares a process.

For code that is trusted not to be hostile (library models): this costs about 0.1 ms a network, where a
process of its own costs 25 ms and more (``benchmarks/scaling.py`` measures both). Code that is not trusted
runs in a process of its own (`fxscore.run.child`), and nothing needs to be put back.
"""

from __future__ import annotations

import os
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Restore = Callable[[], object]


@contextmanager
def unchanged_globals() -> Iterator[None]:
    """Put back, at the end, random states, torch's modes, folder, import path, environment and warnings."""
    restores = [*_python(), *_numpy(), *_torch()]
    try:
        yield
    finally:
        for restore in restores:
            restore()


def _python() -> Iterator[Restore]:
    state, folder, recursion = random.getstate(), os.getcwd(), sys.getrecursionlimit()
    path, filters, environment = list(sys.path), list(warnings.filters), dict(os.environ)
    yield lambda: random.setstate(state)
    yield lambda: os.chdir(folder)
    yield lambda: sys.setrecursionlimit(recursion)
    yield lambda: setattr(sys, "path", path)
    yield lambda: _set_filters(filters)
    yield lambda: _set_environment(environment)


def _set_filters(filters: list[Any]) -> None:
    if list(warnings.filters) != filters:  # a new list makes Python forget which warnings were shown
        vars(warnings)["filters"] = filters


def _set_environment(environment: dict[str, str]) -> None:
    if dict(os.environ) != environment:
        os.environ.clear()
        os.environ.update(environment)


def _numpy() -> Iterator[Restore]:
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None:
        state = numpy.random.get_state()
        yield lambda: numpy.random.set_state(state)


def _torch() -> Iterator[Restore]:
    torch: Any = sys.modules.get("torch")  # importing it here would slow down jobs that do without
    if torch is None:
        return
    state, dtype, threads = torch.get_rng_state(), torch.get_default_dtype(), torch.get_num_threads()
    device, precision = torch.get_default_device(), torch.get_float32_matmul_precision()
    strict, warn_only = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    grad, anomaly, autocast = (
        torch.is_grad_enabled(),
        torch.is_anomaly_enabled(),
        torch.is_autocast_enabled("cpu"),
    )
    mkldnn = torch.backends.mkldnn.enabled
    # the device first: with another default device, the random state below would be looked for there
    yield lambda: torch.get_default_device() == device or torch.set_default_device(device)
    yield lambda: torch.set_default_dtype(dtype)
    yield lambda: torch.set_rng_state(state)
    yield lambda: torch.set_num_threads(threads)
    yield lambda: torch.set_float32_matmul_precision(precision)
    yield lambda: torch.use_deterministic_algorithms(strict, warn_only=warn_only)
    yield lambda: torch.set_grad_enabled(grad)
    yield lambda: torch.set_anomaly_enabled(anomaly)
    yield lambda: torch.set_autocast_enabled("cpu", autocast)
    yield lambda: torch.backends.mkldnn.set_flags(mkldnn)
