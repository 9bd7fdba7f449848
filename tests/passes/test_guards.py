"""What a pass must leave alone: each guard, and a graph that it alone keeps from becoming another computation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from fxscore.constructed import construct
from fxscore.ops import sum_of, unit_variance
from fxscore.passes.simplify import SimplifyPass
from tests.passes.test_heads import Calls

SHAPE = (3, 8, 8)


def single_step(
    function: Callable[..., Tensor], dtype: torch.dtype, *rest: Any, **named: Any
) -> fx.GraphModule:
    """The graph of function(x, …), with shapes and types."""
    graph = fx.Graph()
    value = torch.empty(2, 3, dtype=dtype, device="meta")
    x = graph.placeholder("x")
    node = graph.call_function(function, (x, *rest), named)
    x.meta["val"], node.meta["val"] = value, function(value, *rest, **named)
    graph.output(node)
    return fx.GraphModule({}, graph)


def steps(graph_module: fx.GraphModule) -> list[Any]:
    return [node.target for node in graph_module.graph.nodes if node.op == "call_function"]


@pytest.mark.parametrize(
    ("function", "other"), [(torch.add, 0), (torch.sub, 0.0), (torch.mul, 1), (torch.div, 1.0)]
)
def test_a_step_without_effect_goes(function: Callable[..., Tensor], other: float) -> None:
    graph_module = single_step(function, torch.float32, other)
    assert SimplifyPass().call(graph_module).modified
    assert steps(graph_module) == []


@pytest.mark.parametrize(
    ("function", "dtype", "other", "named"),
    [
        (torch.add, torch.int64, 0.0, {}),  # whole numbers become real ones
        (torch.mul, torch.bool, 1, {}),  # a mask becomes a number
        (torch.div, torch.int64, 1, {}),
        (torch.div, torch.float32, 1, {"rounding_mode": "floor"}),  # x / 1, rounded
        (torch.add, torch.float32, 1, {}),
        (torch.mul, torch.float32, 0, {}),
    ],
)
def test_a_step_with_an_effect_stays(
    function: Callable[..., Tensor], dtype: torch.dtype, other: float, named: dict[str, Any]
) -> None:
    graph_module = single_step(function, dtype, other, **named)
    assert not SimplifyPass().call(graph_module).modified
    assert steps(graph_module) == [function]


def test_zeros_that_widen_a_sum_stay() -> None:
    """A term of zeros gives the sum its shape: without it, one mean would stand where 64 positions stood."""

    def forward(m: Any, x: Tensor) -> Any:
        mean = m.conv(x).mean((2, 3), keepdim=True)
        return m.head((mean + x * 0).flatten(1))

    conv = nn.Conv2d(3, 3, 3, padding=1, bias=False)
    found = construct(Calls(forward, conv=conv, head=nn.Linear(192, 5)), SHAPE, batch=2)
    weights: dict[tuple[int, ...], Tensor] = {(3, 3, 3, 3): torch.ones(3, 3, 3, 3)}
    assert found(torch.ones(2, *SHAPE), weights).features.shape == (2, 192)


def test_sums_of_growing_shapes_and_their_terms_stay_as_they_are() -> None:
    small, large = torch.ones(2, 1), torch.full((2, 4), 2.0)
    assert torch.equal(sum_of(small, small, large), torch.full((2, 4), 4.0))
    assert torch.equal(sum_of(large, small, small), torch.full((2, 4), 4.0))
    assert torch.equal(small, torch.ones(2, 1))
    assert torch.equal(large, torch.full((2, 4), 2.0))


@pytest.mark.parametrize("count", [2, 3, 5])
def test_a_tensor_used_directly_has_unit_variance_at_any_size(count: int) -> None:
    weight = unit_variance(torch.arange(float(count)))
    assert float(weight.var(correction=0)) == pytest.approx(1, abs=1e-4)


KEYWORDS: list[tuple[Callable[..., Tensor], dict[str, Any], dict[str, Any]]] = [
    (F.leaky_relu, {"negative_slope": 0.01}, {"negative_slope": 0.3}),
    (F.elu, {"alpha": 1.0}, {"alpha": 0.5}),
    (F.hardtanh, {"min_val": -1.0}, {"min_val": -2.0}),
    (F.softplus, {"beta": 1.0}, {"beta": 3.0}),
    (F.softmax, {"dim": 1}, {"dim": 3}),
    (F.avg_pool2d, {"kernel_size": 2, "stride": 2}, {"kernel_size": 2, "stride": 1}),
    (F.local_response_norm, {"size": 3, "alpha": 0.1}, {"size": 3, "alpha": 0.9}),
    (torch.clamp, {"min": 0.0}, {"min": 0.5}),
    (torch.div, {"other": 0.3}, {"other": 0.3, "rounding_mode": "floor"}),
    (torch.cumsum, {"dim": 2}, {"dim": 3}),
]


@pytest.mark.parametrize(("function", "one", "other"), KEYWORDS)
def test_keyword_arguments_are_part_of_the_architecture(
    function: Callable[..., Tensor], one: dict[str, Any], other: dict[str, Any]
) -> None:
    def printed(given: dict[str, Any]) -> str:
        network = Calls(lambda m, x: function(m.conv(x), **given), conv=nn.Conv2d(3, 4, 3, padding=1))
        return construct(network, SHAPE, 2).fingerprint

    assert printed(one) == printed(dict(one)) != printed(other)
