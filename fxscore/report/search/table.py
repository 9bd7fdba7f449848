"""The front of a search as a rich table, and the lines around it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fxscore.report import numbers
from fxscore.report.narrowing import NarrowingTable
from fxscore.report.rows import score_form
from fxscore.scorer.confidence import LEVEL
from fxscore.searching.evaluation import Evaluation
from fxscore.searching.goals import HELD_BACK, LATENCY, SCORE
from fxscore.searching.result import SearchResult

_WIDTH = 60  # of a genotype in the table; the files hold it whole


def front_table(result: SearchResult, chosen: Evaluation | None) -> Table:
    """Score, parameters and the other objectives of each network of the front; a star marks the chosen one."""
    names = list(dict.fromkeys([SCORE, "params", *(each.name for each in result.objectives)]))
    table, score = NarrowingTable("genotype"), score_form(result.judge)
    table.add_column("")
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("genotype", overflow="fold")
    for evaluation in result.front:
        mark = "*" if chosen is not None and evaluation.text == chosen.text else ""
        values = (_value(name, evaluation.values[name], score) for name in names)
        cells = [mark, *values, _short(evaluation.text)]
        table.add_row(*map(Text, cells))  # Text, not str: a genotype may hold square brackets
    return table


def print_search(console: Console, result: SearchResult, chosen: Evaluation | None) -> None:
    """Print the front, the chosen network and what was looked at."""
    if result.front:
        console.print(front_table(result, chosen))
    if chosen is not None:
        size = numbers.count(chosen.values["params"])
        score = score_form(result.judge)(chosen.values[SCORE])
        line = f"chosen: score {score}, {size} parameters, {_from_here(str(result.ref(chosen)))}"
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    if len(result.front) > 1 and (gap := _gap(result)) is not None:
        line = f"scores less than {numbers.percentile(gap)} apart do not tell which network is better"
        console.print(line, highlight=False, style="dim")
    console.print(summary(result), highlight=False)


def summary(result: SearchResult) -> str:
    """How many networks were scored, were beyond a limit, or failed; and what ended the search early, if anything."""
    every = result.evaluations
    scored, failed = sum(e.feasible for e in every), len(result.failures)
    text = f"{scored} networks scored in {len(result.history)} generations"
    if beyond := len(every) - scored - failed:
        text += f", {beyond} beyond a limit"
    text += f", {failed} failed" if failed else ""
    if held := sum(each.values.get(HELD_BACK, 0.0) > 0 for each in every):
        text += f", {held} scores held back, as the networks are far from training"
    return "; ".join([text, *result.early])


def _short(genotype: str) -> str:
    return genotype if len(genotype) <= _WIDTH else genotype[: _WIDTH - 1] + "…"


def _gap(result: SearchResult) -> float | None:
    """The least gap of two scores inside training that tells which network is better; None where nobody measured it."""
    pairs = None if result.judge is None else result.judge.pairs
    return None if pairs is None else pairs.gap(LEVEL, 0.0)


def _from_here(reference: str) -> str:
    """A reference whose file lies under the current folder, from there, as a person would write it."""
    return reference.removeprefix(f"{Path.cwd()}{os.sep}")


def _value(name: str, value: float, score: Callable[[float | None], str]) -> str:
    if name in ("params", "macs", "flops", "activations", "layers", "layer_depth"):
        return numbers.count(value)
    if name == LATENCY:
        return numbers.seconds(value)
    return score(value) if name == SCORE else numbers.score(value)
