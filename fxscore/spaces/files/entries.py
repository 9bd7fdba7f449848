"""Values inside a nested benchmark file, each with the way to it, so that an error can name the key."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from fxscore.errors import SpaceError
from fxscore.spaces.table import Floats

T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    """A value inside a file and the way to it."""

    file: str
    value: Any
    trail: str = ""

    def fail(self, why: str) -> SpaceError:
        """An error that names this place."""
        return SpaceError(f"{self.file}, {self.trail or 'top level'}: {why}")

    def __getitem__(self, key: Hashable) -> Entry:
        if not isinstance(self.value, dict) or key not in self.value:
            raise self.fail(f"no key {key!r}")
        return Entry(self.file, self.value[key], f"{self.trail}.{key}".lstrip("."))

    def __contains__(self, key: Hashable) -> bool:
        return isinstance(self.value, dict) and key in self.value

    def items(self) -> list[tuple[Any, Entry]]:
        """The entries of an object, in file order."""
        if not isinstance(self.value, dict) or not self.value:
            raise self.fail("a filled object is wanted")
        return [(key, self[key]) for key in self.value]

    def elements(self) -> list[Entry]:
        """The entries of an array."""
        if not isinstance(self.value, list | tuple) or not self.value:
            raise self.fail("a filled array is wanted")
        return [Entry(self.file, item, f"{self.trail}[{i}]") for i, item in enumerate(self.value)]

    def parse(self, text: str, parser: Callable[[str], T]) -> T:
        """What `parser` makes of `text` (a key, or the text here); its `SpaceError` gains the place."""
        try:
            return parser(text)
        except SpaceError as error:
            raise self.fail(str(error)) from None

    def number(self, low: float = -math.inf, high: float = math.inf) -> float:
        """The finite number here, within [low, high]."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float | np.number):
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


def column(entries: Sequence[Entry], key: str, low: float = -math.inf, high: float = math.inf) -> Floats:
    """The numbers that the entries hold under one key (`a.b` goes into nested objects)."""
    return np.array([_descend(entry, key).number(low, high) for entry in entries])


def _descend(entry: Entry, key: str) -> Entry:
    for part in key.split("."):
        entry = entry[part]
    return entry
