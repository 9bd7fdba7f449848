"""Matrices of scorers across spaces, in the form of the paper's Tables I and II, as Markdown."""

from __future__ import annotations

import numpy as np

from benchmarks.results import table
from fxscore.evaluate import CrossSpace, Estimate, Measures, agreement
from fxscore.evaluate.coefficients import Floats
from fxscore.report.evaluation_table import value_text

MARKS = {"": "{}", "bold": "**{}**", "underline": "<u>{}</u>"}


def rho(scores: Floats, labels: Floats, measures: Measures) -> Estimate:
    """Spearman's ρ with its interval, over the networks that have a score."""
    known = np.isfinite(scores)
    return agreement(scores[known], labels[known], measures).figures["spearman"]


def matrix_markdown(matrix: CrossSpace) -> str:
    """The matrix with intervals and the paper's marks; †: trained on that space."""
    names = (*matrix.learned, *matrix.handcrafted)
    rows = []
    for row in matrix.rows:
        cells = [MARKS[matrix.mark(row, name)].format(_cell(matrix, row, name)) for name in names]
        rows.append([row, *cells])
    return table(["tested on", *names], rows)


def _cell(matrix: CrossSpace, row: str, name: str) -> str:
    cell = matrix.cells.get((row, name))
    if cell is None or cell.value is None:
        return "–"
    mark = "†" if row in matrix.trained.get(name, ()) else ""
    reach = "" if cell.low is None or cell.high is None else f" [{cell.low:.2f}, {cell.high:.2f}]"
    return f"{cell.value:.3f}{mark}{reach}"


def means_markdown(matrix: CrossSpace) -> str:
    """Mean over rows, over rows of spaces not trained on, and the worst of these; one line a column."""
    lines = []
    for name in (*matrix.learned, *matrix.handcrafted):
        every = [(row, value) for row in matrix.rows if (value := matrix.value(row, name)) is not None]
        new = [value for row, value in every if row not in matrix.trained.get(name, ())]
        all_rows = sum(value for _, value in every) / len(every)
        unseen = [value_text(sum(new) / len(new)), value_text(min(new))] if new else ["–", "–"]
        lines.append([name, value_text(all_rows), len(new), *unseen])
    return table(["scorer", "mean ρ, all rows", "new spaces", "mean ρ, new spaces", "least"], lines)
