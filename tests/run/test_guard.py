from __future__ import annotations

import os
import random
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fxscore.run.guard import unchanged_globals

_mkldnn: Any = torch.backends.mkldnn


def numpy_draw() -> object:
    return np.random.get_state()[1].sum()  # type: ignore[index]  # noqa: NPY002


def seed_all() -> None:
    torch.manual_seed(999)
    random.seed(999)
    np.random.seed(999)  # noqa: NPY002


CHANGES: dict[str, tuple[Callable[[], object], Callable[[], Any]]] = {
    "dtype": (lambda: torch.set_default_dtype(torch.float64), torch.get_default_dtype),
    "device": (lambda: torch.set_default_device("meta"), torch.get_default_device),
    "threads": (lambda: torch.set_num_threads(2), torch.get_num_threads),
    "seed": (seed_all, lambda: (torch.get_rng_state().sum().item(), random.getstate(), numpy_draw())),
    "grad": (lambda: torch.set_grad_enabled(False), torch.is_grad_enabled),
    "strict": (lambda: torch.use_deterministic_algorithms(True), torch.are_deterministic_algorithms_enabled),
    "anomaly": (lambda: torch.autograd.set_detect_anomaly(True), torch.is_anomaly_enabled),
    "autocast": (lambda: torch.set_autocast_enabled("cpu", True), lambda: torch.is_autocast_enabled("cpu")),
    "precision": (lambda: torch.set_float32_matmul_precision("medium"), torch.get_float32_matmul_precision),
    "mkldnn": (lambda: _mkldnn.set_flags(False), lambda: _mkldnn.enabled),
    "folder": (lambda: os.chdir("/"), os.getcwd),
    "path": (lambda: sys.path.insert(0, "/nowhere"), lambda: list(sys.path)),
    "environment": (lambda: os.environ.update(NEW="1"), lambda: dict(os.environ)),
    "recursion": (lambda: sys.setrecursionlimit(5000), sys.getrecursionlimit),
    "warnings": (lambda: warnings.simplefilter("ignore"), lambda: list(warnings.filters)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_changes_are_put_back(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    change, look = CHANGES[name]
    before = look()
    with unchanged_globals():
        change()
        inside = look()
    assert inside != before, "the change must be one"
    assert look() == before


def test_changes_are_put_back_after_an_error() -> None:
    def fail() -> None:
        with unchanged_globals():
            torch.set_default_dtype(torch.float64)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert torch.get_default_dtype() == torch.float32


def test_it_costs_little() -> None:
    best = 1.0
    for _ in range(30):
        begin = time.perf_counter()
        with unchanged_globals():
            pass
        best = min(best, time.perf_counter() - begin)
    assert best < 2e-3
