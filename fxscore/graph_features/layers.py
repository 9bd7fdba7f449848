"""Where along the depth of a network its size lies, of which operators it is made, and how its layers are shaped.

The place of a layer is the number of weighted operators on the longest path up to it, over that of the whole network;
quarters of this depth are counted from the input. The entropy of a layer is ln(inputs / groups · kh · kw), the
logarithm of what one of its outputs is summed over; its sum over layers is the entropy of DeepMAD (Shen et al., CVPR
2023) without widths. Sizes scaled to another input grow with the positions of every layer that has several.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import log, log1p, prod
from typing import Any

import torch.nn.functional as F

from fxscore.costs.shapes import argument, shape_of
from fxscore.graph_features.flow import Flow, Operator
from fxscore.graph_features.kinds import CONVOLUTIONS, POOLS, WEIGHTED, window
from fxscore.graph_features.sizes import mixing_macs
from fxscore.graph_features.weighted_layers import Layer, holds_layers, layers_in, layers_of
from fxscore.types import Shape

QUARTERS = 4
_SPATIAL = ("conv_spatial", "conv_large", "conv_grouped", "conv_depthwise")
_FUNCTIONS: dict[str, tuple[Callable[..., Any], ...]] = {
    "relu": (F.relu,),
    "relu6": (F.relu6,),
    "leaky_relu": (F.leaky_relu,),
    "gelu": (F.gelu,),
    "silu": (F.silu,),
    "hardswish": (F.hardswish,),
    "layer_norm": (F.layer_norm, F.rms_norm),
    "group_norm": (F.group_norm, F.instance_norm),
    "local_response_norm": (F.local_response_norm,),
}
_SHARES = {"macs": "MACs", "params": "parameters", "elements": "output elements"}
_QUARTER = {
    "layers": "share of the layers",
    "width": "mean logarithm of their channels",
    "positions": "mean logarithm of their positions",
    "entropy": "their mean entropy",
    "macs": "share of the MACs of layers",
    "params": "share of the parameters",
    "elements": "share of the output elements of layers",
    "spatial": "share of layers over several positions, among those of the quarter",
    "pools": "number of windowed pools",
}
COLUMNS: dict[str, str] = {
    "entropy_sum": "sum over layers of ln(what one output is summed over)",
    "entropy_mean": "its mean over layers",
    "entropy_spatial": "its sum over layers with a window of several positions",
    "log_elements_sum": "sum over layers of the logarithm of their output elements",
    "log_elements_mean": "its mean",
    "log_width_params": "logarithm of channels, mean weighted by parameters",
    "expansion_mean": "mean absolute logarithm of a layer's channels over those that it takes in",
    "expansion_max": "greatest of these",
    "expansion_spatial": "greatest of these among layers of several positions, without the first of them",
    "kernel_mean": "mean side of convolutions' windows",
    "kernel_macs": "mean side of layers' windows, weighted by MACs",
    "kernel_max": "greatest side",
    "group_width": "mean logarithm of channels per group, of grouped convolutions that are not depthwise",
    "stem_window": "side of the first convolution's window",
    "stem_stride": "its stride",
    "shapes": "logarithm of the number of different weight shapes",
    "repetition": "logarithm of layers per weight shape",
    "tokens": "mean logarithm of what attention attends to (keys)",
    "head_width": "mean logarithm of attention's channels per head",
    **{f"uses_{name}": f"number of uses of {name}" for name in _FUNCTIONS},
    **{
        f"share_{what}_{kind}": f"share of the {meaning} of layers in {kind}"
        for what, meaning in _SHARES.items()
        for kind in WEIGHTED
    },
    **{
        f"quarter{quarter}_{what}": f"quarter {quarter} of the depth: {meaning}"
        for quarter in range(QUARTERS)
        for what, meaning in _QUARTER.items()
    },
}
SCALED: dict[str, str] = {
    "own_log_macs": "logarithm of the MACs at the network's own input shape",
    "own_log_activations": "logarithm of the output elements of all operators there",
    "own_log_weighted_activations": "logarithm of the output elements of convolutions and linear layers there",
    "own_log_side": "logarithm of the larger side of the network's own input",
    "own_log_ratio": "logarithm of that side over the one at which the network is seen",
}


@dataclass(frozen=True)
class _Placed:
    """A layer, its quarter of the depth and its entropy."""

    layer: Layer
    quarter: int
    entropy: float


def layer_features(flow: Flow) -> dict[str, float]:
    """The columns of `COLUMNS`, in their order; zeros for an empty flow."""
    places = _places(flow)
    placed = [
        _Placed(layer, place, log(max(prod(layer.weight[1:]), 1)))
        for o, place in zip(flow.operators, places, strict=True)
        for layer in layers_of(o, flow.batch)
    ]
    pools = Counter(
        place
        for o, place in zip(flow.operators, places, strict=True)
        if o.kind in POOLS and window(o.node)[0] > 1
    )
    if not placed:
        return dict.fromkeys(COLUMNS, 0.0)
    values = {
        **_totals(placed),
        **_windows(placed),
        **_attention(flow),
        **_uses(flow),
        **_shares(placed),
        **_quarters(placed, pools),
    }
    return {name: values[name] for name in COLUMNS}


def scaled_features(flow: Flow, own: Shape) -> dict[str, float]:
    """The columns of `SCALED`: sizes at the network's own input shape (C, …), scaled from the one that it is seen at.

    Exact where every layer's side halves without remainder; attention is taken to be over all positions.
    """
    seen_positions, own_positions = (max(prod(shape[1:]), 1) for shape in (flow.input_shape, own))
    ratio = own_positions / seen_positions
    layers = [(layer, ratio if layer.positions > 1 else 1.0) for layer in layers_in(flow)]
    macs = sum(layer.macs * growth for layer, growth in layers)
    macs += sum(mixing_macs(operator, flow.batch) for operator in flow.operators) * ratio**2
    sides = larger_side(own), larger_side(flow.input_shape)
    return {
        "own_log_macs": log1p(macs),
        "own_log_activations": log1p(
            sum(o.elements * (ratio if _spread(o) else 1.0) for o in flow.operators if o.kind != "input")
        ),
        "own_log_weighted_activations": log1p(sum(layer.elements * growth for layer, growth in layers)),
        "own_log_side": log(sides[0]),
        "own_log_ratio": log(sides[0] / sides[1]),
    }


def larger_side(shape: Shape) -> int:
    """The larger side of an input of this shape (C, …); 1 of token ids, whose shape is ()."""
    return max(shape[1:] or shape or (1,))


def _spread(operator: Operator) -> bool:
    """Whether an operator's value has several positions, or tokens."""
    shape = shape_of(operator.node)
    return prod(shape[2:]) > 1 or len(shape) == 3


