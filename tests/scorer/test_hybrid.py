"""The hybrid scorer: fitted, kept in a file, read again, ranked with; trees without the library that grew them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.ensemble import ExtraTreesRegressor, GradientBoostingRegressor
from torch import nn

import fxscore
from fxscore.errors import CheckpointError, ScorerError
from fxscore.scorer import Hybrid, Subject, load_scorer
from fxscore.scorer.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from fxscore.scorer.features import FORWARD, feature_names
from fxscore.scorer.hybrid_head import LIMIT, Floats, Head
from fxscore.scorer.hybrid_learners import HeadLearning, fit_head, normal_targets, targets_of
from fxscore.scorer.percentiles import Percentiles
from fxscore.scorer.trees import Trees

NAMES = tuple(f"column{place}" for place in range(12))
ALL = HeadLearning(
    members=(("forest", 1.0), ("boosting", 2.0), ("radial", 1.0), ("linear", 0.5)), trees=40, leaf=2
)
SHAPE = (3, 16, 16)


def data(rows: int = 120, seed: int = 0) -> tuple[Floats, Floats]:
    generator = np.random.default_rng(seed)
    values = 50 * generator.standard_normal((rows, len(NAMES))) ** 3
    values[:, 7] = 3.0  # a constant column must not matter
    targets = values[:, 0] + np.sin(values[:, 1]) * 5 + generator.standard_normal(rows)
    return values, targets


def network(width: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, width, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 2)
    )


@pytest.fixture(scope="module")
def fitted() -> Hybrid:
    widths = range(2, 22)
    return Hybrid().fit([network(width) for width in widths], [50.0 + w for w in widths], input_shape=SHAPE)


@pytest.mark.parametrize("rows", [5, 700])
def test_trees_predict_as_the_library_does(rows: int) -> None:
    values, targets = data()
    other, _ = data(rows, seed=1)
    forest = ExtraTreesRegressor(30, random_state=0).fit(values, targets)
    own = Trees.of_sklearn(forest.estimators_, 1 / 30, 0.0)
    for test in (values, other):
        assert np.abs(own.predict(test) - forest.predict(test)).max() < 1e-6 * np.ptp(targets)
    boosting = GradientBoostingRegressor(random_state=0).fit(values, targets)
    own = Trees.of_sklearn(boosting.estimators_[:, 0], 0.1, float(targets.mean()))
    for test in (values, other):
        assert np.abs(own.predict(test) - boosting.predict(test)).max() < 1e-6 * np.ptp(targets)


def test_rows_on_a_threshold_go_as_the_library_sends_them() -> None:
    values, targets = data()
    forest = ExtraTreesRegressor(5, random_state=0).fit(values, targets)
    tree = forest.estimators_[0].tree_
    test = np.repeat(tree.threshold[:, None], len(NAMES), 1)
    own = Trees.of_sklearn(forest.estimators_, 1 / 5, 0.0)
    assert np.abs(own.predict(test) - forest.predict(test)).max() < 1e-6 * np.ptp(targets)


def test_trees_that_lead_nowhere_are_refused() -> None:
    values, targets = data()
    arrays = Trees.of_sklearn(
        ExtraTreesRegressor(3, random_state=0).fit(values, targets).estimators_, 1, 0
    ).arrays()
    for name in ("left", "roots"):
        with pytest.raises(ValueError, match="not there"):
            Trees.from_arrays({**arrays, name: arrays[name] + len(arrays["left"])})
    with pytest.raises(ValueError, match="leads back"):
        Trees.from_arrays({**arrays, "right": np.zeros_like(arrays["right"])})


def test_every_member_learns_and_survives_the_arrays() -> None:
    values, targets = data()
    prior = fit_head(NAMES, values, targets, ALL, columns=NAMES[:2])
    head = fit_head(NAMES, values, targets, ALL, prior=prior)
    again = Head.from_arrays(head.describe(), head.arrays())
    rows, truth = data(seed=2)
    assert (again.predict(NAMES, rows) == head.predict(NAMES, rows)).all()
    assert "column7" not in head.columns
    for name, member in head.members.items():
        found = member.predict(head.standardised(NAMES, rows))
        assert np.corrcoef(found, truth)[0, 1] > 0.5, name


def test_a_prior_counts_as_much_as_it_agrees_and_less_with_more_networks() -> None:
    values, targets = data()
    prior = fit_head(NAMES, values, targets, ALL)

    def weight(rows: int, sign: int) -> float:
        head = fit_head(NAMES, values[:rows], sign * targets[:rows], ALL, prior=prior)
        return float(head.levels[list(head.members).index("prior"), 2])

    assert 0.8 < weight(20, 1) <= 1
    assert weight(100, 1) < 0.2
    assert weight(20, -1) == 0


def test_the_fit_is_seeded() -> None:
    values, targets = data()
    first, same, other = (
        fit_head(NAMES, values, targets, HeadLearning(trees=20, seed=seed)).predict(NAMES, values)
        for seed in (0, 0, 1)
    )
    assert (first == same).all()
    assert (first != other).any()


def test_targets_keep_the_order_and_spread_the_best_apart() -> None:
    percent = np.array([50.0, 90, 94, 95])
    targets = targets_of(percent)
    assert (np.diff(targets) > 0).all()
    assert targets[3] - targets[2] > 0.1
    assert targets_of(percent / 100) == pytest.approx(targets)
    losses = np.array([-3.0, -1.0, -2.0])
    assert targets_of(losses) == pytest.approx(normal_targets(losses))
    assert targets_of(losses)[1] == -targets_of(losses)[0] > 0


def test_the_kernel_measures_distance_by_the_columns_it_is_given() -> None:
    values, targets = data()
    learning = HeadLearning(members=(("radial", 1.0),), near=NAMES[:2])
    head = fit_head(NAMES, values, targets, learning)
    changed = values.copy()
    changed[:, 2:] = 0
    assert head.predict(NAMES, changed) == pytest.approx(head.predict(NAMES, values))
    changed[:, 0] = 0
    assert head.predict(NAMES, changed) != pytest.approx(head.predict(NAMES, values))


@pytest.mark.parametrize(
    ("member", "columns", "second"),
    [
        ("size", ("own_log_weighted_activations", "log_params"), 0.5),
        ("naswot", ("patterns_log_units", "patterns_log_det"), 1.0),
    ],
)
def test_a_handcrafted_member_is_given_and_not_learned(
    member: str, columns: tuple[str, str], second: float
) -> None:
    values = np.random.default_rng(0).normal(15, 2, (50, 3)) * [1, -1 if member == "naswot" else 1, 1]
    known = values[:, 0] + second * values[:, 1]
    for squash, agreement in ((False, 1 - 1e-9), (True, 0.99)):
        learning = HeadLearning(members=((member, 1.0),), squash=squash)
        head = fit_head((*columns, "other"), values, -known, learning)
        found = head.predict((*columns, "other"), values)
        assert np.corrcoef(found, known)[0, 1] > agreement
    other = fit_head(("other",), values[:, 2:], known, HeadLearning(members=((member, 1.0), ("linear", 1.0))))
    assert np.isfinite(other.predict(("other",), values[:, 2:])).all()


def test_percentiles_rise_strictly_also_outside_the_reference() -> None:
    reference = np.random.default_rng(0).choice([0.0, 1.0, 2.5, 2.6], 50)
    scale = Percentiles.of(reference)
    raws = np.concatenate(
        [-(10.0 ** np.arange(8, -3, -1)), np.linspace(0, 2.6, 50), 2.6 + 10.0 ** np.arange(-3, 8)]
    )
    found = [scale(raw) for raw in raws]
    assert all(a < b for a, b in pairwise(found))
    assert 0 < found[0] < found[-1] < 100


def test_a_fitted_scorer_ranks(fitted: Hybrid) -> None:
    scores = [fxscore.score(network(width), input_shape=SHAPE, scorer=fitted) for width in (3, 9, 15, 20)]
    assert scores == sorted(scores)
    assert all(0 < score < 100 for score in scores)


def test_a_file_gives_the_same_scorer(fitted: Hybrid, tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    fitted.save(path, {"trained_on": "twenty widths"})
    read = load_scorer(path)
    subject = Subject(network(7), SHAPE)
    assert isinstance(read, Hybrid)
    assert read.scorer_id == fitted.scorer_id
    assert read.score(subject) == pytest.approx(fitted.score(subject), rel=1e-6)
    assert read.record["trained_on"] == "twenty widths"


def test_fitting_again_builds_upon_what_was_fitted(fitted: Hybrid) -> None:
    widths = range(2, 12)
    before = fitted.scorer_id
    second = fitted.fit([network(w) for w in widths], [float(-w) for w in widths], input_shape=SHAPE)
    assert fitted.scorer_id == before
    assert isinstance(second.head, Head)
    assert second.head.prior is fitted.head
    assert second.score(Subject(network(3), SHAPE)) > second.score(Subject(network(11), SHAPE))


def _damaged(checkpoint: Checkpoint, **changes: object) -> Checkpoint:
    return Checkpoint(
        checkpoint.kind,
        checkpoint.name,
        {**checkpoint.settings, **changes},
        checkpoint.record,
        checkpoint.tensors,
    )


def test_files_that_do_not_fit_are_refused(fitted: Hybrid, tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    fitted.save(path)
    good = load_checkpoint(path)
    columns = ["no_such_feature", *good.settings["head"]["columns"][1:]]
    for settings, message in (
        ({"head": {**good.settings["head"], "columns": columns}}, "no_such_feature"),
        ({"head": {**good.settings["head"], "columns": columns[:3]}}, "differ in number"),
        ({"head": {**good.settings["head"], "members": [["forest", "trees"], ["more", "trees"]]}}, "fit"),
        ({"encoder": {**good.settings["encoder"], "batch": 7}}, "fit"),
    ):
        save_checkpoint(path, _damaged(good, **settings))
        with pytest.raises(CheckpointError, match=message):
            Hybrid.from_checkpoint(load_checkpoint(path))


@pytest.mark.parametrize(
    ("models", "accuracies", "message"),
    [
        (8, [1.0] * 8, "all accuracies"),
        (7, list(range(7)), "too few"),
        (9, [*range(8), float("nan")], "network 8 is nan"),
        (9, list(range(8)), "9 networks and 8 accuracies"),
    ],
)
def test_accuracies_that_teach_nothing_are_refused(
    models: int, accuracies: list[float], message: str
) -> None:
    with pytest.raises(ScorerError, match=message):
        Hybrid().fit([network(2)] * models, accuracies, input_shape=SHAPE)


def test_a_network_that_cannot_be_built_is_named() -> None:
    with pytest.raises(fxscore.FxScoreError, match=r"network 3.*no_such"):
        Hybrid().fit([*[network(2)] * 3, "timm:no_such", *[network(2)] * 6], range(10), input_shape=SHAPE)


def test_an_untrained_hybrid_says_so() -> None:
    with pytest.raises(ScorerError, match="untrained"):
        Hybrid().score(Subject(network(2), SHAPE))


def test_the_own_size_enters_the_fingerprint_of_records(fitted: Hybrid) -> None:
    same = fxscore.rank([network(4), network(4)], input_shape=SHAPE, scorer=fitted)
    other = fxscore.rank([network(4)], input_shape=(3, 24, 24), scorer=fitted)
    assert len({record.fingerprint for record in same}) == 1
    assert other[0].fingerprint != same[0].fingerprint


def test_a_head_without_forward_features_needs_no_forward(monkeypatch: pytest.MonkeyPatch) -> None:
    names = feature_names()
    values, targets = np.random.default_rng(0).standard_normal((2, 30, len(names)))
    graph = [name for name in names if name not in FORWARD]
    head = fit_head(names, values, targets[:, 0], HeadLearning(trees=5), columns=graph)
    subject = Subject(network(4), SHAPE)
    scores = [Hybrid(head=head).raw_scores(Hybrid().features(subject).values[None])[0]]
    monkeypatch.setattr("fxscore.scorer.features._forward", None)
    assert Hybrid(head=head).score(subject) == pytest.approx(scores[0])
    above = fit_head(names, values, targets[:, 0], HeadLearning(trees=5), prior=head)
    assert above.uses(FORWARD, 32)
    assert not head.uses(FORWARD, 32)


def test_columns_of_the_head_are_features(fitted: Hybrid) -> None:
    assert isinstance(fitted.head, Head)
    assert set(fitted.head.columns) <= set(feature_names())
    assert fitted.encoder.input_like.dtype == torch.float32


def test_a_recipe_that_is_not_given_is_zero() -> None:
    values, targets = data()
    names, recipe = (*NAMES, "recipe_longer"), np.random.default_rng(1).integers(0, 2, (len(values), 1))
    head = fit_head(names, np.concatenate([values, recipe], 1), targets + 20 * recipe[:, 0], ALL)
    alone = head.predict(NAMES, values)
    given = head.predict(names, np.concatenate([values, np.ones_like(recipe)], 1))
    assert alone == pytest.approx(head.predict(names, np.concatenate([values, np.zeros_like(recipe)], 1)))
    assert given.mean() - alone.mean() > 0.1
    with pytest.raises(KeyError):
        head.predict(NAMES[1:], values[:, 1:])


def test_features_are_squashed_only_where_the_head_asks_for_it() -> None:
    values, targets = data()
    plain = fit_head(NAMES, values, targets, HeadLearning(members=(("linear", 1.0),), squash=False))
    rows = plain.standardised(NAMES, values)
    inside = np.abs(rows) < LIMIT
    expected = (values - values.mean(0)) / (values.std(0) + 1e-9)
    kept = [NAMES.index(name) for name in plain.columns]
    assert rows[inside] == pytest.approx(expected[:, kept][inside])
    again = Head.from_arrays(plain.describe(), plain.arrays())
    assert again.predict(NAMES, values) == pytest.approx(plain.predict(NAMES, values))
