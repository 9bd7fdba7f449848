"""A comparison as a table of sizes, its verdicts in words, and what speaks for each network."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console
from rich.text import Text

from fxscore.comparison import Comparison, Contender, Verdict
from fxscore.report import numbers
from fxscore.report.narrowing import NarrowingTable
from fxscore.report.reasons import short
from fxscore.report.rows import score_form, why

_LEAST = 0.5  # points of score that are worth a word
_MOST = 3  # groups of features that are named for each network
_TRAINING = "training: inside, near or outside what the scorer learned from; the farther, the less sure it is"
_Cell = Callable[[Contender], str]


def print_comparison(console: Console, comparison: Comparison) -> None:
    """Print everything."""
    if comparison.contenders:
        console.print(comparison_table(comparison))
        if any(contender.record.support for contender in comparison.contenders):
            console.print(Text(_TRAINING, style="dim"))
    for verdict in comparison.verdicts:
        console.print(Text(verdict.sentence, style="bold"))
        for line in speaking(verdict):
            console.print(Text(f"  {line}"))
    for record in comparison.ranking.failures:
        console.print(Text(f"{record.ref}: {why(record)}", style="red"))
    for sentence in comparison.advice:
        console.print(Text(sentence))


def comparison_table(comparison: Comparison) -> NarrowingTable:
    """One column for each network, best first; a line for the score, support and each size."""
    table = NarrowingTable("")
    table.add_column("", no_wrap=True)
    for contender in comparison.contenders:
        table.add_column(Text(str(contender.record.ref)), justify="right", overflow="fold")
    for name, cell in _lines(comparison).items():
        cells = [cell(contender) for contender in comparison.contenders]
        if any(each != numbers.MISSING for each in cells):
            table.add_row(name, *map(Text, cells))
    return table


def _lines(comparison: Comparison) -> dict[str, _Cell]:
    score = score_form(comparison.ranking.judge)
    return {
        "score": lambda each: score(each.record.score),
        "cannot be told from": lambda each: _interval(each, score),
        "training": lambda each: each.record.support or numbers.MISSING,
        "looks most like": _likest,
        "params": lambda each: numbers.count(each.record.params),
        "MACs": lambda each: numbers.count(each.record.macs),
        "memory": lambda each: numbers.size(each.memory),
        "activations": lambda each: numbers.count(each.activations),
        "layers before the head": lambda each: numbers.count(each.layers),
        "depth to the head": lambda each: numbers.count(each.depth),
    }


def _likest(contender: Contender) -> str:
    """The nearest network of training, and the first that was measured of it."""
    if not contender.like or not contender.like[0].name:
        return numbers.MISSING
    nearest = contender.like[0]
    measured = [f"{each.value:.4g} on {each.task}" for each in nearest.results[:1]]
    return ": ".join([short(nearest.name), *measured])


def _interval(contender: Contender, score: Callable[[float | None], str]) -> str:
    low, high = contender.record.low, contender.record.high
    return numbers.MISSING if low is None else f"{score(low)} to {score(high)}"


def speaking(verdict: Verdict) -> list[str]:
    """What speaks for each of the two, a line each; the groups of features that decide, with their points of score."""
    sides = ((verdict.better, 1), (verdict.other, -1))
    lines = []
    for ref, sign in sides:
        parts = [(each.group, sign * each.points) for each in verdict.contributions]
        if words := _words([part for part in parts if part[1] >= _LEAST]):
            lines.append(f"for {ref}: {words}")
    return lines


def _words(parts: Sequence[tuple[str, float]]) -> str:
    shown = sorted(parts, key=lambda part: -part[1])[:_MOST]
    return "; ".join(f"{group} (+{numbers.percentile(points)})" for group, points in shown)
