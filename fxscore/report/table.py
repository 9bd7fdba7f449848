"""A ranking as a rich table, and the console lines around it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from fxscore.published.accuracies import has_timm_results
from fxscore.report import numbers
from fxscore.report.narrowing import NarrowingTable
from fxscore.report.rows import FRONTS, Row, groups, rows, score_form, why
from fxscore.types import Ranking

ON_FRONT = " •"
MARKS = {"near": " ~", "outside": " ?"}
_MEANINGS = {
    "front": "• no network scores as high with less",
    "near": "~ near what the scorer was trained on",
    "outside": "? outside what the scorer was trained on: trust its score little",
    "band": "ranks such as {band}: these cannot be told apart (a chance under 2 in 3 that one is better)",
    "published": (
        "published: ImageNet top-1 of the published weights. Of those weights trust this column; of a network, or a "
        "change of one, that nobody trained, the score"
    ),
    "unpublished": "timm publishes accuracies of its weights: `fxscore data timm-results` fetches them",
    "no band": "how surely one score is above another is not known: the scorer's file has no probabilities",
}


def ranking_tables(ranking: Ranking, *, sort: str = "score", top: int | None = None) -> list[NarrowingTable]:
    """A table for each group of networks that compare: rank, model, score, params, MACs and seconds.

    Further columns hold notes and errors, where there are any.

    Args:
        ranking: The records to show.
        sort: One of `fxscore.report.rows.SORT_KEYS`.
        top: So many rows of each table, and the failures; all by default.
    """
    shown = rows(ranking, sort, top)
    names = list(dict.fromkeys(row.record.group for row in shown if row.rank is not None)) or [None]
    tables = []
    for name in names:
        last = name == names[-1]
        own = [row for row in shown if row.record.group == name and (row.rank is not None or last)]
        own += [row for row in shown if last and row.rank is None and row.record.group != name]
        tables.append(_table(own, name if len(names) > 1 else None, ranking))
    return tables


def _table(shown: Sequence[Row], title: str | None, ranking: Ranking) -> NarrowingTable:
    table = NarrowingTable("model", title=title)
    table.add_column("rank", justify="right", no_wrap=True)
    table.add_column("model", overflow="fold")
    published = any(row.record.published is not None for row in shown)
    for name in ("score", *["published"] * published, "params", "MACs", "time"):
        table.add_column(name, justify="right", no_wrap=True)
    noted, failed = (any(getattr(row.record, name) for row in shown) for name in ("note", "error"))
    if noted:
        table.add_column("note", overflow="fold")
    if failed:
        table.add_column("error", overflow="fold", style="red")
    style = _Style.of(ranking, published)
    for row in shown:
        cells = _cells(row, style) + [row.record.note or ""] * noted
        # Text, not str: a name may hold square brackets, which rich would read as markup.
        table.add_row(*map(Text, cells + [why(row.record)] * failed))
    return table


def print_ranking(console: Console, ranking: Ranking, *, sort: str = "score", top: int | None = None) -> None:
    """Print the tables, what their marks mean, and one closing line that counts networks and failures."""
    tables = ranking_tables(ranking, sort=sort, top=top)
    for table in tables:
        if table.rows:  # none where all are over the budget
            console.print(table)
    for meaning in _meanings(ranking, rows(ranking, sort, top)):
        console.print(Text(meaning, style="dim"))
    if "error" in tables[-1].left_out(console.width):
        for record in ranking.failures:
            console.print(Text(f"{record.ref}: {why(record)}", style="red"))
    console.print(summary(ranking), highlight=False)


def _meanings(ranking: Ranking, shown: Sequence[Row]) -> list[str]:
    """What the marks that are shown mean."""
    found = ["front"] * _has_front(ranking)
    found += [support for support in MARKS if any(row.record.support == support for row in shown)]
    compared = max(map(len, groups(ranking)), default=0) > 1
    shared = next((row for row in shown if row.band is not None and row.band[0] < row.band[1]), None)
    if shared is not None:
        found.append("band")
    elif compared and any(row.record.support for row in shown) and all(row.band is None for row in shown):
        found.append("no band")
    if any(row.record.published is not None for row in shown):
        found.append("published")
    elif any(row.record.ref.source == "timm" and not row.record.ref.options for row in shown):
        found += ["unpublished"] * (not has_timm_results())
    example = "" if shared is None else shared.place
    return [_MEANINGS[name].format(band=example) for name in found]


def summary(ranking: Ranking) -> str:
    """How many networks were ranked, and how many failed."""
    failed = len(ranking.failures)
    ranked = len(ranking) - failed
    text = f"{ranked} network{'' if ranked == 1 else 's'} ranked"
    text = f"{text}, {failed} failed" if failed else text
    over = len(ranking.over_budget)
    return f"{text}, {over} over the budget not scored" if over else text


def _has_front(ranking: Ranking) -> bool:
    """Whether there is a choice to make: two networks at least, that differ in size."""
    return len({(record.params, record.macs) for record in ranking if record.score is not None}) > 1


@dataclass(frozen=True)
class _Style:
    """How numbers of a ranking are written: scores, and whether there is room for marks beside them."""

    score: Callable[[float | None], str]
    front: bool
    support: bool
    published: bool

    @classmethod
    def of(cls, ranking: Ranking, published: bool) -> _Style:
        marked = any(record.support in MARKS for record in ranking)
        return cls(score_form(ranking.judge), _has_front(ranking), marked, published)


def _cells(row: Row, style: _Style) -> list[str]:
    record = row.record
    support = MARKS.get(record.support or "", "  ") if style.support else ""
    sizes = [
        numbers.count(getattr(record, size)) + (ON_FRONT if size in row.front else "  ") * style.front
        for size in FRONTS
    ]
    score = style.score(record.score) + support
    told = [numbers.accuracy(record.published)] * style.published
    return [
        row.place or numbers.MISSING,
        str(record.ref),
        score,
        *told,
        *sizes,
        numbers.seconds(record.seconds),
    ]
