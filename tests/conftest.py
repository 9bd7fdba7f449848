"""What every test shares: one thread per process, and hypothesis without a deadline."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

# Before torch is imported, and inherited by the processes that tests start: xdist already uses every core.
for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from fxscore.scorer import Hybrid

# A first capture imports half of torch, which no deadline survives. In CI the examples never change.
settings.register_profile("fxscore", deadline=None, print_blob=True, derandomize=bool(os.environ.get("CI")))
settings.load_profile("fxscore")


@pytest.fixture(autouse=True)
def _no_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """xdist sets COLUMNS in its workers, which stands for a terminal's width."""
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture(scope="session")
def general() -> Hybrid:
    """The shipped scorer; its networks have made-up names, and every one was measured in the task `table/made`."""
    from dataclasses import replace

    from fxscore.scorer import Hybrid, load_scorer
    from fxscore.scorer.measured import Measured, Networks

    scorer = load_scorer()
    assert isinstance(scorer, Hybrid)
    (neighbours,) = scorer.confidence.neighbours
    count = len(neighbours.points)
    networks = Networks(
        tuple(f"made:{place}" for place in range(count)),
        Measured.of({"table/made": (range(count), range(count))}),
    )
    confidence = replace(scorer.confidence, neighbours=(replace(neighbours, networks=networks),))
    named = Hybrid(scorer.encoder, scorer.head, scorer.scale, name="general", confidence=confidence)
    named.record = scorer.record
    return named
