"""The captured graph, given the module's own weights, computes what the module computes."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from torch import Tensor, fx, nn

from fxscore.capture import capture
from fxscore.capture.operators import canonical_target
from fxscore.types import Shape
from tests.strategies import Spec, Writing, specs, write, writings

SHAPE: Shape = (4, 6, 6)


def with_weights(graph_module: fx.GraphModule, model: nn.Module) -> fx.GraphModule:
    """The captured graph over the real weights of `model` instead of their shapes."""
    weights = dict(model.named_parameters())
    for node in graph_module.graph.nodes:
        if node.op == "get_attr" and node.meta.get("is_parameter"):
            node.target = node.target.replace(".", "_")
            setattr(graph_module, node.target, weights[_original(node, weights)])
    graph_module.recompile()
    return graph_module


def _original(node: fx.Node, weights: dict[str, nn.Parameter]) -> str:
    return next(name for name in weights if name.replace(".", "_") == node.target)


def assert_same_meaning(model: nn.Module, shape: Shape = SHAPE) -> None:
    graph_module = with_weights(capture(model, shape, batch=2), model)
    x = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = model.eval()(x.clone())
        torch.testing.assert_close(graph_module(x), expected)
    for node in graph_module.graph.nodes:
        assert "val" in node.meta, node


@settings(max_examples=25)
@given(spec=specs(), writing=writings())
def test_random_networks(spec: Spec, writing: Writing) -> None:
    assert_same_meaning(write(spec, writing), (3, 6, 6))


class Forward(nn.Module):
    """A forward given as a function of the input."""

    def __init__(self, function: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> object:
        return self.function(x)


def fill_rows(x: Tensor) -> Tensor:
    y = torch.zeros_like(x)
    y[:, 0] = x[:, 1]
    y[:, 1:3] += x[:, 1:3]
    y[..., -1] = 7
    return y * 2


def through_a_view(x: Tensor) -> Tensor:
    y = x * 2
    flat = y.view(2, -1)
    y += 1
    return flat * 3


def through_two_views(x: Tensor) -> Tensor:
    y = x * 2
    rows, flat = y.transpose(1, 2), y.flatten(1)
    y.mul_(3)
    return rows.reshape(2, -1) + flat


def change_parts(x: Tensor) -> Tensor:
    first, second = (x * 1).chunk(2, dim=1)
    first = first.relu_()
    return torch.cat([second, first.add_(second)], 1)


def keep_then_change(x: Tensor) -> Tensor:
    y = x * 2
    kept = y.clone()
    y.relu_()
    return kept - y


def swap(x: Tensor) -> Tensor:
    y = x * 1
    y[:, 0], y[:, 1] = y[:, 1].clone(), y[:, 0].clone()
    return y


def accumulate(x: Tensor) -> Tensor:
    total = torch.zeros(2, 6, 6)
    for channel in range(x.shape[1]):
        total += x[:, channel]
    return total


def with_out(x: Tensor) -> Tensor:
    y = torch.empty_like(x)
    torch.add(x, 1, out=y)
    return torch.mul(y, 2, out=y)


def shapes_and_types(x: Tensor) -> Tensor:
    B, C, H, W = x.shape
    if x.dim() != 4 or C % 2 or x.is_cuda or len(x) != B or x.requires_grad:
        raise AssertionError
    scale = torch.full((1, C, 1, 1), float(H * W), device=x.device, dtype=x.dtype)
    positions = torch.arange(W, device=x.device).to(x.dtype) / x.size(-1)
    return x.reshape(B, C // 2, 2, H, W).sum(2) * scale[:, : C // 2] + positions + x.numel() / x.stride(0)


FORWARDS: list[Callable[[Tensor], object]] = [
    fill_rows, through_a_view, through_two_views, change_parts, keep_then_change, swap, accumulate, with_out,
    shapes_and_types,
    lambda x: x.relu_().add_(1),
    lambda x: F.relu(x, True) + F.elu(x, 1.0, True) + F.leaky_relu(x, inplace=True),
    lambda x: F.hardtanh(x, -2, 2, True).clamp_(0, 1),
    lambda x: torch.sigmoid_(x * 1).mul_(2),
    lambda x: torch.relu_(y := x * 2) + y,
    lambda x: F.elu_(F.leaky_relu_(F.hardtanh_(x * 3, -2.0, 2.0))),
    lambda x: 1 - x, lambda x: 2 / (x.abs() + 1), lambda x: 2**x, lambda x: -x % 3, lambda x: (x > 0) & (x < 1),
    lambda x: x // 2 + x.pow(2) - abs(x),
    lambda x: (x.T if x.dim() == 2 else x.mT) @ x,
    lambda x: x[:, [0, 2], 1:, ::2], lambda x: x[..., None].squeeze(-1)[:, :, 0], lambda x: x[:, torch.tensor([1, 1])],
    lambda x: torch.stack(x.unbind(1), -1), lambda x: torch.cat(list(torch.split(x, [1, 3], 1))[::-1], 1),
    lambda x: x.max(dim=1)[0] + x.topk(2, dim=1).values.sum(1),
    lambda x: torch.einsum("bchw,bkhw->bck", x, x.softmax(1)),
    lambda x: torch.where(x > 0, x, 0.1 * x).masked_fill(x > 1, 1.0),
    lambda x: x.float().to(torch.float64).to(x.dtype).type_as(x).contiguous().detach().data,
    lambda x: F.pad(x, (1, 2, 0, 1), mode="constant", value=3.0).roll((1, 2), (2, 3)).flip(1),
    lambda x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False),
    lambda x: F.max_pool2d(x, 2, return_indices=True)[0], lambda x: x.unfold(2, 3, 2).mean(-1),
    lambda x: F.unfold(x, 3, padding=1).view(2, 4, 9, 36).amax(2), lambda x: F.pixel_shuffle(x, 2),
    lambda x: x.expand(2, -1, -1, -1).repeat(1, 2, 1, 1).permute(0, 2, 3, 1).norm(dim=-1),
    lambda x: F.dropout(x, 0.5, training=False) + F.dropout2d(x, training=False),
    lambda x: torch.tensor(x.shape[1]) * x + torch.ones(6).cumsum(0),
    lambda x: sum(x[:, i : i + 1] for i in range(4)),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(FORWARDS)))
def test_forwards(number: int) -> None:
    assert_same_meaning(Forward(FORWARDS[number]))


def test_the_callers_input_is_not_part_of_it() -> None:
    """A first operator in place changes what later operators see, and nothing else."""
    assert_same_meaning(Forward(lambda x: (x.relu_() + 1) * x))


OUTPUTS: dict[str, tuple[Callable[[Tensor], object], list[int]]] = {
    "a tensor": (lambda x: x[:, :1], [1]),
    "a tuple": (lambda x: (x[:, :1], x[:, :2]), [1, 2]),
    "a list of lists": (lambda x: [[x[:, :2]], x], [2, 4]),
    "a mapping": (lambda x: {"hidden": x, "logits": x[:, :1]}, [4, 1]),
    "one tensor twice": (lambda x: {"a": x, "b": x}, [4]),
    "None first": (lambda x: (None, x[:, :2]), [2]),
    "empty list first": (lambda x: ([], x[:, :2], "text"), [2]),
    "a generator": (lambda x: (x[:, :channels] for channels in (1, 2)), [1, 2]),
    "an object's attributes": (lambda x: SimpleNamespace(a=[x[:, :1]], b={"c": x}), [1, 4]),
}


@pytest.mark.parametrize("kind", OUTPUTS)
def test_every_output_is_captured(kind: str) -> None:
    forward, channels = OUTPUTS[kind]
    graph_module = capture(Forward(forward), SHAPE, batch=2)
    output = next(iter(reversed(graph_module.graph.nodes)))
    shapes = [(2, number, 6, 6) for number in channels]
    assert [node.meta["val"].shape for node in output.all_input_nodes] == shapes


def test_parameters_are_listed_and_tied_ones_once() -> None:
    model = nn.Sequential(nn.Linear(6, 6), nn.Linear(6, 6, bias=False))
    model[1].weight = model[0].weight
    assert capture(model, (6,), 2).meta["parameters"] == {"0.weight": 36, "0.bias": 6}


def test_a_function_that_a_package_has_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    own = torch.index_select

    def wrapper(input: Tensor, dim: int, index: Tensor) -> Tensor:
        return own(input, dim, index)

    canonical_target.cache_clear()
    monkeypatch.setattr(torch, "index_select", wrapper)
    graph_module = capture(Forward(lambda x: x.index_select(1, torch.tensor([2, 0]))), SHAPE, batch=2)
    canonical_target.cache_clear()
    targets = [node.target for node in graph_module.graph.nodes if node.op == "call_function"]
    assert targets == [own]


def test_what_was_made_contiguous_can_be_viewed() -> None:
    class Repeated(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            wide = x.unsqueeze(2).expand(-1, -1, 3, -1, -1)
            return wide.contiguous().view(len(x), 12, 6, 6)

    graph_module = capture(Repeated(), SHAPE, batch=2)
    (output,) = (node for node in graph_module.graph.nodes if node.op == "output")
    assert output.meta["val"].shape == (2, 12, 6, 6)


HANN = torch.hann_window(16)
EVERY_SECOND = torch.arange(6) % 2 == 0
CHECKERS = EVERY_SECOND[:, None] != EVERY_SECOND


@pytest.mark.parametrize(
    "take",
    [
        lambda x: x[:, :, EVERY_SECOND],
        lambda x: x[:, :, CHECKERS],
        lambda x: x[..., EVERY_SECOND, :].sum(-1)[:, torch.tensor([True, False, True, True])],
        lambda x: torch.istft(x.flatten(1).unflatten(1, (9, 16)).to(torch.cfloat), 16, window=HANN),
    ],
)
def test_masks_with_values_and_operators_that_compare_values(take: Callable[[Tensor], Tensor]) -> None:
    assert_same_meaning(Forward(take))
