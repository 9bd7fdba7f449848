"""Reading of words: shapes, sizes, and options whose value may be left out."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable
from pathlib import Path

import typer

from fxscore.errors import ModelRefError, UsageError
from fxscore.quantities import bytes_of, count_of
from fxscore.types import ModelRef, Shape

STDOUT = "-"
_FILE_OPTIONS = ("--json", "--csv")
_NETWORK_FILE = re.compile(r"(.+?\.(?:py|pt2))[:{].*", re.DOTALL)


def complete(words: list[str]) -> list[str]:
    """Give ``--json`` and ``--csv`` the value ``-`` (stdout) where they stand alone.

    A following word is their file, unless it is an option or reads as a model: in ``--json zoo/vit.py`` it is
    a model, in ``--json out.json`` a file. ``--json=FILE`` is never ambiguous.
    """
    result: list[str] = []
    for position, word in enumerate(words):
        result.append(word)
        if word == "--":
            return result + words[position + 1 :]
        following = words[position + 1] if position + 1 < len(words) else None
        if word in _FILE_OPTIONS and not _is_file(following):
            result[-1] = f"{word}={STDOUT}"
    return result


def _is_file(word: str | None) -> bool:
    if word is None or (word.startswith("-") and word != STDOUT):
        return False
    try:
        ModelRef.parse(word)
    except ModelRefError:
        return True
    return False


def shipped_scorers(incomplete: str) -> list[str]:
    """The shipped scorers whose names begin so, for the completion of a shell."""
    from fxscore.scorer import shipped_scorers as shipped

    return [name for name in shipped() if name.startswith(incomplete)]


def scorers(incomplete: str) -> list[str]:
    """As `shipped_scorers`, and the handcrafted ones."""
    from fxscore.proxies import proxy_names

    return shipped_scorers(incomplete) + [name for name in proxy_names() if name.startswith(incomplete)]


def files(*words: str | Path | None) -> list[Path]:
    """The files that words name, be they models with a builder and options, patterns, scorers or tables."""
    names = [_NETWORK_FILE.sub(r"\1", str(word)) for word in words if word is not None]
    return [Path(path) for name in names for path in (name, *glob.glob(name, recursive=True))]


def shape(text: str) -> Shape:
    """``3,64,64`` or ``3x64x64``: the shape of one input, without the batch."""
    parts = re.split(r"\s*[,x×]\s*", text.strip().strip("()"))
    if not parts or not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise typer.BadParameter(f"{text!r} is no shape; write C,H,W without the batch, such as 3,64,64")
    return tuple(map(int, parts))


def names(text: str) -> tuple[str, ...]:
    """``vit,mixer``: names between commas."""
    found = tuple(part.strip() for part in text.split(","))
    if not all(found):
        raise typer.BadParameter(f"{text!r} holds an empty name; write NAME or NAME,NAME")
    return found


def size(text: str) -> int:
    """``4G``, ``512M``, ``1.5GiB``: bytes, in powers of 1024."""
    return int(_quantity(bytes_of, text))


def count(text: str) -> float:
    """``5G``, ``25M``, ``1.5e6``: a count, in powers of 1000."""
    return _quantity(count_of, text)


def _quantity(read: Callable[[str], float], text: str) -> float:
    try:
        return read(text)
    except UsageError as error:
        raise typer.BadParameter(str(error)) from None
