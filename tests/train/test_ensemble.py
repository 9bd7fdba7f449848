"""Fitting the ensemble: weights follow what ranks, statistics follow the members' own spaces."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fxscore.errors import TrainingError
from fxscore.scorer.ensemble import Ensemble, rounded
from fxscore.train.ensemble import fit_ensemble, fit_mixture, mixture_of, raw_scores, score_together
from tests.train.small import Other, cells, trainer

GENERATOR = np.random.default_rng(0)
LABELS = {"one": GENERATOR.normal(size=40), "two": GENERATOR.normal(size=30)}


def column(noise: float, *, scale: float = 1.0, shift: float = 0.0) -> dict[str, np.ndarray]:
    """Scores of one member: the labels with noise."""
    return {
        space: scale * (labels + noise * GENERATOR.normal(size=len(labels))) + shift
        for space, labels in LABELS.items()
    }


def together(*members: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {space: np.stack([member[space] for member in members], axis=1) for space in LABELS}


def test_noise_gets_no_weight() -> None:
    raw = together(column(0.1), column(100.0))
    found, correlation = fit_mixture(raw, LABELS, [("one",), ("two",)], 0)
    assert found.weights[0] > 10 * found.weights[1]
    assert correlation > 0.98
    assert ((found.weights > 0) & (found.weights < 1)).all()


def test_members_that_err_apart_are_better_together() -> None:
    raw = together(column(1.0), column(1.0), column(1.0))
    alone = [
        fit_mixture({space: values[:, [place]] for space, values in raw.items()}, LABELS, [("one",)], 0)[1]
        for place in range(3)
    ]
    _, joined = fit_mixture(raw, LABELS, [("one",)] * 3, 0)
    assert joined > max(alone) + 0.02


def test_means_and_deviations_are_those_of_the_members_own_space() -> None:
    raw = together(column(0.1, scale=3.0, shift=7.0), column(0.1), column(0.5))
    found, _ = fit_mixture(raw, LABELS, [("one",), ("two", "one"), ("elsewhere",)], 0)
    everything = np.concatenate([raw["two"][:, 1], raw["one"][:, 1]])
    assert found.means[0] == pytest.approx(raw["one"][:, 0].mean())
    assert found.deviations[0] == pytest.approx(raw["one"][:, 0].std())
    assert found.means[1] == pytest.approx(everything.mean())
    assert found.means[2] == pytest.approx(np.concatenate([raw["one"][:, 2], raw["two"][:, 2]]).mean())


def test_the_seed_decides() -> None:
    raw = together(column(0.8), column(0.9))
    first, second = (fit_mixture(raw, LABELS, [("one",), ("two",)], 5)[0] for _ in range(2))
    assert (first.weights == second.weights).all()


def test_a_constant_member_is_named() -> None:
    flat = {space: np.zeros_like(labels) for space, labels in LABELS.items()}
    with pytest.raises(TrainingError, match="member 2"):
        fit_mixture(together(column(0.1), flat), LABELS, [("one",), ("two",)], 0)
    with pytest.raises(TrainingError, match="member 2"):
        mixture_of(together(column(0.1), flat)["one"], [0.5, 0.5])


def test_given_weights_stay() -> None:
    raw = together(column(0.1, scale=3.0, shift=7.0), column(0.1))["one"]
    found = mixture_of(raw, [0.25, 0.75])
    assert found.weights.tolist() == [0.25, 0.75]
    assert found.combine(found.means[None]).tolist() == [
        0.5
    ]  # every member at its mean: half of the weights' sum
    assert found.deviations == pytest.approx(raw.std(0))


def test_the_ensemble_scores_as_it_was_fitted() -> None:
    runs = [trainer(seed=seed, steps=3) for seed in (0, 1)]
    for run in runs:
        list(run.run())
    members = [run.trained() for run in runs]
    spaces = {"tiny": cells(), "other": cells(Other())}
    ensemble, correlation = fit_ensemble(members, spaces, [("tiny",), ("other",)], 0, "both")
    assert isinstance(ensemble, Ensemble)
    assert ensemble.name == "both"
    assert 0 < correlation <= 1
    raw = raw_scores([rounded(member) for member in members], spaces["tiny"])
    assert raw.shape == (12, 2)
    torch.testing.assert_close(ensemble.means[0], torch.tensor(raw[:, 0].mean(), dtype=torch.double))
    scores = score_together(ensemble, spaces["tiny"])
    torch.testing.assert_close(scores, ensemble.combine(torch.from_numpy(raw)))
