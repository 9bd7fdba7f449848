"""The report of a ranking: its table, scores against sizes, a panel for each network, failures with reasons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from fxscore.report import numbers
from fxscore.report.html.page import Axis, Cell, Page, Plot, Table
from fxscore.report.html.panels import Detail, panels_of
from fxscore.report.html.reasons import Why
from fxscore.report.rows import Row, ScoreForm, groups, rows, score_form, why
from fxscore.report.table import summary
from fxscore.types import Ranking, ScoreRecord

SIZES = (
    Axis("params", "parameters", log=True, cost=True),
    Axis("macs", "multiply-accumulates of one image", log=True, cost=True),
)
_PUBLISHED = Axis("published", "published ImageNet top-1 of its weights (%)")
_FURTHER = ("published", "group", "support")
_COLUMNS = ("rank", "network", "score", "parameters", "MACs", "seconds")


def ranking_page(
    ranking: Ranking,
    settings: Mapping[str, Any],
    *,
    scorer: Mapping[str, Any] | None = None,
    why: Why | None = None,
    detail: Detail | None = None,
    details: int = 10,
) -> Page:
    """The report of a ranking.

    Args:
        ranking: what was scored.
        settings: of the command.
        scorer: what the scorer's file says of itself (`scale`, `measured`, `caution`).
        why: what stands behind the score of each network.
        detail: operators and drawing of a network; asked for the best `details` networks.
        details: how many.
    """
    shown = [row for row in rows(ranking) if row.record.error is None]
    panels = panels_of(ranking, why, detail, details)
    further = [name for name in _FURTHER if any(getattr(row.record, name) is not None for row in shown)]
    form = score_form(ranking.judge)
    lines = [_row(row, form) + [_further(getattr(row.record, name)) for name in further] for row in shown]
    tables = [Table("Networks", (*_COLUMNS, *further), lines, panels, opens=1)]
    if ranking.failures:
        tables.append(_failures(ranking.failures))
    tables += judged(scorer or {})
    lead = [_summary(ranking), *trust(scorer or {})]
    return Page(
        "Ranking of networks", lead, [_plot(records) for records in groups(ranking)], tables, settings
    )


def trust(record: Mapping[str, Any]) -> list[str]:
    """How far to trust a scorer, in the words of its file."""
    texts = [f"Scores: {record['scale']}"] if "scale" in record else []
    figures = [each["spearman"] for each in _measured(record)]
    if figures:
        spread = f" ({min(figures):.2f} to {max(figures):.2f})" if len(figures) > 1 else ""
        texts.append(
            f"Measured on networks that it had not seen: mean ρ {fmean(figures):.2f}{spread} over {len(figures)} "
            f"task{'s' * (len(figures) > 1)}, each in a table below."
        )
    return texts + ([f"When not to trust it: {record['caution']}"] if "caution" in record else [])


def _measured(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [each for each in record.get("measured", ()) if each.get("spearman") is not None]


def judged(record: Mapping[str, Any]) -> list[Table]:
    """How well the scorer ranks each population that it had not seen; no table where nobody measured it."""
    rows = [
        [
            Cell.of(each["on"]),
            Cell.of(each["n"], "plain"),
            Cell(each["spearman"], f"{each['spearman']:.2f}"),
            _interval(each.get("interval")),
        ]
        for each in _measured(record)
    ]
    columns = ("networks and label", "n", "ρ", "95 % interval")
    return [Table("How well the scorer ranks what it had not seen", columns, rows)] if rows else []


def _interval(ends: Sequence[float | None] | None) -> Cell:
    low, high = ends or (None, None)
    known = low is not None and high is not None
    return Cell(low, f"{low:.2f} to {high:.2f}" if known else numbers.MISSING)


def _summary(ranking: Ranking) -> str:
    """What the last line of the table on a terminal says."""
    return f"{summary(ranking)}, without training any; higher scores are better."


def _row(row: Row, form: ScoreForm) -> list[Cell]:
    record = row.record
    return [
        Cell(row.rank, row.place or numbers.MISSING),
        Cell.of(str(record.ref)),
        Cell(record.score, form(record.score)),
        Cell.of(record.params, "count"),
        Cell.of(record.macs, "count"),
        Cell.of(record.seconds, "seconds"),
    ]


def _further(value: float | str | None) -> Cell:
    return Cell.of(value or "") if value is None or isinstance(value, str) else Cell.of(value, "accuracy")


def _failures(failed: Iterable[ScoreRecord]) -> Table:
    lines = [[Cell.of(str(record.ref)), Cell.of(why(record))] for record in failed]
    return Table("Networks that failed", ("network", "reason"), lines)


def _plot(records: Sequence[ScoreRecord]) -> Plot:
    """The networks of one group, whose scores compare."""
    keys = ("params", "macs", "published", "low", "high")
    points = [{"name": str(r.ref), "y": r.score} | {key: getattr(r, key) for key in keys} for r in records]
    of = f" of {records[0].group}" if records[0].group else ""
    if all(record.published is None for record in records):
        return Plot(f"Score against size{of}, with the Pareto front", SIZES, "score", points)
    title = f"Score{of} against size, with the Pareto front, and against published accuracy"
    return Plot(title, (*SIZES, _PUBLISHED), "score", points)
