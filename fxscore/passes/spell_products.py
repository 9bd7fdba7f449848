"""Products under many names become linear layers and einsums, so that equal computations are equal graphs.

einsum, tensordot, inner, mv, dot, and linear or matmul with a vector are one product over some axes: with a weight the
linear layer that it is, of two values an einsum, which has its own rule. baddbmm, addbmm and addmv are a product and a
sum. An einsum of three operands, or with a matrix for each group, stays.
"""

from __future__ import annotations

from collections.abc import Callable
from string import ascii_letters
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx

from fxscore.costs.contractions import einsum_operands, einsum_terms
from fxscore.costs.shapes import argument
from fxscore.passes.base import PassBase, PassResult, replace, shape_of, weight_nodes
from fxscore.passes.contraction import Contraction, call_before, linear_before

Read = Callable[[fx.Node], Contraction | None]


class SpellProductsPass(PassBase):
    """Before heads are looked for: a classifier may be an einsum."""

    def call(self, graph_module: fx.GraphModule) -> PassResult:
        nodes = graph_module.graph.nodes
        sums = [node for node in nodes if node.target in _SUMS]
        for node in sums:
            replace(node, _SUMS[node.target](node))
        weights, _ = weight_nodes(nodes)
        written = [(node, _product(node, weights)) for node in list(nodes)]
        for node, substitute in written:
            if substitute is not None:
                replace(node, substitute)
        return PassResult(graph_module, bool(sums) or any(substitute for _, substitute in written))


def _product(node: fx.Node, weights: set[fx.Node]) -> fx.Node | None:
    read = _PRODUCTS.get(node.target)
    contraction = read(node) if read is not None and node not in weights else None
    if contraction is None:
        return None
    linear = linear_before(node, contraction, weights)
    return linear if linear is not None or node.target in _STAY else _einsum_before(node, contraction)


def _einsum_before(node: fx.Node, contraction: Contraction) -> fx.Node:
    first, second, result = map("".join, contraction.axes)
    return call_before(
        node, torch.einsum, f"{first},{second}->{result}", contraction.first, contraction.second
    )


def _einsum(node: fx.Node) -> Contraction | None:
    equation, operands = einsum_operands(node.args[0], node.args[1:])
    if len(operands) != 2:
        return None
    terms, result = einsum_terms(equation, [len(shape_of(operand) or ()) for operand in operands])
    return Contraction(*operands, (tuple(terms[0]), tuple(terms[1]), tuple(result)))


def _tensordot(node: fx.Node) -> Contraction | None:
    first, second = node.args[:2]
    dims = argument(node, 2, "dims", 2)
    if not isinstance(first, fx.Node) or not isinstance(second, fx.Node) or isinstance(dims, fx.Node):
        return None
    ranks = [len(shape_of(operand) or ()) for operand in (first, second)]
    places = (range(ranks[0] - dims, ranks[0]), range(dims)) if isinstance(dims, int) else map(_listed, dims)
    left, right = ([place % rank for place in chosen] for chosen, rank in zip(places, ranks, strict=True))
    axes = tuple(ascii_letters[place] for place in range(ranks[0]))
    further = tuple(
        axes[left[right.index(place)]] if place in right else ascii_letters[ranks[0] + place]
        for place in range(ranks[1])
    )
    kept = tuple(axis for axis in (*axes, *further) if axes.count(axis) + further.count(axis) == 1)
    return Contraction(first, second, (axes, further, kept))


def _listed(dims: Any) -> list[int]:
    return [dims] if isinstance(dims, int) else list(dims)


def _inner(node: fx.Node) -> Contraction | None:
    """The last axis of both is summed over."""
    first, second = argument(node, 0, "input"), argument(node, 1, "other", argument(node, 1, "weight"))
    return _over_last(first, second)


def _with_vector(node: fx.Node) -> Contraction | None:
    """`torch.mv`, `torch.dot`, `torch.matmul` and `F.linear` by a vector; by a matrix they stay what they are."""
    second = argument(node, 1, "other", argument(node, 1, "weight", argument(node, 1, "vec")))
    has_bias = node.target is F.linear and argument(node, 2, "bias") is not None
    if has_bias or len(shape_of(second) or ()) != 1:
        return None
    return _over_last(argument(node, 0, "input"), second)


def _over_last(first: Any, second: Any) -> Contraction | None:
    if not isinstance(first, fx.Node) or not isinstance(second, fx.Node):
        return None
    ranks = [len(shape_of(operand) or ()) - 1 for operand in (first, second)]
    axes, further = tuple(ascii_letters[: ranks[0]]), tuple(ascii_letters[ranks[0] : sum(ranks)])
    return Contraction(first, second, ((*axes, "z"), (*further, "z"), (*axes, *further)))


def _batched_sum(node: fx.Node) -> fx.Node:
    """`torch.baddbmm`: beta · input + alpha · a @ b."""
    factors = argument(node, 1, "batch1"), argument(node, 2, "batch2")
    return _added(node, call_before(node, torch.bmm, *factors))


def _summed_batch(node: fx.Node) -> fx.Node:
    """`torch.addbmm`: the products of a batch are added up."""
    factors = argument(node, 1, "batch1"), argument(node, 2, "batch2")
    return _added(node, call_before(node, torch.einsum, "bij,bjk->ik", *factors))


def _vector_sum(node: fx.Node) -> fx.Node:
    """`torch.addmv`."""
    return _added(node, call_before(node, torch.mv, argument(node, 1, "mat"), argument(node, 2, "vec")))


def _added(node: fx.Node, product: fx.Node) -> fx.Node:
    beta, alpha = (node.kwargs.get(name, 1) for name in ("beta", "alpha"))
    scaled = product if alpha == 1 else call_before(node, torch.mul, product, alpha)
    if beta == 0:
        return scaled
    other = argument(node, 0, "input")
    return call_before(
        node, torch.add, other if beta == 1 else call_before(node, torch.mul, other, beta), scaled
    )


_PRODUCTS: dict[Any, Read] = {
    torch.einsum: _einsum,
    torch.tensordot: _tensordot,
    torch.inner: _inner,
    **dict.fromkeys((torch.mv, torch.dot, torch.matmul, F.linear), _with_vector),
}
_STAY = (torch.einsum, torch.matmul, F.linear)  # they have rules for what is no linear layer
_SUMS: dict[Any, Callable[[fx.Node], fx.Node]] = {
    torch.baddbmm: _batched_sum,
    torch.addbmm: _summed_batch,
    torch.addmv: _vector_sum,
}
