"""How a ranking or a download comes along, on stderr: a bar on a terminal, elsewhere a plain line now and then.

The ranking's is a watcher of the engine (`fxscore.run.Watcher`): it is told what is worked on and what has arrived, and
keeps the records, so that an interrupted ranking can still be shown.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Column

from fxscore.report import numbers
from fxscore.types import ModelRef, ScoreRecord

if TYPE_CHECKING:
    from typing_extensions import Self

LINE_EVERY = 10.0  # seconds between plain lines
SOME = 3  # results that tell how fast the next ones come; the first one waits for imports


class CountedProgress(ABC):
    """A context that shows how many of so many things are done: a bar, or a plain line now and then.

    Args:
        total: How many there will be.
        console: Where to show it; a bar if it is a terminal.
    """

    def __init__(self, total: int, console: Console) -> None:
        self.total = total
        self.start = self._last_line = time.monotonic()
        self._console = console
        self._bar: Progress | None = None
        self._task = TaskID(0)

    @property
    @abstractmethod
    def done(self) -> int:
        """How many are done."""

    @abstractmethod
    def text(self) -> str:
        """What a glance should tell."""

    def show(self) -> None:
        """Something has changed."""
        if self._bar is not None:
            self._bar.update(self._task, completed=self.done, description=self.text())
        elif time.monotonic() - self._last_line >= LINE_EVERY:
            self._last_line = time.monotonic()
            line = f"{self.done}/{self.total} {self.text()}"
            self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            # One line whatever the width: a name may be long.
            rest = Column(ratio=1, no_wrap=True, overflow="ellipsis")
            columns = (
                BarColumn(20),
                MofNCompleteColumn(),
                TextColumn("{task.description}", markup=False, table_column=rest),
            )
            self._bar = Progress(*columns, console=self._console, transient=True, expand=True)
            self._task = self._bar.add_task("starting", total=self.total)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()


class RankingProgress(CountedProgress):
    """Shows how many networks are counted for a budget, then how many are done, failed and cached, and what runs now.

    Args:
        total: How many records are expected.
        console: Where to show it; a bar if it is a terminal.
    """

    def __init__(self, total: int, console: Console) -> None:
        super().__init__(total, console)
        self.records: list[ScoreRecord] = []
        self._cached = 0
        self._sized: int | None = None  # networks counted, while that is what happens
        self._first: float | None = None  # when the first came that was computed
        self._now: tuple[ModelRef, ...] = ()

    @property
    def done(self) -> int:
        return len(self.records) if self._sized is None else self._sized

    def sized(self) -> None:
        """One more network is counted; none is scored before all are."""
        self._sized = (self._sized or 0) + 1
        self.show()

    def working(self, refs: Sequence[ModelRef]) -> None:
        """These networks are being worked on."""
        self._now = tuple(refs)
        self.show()

    def arrived(self, record: ScoreRecord, cached: bool) -> None:
        """A record is there; `cached` where nothing was computed for it."""
        self.records.append(record)
        self._cached += cached
        if not cached and self._first is None:
            self._first = time.monotonic()
        self.show()

    def left_out(self, failed: Sequence[ScoreRecord], large: Sequence[ModelRef]) -> None:
        """These will not be scored; the others will from now on."""
        self._sized = None
        self.records += failed
        self.total -= len(large)
        if self._bar is not None:
            self._bar.update(self._task, total=self.total)
        self.show()

    def text(self) -> str:
        """What a glance should tell: ``1 failed, 3 cached, 1.2/s, 40 s left, now: zoo/vit.py``."""
        failed = sum(record.error is not None for record in self.records)
        parts = ["counted for the budget"] * (self._sized is not None)
        parts += [f"{failed} failed"] * (failed > 0) + [f"{self._cached} cached"] * (self._cached > 0)
        computed = len(self.records) - self._cached
        if self._first is not None and computed >= SOME:
            rate = (computed - 1) / max(time.monotonic() - self._first, 1e-6)
            left = numbers.seconds((self.total - len(self.records)) / rate)
            parts += [f"{rate:.2g}/s" if rate < 10 else f"{rate:.0f}/s", f"{left} left"]
        if self._now:
            parts.append("now: " + ", ".join(map(str, self._now)))
        return ", ".join(parts)


class DownloadBar:
    """A context that shows how much of a file has come, in the form that pooch expects of tqdm.

    Args:
        name: Of the file.
        console: Where to show it; nothing if it is no terminal.
    """

    def __init__(self, name: str, console: Console) -> None:
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn())
        self._bar = Progress(
            *columns,
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task(name, total=None)

    @property
    def total(self) -> int:
        """Bytes to come."""
        return int(self._bar.tasks[0].total or 0)

    @total.setter
    def total(self, size: int) -> None:
        self._bar.update(self._task, total=size)

    def update(self, n: int, /) -> None:
        """So many bytes more have come."""
        self._bar.update(self._task, advance=n)

    def reset(self) -> None:
        """Begin again."""
        self._bar.update(self._task, completed=0)

    def close(self) -> None:
        """The download is over; the context ends the display."""

    def __enter__(self) -> DownloadBar:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
