"""What became of a network, for people: a summary, the table of operators, and on demand paths and code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fxscore.report import numbers
from fxscore.report.narrowing import NarrowingTable
from fxscore.report.reasons import in_points, results_in_words, short

if TYPE_CHECKING:
    from fxscore.explanation import Against, Explanation, Judgement, OperatorSummary

# What the forms of `OperatorSummary.form` mean.
MEANINGS = {
    "synthesised": "weights from the shared kernel, by shape alone",
    "one": "a scale of one",
    "zero": "a shift of zero",
    "head": "not run: the scorer takes its place",
}
_MANY_PATHS = 8


def print_explanation(
    console: Console, explanation: Explanation, *, paths: bool = False, code: bool = False
) -> None:
    """Print the summary and the table of operators.

    Args:
        console: Where to print.
        explanation: What to print.
        paths: Print every module path, instead of counts alone.
        code: Print the constructed architecture's code as well.
    """
    console.print(Text(explanation.name, style="bold"))
    for name, value in (*_summary(explanation), *_judged(explanation.judgement)):
        console.print(Text(f"  {name:<12} {value}"))
    console.print(operator_table(explanation, paths=paths))
    if explanation.left_out:
        console.print(Text("Not seen by the score: " + _some(explanation.left_out, paths)))
    if explanation.uncounted:
        console.print(Text("Not among the MACs: " + _some(explanation.uncounted, paths)))
    if explanation.unused:
        console.print(
            Text("Parameters that the encoding does not depend on: " + _some(explanation.unused, paths))
        )
    if explanation.judgement is not None:
        print_neighbours(console, explanation.judgement)
    if explanation.against is not None:
        print_against(console, explanation.name, explanation.against)
    if code:
        console.print(Text(explanation.code), soft_wrap=True)


def print_neighbours(console: Console, judgement: Judgement) -> None:
    """Print which networks of training the network looks most like, and what was measured of them."""
    if judgement.unknown:
        console.print(Text(judgement.unknown))
        return
    if not judgement.neighbours:
        return
    table = NarrowingTable("looks most like")
    table.add_column("looks most like", overflow="fold")
    table.add_column("distance", justify="right", no_wrap=True)
    table.add_column("measured", overflow="fold")
    for each in judgement.neighbours:
        table.add_row(*map(Text, (short(each.name), f"{each.distance:.2f}", results_in_words(each.results))))
    console.print(table)


def print_against(console: Console, name: str, against: Against) -> None:
    """Print which of two networks is better, and what makes the difference."""
    console.print(Text(against.sentence, style="bold"))
    if against.members:
        console.print(Text(f"Scores of {name} over those of {against.other}:"))
        console.print(contribution_table(against))
    if against.operators:
        console.print(_difference_table(name, against))
    for sentence in against.unknown:
        console.print(Text(sentence))


def contribution_table(against: Against) -> Table:
    """The difference in points of score and in raw score, by member of the scorer and by group of features."""
    table = NarrowingTable("part")
    table.add_column("by", no_wrap=True)
    table.add_column("part", overflow="fold")
    for heading in ("points", "raw score"):
        table.add_column(heading, justify="right", no_wrap=True)
    for by, parts in (("member", against.members), ("features", against.groups)):
        for place, each in enumerate(parts):
            table.add_row(*map(Text, ("" if place else by, each.group, *in_points(each.points, each.raw))))
    table.add_row(*map(Text, ("either", "together", *in_points(against.points, against.raw))))
    return table


def _difference_table(name: str, against: Against) -> Table:
    """Operators of which the two have not the same."""
    table = NarrowingTable("operator")
    table.add_column("operator", overflow="fold")
    for heading in ("times", "params", "MACs"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in against.operators:
        pairs = (
            (str(each.count), str(each.other_count)),
            *(
                (numbers.count(own), numbers.count(other))
                for own, other in ((each.params, each.other_params), (each.macs, each.other_macs))
            ),
        )
        table.add_row(
            *map(
                Text, (each.operator, *(own if own == other else f"{own} : {other}" for own, other in pairs))
            )
        )
    table.caption = Text(f"{name} : {against.other}")
    return table


def operator_table(explanation: Explanation, *, paths: bool = False) -> Table:
    """One row for each kind of operator and what its weights became."""
    table = NarrowingTable("operator")
    table.add_column("operator", overflow="fold")
    table.add_column("weights became", overflow="fold")
    for name in ("count", "params", "share"):
        table.add_column(name, justify="right", no_wrap=True)
    if paths:
        table.add_column("paths", overflow="fold")
    for summary in explanation.operators:
        table.add_row(*map(Text, _cells(summary, explanation.params, paths)))
    return table


def _summary(explanation: Explanation) -> list[tuple[str, str]]:
    shape = "×".join(map(str, explanation.input_shape))
    by_kind = sorted(explanation.macs_by_operator.items(), key=lambda item: -item[1])
    shares = ", ".join(f"{name} {macs / max(explanation.macs, 1):.0%}" for name, macs in by_kind[:4] if macs)
    return [
        ("input", f"{explanation.batch} × {shape}"),
        ("capture", _capture(explanation.exported)),
        *((("checks", _checks(explanation.passed_checks)),) if explanation.passed_checks else ()),
        ("encoding", " × ".join(map(str, explanation.encoding))),
        ("params", numbers.count(explanation.params)),
        ("MACs", numbers.count(explanation.macs) + (f" ({shares})" if shares else "")),
        ("fingerprint", explanation.fingerprint),
        ("time", numbers.seconds(explanation.seconds)),
    ]


def _judged(judgement: Judgement | None) -> list[tuple[str, str]]:
    """The score and where it stands."""
    if judgement is None:
        return []
    if judgement.score is None:
        return [("score", f"none: {judgement.error}")]
    name, percent = judgement.scorer.partition("@")[0], judgement.scale.startswith("percentile")
    form = numbers.percentile if percent else numbers.score
    score = f"{form(judgement.score)} by {name}" + (f", {judgement.scale}" if judgement.scale else "")
    lines = [("score", score)]
    if judgement.low is not None:
        lines.append(("", f"cannot be told from {form(judgement.low)} to {form(judgement.high)}"))
    if judgement.support is not None:
        lines.append(
            ("training", f"{judgement.support} (distance {judgement.distance:.2f}; 1 is its edge, 2 outside)")
        )
    return lines


def _capture(exported: tuple[str, ...]) -> str:
    """By which step of the ladder."""
    if not exported:
        return "recorded"
    return (
        "exported, since recording failed"
        if "" in exported
        else f"recorded, but exported {', '.join(exported)}"
    )


def _checks(passed: tuple[str, ...]) -> str:
    """Questions about values that were answered, since they cannot matter."""
    return "of values, passed unseen: " + ", ".join(dict.fromkeys(passed))


def _cells(summary: OperatorSummary, params: int, paths: bool) -> list[str]:
    meaning = MEANINGS.get(summary.form)
    share = f"{summary.params / params:.1%}" if params else numbers.MISSING
    cells = [
        summary.operator,
        f"{summary.form}: {meaning}" if meaning else summary.form,
        str(summary.count),
        numbers.count(summary.params),
        share,
    ]
    return [*cells, "\n".join(summary.paths)] if paths else cells


def _some(names: tuple[str, ...], every: bool) -> str:
    shown = names if every else names[:_MANY_PATHS]
    rest = len(names) - len(shown)
    return ", ".join(shown) + (f" and {rest} more (--verbose)" if rest else "")
