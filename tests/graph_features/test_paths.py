"""Path statistics against an enumeration of all paths, and against numbers that are known in closed form."""

from __future__ import annotations

from collections.abc import Iterator
from math import log

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from torch import Tensor, fx, nn

from fxscore.constructed import construct
from fxscore.graph_features import graph_features
from fxscore.graph_features.flow import Flow, Operator, trace_flow
from fxscore.graph_features.paths import GROUPS, path_features
from fxscore.spaces.nasbench201 import NASBench201
from tests.strategies import Spec, specs, write

SHAPE = (3, 8, 8)


def _paths(flow: Flow, place: int) -> Iterator[tuple[int, ...]]:
    operator = flow.operators[place]
    if not operator.sources:
        yield (place,)
    for source in operator.sources:
        gate = operator.kind == "multiply" and flow.operators[source].elements < operator.elements
        if not gate:
            for path in _paths(flow, source):
                yield (*path, place)


@settings(max_examples=25)
@given(spec=specs())
def test_path_counts_are_those_of_all_paths(spec: Spec) -> None:
    constructed = construct(write(spec), SHAPE, 2)
    flow = trace_flow(constructed)
    features = graph_features(constructed)
    if not flow.operators:
        assert features["connected"] == 0.0
        return
    paths = list(_paths(flow, flow.output))
    assert features["path_log_number"] == pytest.approx(log(len(paths)))
    for group, kinds in GROUPS.items():
        counts = np.array([sum(flow.operators[place].kind in kinds for place in path) for path in paths])
        expected = (counts.min(), counts.max(), counts.mean(), counts.std())
        found = [features[f"path_{statistic}_{group}"] for statistic in ("min", "max", "mean", "std")]
        assert found == pytest.approx(expected, abs=1e-6), group


def test_more_paths_than_a_float_can_count() -> None:
    """x + conv(x), 1,100 times over; as a flow, because capturing so deep a network takes long."""
    graph = fx.Graph()
    operators = [Operator(graph.placeholder("x"), "input", (), 4)]
    for place in range(0, 2200, 2):
        convolution = graph.call_function(torch.relu, (operators[place].node,))
        operators.append(Operator(convolution, "conv_pointwise", (place,), 4))
        total = graph.call_function(torch.add, (operators[place].node, convolution))
        operators.append(Operator(total, "sum", (place, place + 1), 4))
    features = path_features(Flow(tuple(operators), 2200, (1, 2, 2), 1, 1))
    assert features["path_log_number"] == pytest.approx(1100 * log(2))
    assert features["path_min_weighted"] == 0
    assert features["path_max_weighted"] == 1100
    assert features["path_mean_weighted"] == pytest.approx(550)
    assert features["path_std_weighted"] == pytest.approx((1100 / 4) ** 0.5)
    assert features["path_mean_skip"] == pytest.approx(550)


def test_signal_prefers_the_branch_with_more_variance() -> None:
    """After two plain sums of normalised values the shortcut brings two thirds: 1/3 + 1/3 · 1/2 convolutions."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolutions = nn.ModuleList(nn.Conv2d(3, 3, 1, bias=False) for _ in range(3))

        def forward(self, x: Tensor) -> Tensor:
            first, second, third = self.convolutions
            x = first(x) + x
            result: Tensor = second(third(x)) + x
            return result

    features = graph_features(construct(Net(), SHAPE, 2))
    assert features["path_signal_weighted"] == pytest.approx(1 / 3 * (2 + 1 / 2) + 2 / 3 * (1 / 2))


@pytest.mark.parametrize("op", ["nor_conv_3x3", "avg_pool_3x3"])
def test_a_full_cell_has_four_paths(op: str) -> None:
    space = NASBench201()
    cell = space.from_values((op,) * 6)
    features = graph_features(construct(space.build(cell), (3, 16, 16), 2))
    assert features["path_log_number"] == pytest.approx(15 * log(4) + 2 * log(2))
    group = "spatial" if op == "nor_conv_3x3" else "pool"
    # The stem, and two or no convolutions in either residual block; the pool is on its shortcut.
    fixed_least, fixed_most = (1, 5) if group == "spatial" else (0, 2)
    assert features[f"path_max_{group}"] == 15 * 3 + fixed_most
    assert features[f"path_min_{group}"] == 15 + fixed_least


def test_edges_that_carry_zeros_are_no_paths() -> None:
    space = NASBench201()
    cell = space.parse("|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|none~0|none~1|skip_connect~2|")
    chain = graph_features(construct(space.build(cell), (3, 16, 16), 2))
    assert chain["path_log_number"] == pytest.approx(2 * log(2))
    assert chain["count_conv_spatial"] == 1 + 15 * 2 + 4


def test_a_gate_is_no_path() -> None:
    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Conv2d(3, 3, 3, padding=1)
            self.gate = nn.Sequential(
                nn.AdaptiveAvgPool2d(1), nn.Conv2d(3, 3, 1), nn.ReLU(), nn.Conv2d(3, 3, 1)
            )

        def forward(self, x: Tensor) -> Tensor:
            x = self.body(x)
            return x * torch.sigmoid(self.gate(x))

    features = graph_features(construct(Gated(), SHAPE, 2))
    assert features["path_log_number"] == 0
    assert features["path_max_weighted"] == 1
    assert features["count_weighted"] == 3
    assert features["count_global_weighted"] == 2


def test_windows_widen_the_receptive_field() -> None:
    """3 + 2·2 (at stride 2) + 1·4 (a pool of two at stride 4): ten positions more than one."""
    net = nn.Sequential(
        nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.Conv2d(4, 4, 3, stride=2, padding=1), nn.AvgPool2d(2)
    )
    features = graph_features(construct(net, (3, 32, 32), 2))
    assert features["path_mean_reach"] == 2 + 2 * 2 + 1 * 4
    assert features["path_min_strided"] == 3


def test_a_window_over_a_part_of_a_split_has_the_spacing_of_that_part() -> None:
    class Split(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.head = nn.Conv2d(2, 4, 3), nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            output: Tensor = self.head(self.conv(torch.split(x.relu(), 2, 1)[0]).mean((2, 3)))
            return output

    features = graph_features(construct(Split(), (4, 8, 8), batch=2))
    assert all(value == value for value in features.values())
