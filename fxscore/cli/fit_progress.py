"""How a fit comes along, on stderr: a bar on a terminal, then what failed and what the fit is worth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from fxscore.train.fit import Fitted
from fxscore.train.looking import Watch
from fxscore.train.results import TrainedNetwork


@contextmanager
def show_fit(console: Console, total: int) -> Iterator[Watch]:
    """A function that shows how many networks and steps are done; a bar, where there is a terminal."""
    if not console.is_terminal:
        yield lambda done: None
        return
    columns = (BarColumn(20), MofNCompleteColumn(), TextColumn("networks and steps"))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.update(task, completed=done)


def tell(console: Console, results: Sequence[TrainedNetwork], fitted: Fitted) -> None:
    """Say what was left out, how well the scorer ranks what it did not see, and whether that was worth it."""
    for place, error in fitted.failed.items():
        rows = ", ".join(map(str, results[place].rows))
        console.print(f"left out, row {rows}: {error}", highlight=False, markup=False, soft_wrap=True)
    for sentence in fitted.sentences:
        console.print(sentence, highlight=False, markup=False, soft_wrap=True)
