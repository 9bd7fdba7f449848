"""Elementwise functions of one value, cut out of a graph as expressions that can be evaluated by themselves.

An expression is a tuple of steps; each calls an operator on the argument (place 0), on results of earlier steps
(place 1, 2, …) and on constants. It can be hashed, so that what fifty layers share is looked at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx

from fxscore.capture.recorder import assign
from fxscore.ops import sum_of, swish, zeros
from fxscore.passes.base import shape_of

LARGEST = 24  # operators of one function; the longest spelling of GELU has ten

# The one spelling of every activation that PyTorch has: by itself, none is searched for a better name.
ACTIVATIONS: set[Any] = {
    F.relu, F.relu6, F.silu, F.gelu, F.hardswish, F.hardsigmoid, F.mish, F.softplus, F.elu, F.selu, F.celu,
    F.leaky_relu, F.softsign, F.logsigmoid, F.tanhshrink, F.hardshrink, F.softshrink, torch.sigmoid, torch.tanh, swish,
}  # fmt: skip
COMPARISONS: set[Any] = {torch.gt, torch.lt, torch.ge, torch.le, torch.eq, torch.ne}
LINEAR: set[Any] = {torch.add, torch.sub, torch.rsub, torch.neg, sum_of, "to"}
PRODUCTS: set[Any] = {torch.mul, torch.div}
_OTHERS: set[Any] = {
    torch.pow, torch.square, torch.abs, torch.sign, torch.sqrt, torch.rsqrt, torch.reciprocal, torch.exp,
    torch.expm1, torch.exp2, torch.log, torch.log1p, torch.log2, torch.erf, torch.erfc, torch.sin, torch.cos,
    torch.tan, torch.sinh, torch.cosh, torch.asinh, torch.atan, torch.arctan, torch.logaddexp, torch.maximum,
    torch.minimum, torch.max, torch.min, torch.fmax, torch.fmin, torch.clamp, torch.clamp_min, torch.clamp_max,
    torch.where, torch.masked_fill, torch.heaviside, torch.lerp, torch.special.expit,
    torch.special.erf, torch.special.xlogy, torch.special.ndtr, torch.special.log_ndtr, torch.logical_not,
    torch.logical_and, torch.bitwise_not, torch.bitwise_and, torch.threshold, torch.round, torch.floor, torch.ceil,
    torch.sinc, torch.hypot, F.threshold, assign,
}  # fmt: skip
_ELEMENTWISE = ACTIVATIONS | COMPARISONS | LINEAR | PRODUCTS | _OTHERS
# Operators that fill a tensor with one number: place of the number among the arguments, or the number itself.
_FILLS: dict[Any, tuple[int | None, float]] = {
    torch.zeros_like: (None, 0.0), torch.ones_like: (None, 1.0), torch.full_like: (1, 0.0),
    "new_zeros": (None, 0.0), "new_ones": (None, 1.0), "new_full": (2, 0.0), zeros: (None, 0.0),
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """The argument of an expression (0), or the result of one of its steps."""

    index: int


@dataclass(frozen=True)
class Step:
    """One call of an expression."""

    target: Any
    args: tuple[Any, ...]
    options: tuple[tuple[str, Any], ...]


Expression = tuple[Step, ...]


@dataclass(frozen=True)
class Region:
    """Elementwise operators that make one value of another.

    Attributes:
        source: what the function is applied to.
        nodes: its operators, the result first, each before what it is computed from.
    """

    source: fx.Node
    nodes: tuple[fx.Node, ...]


def regions(node: fx.Node, order: dict[fx.Node, int]) -> Iterator[Region]:
    """Every way to see `node` as an elementwise function of one value of its own shape, the smallest first."""
    inner: list[fx.Node] = []
    frontier = {node}
    while frontier and len(inner) <= LARGEST:
        last = max(frontier, key=order.__getitem__)
        if len(frontier) == 1 and inner and _is_argument(last, node):
            yield Region(last, tuple(inner))
        if not is_elementwise(last):
            return
        frontier.remove(last)
        inner.append(last)
        frontier.update(source for source in last.all_input_nodes if not is_number(source))


def is_elementwise(node: fx.Node) -> bool:
    """Whether every element of the result is computed from the elements of the operands at its place."""
    if node.target not in _ELEMENTWISE:
        return False
    if node.target is assign:  # by a mask; by a place it is not elementwise
        return isinstance(node.args[1], fx.Node) and shape_of(node.args[1]) == shape_of(node)
    if node.target in (torch.max, torch.min):  # of two tensors; of one they look for an element
        return len(node.args) == 2 and isinstance(node.args[1], fx.Node)
    return shape_of(node) is not None


def is_number(node: fx.Node) -> bool:
    """Whether a node stands for one number, repeated or not."""
    return node.target in _FILLS or (node.op == "get_attr" and node.meta["val"].numel() == 1)


def expression_of(region: Region, graph_module: fx.GraphModule) -> Expression | None:
    """The region by itself; None where a constant in it cannot be read."""
    places: dict[fx.Node, Any] = {region.source: Place(0)}
    steps: list[Step] = []
    for node in reversed(region.nodes):
        for operand in node.all_input_nodes:
            if operand not in places:
                number = _number(operand, graph_module)
                if number is None:
                    return None
                steps.append(Step(torch.full_like, (Place(0), number), ()))
                places[operand] = Place(len(steps))
        args = fx.node.map_arg(node.args, lambda operand: places[operand])
        options = fx.node.map_arg(dict(node.kwargs), lambda operand: places[operand])
        steps.append(Step(node.target, tuple(args), tuple(options.items())))
        places[node] = Place(len(steps))
    return tuple(steps)


def evaluate(expression: Expression, argument: Tensor) -> Tensor | None:
    """The expression's value, in the precision of `argument`; None where an operator refuses it."""
    values = [argument]
    try:
        with torch.no_grad():
            for step in expression:
                args = [_value(arg, values) for arg in step.args]
                options = {name: _value(value, values) for name, value in step.options}
                values.append(_call(step.target, args, options, argument.dtype))
    except (RuntimeError, TypeError, ValueError):
        return None
    result = values[-1]
    return result if result.dtype == argument.dtype and result.shape == argument.shape else None


def _value(argument: Any, values: list[Tensor]) -> Any:
    return values[argument.index] if isinstance(argument, Place) else argument


def _call(
    target: Callable[..., Tensor] | str, args: list[Any], options: dict[str, Any], precision: torch.dtype
) -> Tensor:
    if target == "to":  # a cast to a shorter floating type rounds, which makes no other function
        dtype = args[1]
        return args[0].to(precision if dtype.is_floating_point else dtype)  # type: ignore[no-any-return]
    assert callable(target)
    return target(*args, **options)


def _is_argument(source: fx.Node, result: fx.Node) -> bool:
    if shape_of(source) != shape_of(result):
        return False
    types = [node.meta["val"].dtype for node in (source, result)]
    return types[0] == types[1] and bool(types[0].is_floating_point)


def _number(node: fx.Node, graph_module: fx.GraphModule) -> float | None:
    if node.op == "get_attr":
        value = attrgetter(str(node.target))(graph_module)
        return None if value.is_meta else float(value)
    place, number = _FILLS[node.target]
    given: Any = number
    if place is not None:
        given = node.args[place] if len(node.args) > place else node.kwargs.get("fill_value")
    return float(given) if isinstance(given, (int, float)) else None