def _places(flow: Flow) -> list[int]:
    """The quarter of the depth in which every operator lies."""
    depths: list[int] = []
    for operator in flow.operators:
        before = max((depths[source] for source in operator.sources), default=0)
        depths.append(before + holds_layers(operator))
    whole = max(depths, default=0)
    return [min(QUARTERS * max(depth - 1, 0) // max(whole, 1), QUARTERS - 1) for depth in depths]


def _totals(placed: Sequence[_Placed]) -> dict[str, float]:
    layers = [each.layer for each in placed]
    entropies = [each.entropy for each in placed]
    elements = [log(max(layer.elements, 1)) for layer in layers]
    params = sum(layer.params for layer in layers)
    changes = [abs(log(max(each.layer.width, 1) / _inputs(each))) for each in placed]
    # Squeeze-and-excitation and a classifier change widths far more, at one position, and so does a stem.
    spread = [change for each, change in zip(placed, changes, strict=True) if each.layer.positions > 1]
    shapes = len({each.layer.weight for each in placed})
    return {
        "entropy_sum": sum(entropies),
        "entropy_mean": _mean(entropies),
        "entropy_spatial": sum(each.entropy for each in placed if _side(each) > 1),
        "log_elements_sum": sum(elements),
        "log_elements_mean": _mean(elements),
        "log_width_params": sum(log(layer.width) * layer.params for layer in layers) / max(params, 1),
        "expansion_mean": _mean(changes),
        "expansion_max": max(changes),
        "expansion_spatial": max(spread[1:], default=0.0),
        "shapes": log(shapes),
        "repetition": log(len(placed) / shapes),
    }


def _inputs(each: _Placed) -> int:
    """Channels that a layer takes in."""
    node = each.layer.operator.node
    inputs = each.layer.weight[1] if len(each.layer.weight) > 1 else 1
    return max(inputs * (int(argument(node, 6, "groups", 1)) if node.target in CONVOLUTIONS else 1), 1)


def _side(each: _Placed) -> int:
    return max(each.layer.weight[2:], default=1)


def _windows(placed: Sequence[_Placed]) -> dict[str, float]:
    sides = [_side(each) for each in placed]
    macs = [each.layer.macs for each in placed]
    first = next((each for each in placed if each.layer.kind.startswith("conv")), placed[0])
    grouped = [log(max(each.layer.weight[1], 1)) for each in placed if each.layer.kind == "conv_grouped"]
    return {
        "kernel_mean": _mean(sides),
        "kernel_macs": sum(map(prod, zip(sides, macs, strict=True))) / max(sum(macs), 1),
        "kernel_max": max(sides),
        "group_width": _mean(grouped),
        "stem_window": _side(first),
        "stem_stride": window(first.layer.operator.node)[1],
    }


def _attention(flow: Flow) -> dict[str, float]:
    """Keys and widths of heads, of fused attention and of softmaxes between two matrix products."""
    keys: list[float] = []
    widths: list[float] = []
    for operator in flow.operators:
        if operator.kind == "attention" and operator.node.target is F.scaled_dot_product_attention:
            shape = shape_of(operator.node.args[1])
            keys.append(log(shape[-2]))
            widths.append(log(shape[-1]))
        elif operator.kind == "attention":
            keys.append(log(max(shape_of(operator.node)[-1], 1)))
    return {"tokens": _mean(keys), "head_width": _mean(widths)}


def _uses(flow: Flow) -> dict[str, float]:
    targets = Counter(operator.node.target for operator in flow.operators)
    return {
        f"uses_{name}": float(sum(targets[function] for function in functions))
        for name, functions in _FUNCTIONS.items()
    }


def _size(layer: Layer, what: str) -> int:
    return {"macs": layer.macs, "params": layer.params, "elements": layer.elements}[what]


def _shares(placed: Sequence[_Placed]) -> dict[str, float]:
    values: dict[str, float] = {}
    for what in _SHARES:
        whole = sum(_size(each.layer, what) for each in placed)
        for kind in WEIGHTED:
            part = sum(_size(each.layer, what) for each in placed if each.layer.kind == kind)
            values[f"share_{what}_{kind}"] = part / max(whole, 1)
    return values


def _quarters(placed: Sequence[_Placed], pools: Counter[int]) -> dict[str, float]:
    whole = {what: max(sum(_size(each.layer, what) for each in placed), 1) for what in _SHARES}
    values: dict[str, float] = {}
    for quarter in range(QUARTERS):
        members = [each for each in placed if each.quarter == quarter]
        found = {
            "layers": len(members) / len(placed),
            "width": _mean(log(max(each.layer.width, 1)) for each in members),
            "positions": _mean(log(each.layer.positions) for each in members),
            "entropy": _mean(each.entropy for each in members),
            "spatial": _mean(each.layer.kind in _SPATIAL for each in members),
            "pools": float(pools[quarter]),
            **{what: sum(_size(each.layer, what) for each in members) / whole[what] for what in _SHARES},
        }
        values |= {f"quarter{quarter}_{what}": found[what] for what in _QUARTER}
    return values


def _mean(values: Iterable[float]) -> float:
    """The mean; 0 of nothing."""
    listed = list(values)
    return sum(listed) / len(listed) if listed else 0.0
