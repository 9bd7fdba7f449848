"""Reading json benchmark files strictly: an error names the file and the key, and nothing is half read."""

from __future__ import annotations

import gzip
import json
import math
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from fxscore.errors import SpaceError
from fxscore.spaces.table import Floats

T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    """A value inside a json file and the way to it, for error messages."""

    path: Path
    trail: str
    value: Any

    def fail(self, why: str) -> SpaceError:
        """An error that names this place."""
        return SpaceError(f"{self.path.name}, {self.trail or 'top level'}: {why}")

    def __getitem__(self, key: str) -> Entry:
        if not isinstance(self.value, dict) or key not in self.value:
            raise self.fail(f"no key {key!r}")
        return Entry(self.path, f"{self.trail}.{key}".lstrip("."), self.value[key])

    def __contains__(self, key: str) -> bool:
        return isinstance(self.value, dict) and key in self.value

    def items(self) -> list[tuple[str, Entry]]:
        """The entries of an object, in file order."""
        if not isinstance(self.value, dict) or not self.value:
            raise self.fail("a filled object is wanted")
        return [(key, self[key]) for key in self.value]

    def elements(self) -> list[Entry]:
        """The entries of an array."""
        if not isinstance(self.value, list) or not self.value:
            raise self.fail("a filled array is wanted")
        return [Entry(self.path, f"{self.trail}[{i}]", item) for i, item in enumerate(self.value)]

    def parse(self, text: str, parser: Callable[[str], T]) -> T:
        """What `parser` makes of `text` (a key, or the text here); its `SpaceError` gains the place."""
        try:
            return parser(text)
        except SpaceError as error:
            raise self.fail(str(error)) from None

    def number(self, low: float = -math.inf, high: float = math.inf) -> float:
        """The finite number here, within [low, high]."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            raise self.fail(f"{self.value!r} is no number")
        if not (math.isfinite(self.value) and low <= self.value <= high):
            raise self.fail(f"{self.value} is not within {low} and {high}")
        return float(self.value)

    def numbers(self, low: float = -math.inf, high: float = math.inf) -> list[float]:
        """The finite numbers of an array."""
        return [item.number(low, high) for item in self.elements()]

    def text(self, allowed: Sequence[str] | None = None) -> str:
        """The text here, one of `allowed` where that is given."""
        if not isinstance(self.value, str) or (allowed is not None and self.value not in allowed):
            wanted = "a text" if allowed is None else f"one of {', '.join(allowed)}"
            raise self.fail(f"{self.value!r} is not {wanted}")
        return self.value


def read_json(path: str | Path) -> Entry:
    """The whole of a `.json` or `.json.gz` file.

    Raises:
        SpaceError: the file is missing, damaged, cut short or no json.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
        return Entry(path, "", json.loads(gzip.decompress(data) if path.suffix == ".gz" else data))
    except OSError as error:
        raise SpaceError(f"{path} cannot be read: {error.strerror or error}") from None
    except (EOFError, zlib.error) as error:
        raise SpaceError(f"{path.name} is cut short or damaged: {error}") from None
    except ValueError as error:
        raise SpaceError(f"{path.name} is no json, or cut short: {error}") from None


def column(entries: Sequence[Entry], key: str, low: float = -math.inf, high: float = math.inf) -> Floats:
    """The numbers that the entries hold under one key (`a.b` goes into nested objects)."""
    return np.array([_descend(entry, key).number(low, high) for entry in entries])


def _descend(entry: Entry, key: str) -> Entry:
    for part in key.split("."):
        entry = entry[part]
    return entry
