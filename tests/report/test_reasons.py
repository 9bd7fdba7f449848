"""What stands behind scores in reports: neighbours in training and contributions in the panel of each network."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from torch import nn

import fxscore
from fxscore.report.html.comparison import comparison_page
from fxscore.report.html.ranking import ranking_page
from fxscore.report.html.reasons import reasons_in
from fxscore.report.reasons import in_points, short
from fxscore.scorer import Hybrid, load_scorer
from fxscore.scorer.confidence import standing_of
from fxscore.types import Ranking

WIDTHS = {"narrow": 4, "middle": 10, "wide": 40}
MEMBERS, GROUPS = "by member of the scorer", "by group of features"


def network(width: int) -> nn.Module:
    layers = [nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(width, 4))


def networks() -> dict[str, nn.Module]:
    return {name: network(width) for name, width in WIDTHS.items()}


@pytest.fixture(scope="module")
def ranking(general: Hybrid) -> Ranking:
    return fxscore.rank(networks(), input_shape=(3, 16, 16), scorer=general)


def panels(html: str) -> list[dict[str, Any]]:
    found = re.search(r'id="data">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    return [row["panel"] for row in json.loads(found[1])["tables"][0]["rows"]]


def points(listing: dict[str, Any]) -> list[float]:
    return [float(row[1].replace("−", "-")) for row in listing["rows"]]


def test_every_network_of_a_ranking_has_its_neighbours_and_its_difference_to_the_best(
    ranking: Ranking, general: Hybrid
) -> None:
    shown = panels(ranking_page(ranking, {}, why=reasons_in(ranking, general)).html())
    best, second = ranking.records[:2]
    for record, panel in zip(ranking, shown, strict=True):
        near, members = panel["lists"]
        standing = standing_of(record)
        assert standing is not None
        assert [row[0] for row in near["rows"]] == [f"made:{place}" for place, _ in standing.nearest]
        assert "on table/made, better than" in near["rows"][0][2]
        rival = second if record is best else best
        assert members["title"] == f"Score over that of {rival.ref}, {MEMBERS}"
        assert members["rows"][-1][0] == "together"
        gap = (record.score or 0) - (rival.score or 0)
        assert points(members)[-1] == pytest.approx(gap, abs=0.06)
        assert sum(points(members)[:-1]) == pytest.approx(gap, abs=0.06 * len(members["rows"]))


def test_a_rival_goes_by_its_name(ranking: Ranking, general: Hybrid) -> None:
    best, second = ranking.records[:2]
    why = reasons_in(ranking, general, names={best.ref: "the first"})
    assert [each.title for each in why(second).lists if each.title.startswith("Score over")] == [
        f"Score over that of the first, {MEMBERS}"
    ]


def test_a_comparison_has_the_groups_of_features_too(general: Hybrid) -> None:
    found = fxscore.compare(networks(), input_shape=(3, 16, 16), scorer=general)
    why = reasons_in(found.ranking, general, found.verdicts)
    shown = panels(comparison_page(found, {}, why=why).html())
    best, second, third = (
        {each["title"].split(", ")[-1]: each for each in panel["lists"]} for panel in shown
    )
    assert all(GROUPS in panel for panel in (best, second, third))
    assert [-value for value in points(second[GROUPS])] == pytest.approx(points(best[GROUPS]))
    assert points(third[GROUPS])[-1] == points(third[MEMBERS])[-1] < points(second[GROUPS])[-1] < 0


def test_what_is_not_known_is_said_in_the_panel() -> None:
    scorer = load_scorer("params")
    found = fxscore.rank(networks(), input_shape=(3, 16, 16), scorer=scorer)
    for panel in panels(ranking_page(found, {}, why=reasons_in(found, scorer)).html()):
        assert panel["lists"] == []
        assert "is not known" in dict(panel["facts"])["looks most like"]


def test_names_are_shown_as_people_know_them() -> None:
    graph = 'fxscore.published.graphs:network{"classes": 10, "file": "g.gz", "name": "cifar10_resnet20"}'
    assert short(graph) == "cifar10_resnet20"
    assert short('fxscore.published.cifar:vgg{"depth": 13, "norm": false}') == "vgg depth=13 norm=False"
    wide = 'fxscore.published.cifar:zoo{"blocks": 28, "family": "wrn", "num_classes": 10, "width_factor": 1}'
    assert short(wide) == "wrn blocks=28 width_factor=1"
    assert short("timm:resnet18") == "timm:resnet18"
    assert short("fxscore.published.x{:}") == "fxscore.published.x{:}"
    assert short("darts:" + "x" * 500).endswith("xx…")


def test_what_rounds_to_nothing_has_no_sign() -> None:
    assert in_points(-0.04, 0.0004) == ("0.0", "0.000")
    assert in_points(-0.06, 0.0006) == ("−0.1", "+0.001")
    assert in_points(None, -10.0) == ("–", "−10.000")
