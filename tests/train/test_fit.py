"""`fxscore.fit`: any kind of scorer, with the figure that it earns on networks that it did not see."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch import nn

import fxscore
from fxscore.errors import ModelRefError, ScorerError
from fxscore.scorer import FTScoreNet, Hybrid, Settings, load_scorer
from fxscore.scorer.card import card_of
from fxscore.scorer.ensemble import Ensemble
from fxscore.train.fit import Kind
from fxscore.train.fit.by_kind import training_steps

SHAPE = (3, 8, 8)


def networks(count: int = 12) -> list[nn.Module]:
    return [nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU()) for width in range(2, 2 + count)]


def test_a_hybrid_is_fitted_with_its_cross_validated_figure(tmp_path: Path) -> None:
    models: list[nn.Module] = networks()
    models.insert(4, nn.Sequential(nn.Conv2d(5, 4, 3)))  # takes no image of three channels
    accuracies = [60.0 + place for place in range(len(models))]
    fitted = fxscore.fit(models, accuracies, input_shape=SHAPE)
    assert isinstance(fitted.scorer, Hybrid)
    assert fitted.used == (0, 1, 2, 3, *range(5, 13))
    assert list(fitted.failed) == [4]
    assert fitted.held_out == 12
    assert fitted.agreement.value is not None
    assert fitted.agreement.value > 0.7
    assert "on 12 networks in 5 folds" in str(fitted)
    fitted.save(tmp_path / "mine.safetensors", {"of": "a test"})
    read = load_scorer(tmp_path / "mine.safetensors")
    assert isinstance(read, Hybrid)
    assert (read.name, read.record["of"], read.record["measured"][0]["n"]) == ("mine", "a test", 12)
    assert fxscore.score(models[0], input_shape=SHAPE, scorer=read) < fxscore.score(
        models[-1], input_shape=SHAPE, scorer=read
    )


def test_an_ft_scorenet_is_measured_on_what_it_was_not_trained_on() -> None:
    start = FTScoreNet(Settings(batch=4, input_shape=SHAPE))
    fitted = fxscore.fit(networks(), range(12), kind="ft", start=start, input_shape=SHAPE, steps=2, samples=4)
    assert isinstance(fitted.scorer, FTScoreNet)
    assert fitted.held_out == 2
    assert "FT-ScoreNets on 10 of them" in fitted.record["trained_on"]
    assert "on 2 networks that were held out" in str(fitted)


def small(count: int) -> list[nn.Module]:
    head = [nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return [
        nn.Sequential(nn.Conv2d(3, width, 3), *head, nn.Linear(width, 3)) for width in range(2, 2 + count)
    ]


def test_an_ft_scorenet_says_how_often_it_orders_pairs_rightly_where_enough_were_held_out() -> None:
    start = FTScoreNet(Settings(batch=4, input_shape=SHAPE))
    fitted = fxscore.fit(small(76), range(76), kind="ft", start=start, input_shape=SHAPE, steps=2, samples=4)
    assert fitted.held_out == 15
    assert fitted.pairs is not None
    assert fitted.pairs.counts.tolist() == [15 * 14 / 2, 0, 0]
    assert any("--curve (curve=True) asks for one, of 12 further fits" in each for each in fitted.sentences)
    assert fitted.sentences[-1].startswith("Its scores carry no probability")


@pytest.mark.parametrize("kind", ["ft", "both"])
def test_a_learning_curve_of_trainings_is_drawn_where_it_is_asked_for(kind: Kind) -> None:
    start = FTScoreNet(Settings(batch=4, input_shape=SHAPE)) if kind == "ft" else None
    told: list[int] = []
    fitted = fxscore.fit(
        small(32), range(32), kind=kind, start=start, input_shape=SHAPE, steps=2, samples=4, members=1,
        curve=True, watch=told.append,
    )  # fmt: skip
    assert [point.x for point in fitted.worth.curve] == [8, 16, pytest.approx(25.6)]
    assert fitted.worth.curve[-1].estimate == fitted.agreement
    assert fitted.worth.forecast is not None
    assert not any("--curve" in each for each in fitted.sentences)
    assert told[-1] == 32 + training_steps(kind, 2, 1, curve=True, networks=32) == 32 + 2 * 9


def test_scores_of_an_ensemble_with_a_hybrid_have_standings_and_probabilities(tmp_path: Path) -> None:
    fitted = fxscore.fit(small(76), range(76), kind="both", input_shape=SHAPE, steps=2, samples=4, members=1)
    fitted.save(tmp_path / "mine.safetensors")
    read = load_scorer(tmp_path / "mine.safetensors")
    assert isinstance(read, Ensemble)
    models = {"narrow": small(4)[3], "wide": small(60)[59]}
    ranking = fxscore.rank(models, scorer=read, input_shape=SHAPE)
    assert [record.support for record in ranking] == ["inside", "inside"]
    assert [record.score for record in ranking] == [
        fxscore.score(models[record.ref.name], scorer=fitted.scorer, input_shape=SHAPE) for record in ranking
    ]
    known = ranking.probability(*ranking.records)
    assert known is not None
    card = card_of(tmp_path / "mine.safetensors")
    assert card.scorer_id == read.scorer_id
    assert card.confidence.better(*ranking.records) == known
    told = fxscore.explain(models["wide"], input_shape=SHAPE, scorer=read).judgement
    assert told is not None
    assert told.neighbours[0].name.startswith("Sequential ")


def test_what_cannot_be_fitted_says_why() -> None:
    with pytest.raises(ScorerError, match="FTScoreNet is no scorer of the kind hybrid"):
        fxscore.fit(networks(), range(12), start=FTScoreNet())
    with pytest.raises(ScorerError, match="'tree' is no kind of scorer to fit; there are hybrid, ft, both"):
        fxscore.fit(networks(), range(12), kind="tree")  # type: ignore[arg-type]
    with pytest.raises(ScorerError, match=r"stands for .* networks; name one"):
        fxscore.fit(["timm:resnet1*"] * 12, range(12))
    with pytest.raises(ModelRefError, match="no_such"):
        fxscore.fit(["timm:no_such"] * 12, range(12))
