"""How far a score can be trusted: distance from training, probabilities of pairs, and what files keep of both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import fxscore
from fxscore.errors import CheckpointError
from fxscore.scorer import Hybrid, load_scorer
from fxscore.scorer.checkpoint import load_checkpoint, save_checkpoint
from fxscore.scorer.confidence import FOREIGN, LEVEL, Confidence, Standing
from fxscore.scorer.features import feature_names
from fxscore.scorer.measured import Measured, Networks
from fxscore.scorer.neighbours import Neighbours
from fxscore.scorer.pair_table import LeftOut, PairTable
from fxscore.scorer.subject import subject_of


def population(seed: int, noise: float, size: int = 60) -> LeftOut:
    """Scores that are the accuracies and a noise; half of the networks inside training, half outside."""
    generator = np.random.default_rng(seed)
    accuracies = generator.uniform(0, 100, size)
    far = np.arange(size) % 2 == 0
    scores = accuracies + generator.normal(0, np.where(far, 3 * noise, noise))
    return LeftOut(scores, accuracies, np.where(far, 3.0, 0.5))


def table() -> PairTable:
    return PairTable.of([population(seed, 10.0) for seed in range(12)])


def right(pairs: PairTable, gap: float, distance: float) -> float:
    found = pairs.right(gap, distance)
    assert found is not None
    return found


def network(width: int) -> nn.Module:
    layers = [nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(width, 4))


def test_the_table_is_calibrated_on_populations_that_it_has_not_seen() -> None:
    pairs = table()
    said, ordered = [], []
    for seed in range(100, 106):
        other = population(seed, 10.0)
        for first, second in zip(*np.triu_indices(len(other.scores), 1), strict=True):
            far = max(other.distances[first], other.distances[second])
            gap = other.scores[first] - other.scores[second]
            said.append(right(pairs, abs(gap), far))
            ordered.append(np.sign(gap) == np.sign(other.accuracies[first] - other.accuracies[second]))
    deciles = np.array_split(np.argsort(said), 10)
    off = [abs(np.mean(np.array(said)[rows]) - np.mean(np.array(ordered)[rows])) for rows in deciles]
    assert np.mean(off) < 0.04


def test_far_networks_and_small_gaps_are_known_less_well() -> None:
    pairs = table()
    near = [right(pairs, gap, 0.5) for gap in (0.0, 1.0, 5.0, 20.0, 60.0, 1e6)]
    far = [right(pairs, gap, 3.0) for gap in (0.0, 1.0, 5.0, 20.0, 60.0, 1e6)]
    assert near == sorted(near)
    assert near[0] == far[0] == 0.5
    assert all(a > b for a, b in zip(near[1:4], far[1:4], strict=True))
    assert all(a >= b for a, b in zip(near, far, strict=True))
    assert near[-1] < 1


def test_the_gap_of_a_level_is_where_the_probability_reaches_it() -> None:
    pairs = table()
    gap = pairs.gap(LEVEL, 0.5)
    assert gap is not None
    assert right(pairs, gap, 0.5) == pytest.approx(LEVEL)
    coin = PairTable(np.array([1.0, 9.0]), np.full((3, 2), 0.55), np.full(3, 1000.0))
    assert coin.gap(LEVEL, 0.5) == 9.0


def test_what_was_not_measured_has_no_probability() -> None:
    pairs = table()
    assert pairs.right(5.0, 1.5) is None  # no network of the populations lies near
    confidence = Confidence((), pairs)
    inside, unknown = Standing(30, distance=0.5), Standing(40)
    assert confidence.probability(inside, unknown) is None
    assert confidence.interval(unknown) is None
    assert Confidence().probability(inside, inside) is None


def test_probabilities_of_two_sum_to_one_and_other_kinds_do_not_compare() -> None:
    confidence = Confidence((), table(), (0.0, 100.0))
    low, high = Standing(5, distance=0.5), Standing(40, distance=0.7)
    forward, backward = confidence.probability(low, high), confidence.probability(high, low)
    assert forward is not None
    assert backward is not None
    assert forward < 0.5 < backward
    assert forward + backward == pytest.approx(1)
    assert confidence.probability(low, Standing(40, kind=0, distance=0.7)) is None
    ends = confidence.interval(low)
    assert ends is not None
    assert ends[0] >= 0
    assert confidence.probability(Standing(ends[1], distance=0.5), low) == pytest.approx(LEVEL)


def test_nearest_networks_have_their_names_and_the_reach_is_that_of_training() -> None:
    rows = np.random.default_rng(0).normal(size=(200, 5))
    networks = Networks(tuple(f"n{i}" for i in range(200)))
    found = Neighbours.of([f"f{i}" for i in range(5)], rows, networks=networks)
    names = ("other", *found.columns)
    for place in (3, 77):
        ((nearest, distance), *_) = found.nearest(names, np.array([9.0, *rows[place]]))
        assert found.networks.one(nearest) == (f"n{place}", ())
        assert distance < 0.05
    assert found.distance(names, np.array([0.0, *np.full(5, 3.9)])) > 1
    assert found.distance(names, np.zeros(6)) < 1


def test_standings_are_kept_as_numbers() -> None:
    standing = Standing(12.5, 2, 1.5)
    assert Standing.of(12.5, standing.values) == standing
    whole = Standing(12.5, 2, 1.5, ((7, 1.5), (3, 1.75)), (0.25, -3.0, 1e9))
    assert Standing.of(12.5, whole.values) == whole
    alone = replace(whole, distance=None, nearest=())
    assert Standing.of(12.5, alone.values) == alone
    assert standing.support == "near"
    assert Standing.of(12.5, Standing(12.5).values) == Standing(12.5)
    assert Standing(12.5).support is None
    assert Standing.of(12.5, ()) is None


def test_the_shipped_scorer_knows_its_own_training_and_what_is_foreign_to_it() -> None:
    scorer = load_scorer()
    assert isinstance(scorer, Hybrid)
    assert scorer.standing(subject_of("timm:resnet18")).support == "inside"
    clip = subject_of(
        nn.Sequential(nn.Conv3d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(4)), (3, 6, 12, 12)
    )
    standing = scorer.standing(clip)
    assert standing.distance is not None
    assert standing.distance >= FOREIGN
    assert not standing.compares_with(scorer.standing(subject_of(network(8), (3, 32, 32))))


def test_records_carry_standings_and_scores_are_those_of_score() -> None:
    (record,) = fxscore.rank({"one": network(6)}, input_shape=(3, 20, 20))
    standing = Standing.of(record.score or 0, record.values)
    assert standing is not None
    assert standing.distance is not None
    assert record.score == fxscore.score(network(6), input_shape=(3, 20, 20))
    (by_size,) = fxscore.rank({"one": network(6)}, input_shape=(3, 20, 20), scorer="params")
    assert Standing.of(by_size.score or 0, by_size.values) == Standing(by_size.score or 0)


class Words(nn.Module):
    """Takes three token ids."""

    example_input_array = torch.tensor([[5, 99, 3]])

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Embedding(100, width), nn.Linear(width, width), nn.ReLU())
        self.head = nn.Linear(width, 2)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.head(self.layers(ids).sum(1))  # type: ignore[no-any-return]


def wave(width: int) -> nn.Module:
    layers = [nn.Conv1d(3, width, 3), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(width, 4))


@pytest.mark.parametrize(
    ("make", "shape", "other", "other_shape"),
    [
        (Words, None, network, (3, 12, 12)),
        (wave, (3, 30), Words, None),
        (network, (3, 12, 12), wave, (3, 30)),
    ],
)
def test_support_is_judged_by_the_kind_of_network_that_was_fitted_to(
    make: Callable[[int], nn.Module],
    shape: tuple[int, ...] | None,
    other: Callable[[int], nn.Module],
    other_shape: tuple[int, ...] | None,
    tmp_path: Path,
) -> None:
    """The shipped scorer learned from images; what is fitted to networks of words or waves has learned from these."""
    found = fxscore.fit([make(width) for width in range(4, 16)], range(12), input_shape=shape)
    found.save(tmp_path / "mine.safetensors")
    scorer = load_scorer(tmp_path / "mine.safetensors")
    assert isinstance(scorer, Hybrid)
    assert scorer.standing(subject_of(make(10), shape)).support == "inside"
    assert scorer.standing(subject_of(other(10), other_shape)).support == "outside"
    plain = Hybrid().fit([make(width) for width in range(4, 16)], range(12), input_shape=shape)
    assert plain.standing(subject_of(make(10), shape)).support != "outside"  # it keeps some of its training
    assert plain.standing(subject_of(other(10), other_shape)).support == "outside"


def test_forms_that_there_are_not_are_refused() -> None:
    for forms in (frozenset[int](), frozenset({99}), frozenset({-1})):
        with pytest.raises(ValueError, match="forms of training"):
            Confidence(forms=forms)


def fitted(confidence: Confidence | None) -> Hybrid:
    generator = np.random.default_rng(0)
    values = generator.normal(size=(40, len(feature_names())))
    made = Hybrid().fit_features(values, values[:, 0] + generator.normal(size=40))
    return Hybrid(made.encoder, made.head, made.scale, name="made", confidence=confidence)


def test_files_keep_confidence_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    rows = np.random.default_rng(1).normal(size=(30, 2))
    networks = Networks(tuple(f"n{i}" for i in range(30)), Measured.of({"t/a": (range(30), range(30))}))
    neighbours = Neighbours.of(feature_names()[:2], rows, networks=networks)
    scorer = fitted(Confidence((neighbours,), table()))
    scorer.save(tmp_path / "made.safetensors")
    again = load_scorer(tmp_path / "made.safetensors")
    assert isinstance(again, Hybrid)
    assert again.scorer_id == scorer.scorer_id != fitted(None).scorer_id
    kept = again.confidence.neighbours[0].networks
    assert kept.names == neighbours.networks.names
    assert [kept.one(place) for place in range(30)] == [neighbours.networks.one(place) for place in range(30)]
    assert again.confidence.probability(Standing(1, distance=0), Standing(40, distance=0)) == (
        scorer.confidence.probability(Standing(1, distance=0), Standing(40, distance=0))
    )
    held = load_checkpoint(tmp_path / "made.safetensors")
    held.tensors["confidence.pairs.shares"] -= torch.tensor(0.6)
    save_checkpoint(tmp_path / "worse.safetensors", held)
    with pytest.raises(CheckpointError, match="shares"):
        load_scorer(tmp_path / "worse.safetensors")


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("networks", lambda tensor: tensor + 30, "each network of training has a name"),
        ("networks", lambda tensor: tensor.double(), "whole numbers"),
        ("places", lambda tensor: tensor + 1, "one of the tasks"),
        ("values", lambda tensor: tensor[1:], "shape"),
    ],
)
def test_measurements_of_networks_that_are_not_there_are_refused(
    name: str, change: Callable[[torch.Tensor], torch.Tensor], said: str, tmp_path: Path
) -> None:
    networks = Networks(tuple(f"n{i}" for i in range(30)), Measured.of({"t/a": (range(30), range(30))}))
    rows = np.random.default_rng(1).normal(size=(30, 2))
    fitted(Confidence((Neighbours.of(feature_names()[:2], rows, networks=networks),))).save(tmp_path / "made")
    held = load_checkpoint(tmp_path / "made")
    key = f"confidence.neighbours0.measured.{name}"
    tensors = {**held.tensors, key: change(held.tensors[key]).contiguous()}
    save_checkpoint(tmp_path / "worse.safetensors", replace(held, tensors=tensors))
    with pytest.raises(CheckpointError, match=said):
        load_scorer(tmp_path / "worse.safetensors")


def test_a_file_from_before_networks_had_names_loads(tmp_path: Path) -> None:
    rows = np.random.default_rng(1).normal(size=(30, 2))
    fitted(Confidence((Neighbours.of(feature_names()[:2], rows),))).save(tmp_path / "made")
    held = load_checkpoint(tmp_path / "made")
    about = {
        key: value for key, value in held.settings["confidence"]["neighbours"][0].items() if key != "tasks"
    }
    old = {key: tensor for key, tensor in held.tensors.items() if ".measured." not in key}
    old["confidence.neighbours0.accuracies"] = torch.zeros(0, dtype=torch.float64)
    settings = {**held.settings, "confidence": {"neighbours": [about], "pairs": False}}
    save_checkpoint(tmp_path / "old.safetensors", replace(held, tensors=old, settings=settings))
    scorer = load_scorer(tmp_path / "old.safetensors")
    assert isinstance(scorer, Hybrid)
    (neighbours,) = scorer.confidence.neighbours
    assert neighbours.networks.one(3) == ("", ())


def test_the_same_network_in_two_tasks_is_one_point_with_both_results() -> None:
    rows = np.array([[0.0], [1.0], [0.0], [0.0], [5.0]])
    tasks = {"t/a": ([0, 1, 4], [70.0, 80.0, 90.0]), "u/b": ([2, 3], [7.0, 9.0])}
    networks = Networks(("same", "other", "same", "twin of same", "third"), Measured.of(tasks))
    found = Neighbours.of(["f"], rows, networks=networks)
    ((place, _), *_) = found.nearest(["f"], np.array([0.0]))
    name, results = found.networks.one(place)
    assert name == "same"
    assert [(result.task, result.value) for result in results] == [("t/a", 70.0), ("u/b", 7.0)]
    assert [result.percentile for result in results] == [0, 50]  # of two others; of none
