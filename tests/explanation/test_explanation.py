"""`fxscore.explain`: the score and its place, neighbours in training, and what makes the difference of two networks."""

from __future__ import annotations

import io
import json
import sys
import types
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from torch import nn

import fxscore
from fxscore.cli.app import run
from fxscore.errors import UsageError
from fxscore.explanation import Explanation
from fxscore.report.explanation import print_explanation
from fxscore.scorer import Hybrid
from fxscore.scorer.features import feature_names
from fxscore.scorer.hybrid_head import Head
from fxscore.scorer.hybrid_learners import HeadLearning
from fxscore.scorer.kernel_head import KernelHead
from fxscore.scorer.measured import Networks
from fxscore.scorer.reasons import by_member
from fxscore.scorer.subject import subject_of

SHAPE = (3, 16, 16)


def network(width: int, depth: int = 1) -> nn.Module:
    layers: list[nn.Module] = []
    for place in range(depth):
        layers += [nn.Conv2d(width if place else 3, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 4))


@pytest.fixture(scope="module")
def pair(general: Hybrid) -> Explanation:
    return fxscore.explain(network(8), against=network(24, 3), input_shape=SHAPE, scorer=general)


def shown(explanation: Explanation, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_explanation(console, explanation)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_score_and_its_place_and_neighbours(general: Hybrid) -> None:
    found = fxscore.explain(network(8), input_shape=SHAPE, scorer=general)
    told = found.judgement
    assert told is not None
    assert told.score == fxscore.score(network(8), input_shape=SHAPE, scorer=general)
    assert told.scale.startswith("percentile among the ")
    standing = general.standing(subject_of(network(8), SHAPE))
    assert told.distance == standing.distance == told.neighbours[0].distance
    assert [each.name for each in told.neighbours] == [f"made:{place}" for place, _ in standing.nearest]
    assert [each.distance for each in told.neighbours] == sorted(each.distance for each in told.neighbours)
    (result,) = told.neighbours[0].results
    assert (result.task, result.value) == ("table/made", standing.nearest[0][0])
    text = " ".join(shown(found).split())
    assert f"{told.neighbours[0].name} {told.neighbours[0].distance:.2f}" in text
    assert "on table/made, better than" in text
    assert "percentile among the" in text
    assert told.neighbours[0].name in str(found)


def test_the_shipped_file_names_its_networks_and_a_file_without_names_says_so(general: Hybrid) -> None:
    found = fxscore.explain("timm:resnet18")
    assert found.judgement is not None
    nearest = found.judgement.neighbours[0]
    assert (nearest.name, nearest.results[0].task) == ("timm:resnet18", "timm/imagenet.top1")
    (neighbours,) = general.confidence.neighbours
    confidence = replace(general.confidence, neighbours=(replace(neighbours, networks=Networks()),))
    nameless = Hybrid(general.encoder, general.head, general.scale, confidence=confidence)
    found = fxscore.explain(network(8), input_shape=SHAPE, scorer=nameless)
    assert "does not name the networks of its training" in shown(found, 200)
    assert "neighbours" not in found.tables()


def test_a_scorer_that_keeps_no_networks_says_so() -> None:
    found = fxscore.explain(network(8), input_shape=SHAPE, scorer="params", against=network(9))
    assert found.judgement is not None
    assert found.judgement.neighbours == ()
    assert "which of them this one is like is not known" in shown(found, 200)
    assert found.against is not None
    assert found.against.members == found.against.groups == ()
    assert found.against.points is not None
    assert found.against.points < 0
    assert "What makes the difference is not known" in shown(found, 200)


def test_members_and_groups_add_up_to_the_difference(pair: Explanation) -> None:
    found = pair.against
    assert found is not None
    assert pair.judgement is not None
    assert found.points == pytest.approx((pair.judgement.score or 0) - (found.judgement.score or 0))
    for parts in (found.members, found.groups):
        assert sum(each.points for each in parts) == pytest.approx(found.points, abs=1e-6)
        assert sum(each.raw for each in parts) == pytest.approx(found.raw, abs=1e-9)
        assert len({each.group for each in parts}) == len(parts)
    assert found.raw != 0


def test_raw_scores_are_what_the_head_puts_together(general: Hybrid) -> None:
    head = general.head
    assert head is not None
    rows = np.stack([general.features(subject_of(network(width), SHAPE)).values for width in (4, 8, 30)])
    parts = head.parts(feature_names(), rows)
    assert parts.shape == (3, len(head.part_names))
    assert head.whole(parts) == pytest.approx(head.predict(feature_names(), rows), abs=1e-9)


def test_the_prior_alone_speaks_where_it_alone_differs(general: Hybrid) -> None:
    standing = general.standing(subject_of(network(8), SHAPE))
    prior, *rest = standing.parts
    other = replace(standing, parts=(prior - 1, *rest))
    points = {each.group: each.raw for each in by_member(general, standing, other)}
    share = standing.parts[-2]
    assert points.pop("what size and activation patterns say") == pytest.approx(1 - share)
    assert list(points.values()) == pytest.approx([0.0] * len(points))


def test_a_fitted_head_is_the_sum_of_its_members(general: Hybrid) -> None:
    learning = HeadLearning((("forest", 1.0), ("linear", 1.0)), trees=3)
    models, accuracies = [network(width) for width in range(2, 14)], [float(width) for width in range(2, 14)]
    fitted = general.fit(models, accuracies, input_shape=SHAPE, learning=learning)
    explained = fxscore.explain(network(3), against=network(12), input_shape=SHAPE, scorer=fitted)
    found = explained.against
    assert found is not None
    assert explained.judgement is not None
    assert explained.judgement.scale == "percentile among the networks of its training"
    assert isinstance(fitted.head, Head)
    assert {each.group for each in found.members} == {*fitted.head.members}
    assert sum(each.raw for each in found.members) == pytest.approx(found.raw)
    assert sum(each.raw for each in found.groups) == pytest.approx(found.raw)


def test_operators_that_differ_are_told_and_equal_ones_are_not(pair: Explanation) -> None:
    assert pair.against is not None
    by_name = {each.operator: each for each in pair.against.operators}
    conv = by_name["conv2d"]
    assert (conv.count, conv.other_count) == (1, 3)
    assert conv.other_macs == 16 * 16 * 9 * (3 * 24 + 2 * 24 * 24)
    same = fxscore.explain(network(8), against=network(8), input_shape=SHAPE).against
    assert same is not None
    assert same.operators == ()
    assert same.points == 0


def test_the_difference_is_printed_with_its_sum_and_what_is_unknown(pair: Explanation) -> None:
    assert pair.against is not None
    text = shown(pair)
    assert pair.against.sentence.split(" with ")[0].split()[0] in text
    assert text.count("what size and activation patterns say") == 1
    assert f"together {pair.against.points:+.1f}".replace("-", "−") in " ".join(text.split())
    assert "not what training would show" in text
    assert max(map(len, text.splitlines())) <= 80


def test_networks_of_other_kinds_have_no_shares(general: Hybrid) -> None:
    standing = general.standing(subject_of(network(4), SHAPE))
    assert by_member(general, standing, replace(standing, kind=4)) == ()


def test_a_network_without_a_score_is_explained_all_the_same(general: Hybrid) -> None:
    assert isinstance(general.head, KernelHead)
    broken = replace(general.head, middles=np.full_like(general.head.middles, np.inf))
    scorer = Hybrid(general.encoder, broken, general.scale, name="broken", confidence=general.confidence)
    found = fxscore.explain(network(8), input_shape=SHAPE, scorer=scorer, against=network(9))
    assert found.operators
    assert found.judgement is not None
    assert found.judgement.score is None
    assert "too large" in str(found.judgement.error)
    assert found.against is not None
    assert "has no score" in found.against.sentence
    assert "score        none" in shown(found, 200)


def test_tables_frames_and_json(pair: Explanation, capsys: pytest.CaptureFixture[str]) -> None:
    tables = pair.tables()
    assert list(tables) == ["operators", "neighbours", "contributions", "differences"]
    html = pair._repr_html_()
    assert html.count("<table") == 4
    assert "<caption>contributions</caption>" in html
    assert {row["by"] for row in tables["contributions"]} == {"member", "features"}
    assert json.loads(json.dumps(asdict(pair)))["against"]["groups"][0]["points"] != 0
    assert run(["explain", "zoo/resnet.py", "--against", "zoo/squeezenet.py", "--json"]) == 0
    read = json.loads(capsys.readouterr().out)
    assert len(read["judgement"]["neighbours"]) == 3
    parts = read["against"]["members"]
    assert sum(each["raw"] for each in parts) == pytest.approx(read["against"]["raw"])


def test_a_table_that_there_is_not_is_named(pair: Explanation, monkeypatch: pytest.MonkeyPatch) -> None:
    pandas: Any = types.ModuleType("pandas")
    pandas.DataFrame = list
    monkeypatch.setitem(sys.modules, "pandas", pandas)
    assert pair.to_frame("contributions") == pair.tables()["contributions"]
    assert pair.to_frame() == pair.table()
    with pytest.raises(UsageError, match="no table 'other'; there are operators, neighbours"):
        pair.to_frame("other")
