"""In-place changes, through views too, are recorded as what they do: the graph computes what the module does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, fx, nn

from fxscore.capture import capture

Change = Callable[[Tensor], Tensor]


class Changed(nn.Module):
    """A convolution, then a change."""

    def __init__(self, change: Change) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3)
        self.change = change

    def forward(self, x: Tensor) -> Tensor:
        return self.change(self.conv(x))


def slices(y: Tensor) -> Tensor:
    y[:, :2] = 0
    y[:, 3:5] += 1
    return y


def flat_view(y: Tensor) -> Tensor:
    flat = y.view(y.shape[0], -1)
    flat[:, 3].fill_(7.0)
    flat[:, 5:9] *= 2
    return y + flat.mean()


def split_parts(y: Tensor) -> Tensor:
    first, second = y.chunk(2, 1)
    first.mul_(2)
    return torch.cat([first, second], 1)


def selected(y: Tensor) -> Tensor:
    row = y[:, 1]
    row.add_(row * 2)
    return y


def constant_filled(y: Tensor) -> Tensor:
    table = torch.zeros(y.shape[0], 4)
    table[:, 1] = y.mean((1, 2, 3))
    return table


def clone_apart(y: Tensor) -> Tensor:
    kept = y.clone()
    y.relu_().clamp_(0, 1)
    return y + kept


def inverted(y: Tensor) -> Tensor:
    positive = y > 0
    return torch.where(~positive, y, 2 * y) * positive


CHANGES = [inverted, slices, flat_view, split_parts, selected, constant_filled, clone_apart]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_the_graph_computes_what_the_module_does(change: Change) -> None:
    model = Changed(change)
    image = torch.randn(2, 3, 8, 8)
    graph_module = capture(model, (3, 8, 8), 2)
    with_weights(graph_module, model)
    with torch.no_grad():
        torch.testing.assert_close(graph_module(image), model(image), rtol=0, atol=0)


def with_weights(graph_module: fx.GraphModule, model: nn.Module) -> None:
    """Give a captured graph the weights that it names."""
    for name, parameter in model.named_parameters():
        path, _, leaf = name.rpartition(".")
        setattr(graph_module.get_submodule(path), leaf, parameter)
