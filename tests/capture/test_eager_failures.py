"""A network that fails in eager mode never scores, and the error has its numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from fxscore.constructed import construct
from fxscore.errors import FxScoreError
from fxscore.types import Shape
from tests.capture.test_meaning import Forward

FAILURES: dict[str, tuple[nn.Module, Shape, tuple[str, ...]]] = {
    "group norm of other channels": (nn.Sequential(nn.Conv1d(3, 8, 1), nn.GroupNorm(2, 6)), (3, 9), ("8", "6")),
    "group norm that does not divide": (Forward(lambda x: F.group_norm(x, 4)), (6, 5), ("4", "6")),
    "layer norm of another width": (nn.LayerNorm(7), (5, 6), ("7", "6")),
    "layer norm with another weight": (
        Forward(lambda x: F.layer_norm(x, (6,), torch.ones(5))), (5, 6), ("5", "6")),
    "batch norm of other channels": (nn.BatchNorm2d(7), (6, 5, 5), ("7", "6")),
    "transposed convolution": (nn.ConvTranspose1d(7, 4, 2), (6, 9), ("7", "6")),
    "transposed convolution in groups": (nn.ConvTranspose3d(8, 4, 2, groups=2), (6, 4, 4, 4), ("8", "6")),
    "a bias of another length": (
        Forward(lambda x: F.conv1d(x, torch.ones(4, 6, 1), torch.ones(3))), (6, 9), ("3", "4")),
    "kernel larger than its map": (nn.Conv2d(3, 4, 7), (3, 4, 6), ("7", "4")),
    "pool larger than its map": (nn.MaxPool2d(9), (3, 4, 6), ("4",)),
    "no output channels": (nn.Conv1d(3, 0, 1), (3, 9), ("0", "channels")),
    "softmax over an axis that is not there": (nn.Softmax(5), (3, 6), ("5", "3 axes")),
    "whole numbers resized": (
        Forward(lambda x: F.interpolate(x.long(), scale_factor=2)), (3, 6), ("int64", "interpolate")),
    "truth values pooled": (Forward(lambda x: F.max_pool1d(x > 0, 2)), (3, 6), ("bool", "max_pool1d")),
    "softmax of whole numbers": (Forward(lambda x: x.argmax(1).softmax(-1)), (3, 6), ("int64", "softmax")),
    "two shapes": (Forward(lambda x: x + torch.ones(7)), (3, 6), ("6", "7")),
    "nothing returned": (Forward(lambda x: None), (3, 6), ("None",)),
    "its own error": (Forward(lambda x: {}["key"]), (3, 6), ("KeyError", "key")),  # type: ignore[index]
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
@pytest.mark.parametrize("kind", FAILURES)
def test_the_error_names_the_numbers(kind: str) -> None:
    model, shape, words = FAILURES[kind]
    with torch.no_grad(), pytest.raises(Exception):  # noqa: B017, PT011  it does fail, or returns nothing
        assert model.eval()(torch.zeros(2, *shape)).shape
    with pytest.raises(FxScoreError) as caught:
        construct(model, shape, 2)
    (line,) = str(caught.value).splitlines()
    assert all(word in line for word in words), line


CLASSES: dict[str, Callable[[Any], Any]] = {
    "argmax": lambda x: F.one_hot(x.argmax(1), 4),
    "argmin by name": lambda x: F.one_hot(x.argmin(dim=-1), num_classes=4),
    "indices of a maximum": lambda x: F.one_hot(x.max(1).indices, 4),
    "the largest": lambda x: F.one_hot(x.topk(2).indices, 4),
}


@pytest.mark.parametrize("found", CLASSES)
def test_one_hot_of_fewer_classes_than_places(found: str) -> None:
    def network(width: int) -> nn.Module:
        return nn.Sequential(nn.Linear(3, width), Forward(CLASSES[found]))

    with pytest.raises(FxScoreError, match="one_hot of 4 classes is given places among 5"):
        construct(network(5), (3,), 2)
    assert construct(network(4), (3,), 2).channels == 3


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float16])
def test_types_that_a_layer_takes_are_taken(dtype: torch.dtype) -> None:
    resized = nn.Sequential(nn.Conv2d(3, 4, 1), Forward(lambda x: F.interpolate(x.to(dtype), scale_factor=2)))
    assert construct(resized, (3, 4, 4), 2).batch == 2
