"""Where importable modules lie, found without importing anything, as the working directory sees them."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from fxscore.errors import ModelRefError
from fxscore.sources.names import did_you_mean
from fxscore.types import ModelRef

_SOURCE_NAMES = ("timm", "torchvision", "file", "python")


def module_file(ref: ModelRef, place: str) -> Path | None:
    """The file of a module, `package.module`; None where it has none that can be found without importing.

    Raises:
        ModelRefError: there is no such package.
    """
    names = place.split(".")
    with working_directory_first():
        spec = _top_spec(names[0])
        if spec is None:
            raise ModelRefError(_unknown(ref, place))
        for name in names[1:]:
            inside = [] if spec is None else spec.submodule_search_locations or []
            # By its last name: a folder without __init__.py would look for its parent among what is imported.
            spec = PathFinder.find_spec(name, inside)
    return Path(spec.origin) if spec and spec.has_location and spec.origin else None


def _top_spec(name: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(name)
    except (
        ImportError,
        ValueError,
    ):  # ValueError: a module that is loaded and has no spec, or no name at all
        return None


@contextmanager
def working_directory_first() -> Iterator[None]:
    """Import from the working directory too, which a console script does not have on its path."""
    before = list(sys.path)
    sys.path.insert(0, str(Path.cwd()))
    try:
        yield
    finally:
        sys.path[:] = before


def _unknown(ref: ModelRef, place: str) -> str:
    from fxscore.spaces import space_names

    known = (*_SOURCE_NAMES, *space_names())
    return (
        f"{ref}: {place!r} is neither a package nor a source of models{did_you_mean(place, known)} "
        f"(sources: {', '.join(known)})"
    )
