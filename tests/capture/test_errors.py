"""What cannot be captured is refused with the module's path, the source line and what to try."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from fxscore.capture import capture
from fxscore.errors import CaptureError

SHAPE = (3, 6, 6)


class Block(nn.Module):
    """Fails as its function does, on the line after this class's `forward`."""

    def __init__(self, function: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)
        self.function = function

    def forward(self, x: Tensor) -> object:
        return self.function(self.conv(x))


def model(function: Callable[[Tensor], object]) -> nn.Module:
    return nn.Sequential(nn.ReLU(), nn.Sequential(nn.ReLU(), Block(function)))


def branch(x: Tensor) -> Tensor:
    if x.sum() > 0:
        return x
    return -x


def loop(x: Tensor) -> Tensor:
    while x.norm() > 1:
        x = x / 2
    return x


def count(x: Tensor) -> Tensor:
    return x * int(x.abs().max().item())


def listed(x: Tensor) -> Tensor:
    return torch.tensor(x.mean((0, 2, 3)).tolist())


def chosen(x: Tensor) -> Tensor:
    return x.flatten()[x.flatten().nonzero()]


def formatted(x: Tensor) -> Tensor:
    return x * float(x.detach().numpy().max())


@pytest.mark.parametrize("function", [branch, loop, count, listed, chosen, formatted])
def test_control_flow_on_values(function: Callable[[Tensor], object]) -> None:
    with pytest.raises(CaptureError) as caught:
        capture(model(function), SHAPE)
    message = str(caught.value)
    assert "module '1.1'" in message
    assert "data-dependent control flow" in message
    assert "@fxscore.represents" in message
    line = re.search(rf"{re.escape(Path(__file__).name)}:(\d+)", message)
    assert line is not None, message
    lines, start = inspect.getsourcelines(function)
    assert start < int(line[1]) < start + len(lines), (
        "the line that reads the value, in the function that does"
    )
    assert "\n" not in message


def fails(x: Tensor) -> Tensor:
    raise ValueError("no luck\ntoday")


def test_an_error_of_the_forward_is_given_with_its_place() -> None:
    with pytest.raises(CaptureError) as caught:
        capture(model(fails), SHAPE)
    message = str(caught.value)
    assert "module '1.1'" in message
    assert "ValueError: no luck" in message
    assert f"{Path(__file__).name}:{inspect.getsourcelines(fails)[1] + 1}" in message
    assert isinstance(caught.value.__cause__, ValueError)


@pytest.mark.parametrize("shape", [(4, 6, 6), (3,), (3, 1, 1, 1, 1)])
def test_a_wrong_input_shape_is_named(shape: tuple[int, ...]) -> None:
    with pytest.raises(CaptureError, match="give input_shape") as caught:
        capture(nn.Sequential(nn.Identity(), nn.Sequential(nn.Conv2d(3, 4, 3))), shape)
    assert str(shape) in str(caught.value)
    assert "module '1.0'" in str(caught.value)


@pytest.mark.parametrize("output", [None, 3, "logits", [], {}, {"a": None}])
def test_an_output_without_a_tensor_is_refused(output: object) -> None:
    with pytest.raises(CaptureError, match="no tensor to encode"):
        capture(nn.Sequential(Block(lambda x: output)), SHAPE)


class Slotted:
    __slots__ = ("tensor",)

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


class Endless:
    """An object that holds itself."""

    def __init__(self, tensor: Tensor) -> None:
        self.own, self.found = self, {"instances": Slotted(tensor)}


@pytest.mark.parametrize(
    "pack", [Slotted, Endless, lambda x: [{"instances": Slotted(x)}], lambda x: iter([None, Endless(x)])]
)
def test_tensors_are_found_in_objects(pack: Callable[[Tensor], object]) -> None:
    graph = capture(nn.Sequential(Block(lambda x: pack(x * 2))), SHAPE).graph
    assert [node.target for node in graph.nodes if node.op == "call_function"][-1] is torch.mul


@pytest.mark.parametrize(
    "function",
    [
        lambda x: torch.ones(2, 5),
        lambda x: x.new_zeros(x.shape[0], 3) + 1,
        lambda x: torch.zeros_like(x).cos(),
        lambda x: torch.arange(x.shape[1]).expand(x.shape[0], -1) * 0.5,
    ],
)
def test_an_output_that_does_not_depend_on_the_input_is_refused(
    function: Callable[[Tensor], object],
) -> None:
    with pytest.raises(CaptureError, match="the output does not depend on the input"):
        capture(model(function), SHAPE, batch=2)


def test_control_flow_on_constants_is_run() -> None:
    """Values that depend neither on the input nor on a weight are real."""

    def forward(x: Tensor) -> Tensor:
        mask = torch.ones(6, 6).triu()
        return x * mask if bool(mask.sum() > 3) and mask.nonzero().shape[0] == 21 else x

    assert len(list(capture(model(forward), SHAPE).graph.nodes)) > 3
