"""What people call an operator, its sizes, and the family that its colour stands for."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, fx

from fxscore.costs.network import operator_name
from fxscore.costs.shapes import argument, first_shape, shape_of
from fxscore.graph_features.kinds import CONVOLUTIONS, TRANSPOSED, kind_of, window
from fxscore.types import Shape

_NAMES = {
    "batch_norm": "BN", "layer_norm": "LN", "group_norm": "GN", "instance_norm": "IN", "rms_norm": "RMS norm",
    "relu": "ReLU", "relu6": "ReLU6", "gelu": "GELU", "silu": "SiLU", "hardswish": "Hardswish", "mish": "Mish",
    "elu": "ELU", "leaky_relu": "Leaky ReLU", "linear": "Linear", "adaptive_avg_pool2d": "Average",
    "scaled_dot_product_attention": "Attention", "multi_head_attention_forward": "Multi-head attention",
    "lstm": "LSTM", "gru": "GRU", "softmax": "Softmax", "cat": "Concatenate", "add": "Add", "mul": "Multiply",
    "sub": "Subtract", "sigmoid": "Sigmoid", "tanh": "Tanh", "hardsigmoid": "Hardsigmoid", "mean": "Mean",
    "matmul": "Matrix product", "bmm": "Matrix product", "interpolate": "Resize", "embedding": "Embedding",
}  # fmt: skip
_GLUE = frozenset({
    "getitem", "reshape", "view", "flatten", "unflatten", "transpose", "permute", "movedim", "swapaxes", "squeeze",
    "unsqueeze", "unbind", "chunk", "split", "tensor_split", "expand", "expand_as", "contiguous", "clone", "to",
    "float", "select", "narrow", "t", "dropout", "dropout2d", "type_as",
})  # fmt: skip
_ACTIVATIONS = frozenset({
    "relu", "relu6", "leaky_relu", "prelu", "elu", "selu", "celu", "gelu", "silu", "mish", "hardswish", "hardsigmoid",
    "hardtanh", "sigmoid", "tanh", "softmax", "log_softmax", "softplus", "logsigmoid", "softsign",
})  # fmt: skip
_NORMS = (F.batch_norm, F.layer_norm, F.group_norm, F.instance_norm, F.rms_norm, F.local_response_norm)
_POOLS = ("pool_average", "pool_max")
FAMILIES = {
    "convolution": "#4477aa",
    "linear": "#66ccee",
    "attention": "#aa3377",
    "recurrent": "#ee6677",
    "pool": "#ccbb44",
    "sum": "#228833",
    "other": "#bbbbbb",
}
"""Paul Tol's "bright" scheme, which people with every kind of colour vision tell apart."""
_FAMILY = {
    "linear": "linear", "attention": "attention", "product": "attention", "recurrent": "recurrent",
    "pool_average": "pool", "pool_max": "pool", "pool_global": "pool", "sum": "sum", "cat": "sum", "multiply": "sum",
}  # fmt: skip

_WEIGHTED = ("convolution", "linear", "attention", "recurrent")  # a gate's pool is not what a gate is


def label(node: fx.Node) -> str:
    """What an operator is called, with kernel, stride and groups; "" for one that computes nothing."""
    if is_glue(node):
        return ""
    if node.target in CONVOLUTIONS or node.target in TRANSPOSED:
        return _convolution(node)
    name = operator_name(node).rstrip("_")
    shown = _NAMES.get(name, name.replace("_", " ").capitalize())
    if _kind(node) in _POOLS and "adaptive" not in name:
        size, stride = window(node)
        shown = f"{'Max' if 'max' in name else 'Average'} pool {size}" + (
            f" / {stride}" if stride > 1 else ""
        )
    return shown


def _convolution(node: fx.Node) -> str:
    kernel = "×".join(map(str, shape_of(node.args[1])[2:]))
    place = 3
    stride = argument(node, place, "stride", 1)
    largest = stride if isinstance(stride, int) else max(stride)
    name = f"{'Deconv' if node.target in TRANSPOSED else 'Conv'} {kernel}"
    return name + (f" / {largest}" if largest > 1 else "") + _groups(node)


def _groups(node: fx.Node) -> str:
    kind = _kind(node)
    if kind == "conv_depthwise":
        return " depthwise"
    place = 6
    return f" ×{argument(node, place, 'groups', 1)} groups" if kind == "conv_grouped" else ""


def widths(nodes: Sequence[fx.Node], batch: int) -> str:
    """``64 → 256``: channels into and out of the first layer with weights; "" where there is none."""
    for node in nodes:
        if node.target in CONVOLUTIONS or node.target in TRANSPOSED or node.target is F.linear:
            source = argument(node, 0, "input")
            return f"{_channels_beside(node, source, batch)} → {channels(node, batch)}"
    return ""


def _channels_beside(node: fx.Node, source: fx.Node, batch: int) -> int:
    """Channels of a layer's input: they stand where those of its output do."""
    shape = shape_in(source, batch)
    return shape[-1] if node.target is F.linear else shape[0]


def channels(node: fx.Node, batch: int) -> int:
    """Of an image (C, H, W) the first axis, of tokens (…, C) and of images with channels last the last one."""
    shape = shape_in(node, batch)
    if not shape:
        return 1
    if node.target in CONVOLUTIONS or node.target in TRANSPOSED:
        return shape[0]
    is_image = len(shape) >= 3 and not shape[0] == shape[1] != shape[2]
    return shape[0] if is_image and node.target is not F.linear else shape[-1]


def shape_in(node: fx.Node, batch: int) -> Shape:
    """The shape of a node's (first) value without the batch axis."""
    shape = first_shape(node)
    return shape[1:] if len(shape) > 1 and shape[0] == batch else shape


def shape_text(shape: Shape) -> str:
    """``64×56×56``."""
    return "×".join(map(str, shape)) or "1"


def family(nodes: Sequence[fx.Node]) -> str:
    """The family of the first of these operators that has weights, else of the first that has a family."""
    found = [name for node in nodes if (name := _family(node))]
    return next((name for name in found if name in _WEIGHTED), next(iter(found), "other"))


def _family(node: fx.Node) -> str | None:
    kind = _kind(node)
    if kind == "shape":  # one operand may be a weight: a position's embedding, a class token
        kind = kind_of(node, len(node.all_input_nodes))
    return "convolution" if kind.startswith("conv") else _FAMILY.get(kind)


def is_glue(node: fx.Node) -> bool:
    """Whether an operator only arranges values: reshapes, permutations, parts of a tuple."""
    return operator_name(node).rstrip("_") in _GLUE


def is_follower(node: fx.Node) -> bool:
    """Whether people name an operator together with the one before it: norms, activations, and what only arranges."""
    return node.target in _NORMS or operator_name(node).rstrip("_") in _ACTIVATIONS or is_glue(node)


def _kind(node: fx.Node) -> str:
    operands = sum(_is_value(source) for source in node.all_input_nodes)
    return kind_of(node, operands)


def _is_value(node: fx.Node) -> bool:
    return node.op != "get_attr" and isinstance(node.meta.get("val"), Tensor)
