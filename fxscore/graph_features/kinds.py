"""What kind of operator a node of a constructed architecture is.

Every node belongs to one kind. Nodes of the kind `shape` (reshape, permute, the observer's marks …) are looked
through; all others are operators of the architecture.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from operator import getitem
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx

from fxscore.capture.torch_private import GROUPED_PRODUCTS, OpOverload, OpOverloadPacket
from fxscore.costs.operators import CELLS, RECURRENT
from fxscore.costs.shapes import argument, shape_of
from fxscore.ops import (
    batch_axis_norm,
    encode,
    encode_rows,
    note_activation,
    note_redundant,
    sum_of,
    swish,
    unitise,
)
from fxscore.passes.mark_functions import PART
from fxscore.represent.attention import tuple_of

CONVOLUTIONS = {F.conv1d, F.conv2d, F.conv3d}
TRANSPOSED = {F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d}
MATRIX_PRODUCTS: set[Any] = {
    torch.matmul,
    torch.mm,
    torch.bmm,
    torch.einsum,
    torch.addmm,
    torch.baddbmm,
    *GROUPED_PRODUCTS,
}

BILINEAR = {F.bilinear, torch.bilinear}

WEIGHTED = ("conv_pointwise", "conv_spatial", "conv_large", "conv_grouped", "conv_depthwise", "linear")
NORMS = ("norm_batch", "norm_other")
ACTIVATIONS = ("act_rectified", "act_smooth", "act_bounded")
POOLS = ("pool_average", "pool_max")
JUNCTIONS = ("sum", "cat", "multiply")

KINDS: dict[str, str] = {
    "conv_pointwise": "dense convolutions with one weight per pair of channels (1×1)",
    "conv_spatial": "dense convolutions of 2 or 3 positions along their longest side (3×3, 1×3)",
    "conv_large": "dense convolutions of more than 3 positions along a side",
    "conv_grouped": "convolutions of several groups of channels",
    "conv_depthwise": "convolutions of every channel by itself",
    "linear": "linear layers, and contractions with a weight",
    "recurrent": "recurrent layers (LSTM, GRU, RNN)",
    "attention": "attention: fused, or a softmax between two matrix products",
    "product": "matrix products of two values that depend on the input",
    "norm_batch": "batch-axis norms",
    "norm_other": "layer, group, instance and RMS norms",
    "act_rectified": "ReLU, ReLU6 and leaky ReLU",
    "act_smooth": "GELU, SiLU, Hardswish, Mish, ELU and their like",
    "act_bounded": "sigmoid, tanh and softmax, where it is not part of attention",
    "pool_average": "average pools over windows",
    "pool_max": "max pools",
    "pool_global": "averages over whole axes",
    "sum": "sums and differences of values that depend on the input",
    "cat": "concatenations and stacks",
    "multiply": "elementwise products of values that depend on the input (gates)",
    "resize": "interpolations, pixel shuffles",
    "other": "operators of no kind above",
}

_BY_TARGET: dict[Any, str] = {
    F.scaled_dot_product_attention: "attention",
    **dict.fromkeys((*RECURRENT, *CELLS), "recurrent"),
    batch_axis_norm: "norm_batch",
    **dict.fromkeys((F.layer_norm, F.group_norm, F.instance_norm, F.rms_norm, F.normalize), "norm_other"),
    **dict.fromkeys((F.local_response_norm,), "norm_other"),
    **dict.fromkeys((F.relu, F.relu6, F.leaky_relu, F.rrelu, F.threshold), "act_rectified"),
    **dict.fromkeys(
        (F.gelu, F.silu, swish, F.hardswish, F.mish, F.elu, F.selu, F.celu, F.softplus, F.logsigmoid),
        "act_smooth",
    ),
    **dict.fromkeys((torch.sigmoid, torch.tanh, F.hardsigmoid, F.softsign, torch.softmax), "act_bounded"),
    **dict.fromkeys((F.avg_pool1d, F.avg_pool2d, F.avg_pool3d, F.lp_pool2d), "pool_average"),
    **dict.fromkeys((F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d), "pool_average"),
    **dict.fromkeys((torch.max_pool2d, F.max_pool1d, F.max_pool2d, F.max_pool3d), "pool_max"),
    **dict.fromkeys((F.adaptive_max_pool1d, F.adaptive_max_pool2d, F.adaptive_max_pool3d), "pool_max"),
    **dict.fromkeys((torch.mean, torch.amax), "pool_global"),
    **dict.fromkeys((torch.cat, torch.concat, torch.stack), "cat"),
    F.glu: "multiply",
    **dict.fromkeys((F.interpolate, F.pixel_shuffle, F.pixel_unshuffle, F.grid_sample), "resize"),
}
_SUMS = {torch.add, torch.sub, torch.rsub, sum_of}
_MULTIPLIES = {torch.mul, torch.div}
_SHAPE: set[Any] = {
    getitem, tuple_of, unitise, note_redundant, note_activation, encode, encode_rows,
    torch.reshape, torch.permute, torch.unbind, torch.chunk, torch.split, torch.roll, torch.flip, torch.sum,
    torch.repeat_interleave, torch.gather, torch.index_select, torch.clone, torch.narrow, torch.tile, F.pad, F.unfold,
    F.dropout, torch.neg, torch.clamp,
    "expand", "expand_as", "repeat", "contiguous", "float", "to", "type_as", "new_zeros", "masked_fill", "unfold",
}  # fmt: skip


def kind_of(node: fx.Node, operands: int) -> str:
    """The kind of a node of which `operands` different operands depend on the input; `shape` where it is none."""
    target = node.target
    marked = node.meta.get("function")
    if marked is not None:  # an activation without a name is one operator, its parts are looked through
        return "shape" if marked == PART else str(marked)
    if target in CONVOLUTIONS or target in TRANSPOSED or is_deformable(node):
        return _convolution_kind(node)
    if target is F.linear or target in BILINEAR:
        return "linear"
    if target in MATRIX_PRODUCTS:
        return "linear" if operands < 2 else "product"
    if target in _SUMS or target in _MULTIPLIES:
        return ("sum" if target in _SUMS else "multiply") if operands > 1 else "shape"
    if target is torch.softmax:
        return "attention" if _feeds_product(node) else "act_bounded"
    kind = _BY_TARGET.get(target)
    if kind is not None:
        return kind if kind != "cat" or operands > 1 else "shape"
    return "shape" if target in _SHAPE else "other"


def is_deformable(node: fx.Node) -> bool:
    """Whether a node is torchvision's deformable convolution, whose C++ operator is known by its name."""
    return isinstance(node.target, (OpOverload, OpOverloadPacket)) and str(node.target).startswith(
        "torchvision.deform_conv2d"
    )


