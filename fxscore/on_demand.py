"""Names of a package that are loaded when first used, so that a part of a package costs no more than it needs.

Above all torch: a ranking whose every network is in the store loads none of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def loader(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """A package's `__getattr__`, which takes a name from the module that it lives in.

    Args:
        package: the package's own name, for the error.
        homes: the module of each name.
    """

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(homes[name]), name)

    return load
