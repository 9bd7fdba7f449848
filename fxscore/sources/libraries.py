"""What a library says of its networks, kept from run to run: to ask the library itself loads torch, which takes long.

One file for each version of a library, in fxscore's cache folder. A library that is loaded already is asked itself,
since code of the user may have added to it; so it is where the folder cannot be used.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import platformdirs

from fxscore.sources.digest import versions

Fact = str | float | None


@dataclass(frozen=True)
class Library:
    """One library; each of its functions loads it.

    Attributes:
        name: its own, also that of its distribution.
        list_names: of all its networks.
        list_pretrained: of those for which it publishes weights.
        fact: what is asked of the weights that a name stands for; None where there is nothing, or no such name.
        loads: a library that comes with this one.
    """

    name: str
    list_names: Callable[[], list[str]]
    list_pretrained: Callable[[], list[str]]
    fact: Callable[[str], Fact]
    loads: Library | None = None

    def names(self, pretrained_only: bool = False) -> list[str]:
        """All its networks, or those for which it publishes weights."""
        if self._is_loaded:
            return self.list_pretrained() if pretrained_only else self.list_names()
        known = self._kept()
        return known.pretrained if pretrained_only else known.names

    def fact_of(self, name: str) -> Fact:
        """The fact about a network; None where there is none, or no such network."""
        if self._is_loaded:
            return self.fact(name)
        return self._kept().facts.get(name)

    @property
    def _is_loaded(self) -> bool:
        return self.name in sys.modules

    def _kept(self) -> Known:
        """All answers: of an earlier run, or asked now, before anybody can have added anything."""
        path = self._file()
        known = _read(path)
        if known is None:
            if self.loads is not None and not self.loads._is_loaded:
                self.loads._kept()
            names = self.list_names()
            known = Known(names, self.list_pretrained(), {name: self.fact(name) for name in names})
            _write(path, known)
        return known

    def _file(self) -> Path:
        folder = platformdirs.user_cache_path("fxscore", appauthor=False) / "libraries"
        return folder / f"{self.name}-{versions(self.name)[self.name]}.json"


@dataclass(frozen=True)
class Known:
    """What is kept of a library."""

    names: list[str]
    pretrained: list[str]
    facts: dict[str, Fact]

    def __post_init__(self) -> None:
        """Raise `TypeError` where a file holds something else."""
        if not all(isinstance(name, str) for name in (*self.names, *self.pretrained, *self.facts)):
            raise TypeError
        if not all(isinstance(fact, (str, float, type(None))) for fact in self.facts.values()):
            raise TypeError


def _read(path: Path) -> Known | None:
    """What is there; None where the file is missing, or is not what was written."""
    with suppress(OSError):
        return _parsed(path, path.stat().st_mtime_ns)
    return None


@lru_cache(maxsize=4)
def _parsed(path: Path, stamp: int) -> Known | None:
    with suppress(ValueError, TypeError, AttributeError, RecursionError):
        return Known(**json.loads(path.read_text(encoding="utf-8")))
    return None


def _write(path: Path, known: Known) -> None:
    """Under another name first; a folder that cannot be written costs the next run its time, no more."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(json.dumps(asdict(known)), encoding="utf-8")
        unfinished.replace(path)
