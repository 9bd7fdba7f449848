"""What a representation rule may use to rewrite one node."""

from __future__ import annotations

from math import prod
from operator import attrgetter, getitem
from typing import Any

import torch
from torch import Tensor, fx

from fxscore.capture.nodes import new_call
from fxscore.capture.shapes import infer
from fxscore.ops import unit_variance, unitise
from fxscore.types import Shape


class RewriteContext:
    """Builds nodes before `node`, the one that is being represented.

    Attributes:
        node: the operator as captured.
        weights: the graph's input that maps a shape to its synthesised weight.
        observer: the graph's input that applies variance unitisation.
    """

    def __init__(
        self, graph: fx.Graph, weights: fx.Node, observer: fx.Node, holds_weight: set[fx.Node]
    ) -> None:
        self.graph = graph
        self.weights = weights
        self.observer = observer
        self.node: fx.Node = weights
        self.replaced: list[tuple[fx.Node, str]] = []
        self._holds_weight = holds_weight

    def call(self, target: Any, *args: Any, like: fx.Node | None = None, **kwargs: Any) -> fx.Node:
        """A call of `target` (a function, or the name of a tensor method) with nodes and constants as arguments.

        Its shape is that of the node `like`, or is inferred.
        """
        with self.graph.inserting_before(self.node):
            node = new_call(self.graph, target, *args, **kwargs)
        node.meta["val"] = _infer(target, args, kwargs) if like is None else like.meta["val"]
        node.meta["represented"] = True
        return node

    def shape(self, node: fx.Node) -> Shape:
        """The shape of a node's value."""
        return tuple(node.meta["val"].shape)

    def is_weight(self, value: Any) -> bool:
        """Whether `value` is computed from parameters, and not from the input."""
        return isinstance(value, fx.Node) and value in self._holds_weight

    def constant(self, value: Any) -> Tensor | None:
        """The values of a constant of the graph; None for anything else."""
        if not isinstance(value, fx.Node) or value.op != "get_attr":
            return None
        found = attrgetter(str(value.target))(self.graph.owning_module)
        return found if isinstance(found, Tensor) and not found.is_meta else None

    def weight(self, value: Any) -> Any:
        """The synthesised form of a weight argument, at its own shape; other values (None, activations) stay."""
        if not self.is_weight(value):
            return value
        self.replaced.append((value, "synthesised"))
        return self.synthesise_for(value, self.shape(value))

    def synthesise_for(self, value: fx.Node, shape: Shape) -> fx.Node:
        """A weight of `shape` in place of `value`, real or complex as that is."""
        return self._complex(self.synthesise((*shape, 2))) if _is_complex(value) else self.synthesise(shape)

    def matrix(self, value: Any) -> Any:
        """A weight argument of any rank, synthesised as the matrix that its leading axes and its last axis make."""
        if not self.is_weight(value):
            return value
        self.drop(value, form="synthesised")
        shape = (*self.shape(value), 2) if _is_complex(value) else self.shape(value)
        width = shape[-1] * (shape[-2] if _is_complex(value) else 1)
        flat = self.synthesise((prod(shape) // max(width, 1), width))
        whole = flat if self.shape(flat) == shape else self.call(torch.reshape, flat, shape)
        return self._complex(whole) if _is_complex(value) else whole

    def drop(self, *values: Any, form: str = "one") -> None:
        """Note that weights have no part in the representation (a norm's affine: scale one, shift zero)."""
        self.replaced.extend((value, form) for value in values if self.is_weight(value))

    def synthesise(self, shape: Shape) -> fx.Node:
        """A weight of `shape` from the shared kernel; one axis is a bias, two are a linear layer's (out, in)."""
        key = kernel_key(shape)
        weight = self._fetch(key)
        return weight if tuple(shape) == key else self.call(torch.reshape, weight, tuple(shape))

    def direct(self, value: fx.Node) -> fx.Node:
        """A learnable tensor that is used directly, real or complex: synthesised at its shape, unit variance."""
        shape = self.shape(value)
        return self._complex(self.tensor((*shape, 2))) if _is_complex(value) else self.tensor(shape)

    def tensor(self, shape: Shape) -> fx.Node:
        """A real tensor of `shape` that is used directly: synthesised, unit variance."""
        flat = (prod(shape[:-1]), shape[-1]) if shape else (1, 1)
        unit = self.call(unit_variance, self._fetch(kernel_key(flat)))
        return self.call(torch.reshape, unit, tuple(shape))

    def unitise(self, node: fx.Node) -> fx.Node:
        """Divide by the unitisation factor, as every synthesised operator's output is."""
        return self.call(unitise, node, self.observer, like=node)

    def _complex(self, parts: fx.Node) -> fx.Node:
        """Complex numbers, of which the last axis of `parts` holds the real and the imaginary part."""
        return self.call(torch.view_as_complex, parts)

    def _fetch(self, key: Shape) -> fx.Node:
        with self.graph.inserting_before(self.node):
            node = new_call(self.graph, getitem, self.weights, key)
        node.meta["val"] = torch.empty(key, device="meta")
        node.meta["represented"] = True
        return node


def _is_complex(value: fx.Node) -> bool:
    return bool(value.meta["val"].is_complex())


def kernel_key(shape: Shape) -> Shape:
    """The shape under which the kernel synthesises a weight: (out, in, kh, kw), or (out,) for a bias.

    Linear layers are 1×1, 1-d kernels 1×k; the depth of 3-d kernels folds into the map axis (METHOD.md section 1).
    """
    shape = tuple(shape)
    if len(shape) in (1, 4):
        return shape
    if len(shape) == 2:
        return (*shape, 1, 1)
    if len(shape) == 3:
        return (*shape[:2], 1, shape[2])
    return (shape[0], prod(shape[1:-2]), *shape[-2:]) if shape else (1,)


def _infer(target: Any, args: Any, kwargs: Any) -> Any:
    values = fx.node.map_arg((args, kwargs), lambda n: n.meta["val"])
    function = getattr(Tensor, target) if isinstance(target, str) else target
    return infer(function, tuple(values[0]), dict(values[1]))
