"""The size at a network's own input, from a capture at another."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fxscore.capture import capture
from fxscore.capture.inputs import Inputs
from fxscore.costs import costs_of_one, network_costs
from fxscore.scorer.subject import subject_of

OWN, SEEN = (3, 24, 20), (3, 12, 10)


class Plain(nn.Module):
    """Strides, an activation in place, a residual, weights that are computed, a pool."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, stride=2)
        self.body = nn.Conv2d(6, 6, 3, padding=1, groups=2)
        self.head = nn.Linear(12, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.stem(x), inplace=True)
        weight = self.body.weight * self.body.weight.mean((1, 2, 3), keepdim=True)
        x = torch.cat([x, F.conv2d(x, weight, padding=1, groups=2)], 1)
        x *= torch.sigmoid(x.mean((2, 3), keepdim=True))
        out: Tensor = self.head(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))
        return out


class Laid(Plain):
    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        return x.reshape(x.shape[0], -1)


class ByRow(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([row.sum((1, 2)) for row in x.unbind(2)], 1)


class Noisy(Plain):
    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        return x + torch.randn_like(x)


class Written(Plain):
    """A value is written into memory of the input's size."""

    def forward(self, x: Tensor) -> Tensor:
        whole = torch.zeros_like(x)
        whole.view(-1).copy_(x.flatten())
        out: Tensor = self.stem(whole)
        return out


def _counted(network: nn.Module) -> Callable[[Inputs], object]:
    captured = capture(network, SEEN, 5)
    return lambda inputs: costs_of_one(captured, inputs)


def test_a_capture_at_another_size_and_batch_gives_the_very_counts() -> None:
    network = Plain()
    assert _counted(network)(Inputs.image(OWN)) == network_costs(network, OWN)


def test_the_graph_is_as_it_was() -> None:
    captured = capture(Plain(), SEEN, 5)
    before = [node.meta.get("val") for node in captured.graph.nodes]
    assert costs_of_one(captured, Inputs.image(OWN)) is not None
    assert all(node.meta.get("val") is old for node, old in zip(captured.graph.nodes, before, strict=True))


@pytest.mark.parametrize("network", [Laid(), ByRow(), Noisy(), Written()])
def test_a_graph_that_another_size_would_change_tells_nothing(network: nn.Module) -> None:
    assert _counted(network)(Inputs.image(OWN)) is None


def test_an_input_too_small_for_the_network_tells_nothing() -> None:
    assert _counted(Plain())(Inputs.image((3, 2, 2))) is None


def test_a_subject_whose_size_is_asked_for_is_captured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = network_costs(Plain(), OWN)
    subject = subject_of(Plain(), OWN, counted=True)
    subject.construct(4, SEEN)
    monkeypatch.setattr("fxscore.scorer.subject.network_costs", _refused)
    assert subject.costs() == wanted


def _refused(*args: object, **kwargs: object) -> None:
    raise AssertionError("captured twice")
