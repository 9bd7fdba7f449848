"""How a search comes along, on stderr: a bar on a terminal, elsewhere a plain line now and then."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Column

from fxscore.cli.progress import LINE_EVERY
from fxscore.report import numbers
from fxscore.searching.loop import Progress as Standing
from fxscore.types import ModelRef, ScoreRecord


class SearchProgress:
    """A context that shows best score, size of the front, cache hits, networks per second and the time left.

    Args:
        budget: How many networks will be scored.
        console: Where to show it; a bar if it is a terminal.
    """

    def __init__(self, budget: int, console: Console) -> None:
        self.budget = budget
        self.arrivals = self.cached = 0
        self._in_generation = 0
        self._standing = Standing(0, 0, None, 0, replayed=False)
        self._console = console
        self._bar: Progress | None = None
        self._task = TaskID(0)
        self._start = self._last_line = time.monotonic()

    def working(self, refs: Sequence[ModelRef]) -> None:
        """These networks are being worked on."""

    def arrived(self, record: ScoreRecord, cached: bool) -> None:
        """A score is there; `cached` where nothing was computed for it."""
        self.arrivals += 1
        self._in_generation += 1
        self.cached += cached
        self._show()

    def generation(self, progress: Standing) -> None:
        """A generation is done."""
        self._standing, self._in_generation = progress, 0
        self._show()

    @property
    def done(self) -> int:
        """Networks scored, replayed ones included."""
        return self._standing.scored + self._in_generation

    def text(self) -> str:
        """What a glance should tell: ``generation 3, best 0.1234, front 7, 12 % cached, 4.2/s, 40 s left``."""
        standing = self._standing
        parts = [f"generation {standing.generation}", f"best {numbers.score(standing.best)}"]
        parts += [f"front {standing.front}"]
        if self.arrivals:
            rate = self.arrivals / max(time.monotonic() - self._start, 1e-6)
            left = numbers.seconds(max(0, self.budget - self.done) / rate)
            parts += [f"{100 * self.cached / self.arrivals:.0f} % cached", f"{rate:.2g}/s", f"{left} left"]
        return ", ".join(parts)

    def _show(self) -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=self.done, description=self.text())
        elif time.monotonic() - self._last_line >= LINE_EVERY:
            self._last_line = time.monotonic()
            line = f"{self.done}/{self.budget} {self.text()}"
            self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    def __enter__(self) -> SearchProgress:
        if self._console.is_terminal:
            rest = Column(ratio=1, no_wrap=True, overflow="ellipsis")
            columns = (
                BarColumn(20),
                MofNCompleteColumn(),
                TextColumn("{task.description}", markup=False, table_column=rest),
            )
            self._bar = Progress(*columns, console=self._console, transient=True, expand=True)
            self._task = self._bar.add_task("starting", total=self.budget)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
