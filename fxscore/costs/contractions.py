"""Multiply-accumulates of `torch.einsum`: pair after pair from the left, each pair one batched matrix product.

Of two operands, an index that both have and no later operand or output wants is summed over: the pair costs the product
of the sizes of all its indices. A pair that sums over nothing is an elementwise or outer product, which is no
multiply-accumulate. An index of one operand alone is summed over before, which costs nothing. This is what PyTorch does
where opt_einsum is not installed; with it, three operands or more may be taken in another, cheaper order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from torch import fx

from fxscore.costs.shapes import shape_of

_ELLIPSIS = "..."


def einsum_operands(equation: Any, operands: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
    """(equation with an output, operands) of any spelling that `torch.einsum` takes."""
    if not isinstance(equation, str):
        return _from_sublists((equation, *operands))
    values = operands[0] if len(operands) == 1 and isinstance(operands[0], (list, tuple)) else operands
    return whole_equation(equation), tuple(values)


def whole_equation(equation: str) -> str:
    """An equation without spaces and with its output, which may be left out."""
    equation = equation.replace(" ", "")
    return equation if "->" in equation else f"{equation}->{_implied_output(equation)}"


def einsum_terms(equation: str, ranks: Sequence[int]) -> tuple[list[list[Any]], list[Any]]:
    """(indices of each operand, indices of the result) of a whole equation; `...` is counted from the right."""
    left, result = equation.split("->")
    terms = [_indices(term, rank) for term, rank in zip(left.split(","), ranks, strict=True)]
    hidden = max((sum(isinstance(index, int) for index in term) for term in terms), default=0)
    spelt = len(result.replace(_ELLIPSIS, ""))
    return terms, _indices(result, spelt + hidden * (_ELLIPSIS in result))


def einsum_macs(node: fx.Node) -> int:
    """Multiply-accumulates of one `torch.einsum`."""
    equation, operands = einsum_operands(node.args[0], node.args[1:])
    shapes = [shape_of(operand) for operand in operands]
    terms, result = einsum_terms(equation, [len(shape) for shape in shapes])
    sizes: dict[Any, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for index, length in zip(term, shape, strict=True):
            sizes[index] = max(sizes.get(index, 1), length) if length else 0
    return _pairs_macs([set(term) for term in terms], set(result), sizes)


def _pairs_macs(terms: Sequence[set[Any]], result: set[Any], sizes: Mapping[Any, int]) -> int:
    total, left = 0, terms[0]
    for place, right in enumerate(terms[1:], start=1):
        wanted = result.union(*terms[place + 1 :])
        shared = (left & right) - wanted
        involved = {index for index in left | right if index in wanted or index in shared}
        total += prod(sizes[index] for index in involved) if shared else 0
        left = involved & wanted
    return total


def _indices(term: str, rank: int) -> list[Any]:
    if _ELLIPSIS not in term:
        return list(term)
    before, after = term.split(_ELLIPSIS)
    hidden = rank - len(before) - len(after)
    return [*before, *range(hidden - 1, -1, -1), *after]


def _implied_output(equation: str) -> str:
    letters = equation.replace(",", "").replace(_ELLIPSIS, "")
    once = sorted(letter for letter in set(letters) if letters.count(letter) == 1)
    return (_ELLIPSIS if _ELLIPSIS in equation else "") + "".join(once)


def _from_sublists(arguments: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
    """`einsum(x, [0, 1], y, [1, 2], [0, 2])`, its indices numbers below 52."""
    pairs = len(arguments) // 2
    operands = tuple(arguments[0 : 2 * pairs : 2])
    left = ",".join(map(_spelt, arguments[1 : 2 * pairs : 2]))
    result = _spelt(arguments[-1]) if len(arguments) % 2 else _implied_output(left)
    return f"{left}->{result}", operands


def _spelt(indices: Sequence[Any]) -> str:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    return "".join(_ELLIPSIS if index is Ellipsis else letters[index] for index in indices)
