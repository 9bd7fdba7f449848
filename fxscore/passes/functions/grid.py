"""What an elementwise function does, seen by evaluating it on a grid: which known activation it is, or of which kind.

A known activation is recognised in whatever way it is written: `x * torch.sigmoid(x)`, `x / (1 + torch.exp(-x))` and
an `autograd.Function` with either inside all are SiLU.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from math import log
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from fxscore.ops import swish
from fxscore.passes.functions.expression import Expression, evaluate

# Off the round numbers at which written functions change their branch, on which spellings may differ (> or >=).
_INNER = torch.linspace(-11.93, 12.07, 97, dtype=torch.float64)
_NEAR_ZERO = torch.tensor([-0.05, -0.004, 0, 0.004, 0.05], dtype=torch.float64)
_FAR = torch.tensor([20.5, 25, 30, 50], dtype=torch.float64)
_UNITS = torch.tensor([-1.0, 1], dtype=torch.float64)
GRID = torch.cat([-_FAR, _INNER, _NEAR_ZERO, _UNITS, _FAR]).sort().values
# Constants are written with few digits (0.79788 for √(2/π)). Far below zero nothing hides a small remainder, and what
# is zero there is exactly that: the guards `clamp(min=1e-6)` and `clamp(min=1e-12)` are not ReLU.
_TOLERANCE = torch.where(GRID < -20, 1e-10, 1e-5)
_NOTHING = 1e-40  # below the least number that a guard is, that of float32
_FIXED: tuple[tuple[Any, dict[str, Any]], ...] = (
    (F.relu, {}), (F.relu6, {}), (F.silu, {}), (F.gelu, {}), (F.gelu, {"approximate": "tanh"}), (F.hardswish, {}),
    (F.hardsigmoid, {}), (F.mish, {}), (F.softplus, {}), (torch.sigmoid, {}), (torch.tanh, {}), (F.elu, {}),
    (F.selu, {}), (F.softsign, {}), (F.logsigmoid, {}), (F.tanhshrink, {}), (F.hardshrink, {}), (F.softshrink, {}),
    (F.leaky_relu, {}),
)  # fmt: skip

Activation = tuple[Any, tuple[Any, ...], dict[str, Any]]  # function, arguments after the value, options


@lru_cache(maxsize=4096)
def known_activation(expression: Expression) -> Activation | None:
    """The activation that equals the expression, with its settings; None where none does."""
    values = _values(expression)
    if values is None:
        return None
    for (function, options), expected in zip(_FIXED, _fixed_values(), strict=True):
        if _equal(values, expected):
            return function, (), options
    for function, args, options in _fitted(values):
        if _equal(values, function(GRID, *args, **options)):
            return function, args, options
    return None


@lru_cache(maxsize=4096)
def kind_of_function(expression: Expression) -> str | None:
    """The kind of an activation that has no name: `act_rectified`, `act_bounded` or `act_smooth`.

    None for what is no activation: a function that is not defined everywhere (a root, a quotient), or affine.
    """
    values = _values(expression)
    if values is None:
        return None
    below, above = GRID < 0, GRID > 0
    bent = all(_is_affine(values[half], GRID[half]) for half in (below, above))
    if bent or bool((values[below].abs() < 1e-6).all()):
        return "act_rectified"
    inner = values[GRID.abs() < 20].abs().max()
    return "act_bounded" if values.abs().max() < 1.25 * inner else "act_smooth"


def _values(expression: Expression) -> Tensor | None:
    """The function's values on the grid, where they may be an activation's."""
    values = evaluate(expression, GRID)
    if values is None or not bool(values.isfinite().all()) or _is_affine(values, GRID):
        return None
    return values


@cache
def _fixed_values() -> tuple[Tensor, ...]:
    return tuple(function(GRID, **options) for function, options in _FIXED)


def _fitted(values: Tensor) -> Iterator[Activation]:
    """The members of families of activations that agree with `values` where one number says which member it is."""
    lowest, at_minus_one, at_zero, at_one, highest = (
        float(values[place == GRID]) for place in (-50.0, -1.0, 0.0, 1.0, 50.0)
    )
    if 0 < -at_minus_one < 1:
        yield F.leaky_relu, (), {"negative_slope": -at_minus_one}
    if lowest < 0:
        yield F.elu, (), {"alpha": _rounded(-lowest)}
        yield F.celu, (), {"alpha": _rounded(-lowest)}
    if 0 < at_one < 1:
        yield swish, (_rounded(log(at_one / (1 - at_one))),), {}
    if at_zero > 0:
        yield F.softplus, (), {"beta": _rounded(log(2) / at_zero)}
    low, high = (lowest if lowest > -20 else None), (highest if highest < 20 else None)
    if low is not None or high is not None:
        yield torch.clamp, (low, high), {}


def _rounded(number: float) -> float:
    """A setting as it was written: found by a logarithm, its last digits are noise."""
    return float(f"{number:.6g}")


def _equal(values: Tensor, expected: Tensor) -> bool:
    tolerance = torch.where((GRID < -20) & (expected == 0), _NOTHING, _TOLERANCE)
    return bool(((values - expected).abs() <= tolerance + 1e-5 * expected.abs()).all())


def _is_affine(values: Tensor, places: Tensor) -> bool:
    slope = (values[-1] - values[0]) / (places[-1] - places[0])
    line = values[0] + slope * (places - places[0])
    return bool(((values - line).abs() <= 1e-5 * (1 + values.abs())).all())
