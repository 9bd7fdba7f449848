"""The front of a search as a rich table, and the lines around it."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fxscore.report import numbers
from fxscore.report.narrowing import NarrowingTable
from fxscore.searching.evaluation import Evaluation
from fxscore.searching.goals import HELD_BACK, LATENCY, SCORE
from fxscore.searching.result import SearchResult

_WIDTH = 60  # of a genotype in the table; the files hold it whole


def front_table(result: SearchResult, chosen: Evaluation | None) -> Table:
    """Score, parameters and the other objectives of each network of the front; a star marks the chosen one."""
    names = list(dict.fromkeys([SCORE, "params", *(each.name for each in result.objectives)]))
    table = NarrowingTable("genotype")
    table.add_column("")
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("genotype", overflow="fold")
    for evaluation in result.front:
        mark = "*" if chosen is not None and evaluation.text == chosen.text else ""
        values = (_value(name, evaluation.values[name]) for name in names)
        cells = [mark, *values, _short(evaluation.text)]
        table.add_row(*map(Text, cells))  # Text, not str: a genotype may hold square brackets
    return table


def print_search(console: Console, result: SearchResult, chosen: Evaluation | None) -> None:
    """Print the front, the chosen network and what was looked at."""
    if result.front:
        console.print(front_table(result, chosen))
    if chosen is not None:
        size = numbers.count(chosen.values["params"])
        line = f"chosen: score {numbers.score(chosen.values[SCORE])}, {size} parameters, {result.ref(chosen)}"
        console.print(line, highlight=False, markup=False, soft_wrap=True)
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


def _value(name: str, value: float) -> str:
    if name in ("params", "macs", "flops", "activations", "layers", "layer_depth"):
        return numbers.count(value)
    return numbers.seconds(value) if name == LATENCY else numbers.score(value)
