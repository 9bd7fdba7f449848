"""Anything importable as a source: `package.module:callable{"width": 32}`, a function or a module class.

Importing runs code of the user, so the parent of the workers only looks whether the module is there.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import reduce
from types import ModuleType
from typing import Any

from fxscore.errors import ModelRefError
from fxscore.sources.base import Recipe
from fxscore.sources.blame import check_options, foreign_code
from fxscore.sources.digest import source_digest, versions
from fxscore.sources.modules import module_file, working_directory_first
from fxscore.sources.names import did_you_mean
from fxscore.sources.python_files import read_input_shape
from fxscore.types import ModelRef


class PythonCallableSource:
    """Functions and classes of any package that can be imported, from the working directory too."""

    def expand(self, ref: ModelRef, *, pretrained_only: bool = False) -> list[ModelRef]:
        place, name = _split(ref)
        plain = ModelRef(place, name, ref.options)
        module_file(plain, place)
        return [plain]

    def recipe(self, ref: ModelRef) -> Recipe:
        builder = _builder(ref)
        check_options(str(ref), builder, ref.kwargs)
        shape = read_input_shape(str(ref), _import(ref))
        return Recipe(lambda: builder(**ref.kwargs), lambda module: shape)

    def provenance(self, ref: ModelRef) -> dict[str, str]:
        place = _split(ref)[0]
        file = module_file(ref, place)
        digest = {"sha256": source_digest(file)} if file else {}
        return digest | versions("torch", place.partition(".")[0])


def _split(ref: ModelRef) -> tuple[str, str]:
    """Module and callable; `python:` may be written before them."""
    if ref.source != "python":
        return ref.source, ref.name
    place, colon, name = ref.name.partition(":")
    if not colon:
        raise ModelRefError(f"{ref}: write python:package.module:callable")
    return place, name


def _import(ref: ModelRef) -> ModuleType:
    place = _split(ref)[0]
    with foreign_code(str(ref)), working_directory_first():
        module_file(ref, place)
        return importlib.import_module(place)


def _builder(ref: ModelRef) -> Callable[..., Any]:
    module, (place, name) = _import(ref), _split(ref)
    try:
        found = reduce(getattr, name.split("."), module)
    except AttributeError:
        near = did_you_mean(name, [key for key in vars(module) if not key.startswith("_")])
        raise ModelRefError(f"{ref}: {place} has no {name!r}{near}") from None
    if not callable(found) or type(found).__module__.startswith("torch.nn"):
        raise ModelRefError(
            f"{ref}: {name} is a {type(found).__name__}, not a function or class that builds one"
        )
    return found
