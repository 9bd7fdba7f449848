"""Python files as a source: `zoo/vgg.py`, `zoo/*.py`, `nets.py:build_wide{"width": 64}`.

A file needs a function `build() -> nn.Module`; `INPUT_SHAPE = (C, H, W)` beside it is optional. It may import
the files in its own folder. Running it leaves nothing in `sys.modules` or `sys.path`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from fxscore.errors import ModelRefError
from fxscore.sources.base import DEFAULT_INPUT_SHAPE, Recipe
from fxscore.sources.blame import check_options, foreign_code
from fxscore.sources.digest import source_digest, versions
from fxscore.sources.files import chunks, is_pattern, matching, regular_file
from fxscore.sources.names import did_you_mean
from fxscore.types import ModelRef, Shape


class PythonFileSource:
    """Builders in Python files."""

    def expand(self, ref: ModelRef, *, pretrained_only: bool = False) -> list[ModelRef]:
        pattern, builder = _split(ref)
        return [ModelRef.of("file", f"{path}:{builder}", ref.kwargs) for path in _files(pattern)]

    def recipe(self, ref: ModelRef) -> Recipe:
        path = Path(os.path.abspath(path_of(ref)))  # the file itself may change the folder
        with foreign_code(str(ref), path), importable(path.parent):
            file = _run(path)
        builder = _builder(ref, file)
        check_options(str(ref), builder, ref.kwargs)
        shape = read_input_shape(_split(ref)[0], file)

        def make() -> object:
            with importable(path.parent):
                return builder(**ref.kwargs)

        return Recipe(make, lambda module: shape, path)

    def provenance(self, ref: ModelRef) -> dict[str, str]:
        return {"sha256": source_digest(path_of(ref)), **versions("torch", "torchvision", "timm")}


def path_of(ref: ModelRef) -> Path:
    """The file of a file reference; raises `ModelRefError` where there is none, with close names."""
    return regular_file(_split(ref)[0])


def read_input_shape(what: str, module: ModuleType) -> Shape:
    """A module's `INPUT_SHAPE`, checked; (3, 224, 224) where it has none."""
    shape = getattr(module, "INPUT_SHAPE", DEFAULT_INPUT_SHAPE)
    if isinstance(shape, (tuple, list)) and shape and all(type(n) is int and n > 0 for n in shape):
        return tuple(shape)
    raise ModelRefError(f"{what}: INPUT_SHAPE = {shape!r} must be a tuple of positive integers, (C, H, W)")


def _split(ref: ModelRef) -> tuple[str, str]:
    path, colon, builder = ref.name.rpartition(":")
    return (path, builder) if colon else (ref.name, "build")


def _files(pattern: str) -> list[str]:
    """Of a pattern without those that other files import, which begin with `_`."""
    if not is_pattern(pattern):
        return matching(pattern)
    found = [path for path in matching(pattern) if not Path(path).name.startswith("_")]
    if not found:
        raise ModelRefError(f"{pattern} matches no file but those whose names begin with _")
    return found


def _run(path: Path) -> ModuleType:
    """Execute a file as a module of its own; unlike an import it writes no byte code beside the file."""
    module = ModuleType(f"_fxscore_file_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # dataclasses look their module up; `importable` removes it
    code = compile(b"".join(chunks(path)), str(path), "exec", dont_inherit=True)
    exec(code, module.__dict__)
    return module


def _builder(ref: ModelRef, file: ModuleType) -> Callable[..., Any]:
    path, name = _split(ref)
    found = getattr(file, name, None)
    if callable(found):
        return found  # type: ignore[no-any-return]
    own = [key for key, value in vars(file).items() if getattr(value, "__module__", None) == file.__name__]
    near = did_you_mean(name, own) or "; add `def build() -> nn.Module`"
    raise ModelRefError(f"{path}: there is no function {name!r}{near}")


@contextmanager
def importable(folder: Path) -> Iterator[None]:
    """Within this context the files of a folder can be imported; afterwards they are forgotten."""
    place, path, before = str(folder.resolve()), list(sys.path), set(sys.modules)
    known = {name.partition(".")[0] for name in before}
    sys.path.insert(0, place)
    try:
        yield
    finally:
        sys.path[:] = path
        new = set(sys.modules) - before
        tops = {name.partition(".")[0] for name in new} - known
        forgotten = {top for top in tops if top.startswith("_fxscore_file_") or _lies_in(place, top)}
        for name in new:
            if name.partition(".")[0] in forgotten:
                del sys.modules[name]


def _lies_in(folder: str, name: str) -> bool:
    """Whether a top-level module or package was imported from this very folder."""
    module = sys.modules.get(name)
    places = list(getattr(module, "__path__", [])) or [getattr(module, "__file__", None) or ""]
    return any(Path(place).parent == Path(folder) for place in places)
