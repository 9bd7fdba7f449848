"""The official benchmark files, as a table and as one block each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from fxscore.report import numbers
from fxscore.report.narrowing import NarrowingTable

if TYPE_CHECKING:
    from fxscore.spaces.official import OfficialFile


def files_table(files: Iterable[OfficialFile], present: Mapping[str, Path | None]) -> Table:
    """One row for each file: its spaces, size, licence, where it is, and whether it is here.

    Args:
        files: The files.
        present: Where each lies, by name; None where it does not.
    """
    table = NarrowingTable("name")
    table.add_column("name", no_wrap=True)
    table.add_column("spaces", overflow="fold")
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("licence", no_wrap=True)
    table.add_column("sha256", no_wrap=True)
    table.add_column("how", no_wrap=True)
    table.add_column("page", overflow="fold")
    for entry in files:
        table.add_row(*map(Text, _cells(entry, present.get(entry.name))))
    return table


def _cells(entry: OfficialFile, place: Path | None) -> tuple[str, ...]:
    size = numbers.MISSING if entry.size is None else f"{numbers.count(entry.size)}B"
    checksum = numbers.MISSING if entry.sha256 is None else f"{entry.sha256[:8]}…"
    how = "here" if place is not None else "by hand" if entry.url is None else "download"
    spaces = entry.spaces if len(entry.spaces) <= 2 else (*entry.spaces[:2], "…")
    return entry.name, ", ".join(spaces), size, entry.licence, checksum, how, entry.page
