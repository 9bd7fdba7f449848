"""How much there is of everything: counts of operators, parameters, MACs, activations, widths, resolutions.

All sizes are those of the canonical graph: what a zero cuts off or the head holds is not counted. Parameters are
those of the weights that operators use, a tied weight once per use, without norms' affine and position tables.
Convolutions and linear layers are those of `weighted_layers`. MACs (`fxscore.costs`) and activations (output elements)
are per image. Logarithms are ln(1 + x).
"""

from __future__ import annotations

from collections.abc import Iterable
from math import log, log1p, log2, prod

import torch.nn.functional as F

from fxscore.costs import macs_of
from fxscore.graph_features.flow import Flow, Operator
from fxscore.graph_features.kinds import KINDS, window
from fxscore.graph_features.weighted_layers import Layer, layers_in

STAGES = 6
_SPATIAL = ("conv_spatial", "conv_large", "conv_grouped", "conv_depthwise")
COLUMNS: dict[str, str] = {
    "connected": "1 where the output depends on the input, else 0",
    **{f"count_{kind}": f"number of {meaning}" for kind, meaning in KINDS.items()},
    "count_weighted": "number of convolutions and linear layers",
    "count_strided": "number of convolutions and pools with a stride",
    "count_global_weighted": "number of convolutions and linear layers on a single position (gates)",
    "log_params": "parameters of convolutions and linear layers",
    "log_macs": "multiply-accumulates",
    "log_activations": "output elements of all operators",
    "log_weighted_activations": "output elements of convolutions and linear layers",
    "log_macs_per_param": "log_macs − log_params: how often a weight is used",
    "share_macs_spatial": "share of MACs in convolutions over several positions",
    "share_macs_mixing": "share of MACs in products of values that depend on the input (attention)",
    "share_params_spatial": "share of parameters in convolutions over several positions",
    "width_first": "channels of the first convolution or linear layer",
    "width_last": "channels of the encoding",
    "width_min": "least channels of convolutions and linear layers",
    "width_max": "most channels",
    "width_mean": "mean over operators of the logarithm of channels",
    "positions_last": "positions (pixels, tokens) at which the last operator over several positions works",
    "downsampling": "halvings of the side from the input to there",
    **{
        f"stage{stage}_{what}": f"{meaning} at sides halved {stage}{' or more' if stage == STAGES - 1 else ''} times"
        for stage in range(STAGES)
        for what, meaning in {
            "weighted": "number of convolutions and linear layers",
            "width": "mean logarithm of their channels (0 where there are none)",
            "macs": "their share of the MACs",
        }.items()
    },
}


def size_features(flow: Flow) -> dict[str, float]:
    """The columns of `COLUMNS`, in their order; finite for an empty flow."""
    layers = layers_in(flow)
    values = {
        "connected": float(bool(flow.operators)),
        **{f"count_{kind}": float(flow.count(kind)) for kind in KINDS},
        "count_weighted": float(len(layers)),
        "count_strided": float(sum(window(operator.node)[1] > 1 for operator in flow.operators)),
        "count_global_weighted": float(sum(layer.positions == 1 for layer in layers)),
        **_costs(flow, layers),
        **_widths(flow, layers),
        **_stages(flow, layers),
    }
    return {name: values[name] for name in COLUMNS}


def mixing_macs(operator: Operator, batch: int) -> int:
    """MACs of a product of two values that depend on the input."""
    mixes = operator.kind == "product" or operator.node.target is F.scaled_dot_product_attention
    return macs_of(operator.node) // batch if mixes else 0


def _costs(flow: Flow, layers: list[Layer]) -> dict[str, float]:
    params = sum(layer.params for layer in layers)
    mixing = sum(mixing_macs(operator, flow.batch) for operator in flow.operators)
    macs = sum(layer.macs for layer in layers) + mixing
    spatial = [layer for layer in layers if layer.kind in _SPATIAL]
    return {
        "log_params": log1p(params),
        "log_macs": log1p(macs),
        "log_activations": log1p(sum(o.elements for o in flow.operators if o.kind != "input")),
        "log_weighted_activations": log1p(sum(layer.elements for layer in layers)),
        "log_macs_per_param": log1p(macs) - log1p(params),
        "share_macs_spatial": _share((layer.macs for layer in spatial), macs),
        "share_macs_mixing": _share([mixing], macs),
        "share_params_spatial": _share((layer.params for layer in spatial), params),
    }


def _share(parts: Iterable[int], whole: int) -> float:
    return sum(parts) / whole if whole else 0.0


def _widths(flow: Flow, layers: list[Layer]) -> dict[str, float]:
    logs = [log(layer.width) for layer in layers] or [0.0]
    many = [layer.positions for layer in layers if layer.positions > 1] or [_input_positions(flow)]
    return {
        "width_first": logs[0],
        "width_last": log(max(flow.channels, 1)),
        "width_min": min(logs),
        "width_max": max(logs),
        "width_mean": sum(logs) / len(logs),
        "positions_last": log1p(many[-1]),
        "downsampling": _halvings(many[-1], flow),
    }


def _stages(flow: Flow, layers: list[Layer]) -> dict[str, float]:
    members: list[list[Layer]] = [[] for _ in range(STAGES)]
    for layer in layers:
        if layer.positions > 1:
            members[min(max(round(_halvings(layer.positions, flow)), 0), STAGES - 1)].append(layer)
    total = sum(layer.macs for layer in layers)
    values: dict[str, float] = {}
    for stage, present in enumerate(members):
        values[f"stage{stage}_weighted"] = float(len(present))
        logs = [log(layer.width) for layer in present] or [0.0]
        values[f"stage{stage}_width"] = sum(logs) / len(logs)
        values[f"stage{stage}_macs"] = _share((layer.macs for layer in present), total)
    return values


def _input_positions(flow: Flow) -> int:
    return prod(flow.input_shape[1:]) if len(flow.input_shape) > 1 else flow.input_shape[0]


def _halvings(positions: int, flow: Flow) -> float:
    return log2(max(_input_positions(flow), 1) / positions) / 2
