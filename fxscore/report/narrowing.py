"""Tables that a narrow terminal shows as far as it goes: the last columns are left out first, the names never."""

from __future__ import annotations

from copy import copy

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Column, Table
from rich.text import Text

_NAME, _PROSE = 20, 12  # least width of a column of names, and of other texts that fold


class NarrowingTable(Table):
    """A table in the form of all of fxscore's.

    Args:
        names: the header of the column that says what each row is of.
        title: printed above.
    """

    def __init__(self, names: str, *, title: str | None = None) -> None:
        super().__init__(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
        self.names = names

    def left_out(self, width: int) -> list[str]:
        """The headers of the columns for which there is no room, in their order."""
        shown = self._fitting(width)
        return [" ".join(str(column.header).split()) for column in self.columns if column not in shown]

    def _fitting(self, width: int) -> list[Column]:
        columns = list(self.columns)
        while sum(map(self._need, columns)) + len(columns) + 1 > width and len(columns) > 1:
            columns.remove(next(column for column in reversed(columns) if column.header != self.names))
        return columns

    def _need(self, column: Column) -> int:
        """The least width, its padding included."""
        texts = (str(cell) for cell in (column.header, *column.cells))
        longest = max(cell_len(line) for text in texts for line in text.splitlines() or [""])
        if not column.no_wrap:
            longest = min(longest, _NAME if column.header == self.names else _PROSE)
        return longest + 2

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        narrow = copy(self)
        narrow.columns = self._fitting(options.max_width)
        yield from Table.__rich_console__(narrow, console, options)
        if left_out := self.left_out(options.max_width):
            yield Text(f"left out, for want of width: {', '.join(left_out)}", style="dim")
