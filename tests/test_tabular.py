"""Results in a notebook: tables, frames, plots and reprs."""

from __future__ import annotations

import sys
import types
from typing import Any

import matplotlib as mpl
import pytest
from torch import nn

import fxscore
from fxscore.errors import MissingExtraError, UsageError
from fxscore.evaluate.estimates import Estimate
from fxscore.quantities import percentile_text
from fxscore.scorer import Hybrid
from fxscore.searching.evaluation import Evaluation
from fxscore.searching.goals import Objective
from fxscore.spaces import get_space
from fxscore.tabular import Tabular
from fxscore.train.fit import Fitted
from fxscore.types import ModelRef, Ranking, ScoreRecord

mpl.use("agg")


def network(width: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, width, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 3)
    )


def searched() -> fxscore.SearchResult:
    history = [
        Evaluation("width=3", {"score": 1.5, "params": 90.0}),
        Evaluation("width=9", {"score": 4.0, "params": 300.0}),
        Evaluation("width=8", {"score": 2.0, "params": 350.0}),
    ]
    objectives = (Objective.parse("score"), Objective.parse("params"))
    settings = {"scorer": "macs", "limits": {"params": 400.0}}
    space = get_space("zen_resnet")
    return fxscore.SearchResult("zen_resnet", objectives, (tuple(history),), settings, space)


@pytest.fixture(scope="module")
def results() -> dict[str, Tabular]:
    models = {"<narrow>": network(3), "wide": network(9)}
    return {
        "ranking": fxscore.rank(models, input_shape=(3, 8, 8), scorer="macs"),
        "comparison": fxscore.compare(models, input_shape=(3, 8, 8), scorer="macs"),
        "explanation": fxscore.explain(network(4), input_shape=(3, 8, 8)),
        "search": searched(),
        "fitted": Fitted(
            Hybrid(),
            (0, 2),
            {1: "it broke"},
            Estimate(0.5, 0.1, 0.8),
            2,
            unseen={0: 1.5, 2: -0.5},
            networks={0: ("<narrow>", 60.0), 1: ("broken", 61.0), 2: ("wide", 62.0)},
        ),
    }


NAMES = ("ranking", "comparison", "explanation", "search", "fitted")


@pytest.mark.parametrize("name", NAMES)
def test_results_show_themselves(results: dict[str, Tabular], name: str) -> None:
    result = results[name]
    rows = result.table()
    assert rows
    assert all(list(row) == list(rows[0]) for row in rows)
    assert all(
        value is None or isinstance(value, (str, int, float)) for row in rows for value in row.values()
    )
    html = result._repr_html_()
    assert html.count("<tr>") == sum(len(table) + 1 for table in result.tables().values())
    assert "<narrow>" not in html
    assert len(repr(result)) < 400
    assert "\n" not in repr(result)


@pytest.mark.parametrize("name", NAMES)
def test_results_plot_a_point_for_each_row(results: dict[str, Tabular], name: str) -> None:
    axes = results[name].plot()
    assert axes.plot is not None
    assert results[name].plot(axes) is axes
    points = axes.collections[0].get_offsets()
    across, up = results[name].AXES
    known = sum(None not in (row[across], row[up]) for row in results[name].table())
    assert len(points) == (
        3 if name == "search" else known
    )  # of a search, those that are not on its front too


def test_plots_say_what_they_show(results: dict[str, Tabular]) -> None:
    for name in NAMES:
        axes = results[name].plot()
        assert " against " in axes.get_title(), name
        assert not {axes.get_xlabel(), axes.get_ylabel()} & {"", "macs", "params", "count", "unseen score"}
    ranking, explanation, found = (results[name].plot() for name in ("ranking", "explanation", "search"))
    assert (ranking.get_xscale(), ranking.get_yscale()) == ("log", "linear")
    assert {text.get_text() for text in ranking.texts} == {"module:<narrow>", "module:wide"}
    assert explanation.get_yscale() == "log"
    explanation.figure.canvas.draw()
    assert all(tick == round(tick) for tick in explanation.get_xticks())
    assert "limit, 400" in found.get_legend_handles_labels()[1]


def test_percentiles_and_networks_that_do_not_compare_are_told() -> None:
    class Percentiles:
        bounds = (0.0, 100.0)

        def better(self, first: ScoreRecord, second: ScoreRecord) -> float | None:
            return None

    records = [
        ScoreRecord(ModelRef("timm", f"net{i}"), 10.0 * i, macs=i, group=("images", "sequences")[i % 2])
        for i in range(1, 5)
    ]
    axes = Ranking.of(records, judge=Percentiles()).plot()
    assert axes.get_ylabel() == "score (percentile)"
    assert sorted(axes.get_legend_handles_labels()[1]) == ["images", "sequences"]
    colours = [points.get_facecolor()[0].tolist() for points in axes.collections]
    assert colours[0] != colours[1]


def test_frames_hold_the_table(results: dict[str, Tabular], monkeypatch: pytest.MonkeyPatch) -> None:
    pandas: Any = types.ModuleType("pandas")
    pandas.DataFrame = list
    monkeypatch.setitem(sys.modules, "pandas", pandas)
    assert results["ranking"].to_frame() == results["ranking"].table()
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r"fxscore\[frames\]"):
        results["ranking"].to_frame()


def test_what_cannot_be_plotted_is_said() -> None:
    failed = Ranking.of([ScoreRecord(ModelRef("timm", "a"), error="broken")])
    with pytest.raises(UsageError, match="nothing to plot"):
        failed.plot()
    assert repr(failed) == "<Ranking: 0 networks, 1 failed>"
    assert "broken" in failed._repr_html_()


def test_percentiles_have_two_digits_in_a_notebook_and_all_in_a_frame() -> None:
    wide = {"wide": network(9)}
    percentile, count = (
        fxscore.rank(wide, input_shape=(3, 8, 8), scorer=name) for name in ("general", "macs")
    )
    (record,) = percentile.records
    assert record.score is not None
    assert f"<td>{percentile_text(record.score)}</td>" in percentile._repr_html_()
    assert percentile.table()[0]["score"] == record.score
    assert f"<td>{count.records[0].score:.4g}</td>" in count._repr_html_()
