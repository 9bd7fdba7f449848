"""What readers of a paper look for in a plot: titles, names with units, fitting scales, the limits that were set."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from rich.console import Console

from fxscore.evaluate.cross_space import score_matrix
from fxscore.report.figure import (
    PALETTE,
    SIZES,
    name_axis,
    new_axes,
    new_figure,
    scorer_name,
    spread_out,
    whole_numbers,
)
from fxscore.report.plots import _draw_networks, plot_score_matrix
from fxscore.report.search.plots import plot_convergence, plot_pareto
from fxscore.report.search.table import print_search
from fxscore.scorer.confidence import Confidence
from fxscore.scorer.pair_table import PairTable
from fxscore.searching import Evaluation, Objective, SearchResult
from tests.searching.spaces import Tiny

SETTINGS = {"limits": {"params": 25e3}, "scorer": "general@0123456789ab", "algorithm": "nsga2-de", "seed": 0}


@pytest.fixture
def result() -> SearchResult:
    found = [Evaluation(f"g{n}", {"params": 1000.0 * n, "score": float(n)}) for n in range(1, 9)]
    objectives = (Objective.parse("score"), Objective.parse("params"))
    return SearchResult("tiny", objectives, (tuple(found[:4]), tuple(found[4:])), SETTINGS, Tiny())


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def _text_stays_text() -> None:
    mpl.rcParams["svg.fonttype"] = "none"


def test_the_front_has_title_units_limit_and_no_digest(result: SearchResult, tmp_path: Path) -> None:
    path = tmp_path / "pareto.svg"
    plot_pareto(result, result.best(), path)
    for said in ("Search of tiny", "parameters", "limit, 25.0 k", "score of general", "chosen", "generation"):
        assert said in text_of(path)
    assert "0123456789ab" not in text_of(path)


def test_convergence_counts_networks_in_whole_numbers(result: SearchResult, tmp_path: Path) -> None:
    path = tmp_path / "convergence.svg"
    plot_convergence({"search": result}, path)
    assert "networks scored" in text_of(path)
    assert "Highest score found so far" in text_of(path)
    assert "2.5" not in [line.strip() for line in text_of(path).splitlines()]


def test_sizes_are_logarithmic_and_counts_whole() -> None:
    axes = new_axes(new_figure(4, 3), "title")
    name_axis(axes, "macs")
    assert (axes.get_xscale(), axes.get_xlabel()) == ("log", "multiply-accumulates of one image (MACs)")
    axes = new_axes(new_figure(4, 3))
    axes.plot([1, 2, 3], [1, 2, 3])
    name_axis(axes, "layers")
    assert axes.get_xscale() == "linear"
    assert all(float(tick).is_integer() for tick in axes.get_xticks())
    name_axis(axes, "latency")
    assert axes.get_xlabel() == "latency of one image (s)"


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        (np.arange(20.0), "linear"),
        (np.full(3, 2.0), "linear"),
        (10.0 ** np.arange(9), "log"),
        (np.array([-1e9, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 1e9]), "asinh"),
        (np.array([0.0] * 9 + [7.0]), "asinh"),
    ],
    ids=["even", "constant", "over magnitudes", "of both signs", "mostly zero"],
)
def test_few_extreme_scores_do_not_squeeze_the_others(values: np.ndarray, scale: str) -> None:
    axes = new_axes(new_figure(4, 3))
    spread_out(axes, values)
    assert axes.get_xscale() == scale


def test_networks_have_their_spread_on_both_margins() -> None:
    figure = new_figure(4, 3)
    axes = figure.add_subplot()
    scores, accuracies = np.logspace(0, 8, 9), np.linspace(60, 70, 9)
    _draw_networks(axes, scores, accuracies, "macs", "top1")
    above, beside = axes.child_axes
    assert (axes.get_xscale(), axes.get_xlabel()) == ("log", f"score: {SIZES['macs']}")
    assert sum(bar.get_height() for bar in above.patches) == 9  # type: ignore[attr-defined]
    assert sum(bar.get_width() for bar in beside.patches) == 9  # type: ignore[attr-defined]
    assert max(bar.get_height() for bar in above.patches) == 1  # type: ignore[attr-defined]


def test_lines_take_the_palette_in_turn() -> None:
    axes = new_axes(new_figure(4, 3))
    lines = [axes.plot([0, 1], [0, n])[0] for n in range(3)]
    assert tuple(line.get_color() for line in lines) == PALETTE[:3]
    whole_numbers(axes)


def test_a_scorer_goes_by_its_name() -> None:
    assert scorer_name("general@0123") == scorer_name("general") == "general"


def test_scorer_against_scorer_is_a_heat_map_with_its_figures(tmp_path: Path) -> None:
    matrix = score_matrix(
        {"A": {"net": np.arange(5.0), "zen": -np.arange(5.0)}}, ["net"], ["net", "zen", "none"]
    )
    plot_score_matrix(matrix, tmp_path / "alike.svg")
    text = text_of(tmp_path / "alike.svg")
    assert "1.000" in text
    assert "-1.000" in text
    assert "scorer with scorer, A" in text


def test_scores_of_a_search_that_are_percentiles_have_two_digits_and_the_gap_that_tells(
    result: SearchResult, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    pairs = PairTable(np.array([1.0, 4.0]), np.tile([0.55, 0.9], (3, 1)), np.full(3, 1000.0))
    judged = replace(result, place=f"{tmp_path / 'nets.py'}:Tiny", judge=Confidence((), pairs, (0.0, 100.0)))
    text, plain = printed(judged), printed(result)
    assert "8.0" in text
    assert "8.0000" not in text
    assert "8.0000" in plain
    assert "chosen: score 8.0, 8.00 k parameters, nets.py:Tiny:g8" in text
    assert "scores less than 2.0 apart do not tell which network is better" in text
    assert "apart" not in plain


def printed(result: SearchResult) -> str:
    console = Console(file=io.StringIO(), width=100)
    print_search(console, result, result.best())
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()
