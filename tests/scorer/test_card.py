"""What is read of a scorer without torch is what the scorer itself says."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from fxscore.errors import CheckpointError, ScorerError, UsageError
from fxscore.proxies import proxy_names
from fxscore.scorer import DEFAULT_SCORER, FTScoreNet, Hybrid, Settings, load_scorer, shipped_scorers
from fxscore.scorer.card import card_of
from fxscore.scorer.confidence import Confidence
from fxscore.scorer.ensemble import Ensemble
from fxscore.scorer.features import feature_names
from fxscore.scorer.names import WEIGHTS

SMALL = Settings(batch=4, n_in=2, n_out=3)


def fitted(confident: bool = False) -> Hybrid:
    draw = np.random.default_rng(0)
    values = draw.normal(size=(24, len(feature_names())))
    found = Hybrid(FTScoreNet(SMALL)).fit_features(values, draw.normal(size=24))
    return Hybrid(found.encoder, found.head, found.scale, confidence=found.confidence if confident else None)


def saved(kind: str, folder: Path) -> Path:
    """A file of each kind of scorer."""
    if kind in shipped_scorers():
        return WEIGHTS / f"{kind}.safetensors"
    net = FTScoreNet(SMALL, seed=1)
    made: dict[str, Callable[[], FTScoreNet | Hybrid | Ensemble]] = {
        "ft-scorenet": lambda: net,
        "hybrid": fitted,
        "confident": lambda: fitted(confident=True),
        "ensemble": lambda: Ensemble([net, fitted()], torch.zeros(2), torch.ones(2), torch.ones(2)),
    }
    made[kind]().save(folder / f"{kind}.safetensors")
    return folder / f"{kind}.safetensors"


def numbers(confidence: Confidence) -> dict[str, object]:
    arrays = {name: array.tolist() for name, array in confidence.arrays().items()}
    return {**arrays, "bounds": confidence.bounds, "about": confidence.describe()}


@pytest.mark.parametrize("kind", [*shipped_scorers(), "ft-scorenet", "hybrid", "confident", "ensemble"])
def test_of_a_file(kind: str, tmp_path: Path) -> None:
    path = saved(kind, tmp_path)
    scorer, card = load_scorer(path), card_of(path)
    assert card_of(scorer).scorer_id == scorer.scorer_id
    if kind not in shipped_scorers():  # an earlier version may have written those, and described less
        assert card.scorer_id == scorer.scorer_id
    known = scorer.confidence if isinstance(scorer, Hybrid) else Confidence()
    assert numbers(card.confidence) == numbers(known) == numbers(card_of(scorer).confidence)
    assert bool(card.confidence.neighbours) == isinstance(scorer, Hybrid)


def test_of_the_default_scorer_and_of_a_file_that_was_written_again(tmp_path: Path) -> None:
    assert card_of(None) == card_of(DEFAULT_SCORER)
    path = tmp_path / "s.safetensors"
    ids = set()
    for seed in (0, 1):
        FTScoreNet(SMALL, seed=seed).save(path)
        ids.add(card_of(path).scorer_id)
    assert len(ids) == 2


@pytest.mark.parametrize("name", proxy_names())
def test_of_a_proxy(name: str) -> None:
    assert card_of(name).scorer_id == load_scorer(name).scorer_id


def test_what_is_no_scorer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s.safetensors").write_bytes(b"nothing of the kind")
    for given, error in (("nasbench2001", ScorerError), (tmp_path / "s.safetensors", CheckpointError)):
        with pytest.raises(error):
            card_of(given)
    with pytest.raises(UsageError):
        card_of(FTScoreNet)  # type: ignore[arg-type]


def test_it_loads_no_torch() -> None:
    names = [*shipped_scorers(), *proxy_names()]
    code = (
        "import sys; from fxscore.scorer.card import card_of\n"
        f"for name in {names}: card_of(name)\n"
        "print('torch' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"
