"""What a store holds, as a table."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from fxscore.report.narrowing import NarrowingTable

if TYPE_CHECKING:
    from fxscore.run.store_tools import ContextInfo


def contents_table(contexts: Iterable[ContextInfo]) -> Table:
    """One row for each scorer, its settings and the version that wrote it."""
    table = NarrowingTable("scorer")
    for name in ("scorer", "settings", "version"):
        table.add_column(name, overflow="fold")
    for name in ("networks", "scored", "distinct"):
        table.add_column(name, justify="right")
    table.add_column("last written", no_wrap=True)
    for context in contexts:
        newest = datetime.fromtimestamp(context.newest).strftime("%Y-%m-%d %H:%M")
        counts = (context.networks, context.scored, context.architectures)
        cells = (context.scorer, context.settings, context.package, *map(str, counts), newest)
        table.add_row(*map(Text, cells))
    return table
