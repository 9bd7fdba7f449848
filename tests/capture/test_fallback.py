"""What recording cannot follow is captured by exporting the failing submodule, or the whole; and it is said which."""

from __future__ import annotations

import pytest
import torch
import torchvision
from torch import Tensor, nn

from fxscore.capture import capture
from fxscore.capture.fallback import exported_forward
from fxscore.capture.standin import weightless_copy
from fxscore.constructed import construct
from fxscore.errors import CaptureError


class ShiftedDiagonal(nn.Module):
    """Changes its input through a view that recording does not write back."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 1)
        self.scale: Tensor
        self.register_buffer("scale", torch.arange(4.0).view(4, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        x.diagonal(dim1=2, dim2=3).add_(1)
        return x * self.scale


class WithInner(nn.Module):
    """The failing module inside a network that is sound."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
        self.inner = ShiftedDiagonal()
        self.head = nn.Linear(4, 10)

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.head(self.inner(self.stem(x)).mean((2, 3)))
        return output


def test_only_the_failing_submodule_is_exported() -> None:
    constructed = construct(WithInner(), (3, 8, 8), 2)
    assert constructed.graph_module.meta["exported"] == ("inner",)
    covered = {name for line in constructed.coverage for name in line.parameters}
    assert covered == {name for name, _ in WithInner().named_parameters()}


def test_a_sound_network_is_recorded_as_it_is() -> None:
    assert capture(nn.Conv2d(3, 4, 3), (3, 8, 8), 2).meta["exported"] == ()


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small", "squeezenet1_1"])
def test_an_exported_network_is_the_recorded_one(name: str) -> None:
    model = torchvision.models.get_model(name, weights=None)
    whole = weightless_copy(model)
    whole.forward = exported_forward(whole)
    exported = construct(whole, (3, 64, 64), 2, owned=True)
    assert exported.fingerprint == construct(model, (3, 64, 64), 2).fingerprint


def test_control_flow_on_values_is_named_and_not_exported() -> None:
    class Asks(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x if x.sum() > 0 else -x

    with pytest.raises(CaptureError, match="data-dependent control flow"):
        capture(Asks(), (3, 8, 8), 2)


def test_the_first_failure_is_the_one_that_is_told() -> None:
    with pytest.raises(CaptureError, match=r"module '1'.*\(3, 9, 9\) does not fit"):
        capture(nn.Sequential(nn.Flatten(), nn.Linear(5, 5)).append(nn.ReLU()), (3, 9, 9), 2)


def test_the_size_of_an_image_alone_is_answered_by_how_images_are_written() -> None:
    with pytest.raises(CaptureError, match=r"give input_shape, \(3, H, W\) for an image, or example_inputs"):
        capture(nn.Conv2d(3, 4, 3), (32,), 2)
