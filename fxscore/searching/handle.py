"""How a space reaches the processes that build its networks.

By name (`zen_resnet`, `nets.py:Plain`), as a pickle where its class can be imported, and otherwise (a class of
`__main__`, of a notebook or of a function) not at all: then its networks are built and scored in this process.
"""

from __future__ import annotations

import hashlib
import inspect
import itertools
import os
import pickle
from contextlib import suppress
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from fxscore.sources.digest import source_digest, versions
from fxscore.spaces import SearchSpace, get_space, space_names
from fxscore.types import ModelRef

AnySpace = SearchSpace[Any]
_PACKAGE = Path(__file__).resolve().parents[1]
_LOCAL: dict[int, AnySpace] = {}
_TOKENS = itertools.count()
THIS_PROCESS = f"process={uuid4().hex}"


class SpaceHandle(Protocol):
    """A small picklable thing that opens a space in another process.

    Attributes:
        place: the source of model references of this space.
        key: changes with whatever networks the space builds.
        trusted: whether the space's code ships with fxscore.
    """

    @property
    def place(self) -> str: ...

    @property
    def key(self) -> str: ...

    @property
    def trusted(self) -> bool: ...

    def open(self) -> AnySpace:
        """The space."""


@dataclass(frozen=True)
class NamedSpace:
    """A space that `get_space` finds."""

    place: str
    key: str
    trusted: bool

    def open(self) -> AnySpace:
        """The space."""
        return get_space(self.place)


@dataclass(frozen=True)
class PickledSpace:
    """A space whose class any interpreter on this machine can import."""

    payload: bytes
    place: str
    key: str
    trusted: bool

    def open(self) -> AnySpace:
        """The space."""
        space: AnySpace = pickle.loads(self.payload)  # noqa: S301  this process made it
        return space


@dataclass(frozen=True)
class LocalSpace:
    """A space of this process alone."""

    token: int
    place: str
    key: str
    trusted: bool = False

    def open(self) -> AnySpace:
        """The space."""
        return _LOCAL[self.token]


def reference(place: str, text: str) -> ModelRef:
    """The reference of a genotype that `fxscore rank` takes, where the space can be imported.

    Args:
        place: of the space, see `SpaceHandle`.
        text: the genotype, as the space writes it.
    """
    if ".py:" in place:  # a file of one's own
        return ModelRef(place, text)
    source, colon, name = place.partition(":")
    return ModelRef(source, f"{name}:{text}" if colon else text)


def open_space(space: str | AnySpace) -> tuple[AnySpace, SpaceHandle]:
    """The space that a name or an object stands for, and its handle; raises `SpaceError` for an unknown name."""
    if isinstance(space, str):
        place = _absolute(space)
        opened = get_space(place)
        return opened, NamedSpace(place, f"{place} {_code(opened)}", place in space_names())
    place, code = f"{type(space).__module__}:{type(space).__qualname__}", _code(space)
    with suppress(pickle.PicklingError, AttributeError, TypeError):
        payload = pickle.dumps(space)
        if _importable(type(space)):
            options = hashlib.sha256(payload).hexdigest()[:24]
            trusted = place.startswith("fxscore.")
            return space, PickledSpace(payload, place, f"{place} {options} {code}", trusted)
    token = next(_TOKENS)
    _LOCAL[token] = space
    return space, LocalSpace(token, place, f"{place} {code}")


def _absolute(name: str) -> str:
    """Workers may have another current folder."""
    file, colon, class_name = name.rpartition(":")
    return f"{os.path.realpath(file)}:{class_name}" if colon and file.endswith(".py") else name


def _importable(kind: type) -> bool:
    top = kind.__module__.partition(".")[0]
    return top != "__main__" and "<locals>" not in kind.__qualname__ and PathFinder.find_spec(top) is not None


def _code(space: AnySpace) -> str:
    """What the space's code is: versions for a space that ships, else a digest of its file and those beside it."""
    found = " ".join(f"{name}={value}" for name, value in versions("torch", "fxscore").items())
    try:
        file = Path(inspect.getsourcefile(type(space)) or "")
    except (TypeError, OSError):
        file = Path()
    if (
        not file.is_file()
    ):  # typed or piped into an interpreter: no later process can tell that it is the same
        return f"{found} {THIS_PROCESS}"
    return found if file.resolve().is_relative_to(_PACKAGE) else f"{found} {source_digest(file)}"
