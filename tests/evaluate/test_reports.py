from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from benchmarks.paper.nasbench201_agreement import regret_of
from benchmarks.shared.matrix import matrix_markdown
from fxscore.evaluate import (
    CrossSpace,
    Estimate,
    Measures,
    Population,
    compare_scorers,
    learning_curve,
    score_matrix,
)
from fxscore.report.evaluation_files import comparison_csv, cross_space_csv
from fxscore.report.evaluation_table import cross_space_table, print_comparison, score_matrix_table
from fxscore.report.plots import plot_comparison, plot_cross_space, plot_curves
from fxscore.types import ModelRef, ScoreRecord

CELLS = {
    ("A", "net"): Estimate(0.9, 0.8, 0.95),
    ("A", "params"): Estimate(0.5, 0.4, 0.6),
    ("A", "zen"): Estimate(0.2),
    ("B", "net"): Estimate(0.7),
    ("B", "params"): Estimate(None),
}
MATRIX = CrossSpace(
    ("A", "B"), ("net",), ("params", "zen"), CELLS, {("A", "net"): 9}, {"net": frozenset({"B"})}
)


def text_of(renderable: object) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(renderable)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def constant_and_good() -> tuple[Population, dict[str, list[ScoreRecord]]]:
    refs = tuple(ModelRef("timm", f"[n{i}]") for i in range(4))
    population = Population("p", refs, {"x": np.arange(4.0)}, tuple("aabb"), caution="mind the recipes")
    records = {
        "flat": [ScoreRecord(ref, 1.0) for ref in refs],
        "good": [ScoreRecord(ref, float(i)) for i, ref in enumerate(refs)],
    }
    return population, records


def test_a_comparison_shows_ties_undefined_figures_families_and_cautions() -> None:
    population, records = constant_and_good()
    console = Console(file=io.StringIO(), width=200)
    print_comparison(console, compare_scorers(population, records, Measures(resamples=10)))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "resamples of 2 families" in text
    assert "mind the recipes" in text
    flat = next(line for line in text.splitlines() if "flat" in line)
    assert "–" in flat
    assert "4 (100 %)" in flat
    assert text.index("good") < text.index("flat")


def test_csv_leaves_undefined_figures_empty() -> None:
    population, records = constant_and_good()
    found = compare_scorers(population, records, Measures(resamples=5))
    rows = list(csv.DictReader(io.StringIO(comparison_csv(found, found))))
    assert [row["scorer"] for row in rows] == ["flat", "good", "flat", "good"]
    assert rows[0]["spearman"] == ""
    assert rows[0]["tied_scores"] == "4"


def test_the_matrix_in_every_form(tmp_path: Path) -> None:
    text = text_of(cross_space_table(MATRIX))
    assert "0.900" in text
    assert "0.700†" in text
    markdown = matrix_markdown(MATRIX)
    assert "**0.900 [0.80, 0.95]**" in markdown
    assert "0.700†" in markdown
    assert "| – |" in markdown
    rows = list(csv.DictReader(io.StringIO(cross_space_csv(MATRIX))))
    assert rows[0] == {
        "tested_on": "A",
        "scorer": "net",
        "kind": "learned",
        "trained_there": "False",
        "spearman": "0.9",
        "low": "0.8",
        "high": "0.95",
        "n": "9",
        "mark": "bold",
    }
    path = tmp_path / "m.svg"
    plot_cross_space(MATRIX, path)
    assert "<svg" in path.read_text()


def test_scorer_against_scorer() -> None:
    matrix = score_matrix({"A": {"net": np.arange(3.0)}}, ["net"], ["net", "zen"])
    line = next(
        line for line in text_of(score_matrix_table(matrix)).splitlines() if line.strip().startswith("net")
    )
    assert line.split() == ["net", "1.000", "–"]


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_pictures_are_written(tmp_path: Path, ending: str) -> None:
    population, records = constant_and_good()
    signature = {"png": b"\x89PNG", "svg": b"<?xml"}[ending]
    paths = [tmp_path / f"{name}.{ending}" for name in ("comparison", "curves")]
    plot_comparison(compare_scorers(population, records, Measures(resamples=5)), paths[0])
    plot_curves([learning_curve("c", "step", [{1: 0.2, 2: 0.4}, {1: 0.3}])], paths[1])
    for path in paths:
        assert path.read_bytes().startswith(signature)


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no picture"):
        plot_cross_space(MATRIX, tmp_path / "a.gif")


def test_regret_takes_the_best_validation_accuracy_among_seen_and_picked() -> None:
    valid, test = np.arange(30.0), np.arange(30.0)[::-1].copy()
    seen, rest = range(5), range(5, 30)
    # scores prefer the last: n29 is picked, has the best validation accuracy and the worst test accuracy
    assert regret_of(np.arange(25.0), seen, rest, valid, test) == 29
    # scores prefer the first: n5 … n14 are picked, n14 has the best validation accuracy of all
    assert regret_of(-np.arange(25.0), seen, rest, valid, test) == 14
