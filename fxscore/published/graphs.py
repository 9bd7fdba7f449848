"""Networks kept as lists of operators in a file of JSON lines, one network a line.

A line holds `name`, `params` and `nodes`; a node is `[id, operator, attributes, arguments, keyword arguments]`.
`{"n": id}` stands for an earlier node's value, `{"slice": [start, stop, step]}` for a slice. Operators are modules of
torch.nn (`mod:Conv2d`, its constructor's arguments as attributes), functions (`fn:torch.cat`) and methods
(`method:view`). Only those listed here are taken, so no file can run code of its own.
"""

from __future__ import annotations

import gzip
import json
import operator
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional as F

from fxscore.errors import ModelRefError

INPUT_SHAPE = (3, 32, 32)
_MODULES = {
    kind.__name__: kind
    for kind in (
        *(nn.Conv2d, nn.BatchNorm2d, nn.Linear, nn.Dropout, nn.ReLU, nn.ReLU6),
        *(nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d),
    )
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "_operator.add": operator.add,
    "_operator.floordiv": operator.floordiv,
    "_operator.getitem": operator.getitem,
    "_operator.mul": operator.mul,
    "torch.cat": torch.cat,
    "torch.flatten": torch.flatten,
    "torch.transpose": torch.transpose,
    "torch.nn.functional.relu": F.relu,
    "torch.nn.functional.adaptive_avg_pool2d": F.adaptive_avg_pool2d,
    "torch._C._nn.avg_pool2d": F.avg_pool2d,
}
_METHODS = ("chunk", "contiguous", "mean", "sigmoid", "size", "view")


def network(file: str, name: str, classes: int = 10) -> nn.Module:
    """The network of that name, its last linear layer with `classes` outputs.

    Raises:
        ModelRefError: no such file or network, or an operator that is not known.
    """
    nodes = _networks(file).get(name)
    if nodes is None:
        raise ModelRefError(
            f"{file} holds no network {name!r}; it has {', '.join(_networks(file)) or 'none'}"
        )
    return _Reader(f"{file}, {name}", classes).read(nodes)


@lru_cache(maxsize=4)
def _networks(file: str) -> dict[str, list[Any]]:
    try:
        data = Path(file).read_bytes()
        lines = (gzip.decompress(data) if file.endswith(".gz") else data).decode().splitlines()
        return {entry["name"]: entry["nodes"] for entry in map(json.loads, lines)}
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise ModelRefError(f"{file} cannot be read as networks, one a line: {error}") from None


class _Reader:
    def __init__(self, what: str, classes: int) -> None:
        self.what, self.classes = what, classes
        self.root, self.graph = nn.Module(), fx.Graph()
        self.values: dict[str, fx.Node] = {}

    def read(self, nodes: list[Any]) -> nn.Module:
        last = max((i for i, node in enumerate(nodes) if node[1] == "mod:Linear"), default=-1)
        for i, (name, kind, attributes, args, kwargs) in enumerate(nodes):
            if i == last:
                attributes = {**attributes, "out_features": self.classes}
            given = self._value(args), self._value(kwargs)
            self.values[name] = self._node(name, kind, attributes, tuple(given[0]), given[1])
        return fx.GraphModule(self.root, self.graph)

    def _node(self, name: str, kind: str, attributes: dict[str, Any], args: Any, kwargs: Any) -> fx.Node:
        group, _, target = kind.partition(":")
        if group == "input":
            return self.graph.placeholder(name)
        if group == "output":
            output: fx.Node = self.graph.output(args[0])
            return output
        if group == "mod" and target in _MODULES:
            options = {key: value for key, value in attributes.items() if key != "key"}
            self.root.add_module(name, _MODULES[target](**options))
            return self.graph.call_module(name, args, kwargs)
        if group == "fn" and target in _FUNCTIONS:
            return self.graph.call_function(_FUNCTIONS[target], args, kwargs)
        if group == "method" and target in _METHODS:
            return self.graph.call_method(target, args, kwargs)
        raise ModelRefError(f"{self.what}, node {name}: the operator {kind!r} is not known")

    def _value(self, given: Any) -> Any:
        if isinstance(given, list):
            items = [self._value(item) for item in given]
            return tuple(items) if any(isinstance(item, slice) for item in items) else items  # an index
        if not isinstance(given, dict):
            return given
        if set(given) == {"n"}:
            return self.values[given["n"]]
        if set(given) == {"slice"}:
            return slice(*given["slice"])
        return {key: self._value(item) for key, item in given.items()}
