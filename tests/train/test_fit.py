"""`fxscore.fit`: any kind of scorer, with the figure that it earns on networks that it did not see."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch import nn

import fxscore
from fxscore.errors import ModelRefError, ScorerError
from fxscore.scorer import FTScoreNet, Hybrid, Settings, load_scorer

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


def test_what_cannot_be_fitted_says_why() -> None:
    with pytest.raises(ScorerError, match="FTScoreNet is no scorer of the kind hybrid"):
        fxscore.fit(networks(), range(12), start=FTScoreNet())
    with pytest.raises(ScorerError, match="'tree' is no kind of scorer to fit; there are hybrid, ft, both"):
        fxscore.fit(networks(), range(12), kind="tree")  # type: ignore[arg-type]
    with pytest.raises(ScorerError, match=r"stands for .* networks; name one"):
        fxscore.fit(["timm:resnet1*"] * 12, range(12))
    with pytest.raises(ModelRefError, match="no_such"):
        fxscore.fit(["timm:no_such"] * 12, range(12))
