"""Parameters and multiply-accumulates of a captured graph, from shapes alone.

The counts per operator are those of `torch.utils.flop_counter` (two floating-point operations are one MAC).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx
from torch.utils.flop_counter import conv_flop_count, sdpa_flop_count


@dataclass(frozen=True)
class Costs:
    """Size of a network, per image.

    Attributes:
        params: learnable numbers, tied ones once.
        macs: multiply-accumulates of convolutions, linear layers, matrix products and attention.
        macs_by_operator: the same, by operator name.
    """

    params: int
    macs: int
    macs_by_operator: dict[str, int]


def costs(graph_module: fx.GraphModule, batch: int) -> Costs:
    """Count what `graph_module`, captured at this batch, holds and computes."""
    macs: Counter[str] = Counter()
    for node in graph_module.graph.nodes:
        count = _COUNTS.get(node.target)
        if count is not None:
            macs[node.target.__name__] += count(node) // 2
    per_image = {name: total // batch for name, total in macs.items()}
    return Costs(sum(graph_module.meta["parameters"].values()), sum(per_image.values()), per_image)


def _shape(value: Any) -> tuple[int, ...]:
    return tuple(value.meta["val"].shape)


def _argument(node: fx.Node, place: int, name: str) -> Any:
    return node.args[place] if len(node.args) > place else node.kwargs[name]


def _convolution(node: fx.Node) -> int:
    shapes = _shape(_argument(node, 0, "input")), _shape(_argument(node, 1, "weight")), _shape(node)
    return int(conv_flop_count(list(shapes[0]), list(shapes[1]), list(shapes[2])))


def _transposed_convolution(node: fx.Node) -> int:
    shapes = _shape(_argument(node, 0, "input")), _shape(_argument(node, 1, "weight")), _shape(node)
    return int(conv_flop_count(list(shapes[0]), list(shapes[1]), list(shapes[2]), transposed=True))


def _linear(node: fx.Node) -> int:
    return 2 * prod(_shape(node)) * _shape(_argument(node, 1, "weight"))[1]


def _matmul(node: fx.Node) -> int:
    return 2 * prod(_shape(node)) * _shape(_argument(node, 0, "input"))[-1]


def _addmm(node: fx.Node) -> int:
    return 2 * prod(_shape(node)) * _shape(_argument(node, 1, "mat1"))[-1]


def _attention(node: fx.Node) -> int:
    query, key, value = (
        _shape(_argument(node, place, name)) for place, name in enumerate(("query", "key", "value"))
    )
    groups = [(1, prod(shape[:-2]), *shape[-2:]) for shape in (query, key, value)]
    return int(sdpa_flop_count(*groups))  # type: ignore[no-untyped-call]


def _packed_attention(node: fx.Node) -> int:
    """`F.multi_head_attention_forward`: three projections, the attention and the output projection."""
    (length, batch, channels), (keys, _, _) = _shape(node.args[0]), _shape(node.args[1])
    projections = 2 * batch * channels * channels * (2 * length + 2 * keys)
    return projections + 2 * 2 * batch * length * keys * channels


_COUNTS: dict[Any, Callable[[fx.Node], int]] = {
    **dict.fromkeys((F.conv1d, F.conv2d, F.conv3d), _convolution),
    **dict.fromkeys((F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d), _transposed_convolution),
    F.linear: _linear,
    **dict.fromkeys((torch.matmul, torch.mm, torch.bmm), _matmul),
    torch.addmm: _addmm,
    F.scaled_dot_product_attention: _attention,
    F.multi_head_attention_forward: _packed_attention,
}