def _convolution_kind(node: fx.Node) -> str:
    groups = int(argument(node, 11 if is_deformable(node) else 6, "groups", 1))
    weight = shape_of(node.args[1])
    inputs = weight[0] if node.target in TRANSPOSED else weight[1] * groups
    if groups > 1:
        return "conv_depthwise" if groups == inputs else "conv_grouped"
    side = max(weight[2:], default=1)
    return "conv_pointwise" if side == 1 else "conv_spatial" if side <= 3 else "conv_large"


def _feeds_product(softmax: fx.Node) -> bool:
    """Whether a softmax gives the weights of an attention."""
    waiting = list(softmax.users)
    while waiting:
        user = waiting.pop()
        if user.target in MATRIX_PRODUCTS:
            return True
        if user.target in _SHAPE:
            waiting.extend(user.users)
    return False


def elements(node: fx.Node, batch: int) -> int:
    """Elements of a node's value per image."""
    shape = shape_of(node)
    return prod(shape) // batch if shape else 0


def window(node: fx.Node) -> tuple[int, int]:
    """(positions that a convolution's or pool's window spans along its longest side, its stride)."""
    read = _WINDOWS.get(node.target)
    return read(node) if read is not None else (1, 1)


def _convolution_window(node: fx.Node) -> tuple[int, int]:
    sides = shape_of(node.args[1])[2:]
    dilation = _largest(argument(node, 5, "dilation", 1))
    return dilation * (max(sides, default=1) - 1) + 1, _largest(argument(node, 3, "stride", 1))


def _pool_window(node: fx.Node) -> tuple[int, int]:
    size = _largest(argument(node, 1, "kernel_size", 1))
    return size, _largest(argument(node, 2, "stride", None) or size)


def _largest(size: Any) -> int:
    return int(size) if isinstance(size, int) else int(max(size))


_WINDOWS: dict[Any, Callable[[fx.Node], tuple[int, int]]] = {
    **dict.fromkeys(CONVOLUTIONS, _convolution_window),
    **dict.fromkeys((F.avg_pool1d, F.avg_pool2d, F.avg_pool3d), _pool_window),
    **dict.fromkeys((torch.max_pool2d, F.max_pool1d, F.max_pool2d, F.max_pool3d), _pool_window),
}
