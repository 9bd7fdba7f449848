"""How a ranking comes along, on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from fxscore.cli import output
from fxscore.types import ScoreRecord

_LINE_EVERY = 10.0  # seconds


class Progress:
    """A context that counts the records it is shown.

    Args:
        total: How many records are expected.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0
        self.failed = 0
        self.interrupted = False
        self._console = output.console(stderr=True)
        self._bar: Bar | None = None
        self._task = TaskID(0)
        self._start = self._last_line = time.monotonic()

    def __enter__(self) -> Progress:
        if self._console.is_terminal:
            self._bar = Bar(
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.description}"),
                TimeRemainingColumn(),
                console=self._console,
                transient=True,
            )
            self._task = self._bar.add_task("", total=self.total)
            self._bar.start()
        return self

    def add(self, record: ScoreRecord) -> None:
        """Count one finished network."""
        self.done += 1
        self.failed += record.error is not None
        if self._bar is not None:
            self._bar.update(self._task, completed=self.done, description=self._text(record))
        elif time.monotonic() - self._last_line >= _LINE_EVERY:
            self._last_line = time.monotonic()
            self._console.print(
                f"{self.done}/{self.total} {self._text(record)}", highlight=False, markup=False
            )

    def _text(self, record: ScoreRecord) -> str:
        rate = self.done / max(time.monotonic() - self._start, 1e-9)
        failed = f", {self.failed} failed" if self.failed else ""
        return f"{rate:.1f}/s{failed}, last {record.ref}"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
