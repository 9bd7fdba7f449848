"""Whether a fit is worth it: what ranks the same networks, the learning curve, the forecast, and how it is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn

import fxscore
from fxscore.evaluate import spearman
from fxscore.evaluate.estimates import Estimate
from fxscore.evaluate.worth import Forecast, Rival, Worth, curve_of, rivals_of
from fxscore.report.html.fitting import fit_page
from fxscore.scorer import Hybrid, load_scorer
from fxscore.train.fit import Fitted
from fxscore.train.fit.drawing import DRAWS, draws

SHAPE = (3, 8, 8)


def network(width: int, depth: int) -> nn.Module:
    layers: list[nn.Module] = []
    for place in range(depth):
        layers += [nn.Conv2d(3 if place == 0 else width, width, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 3))


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    """Of 32 networks, of which the narrow ones are the better: the opposite of what sizes say."""
    sizes = [(width, depth) for width in range(2, 18, 2) for depth in range(1, 5)]
    return fxscore.fit(
        [network(*size) for size in sizes], [90.0 - w + d for w, d in sizes], input_shape=SHAPE
    )


def test_a_fit_stands_beside_what_has_not_learned_from_its_networks(fitted: Fitted) -> None:
    rivals = {rival.name: rival for rival in fitted.worth.rivals}
    assert list(rivals) == ["general", "params", "MACs"]
    accuracies = np.array([accuracy for _, accuracy in fitted.networks.values()])
    unseen = np.array(list(fitted.unseen.values()))
    assert fitted.agreement.value == pytest.approx(spearman(unseen, accuracies))
    for rival in rivals.values():
        assert rival.known == 0
        assert rival.agreement.value is not None
        assert rival.gain.value == pytest.approx(spearman(unseen, accuracies) - rival.agreement.value)
    assert rivals["params"].agreement.value == pytest.approx(
        spearman(np.array([sum(p.numel() for p in network(w, d).parameters()) for w in range(2, 18, 2)
                           for d in range(1, 5)], dtype=float), accuracies)
    )  # fmt: skip
    assert fitted.worth.verdict is not None
    assert fitted.worth.verdict.startswith("Worth it: ρ +")


def test_the_curve_rises_to_the_figure_of_the_folds(fitted: Fitted) -> None:
    curve = fitted.worth.curve
    assert [round(point.x) for point in curve] == [8, 16, 26]
    assert [point.runs for point in curve] == [DRAWS, DRAWS, 5]
    assert curve[-1].estimate == fitted.agreement
    assert fitted.worth.forecast is not None
    assert fitted.worth.forecast.networks == 64
    assert f"({curve[0].x:.0f})" in str(fitted)


def test_the_scores_of_the_file_have_probabilities(fitted: Fitted, tmp_path: Path) -> None:
    assert fitted.pairs is not None
    assert fitted.pairs.counts.sum() <= 32 * 31 / 2
    fitted.save(tmp_path / "mine.safetensors")
    read = load_scorer(tmp_path / "mine.safetensors")
    assert isinstance(read, Hybrid)
    models = {"narrow": network(3, 3), "wide": network(17, 2)}
    ranking = fxscore.rank(models, scorer=read, input_shape=SHAPE)
    assert [record.ref.name for record in ranking] == ["narrow", "wide"]
    assert all(record.support == "inside" for record in ranking)
    assert 0.8 < (ranking.probability(*ranking.records) or 0) < 1
    (around,) = read.confidence.neighbours
    assert around.networks.names[0].startswith("Sequential ")
    assert read.record["worth"] == fitted.worth.as_dict()


def test_a_notebook_shows_networks_rivals_and_the_curve(fitted: Fitted) -> None:
    tables = fitted.tables()
    assert {name: len(rows) for name, rows in tables.items()} == {
        "networks": 32, "beside others": 3, "learning curve": 3,
    }  # fmt: skip
    assert tables["beside others"][0]["ρ"] == fitted.worth.rivals[0].agreement.value
    assert "learning curve" in fitted._repr_html_()
    assert "\n" not in repr(fitted)


def test_all_of_it_is_json_and_a_report(fitted: Fitted) -> None:
    told = json.loads(json.dumps(fitted.as_dict()))
    assert told["spearman"] == fitted.agreement.value
    assert [each["name"] for each in told["rivals"]] == ["general", "params", "MACs"]
    assert len(told["curve"]) == 3
    assert told["forecast"]["networks"] == 64
    assert told["pairs"]["inside"] == sorted(told["pairs"]["inside"])
    assert told["networks"][0] == {
        "network": "Sequential 0", "accuracy": 89.0, "unseen score": fitted.unseen[0], "error": None,
    }  # fmt: skip
    page = fit_page(fitted, {})
    assert [table.title.split(",")[0] for table in page.tables] == [
        "Beside what learned from none of these",
        "Probability that the higher score is the better network",
        "Networks that were fitted to",
    ]
    assert len(page.plots) == 2
    assert len(page.plots[1].points) == 3
    assert "Worth it" in page.html()


def test_a_start_that_knows_the_networks_is_said_to(fitted: Fitted) -> None:
    models = [network(width, 2) for width in range(2, 18, 2)]
    again = fxscore.fit(models, [80.0 - place for place in range(8)], start=fitted.scorer, input_shape=SHAPE)
    known = {rival.name: rival.known for rival in again.worth.rivals}
    assert known == {fitted.scorer.name: 8, "general": 0, "params": 0, "MACs": 0}
    assert again.worth.curve == ()  # too few to part
    assert again.worth.forecast is None
    assert again.sentences[-1].startswith("How surely it orders two networks is not known")  # 28 pairs
    assert not any(table.title.startswith("Probability") for table in fit_page(again, {}).tables)


def spread(value: float, low: float, high: float) -> Estimate:
    return Estimate(value, low, high)


@pytest.mark.parametrize(
    ("gain", "words"),
    [
        (spread(0.3, 0.1, 0.5), "Worth it: ρ +0.30 (+0.10 to +0.50) beside b"),
        (spread(-0.2, -0.3, -0.1), "Not worth it: ρ -0.20"),
        (spread(0.1, -0.1, 0.2), "Not shown to be worth it: ρ +0.10"),
    ],
)
def test_the_verdict_is_of_the_best_rival_and_its_interval(gain: Estimate, words: str) -> None:
    worse = Rival("a", Estimate(0.2, 0.1, 0.3), spread(0.6, 0.5, 0.7))
    worth = Worth((worse, Rival("b", Estimate(0.5, 0.4, 0.6), gain, known=3)))
    assert worth.verdict is not None
    assert worth.verdict.startswith(words)
    assert "had 3 of these" in worth.verdict
    assert Worth().verdict is None
    assert Worth((Rival("a", Estimate(None), Estimate(None)),)).sentences == ()


@pytest.mark.parametrize(
    ("gain", "words"),
    [
        (spread(0.05, 0.03, 0.07), "More would help"),
        (spread(0.004, 0.001, 0.008), "More would hardly help"),
        (spread(0.03, -0.02, 0.09), "Whether more would help, the learning curve does not tell"),
        (Estimate(None), "says nothing"),
    ],
)
def test_more_networks_are_asked_for_only_where_the_curve_says_so(gain: Estimate, words: str) -> None:
    assert words in Forecast(80, Estimate(0.9, 0.8, 0.95), gain).sentence


def test_a_power_law_is_forecast_as_what_it_is() -> None:
    count = 100

    def rho(networks: float) -> float:
        return float(1 - 2 * networks**-0.5)

    drawn = [(size, [rho(size)] * DRAWS) for size in (12.5, 25.0, 50.0)]
    points, forecast = curve_of(drawn, Estimate(rho(80.0), 0.7, 0.8), count, folds=5, seed=0)
    assert [point.x for point in points] == [12.5, 25, 50, 80]
    assert forecast is not None
    assert forecast.agreement.value == pytest.approx(rho(200))
    assert forecast.gain.value == pytest.approx(rho(200) - rho(100))
    assert forecast.gain.low == pytest.approx(forecast.gain.high)
    assert "More would help" in forecast.sentence


def test_noise_among_draws_widens_the_forecast() -> None:
    drawn = [(10.0, [0.2, 0.8, 0.3, 0.7]), (20.0, [0.1, 0.9, 0.5, 0.5])]
    _, forecast = curve_of(drawn, Estimate(0.52, 0.3, 0.7), 40, folds=5, seed=0)
    assert forecast is not None
    assert forecast.gain.low is not None
    assert forecast.gain.high is not None
    assert forecast.gain.low < 0 < forecast.gain.high
    assert curve_of(drawn[:1], Estimate(0.5), 20, folds=5, seed=0)[1] is None
    assert curve_of(drawn, Estimate(None), 40, folds=5, seed=0) == ((), None)


def test_draws_part_the_networks_and_judge_on_the_others() -> None:
    labels = np.arange(40.0)
    names = [f"{place // 2}" for place in range(40)]  # pairs of equal networks
    masks: list[Any] = []

    def fit(seen: Any) -> Any:
        masks.append(seen)
        return np.where(seen, -1e9, labels)  # right on what it did not see, and on that alone

    found = list(draws(fit, labels, names, seed=0))
    assert [size for size, _ in found] == [10, 20]
    assert all(values == pytest.approx([1.0] * DRAWS) for _, values in found)
    assert np.sum(masks[:4], axis=0).tolist() == [1] * 40  # four quarters
    assert all((mask[::2] == mask[1::2]).all() for mask in masks)
    assert list(draws(fit, labels[:15], names[:15], seed=0)) == []


def test_fewer_than_two_networks_have_no_rivals() -> None:
    assert rivals_of(np.ones(1), {"params": np.ones(1)}, np.ones(1), 0) == ()
