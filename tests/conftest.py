"""What every test shares: one thread per process, and hypothesis without a deadline."""

from __future__ import annotations

import os

# Before torch is imported, and inherited by the processes that tests start: xdist already uses every core.
for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import pytest
from hypothesis import settings

# A first capture imports half of torch, which no deadline survives. In CI the examples never change.
settings.register_profile("fxscore", deadline=None, print_blob=True, derandomize=bool(os.environ.get("CI")))
settings.load_profile("fxscore")


@pytest.fixture(autouse=True)
def _no_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """xdist sets COLUMNS in its workers, which stands for a terminal's width."""
    monkeypatch.delenv("COLUMNS", raising=False)
