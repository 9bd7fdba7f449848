"""Pages of Markdown whose code and commands are followed: their fenced blocks, in the order in which they are read.

`python tests/pages.py FOLDER PAGE…` writes the Python of each page as files into a folder, for a checker of types. It
needs nothing of fxscore, so that it also serves where a wheel is tried.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FENCE = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the file that it is (its title), the number of its first line, its text."""

    language: str
    file: str | None
    line: int
    text: str

    @property
    def commands(self) -> list[str]:
        """What follows a `$` of a console."""
        return [line[2:] for line in self.text.splitlines() if line.startswith("$ ")]


def blocks(page: Path, language: str = "") -> list[Block]:
    """The blocks of a page, all or those in one language."""
    text = page.read_text(encoding="utf-8")
    found = [
        Block(match[1], match[2], text.count("\n", 0, match.start()) + 2, match[3])
        for match in _FENCE.finditer(text)
    ]
    return [block for block in found if language in ("", block.language)]


def follow(page: Path, folder: Path, command: Callable[[str], object] | None = None) -> None:
    """Do what a page says, from top to bottom: write its files into a folder, run its code and its commands.

    Args:
        page: whose Python blocks share their names.
        folder: where files are written; the present one, if the code reads them.
        command: runs a line of a console; none runs if it is None.
    """
    names: dict[str, Any] = {"__name__": page.stem}
    for block in blocks(page):
        if block.file is not None:
            place = folder / block.file
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            # The line numbers of a failure are those of the page.
            exec(compile("\n" * (block.line - 1) + block.text, str(page), "exec"), names)
        elif block.language == "console" and command is not None:
            for line in block.commands:
                command(line)


def _files(page: Path) -> Iterator[tuple[str, str]]:
    """(name, text) of the files that a page has, and of its other Python as one more."""
    found = blocks(page, "python")
    yield from ((block.file, block.text) for block in found if block.file is not None)
    yield f"{page.stem.replace('-', '_')}.py", "\n".join(block.text for block in found if block.file is None)


def main(folder: Path, pages: list[Path]) -> None:
    """Write each page's Python into a folder of its own."""
    for page in pages:
        for name, text in _files(page):
            place = folder / page.stem / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), list(map(Path, sys.argv[2:])))
