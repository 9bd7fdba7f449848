"""The spaces by name: those that ship with fxscore, and a user's own by where its class is."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import zlib
from types import ModuleType
from typing import Any

from fxscore.errors import FxScoreError, SpaceError
from fxscore.spaces.base import SearchSpace
from fxscore.texts import message_of, one_line

_BLOCKS = ("vanilla", "basic", "bottleneck")
_FAMILIES = ("darts", "nasnet", "amoeba", "enas", "pnas")
_SPACES: dict[str, tuple[str, dict[str, Any]]] = {
    "accel_nasbench": ("fxscore.spaces.accel:AccelNASBench", {}),
    **{f"anynet_{b}": ("fxscore.spaces.anynet:AnyNet", {"block": b}) for b in _BLOCKS},
    **{
        f"anynet_{b}_in": ("fxscore.spaces.anynet:AnyNet", {"block": b, "dataset": "imagenet"})
        for b in _BLOCKS
    },
    "darts": ("fxscore.spaces.darts:DARTS", {}),
    "metaqnn": ("fxscore.spaces.metaqnn:MetaQNN", {}),
    "mobilenet_slim": ("fxscore.spaces.mobilenet_slim:MobileNetSlim", {}),
    "nasbench101": ("fxscore.spaces.nasbench101:NASBench101", {}),
    "nasbench201": ("fxscore.spaces.nasbench201:NASBench201", {}),
    "nasbench_macro": ("fxscore.spaces.macro:NASBenchMacro", {}),
    "nasbench_mr": ("fxscore.spaces.nasbench_mr:NASBenchMR", {}),
    "nasbench_mr_segment": ("fxscore.spaces.nasbench_mr:NASBenchMR", {"segment": True}),
    "nats_size": ("fxscore.spaces.nats_size:NATSSize", {}),
    "relational_mlp": ("fxscore.spaces.relational_mlp:RelationalMLP", {}),
    "wild": ("fxscore.spaces.wild:Wild", {}),
    "zen_resnet": ("fxscore.spaces.zen_resnet:ZenResNet", {}),
    "regnet_x": ("fxscore.spaces.regnet:RegNet", {}),
    "regnet_y": ("fxscore.spaces.regnet:RegNet", {"squeeze": True}),
    "transnas_micro": ("fxscore.spaces.transnas:TransNASBench101", {}),
    **{f"nds_{name}": ("fxscore.spaces.nds:NDS", {"family": name}) for name in _FAMILIES},
    **{
        f"nds_{name}_in": ("fxscore.spaces.nds:NDS", {"family": name, "dataset": "imagenet"})
        for name in _FAMILIES
    },
}


def space_names() -> tuple[str, ...]:
    """The names of the spaces that ship with fxscore."""
    return tuple(sorted(_SPACES))


def get_space(name: str, **options: Any) -> SearchSpace[Any]:
    """A space by its name; options go to its constructor.

    A user's own space is named by where its class is: `package.module:Class` or `path/to/file.py:Class`.

    Raises:
        SpaceError: no such space, or the space does not take these options.
    """
    location, preset = _SPACES.get(name, (name, {}))
    if location.endswith(".py"):
        raise SpaceError(f"{location} is a file; name the space's class in it, {location}:Class")
    if ":" not in location:
        known = ", ".join(space_names())
        raise SpaceError(f"no search space {name!r}; there are {known}, or name your own as nets.py:Class")
    space = _load_class(location)
    try:
        return space(**(preset | options))
    except FxScoreError:
        raise
    except (Exception, SystemExit) as error:  # a space of one's own is foreign code
        raise SpaceError(f"search space {name!r}: {one_line(message_of(error))}") from error


def _load_class(location: str) -> type[SearchSpace[Any]]:
    module_name, _, class_name = location.rpartition(":")
    load = _load_file if module_name.endswith(".py") else importlib.import_module
    try:
        module = load(module_name)
        found = getattr(module, class_name, None)
    except (Exception, SystemExit) as error:  # foreign code
        why = one_line(f"{type(error).__name__}: {message_of(error)}")
        raise SpaceError(f"search space {location!r} cannot be imported: {why}") from error
    if not (isinstance(found, type) and issubclass(found, SearchSpace)):
        known = ", ".join(_classes(module)) or "none"
        raise SpaceError(f"{location!r} is no SearchSpace class; in {module_name} there are {known}")
    return found


def _classes(module: ModuleType) -> list[str]:
    """The names of the spaces that a module defines."""
    return [
        name
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, SearchSpace) and value.__module__ == module.__name__
    ]


def _load_file(path: str) -> ModuleType:
    """Import one file under a name of its own, once, so that its classes stay the same classes."""
    name = f"fxscore_space_{zlib.crc32(os.fsencode(os.path.realpath(path))):08x}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None  # a path that ends with .py always has a loader
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]  # half a module must not answer the next call
            raise
    return sys.modules[name]
