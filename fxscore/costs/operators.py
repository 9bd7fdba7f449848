"""Multiply-accumulates and activations of one node, by its operator.

A multiply-accumulate is one product that is added to a sum: half of the floating-point operations of
`torch.utils.flop_counter`, whose counts these are where it knows the operator. Complex numbers count as real ones do.
Work of one operation per element counts nothing: norms, activations, pools, interpolation, softmax, sums, look-ups.
Nor do Fourier transforms, whose factors are constants, distances and linear algebra count; `Costs.uncounted` names
those that a network calls, with every operator that nothing is known of.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt, prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx

from fxscore.capture.torch_private import GROUPED_PRODUCTS, OpOverload, OpOverloadPacket
from fxscore.costs.composites import (
    attention_macs,
    bilinear_macs,
    grouped_macs,
    packed_attention_macs,
    packed_attention_outputs,
    recurrent_macs,
    sequence_outputs,
)
from fxscore.costs.contractions import einsum_macs
from fxscore.costs.shapes import argument, shape_of

Count = Callable[[fx.Node], int]
RECURRENT = (torch.lstm, torch.gru, torch.rnn_tanh, torch.rnn_relu)
CELLS = (torch.lstm_cell, torch.gru_cell, torch.rnn_tanh_cell, torch.rnn_relu_cell)


def is_counted(node: fx.Node) -> bool:
    """Whether an operator has multiply-accumulates."""
    return _count_for(node.target) is not None


def macs_of(node: fx.Node) -> int:
    """Multiply-accumulates of one call, for its whole batch; 0 where the operator has none."""
    count = _count_for(node.target)
    return 0 if count is None else count(node)


def outputs_of(node: fx.Node) -> int:
    """Output elements of one call of a counted operator, for its whole batch."""
    count = _OUTPUTS.get(node.target)
    return prod(shape_of(node)) if count is None else count(node)


def _count_for(target: Any) -> Count | None:
    if target in _COUNTS:
        return _COUNTS[target]
    named = isinstance(
        target, (str, OpOverload, OpOverloadPacket)
    )  # to write a function's name out takes a while
    return _BY_NAME.get(str(target)) if named else None


def _convolution(node: fx.Node) -> int:
    """Each output element sums over (in / groups, kh, kw); a deformable one, too: finding places is interpolation."""
    return prod(shape_of(node)) * prod(shape_of(argument(node, 1, "weight"))[1:])


def _transposed(node: fx.Node) -> int:
    """Each input element is spread over (out / groups, kh, kw)."""
    return prod(shape_of(argument(node, 0, "input"))) * prod(shape_of(argument(node, 1, "weight"))[1:])


def _linear(node: fx.Node) -> int:
    return prod(shape_of(node)) * shape_of(argument(node, 1, "weight"))[-1]


def _product(place: int, name: str) -> Count:
    """Each output element sums over the last axis of the operand at this place."""
    return lambda node: prod(shape_of(node)) * shape_of(argument(node, place, name))[-1]


def _summed_products(node: fx.Node) -> int:
    """`torch.addbmm`: the products of a batch, added up."""
    return prod(shape_of(argument(node, 1, "batch1"))) * shape_of(argument(node, 2, "batch2"))[-1]


def _tensordot(node: fx.Node) -> int:
    """What is summed over, K, stands in both operands and not in the result: K² = |a|·|b| / |a·b|."""
    first, second, result = map(prod, map(shape_of, (*node.args[:2], node)))
    return result * isqrt(first * second // result) if result else 0


_COUNTS: dict[Any, Count] = {
    **dict.fromkeys((F.conv1d, F.conv2d, F.conv3d), _convolution),
    **dict.fromkeys((F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d), _transposed),
    F.linear: _linear,
    **dict.fromkeys((torch.matmul, torch.mm, torch.bmm, torch.mv), _product(0, "input")),
    **dict.fromkeys((torch.dot, torch.vdot, torch.inner), _product(0, "input")),
    torch.addmm: _product(1, "mat1"),
    torch.addmv: _product(1, "mat"),
    torch.baddbmm: _product(1, "batch1"),
    torch.addbmm: _summed_products,
    torch.tensordot: _tensordot,
    torch.einsum: einsum_macs,
    **dict.fromkeys((F.bilinear, torch.bilinear), bilinear_macs),
    F.scaled_dot_product_attention: attention_macs,
    F.multi_head_attention_forward: packed_attention_macs,
    **dict.fromkeys((*RECURRENT, *CELLS), recurrent_macs),
    **dict.fromkeys(GROUPED_PRODUCTS, grouped_macs),
}
# By name, since importing torchvision or transformers for them would be dear.
_BY_NAME: dict[str, Count] = {
    "torchvision.deform_conv2d": _convolution,
    "torchvision.deform_conv2d.default": _convolution,
    "transformers.grouped_mm_fallback": grouped_macs,
    "transformers.grouped_mm_fallback.default": grouped_macs,
}
_OUTPUTS: dict[Any, Count] = {
    F.multi_head_attention_forward: packed_attention_outputs,
    **dict.fromkeys((*RECURRENT, *CELLS), sequence_outputs),
}
