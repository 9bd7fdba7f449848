"""A ranking as a rich table, and the console lines around it."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from fxscore.report import numbers
from fxscore.report.narrowing import NarrowingTable
from fxscore.report.rows import FRONTS, Row, rows
from fxscore.types import Ranking

ON_FRONT = " •"


def ranking_table(
    ranking: Ranking, *, sort: str = "score", title: str | None = None, top: int | None = None
) -> NarrowingTable:
    """Rank, model, score, params, MACs and seconds; further columns hold notes and errors, where there are any.

    Args:
        ranking: The records to show.
        sort: One of `fxscore.report.rows.SORT_KEYS`.
        title: Printed above the table.
        top: So many rows, and the failures; all by default.
    """
    table = NarrowingTable("model", title=title)
    table.add_column("rank", justify="right", no_wrap=True)
    table.add_column("model", overflow="fold")
    for name in ("score", "params", "MACs", "time"):
        table.add_column(name, justify="right", no_wrap=True)
    noted, failed = any(record.note for record in ranking), bool(ranking.failures)
    if noted:
        table.add_column("note", overflow="fold")
    if failed:
        table.add_column("error", overflow="fold", style="red")
    for row in rows(ranking, sort, top):
        table.add_row(*_cells(row, noted, failed, _has_front(ranking)))
    return table


def print_ranking(
    console: Console,
    ranking: Ranking,
    *,
    sort: str = "score",
    title: str | None = None,
    top: int | None = None,
) -> None:
    """Print the table, what its marks mean, and one closing line that counts networks and failures."""
    table = ranking_table(ranking, sort=sort, title=title, top=top)
    console.print(table)
    if _has_front(ranking):
        console.print(Text(f"{ON_FRONT.strip()} no network scores as high with less", style="dim"))
    if "error" in table.left_out(console.width):
        for record in ranking.failures:
            console.print(Text(f"{record.ref}: {record.error}", style="red"))
    console.print(summary(ranking), highlight=False)


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


def _cells(row: Row, with_note: bool, with_error: bool, with_front: bool) -> list[Text]:
    record = row.record
    texts = [
        numbers.MISSING if row.rank is None else str(row.rank),
        str(record.ref),
        numbers.score(record.score),
        *(
            numbers.count(getattr(record, size)) + (ON_FRONT if size in row.front else "  ") * with_front
            for size in FRONTS
        ),
        numbers.seconds(record.seconds),
    ]
    if with_note:
        texts.append(record.note or "")
    if with_error:
        texts.append(record.error or "")
    # Text, not str: a name may hold square brackets, which rich would read as markup.
    return [Text(text) for text in texts]
