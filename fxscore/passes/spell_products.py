"""Products under many names become linear layers and einsums, so that equal computations are equal graphs.

einsum, tensordot, inner, mv, dot, `W @ x`, and linear or matmul with a vector are one product over some axes: with a
weight the linear layer that it is, of two values an einsum, which has its own rule. baddbmm, addbmm, addmv, addcmul and
addcdiv are a product and a sum; an einsum of one operand is a sum over axes; a matrix that is repeated for every row of
the batch is one matrix. An einsum of three operands, or with a matrix for each group, stays.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
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
        sums = [(node, _SUMS[node.target](node)) for node in list(nodes) if node.target in _SUMS]
        for node, substitute in sums:
            if substitute is not None:
                replace(node, substitute)
        weights, _ = weight_nodes(nodes)
        written = [(node, _product(node, weights)) for node in list(nodes)]
        for node, substitute in written:
            if substitute is not None:
                replace(node, substitute)
        return PassResult(graph_module, any(substitute for _, substitute in (*sums, *written)))


def _product(node: fx.Node, weights: set[fx.Node]) -> fx.Node | None:
    if node.target in (torch.matmul, torch.bmm) and node not in weights:
        single = _with_one_matrix(node, weights)
        if single is not None:
            return single
    read = _PRODUCTS.get(node.target)
    contraction = read(node) if read is not None and node not in weights else None
    if contraction is None:
        return None
    linear = linear_before(node, contraction, weights)
    return linear if linear is not None or node.target in _STAY else _einsum_before(node, contraction)


def _with_one_matrix(node: fx.Node, weights: set[fx.Node]) -> fx.Node | None:
    """`x @ W.expand(batch, …)` is `x @ W`."""
    value, matrix = argument(node, 0, "input"), argument(node, 1, "other", argument(node, 1, "mat2"))
    if value in weights or matrix not in weights or len(shape_of(matrix) or ()) < 3:
        return None
    source, (*_, rows, columns) = matrix, shape_of(matrix) or ()
    while source.target in _REPEATS and prod(shape_of(source.args[0]) or ()) == rows * columns:
        source = source.args[0]
    if source is matrix or prod(shape_of(source) or ()) != rows * columns:
        return None
    if shape_of(source) != (rows, columns):
        source = call_before(node, torch.reshape, source, (rows, columns))
    return call_before(node, torch.matmul, value, source)


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


def _sum_over_axes(node: fx.Node) -> fx.Node | None:
    """An einsum of one operand that leaves axes out; None for any other."""
    equation, operands = einsum_operands(node.args[0], node.args[1:])
    if len(operands) != 1:
        return None
    (term,), result = einsum_terms(equation, [len(shape_of(operands[0]) or ())])
    summed = tuple(place for place, axis in enumerate(term) if axis not in result)
    if not summed or len(set(term)) != len(term):
        return None
    total = call_before(node, torch.sum, operands[0], summed)
    kept = [axis for axis in term if axis in result]
    order = tuple(kept.index(axis) for axis in result)
    return total if order == tuple(range(len(order))) else call_before(node, torch.permute, total, order)


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


def _matmul(node: fx.Node) -> Contraction | None:
    """By a vector; or of one matrix and many, `W @ x`."""
    first, second = argument(node, 0, "input"), argument(node, 1, "other", argument(node, 1, "mat2"))
    if len(shape_of(first) or ()) != 2 or len(shape_of(second) or ()) < 3:
        return _with_vector(node)
    many = tuple(ascii_letters[: len(shape_of(second) or ()) - 2])
    return Contraction(first, second, (("y", "x"), (*many, "x", "z"), (*many, "y", "z")))


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


def _product_and_sum(node: fx.Node) -> fx.Node | None:
    """`torch.addmm`, where it is no linear layer as it stands: beta · input + alpha · a @ b."""
    if not node.kwargs.keys() & {"beta", "alpha"}:
        return None
    return _added(node, call_before(node, torch.matmul, argument(node, 1, "mat1"), argument(node, 2, "mat2")))


def _scaled_sum(operator: Any) -> Callable[[fx.Node], fx.Node]:
    """`torch.addcmul`, `torch.addcdiv`: input + value · (a · b)."""

    def spelled(node: fx.Node) -> fx.Node:
        factors = argument(node, 1, "tensor1"), argument(node, 2, "tensor2")
        product, share = call_before(node, operator, *factors), node.kwargs.get("value", 1)
        scaled = product if share == 1 else call_before(node, torch.mul, product, share)
        return call_before(node, torch.add, argument(node, 0, "input"), scaled)

    return spelled


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
    torch.matmul: _matmul,
    **dict.fromkeys((torch.mv, torch.dot, F.linear), _with_vector),
}
_STAY = (torch.einsum, torch.matmul, F.linear)  # they have rules for what is no linear layer
_REPEATS = (
    "expand",
    "repeat",
    "expand_as",
    "view",
    "reshape",
    torch.tile,
    torch.broadcast_to,
    torch.unsqueeze,
    torch.reshape,
)
_SUMS: dict[Any, Callable[[fx.Node], fx.Node | None]] = {
    torch.addmm: _product_and_sum,
    torch.addcmul: _scaled_sum(torch.mul),
    torch.addcdiv: _scaled_sum(torch.div),
    torch.einsum: _sum_over_axes,
    torch.baddbmm: _batched_sum,
    torch.addbmm: _summed_batch,
    torch.addmv: _vector_sum,
}
