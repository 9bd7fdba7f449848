"""SWAP, AZ-NAS, WRCor and VKDNW against values worked out by hand and plain restatements."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fxscore.errors import ScorerError
from fxscore.proxies import get_proxy
from fxscore.proxies.az_nas import COMPONENTS, az_scores, component_entropy
from fxscore.proxies.blocks import BlockMode
from fxscore.proxies.inputs import random_images, random_labels
from fxscore.proxies.vkdnw import DRAWS, decile_entropy, fisher
from tests.proxies.networks import SHAPE, Blind, small_net
from tests.proxies.test_values import layer_weights, own_weights, train_like


def chain(*weights: float) -> nn.Sequential:
    """Convolutions from one channel to one, 1×1 without bias."""
    convs = [nn.Conv2d(1, 1, 1, bias=False) for _ in weights]
    for conv, weight in zip(convs, weights, strict=True):
        nn.init.constant_(conv.weight, weight)
    return nn.Sequential(*convs, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1, 2))


# SWAP


@pytest.mark.parametrize("batch", [6, 70])
def test_swap_counts_the_different_patterns_of_all_units(batch: int) -> None:
    network = train_like(small_net())
    x, patterns = random_images(batch, SHAPE, 0, 1.0), set()
    with torch.no_grad():
        for part in network:
            if isinstance(part, nn.ReLU):
                patterns |= {tuple(column) for column in (x.flatten(1) > 0).T.tolist()}
            x = part(x)
    assert own_weights("swap", network, batch=batch) == len(patterns)


def test_swap_counts_a_unit_that_answers_as_another_once() -> None:
    narrow, wide = (
        nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2)) for width in (2, 4)
    )
    for network in (narrow, wide):
        network(torch.zeros(1, *SHAPE))
    for own, others in zip(wide[0].parameters(), narrow[0].parameters(), strict=True):
        own.data = torch.cat([others.data, others.data])
    assert own_weights("swap", wide) == own_weights("swap", narrow)


def test_swap_is_regularised_by_millions_of_parameters() -> None:
    network = small_net()
    size = sum(parameter.numel() for parameter in network.parameters()) / 1e6
    plain = get_proxy("swap")(network, SHAPE)
    assert get_proxy("swap", mu=size)(network, SHAPE) == pytest.approx(plain)
    one_away = get_proxy("swap", mu=size + 1, sigma=2.0)(network, SHAPE)
    assert one_away == pytest.approx(plain * math.exp(-0.5))


@pytest.mark.parametrize("name", ["swap", "wrcor"])
def test_without_a_rectifier_there_is_no_response(name: str) -> None:
    with pytest.raises(ScorerError, match="no rectifier"):
        get_proxy(name)(nn.Sequential(nn.Conv2d(3, 3, 1), nn.Sigmoid()), SHAPE)


# AZ-NAS


class Residual(nn.Module):
    """A stem, a block with a shortcut, a block without one, a head."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.one, self.two = (nn.Conv2d(4, 4, 3, padding=1) for _ in range(2))
        self.last = nn.Conv2d(4, 5, 3, stride=2, padding=1)
        self.head = nn.Linear(5, 2)

    def features(self, x: Tensor) -> list[Tensor]:
        """What lies behind the stem and each block."""
        stem = self.stem(x).relu_()
        summed = stem + self.two(self.one(stem).relu())
        return [stem, summed, self.last(summed).relu()]

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, 2)."""
        return torch.as_tensor(self.head(self.features(x)[-1].mean((2, 3))))


def found_features(network: nn.Module, images: Tensor) -> list[Tensor]:
    mode = BlockMode(network.parameters(), images)
    with mode:
        output = torch.as_tensor(network(images))
    return mode.features(output)


def test_blocks_end_where_no_shortcut_waits() -> None:
    network, images = Residual(), random_images(4, SHAPE, 0, 1.0)
    found, expected = found_features(network, images), network.features(images)
    assert [tuple(each.shape) for each in found] == [tuple(each.shape) for each in expected]
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


def test_blocks_of_a_perceptron_are_its_hidden_layers() -> None:
    network = nn.Sequential(
        nn.Flatten(), nn.Linear(192, 8), nn.ReLU(), nn.Linear(8, 6), nn.Tanh(), nn.Linear(6, 2)
    )
    assert [each.shape[1] for each in found_features(network, random_images(4, SHAPE, 0, 1.0))] == [8, 6]


def maps(*channels: Sequence[float]) -> Tensor:
    return torch.tensor(channels)[None, :, None]


@pytest.mark.parametrize(
    ("features", "entropy"),
    [
        (maps([1.0, -1, 1, -1], [2.0, -2, 2, -2]), 0.0),  # one component
        (maps([1.0, -1, 1, -1], [1.0, 1, -1, -1]), math.log(2)),  # two of equal variance
        (maps([3.0, -3, 3, -3], [1.0, 1, -1, -1]), -0.9 * math.log(0.9) - 0.1 * math.log(0.1)),
        (
            maps([6.0, 0, 6, 0], [9.0, 9, 7, 7]),
            -0.9 * math.log(0.9) - 0.1 * math.log(0.1),
        ),  # the mean is nothing
        (maps([5.0, 5, 5, 5], [1.0, 1, 1, 1]), 0.0),
    ],
)
def test_component_entropy_of_maps(features: Tensor, entropy: float) -> None:
    assert component_entropy(features) == pytest.approx(entropy, abs=1e-9)
    tokens = features.flatten(2).transpose(1, 2)
    assert component_entropy(7 * tokens) == pytest.approx(entropy, abs=1e-9)


def test_expressivity_adds_up_and_progressivity_takes_the_least_growth() -> None:
    network, images = Residual().train(), random_images(4, SHAPE, 0, 0.0)
    entropies = [component_entropy(each) for each in network.features(images)]
    assert own_weights("az_expressivity", network, batch=4) == pytest.approx(sum(entropies), rel=1e-4)
    least = min(entropies[1] - entropies[0], entropies[2] - entropies[1])
    assert own_weights("az_progressivity", network, batch=4) == pytest.approx(least, rel=1e-3, abs=1e-6)


def test_trainability_is_highest_where_gradients_keep_their_length() -> None:
    def value(*weights: float) -> float:
        return get_proxy("az_trainability", initialise=False)(chain(*weights), (1, 4, 4))

    assert value(5.0, 1.0, -1.0) == pytest.approx(0, abs=1e-5)  # the stem has no gradient ahead of it
    assert value(1.0, 2.0, 0.5) == pytest.approx(2 - 2.5)  # −2 − ½ + 2, twice
    assert value(1.0, 2.0, 4.0) == pytest.approx((-0.5 - 2.25) / 2)


def test_trainability_of_a_stride_sees_all_that_becomes_one_place() -> None:
    network = chain(1.0, 1.0)
    network[1] = nn.Conv2d(1, 1, 2, stride=2, bias=False)
    network[1].weight.data = torch.tensor([[[[3.0, 0.0], [0.0, 4.0]]]])
    value = get_proxy("az_trainability", initialise=False)(network, (1, 4, 4))
    assert value == pytest.approx(-5 - 1 / 5 + 2)


def test_az_scores_add_up_logarithms_of_ranks() -> None:
    best, second, none = (3.0, 3.0, 3.0, 3.0), (2.0, 2.0, 2.0, 4.0), (math.nan, 1.0, 1.0, 1.0)
    columns = dict(zip(COMPONENTS, zip(best, second, none, strict=True), strict=True))
    expected = [math.log(2 / 3), 3 * math.log(2 / 3), 4 * math.log(1 / 3)]
    assert az_scores(columns).tolist() == pytest.approx(expected)


@pytest.mark.parametrize("name", ["az_progressivity", "az_trainability"])
def test_one_block_is_too_few(name: str) -> None:
    with pytest.raises(ScorerError, match="1 blocks were found"):
        get_proxy(name)(chain(1.0), (1, 4, 4))


def test_a_block_that_no_gradient_passes_has_no_trainability() -> None:
    with pytest.raises(ScorerError, match="no gradient passes"):
        get_proxy("az_trainability", initialise=False)(chain(1.0, 0.0), (1, 4, 4))


# WRCor


def test_wrcor_weighs_layers_by_their_place() -> None:
    network, batch = train_like(small_net()), 5
    x, responses = random_images(batch, SHAPE, 0, 1.0), []
    for part in network:
        x = F.relu(x) if isinstance(part, nn.ReLU) else part(x)
        if isinstance(part, nn.ReLU):
            x.retain_grad()
            responses.append(x)
    F.cross_entropy(x, random_labels(batch, 5, 0)).backward()  # type: ignore[no-untyped-call]
    summed = np.zeros((batch, batch))
    for place, response in enumerate(responses, 1):
        assert response.grad is not None
        for tensor in (response.detach(), response.grad):
            summed += place * np.corrcoef(tensor.flatten(1).double().numpy())
    assert own_weights("wrcor", network, batch=batch) == pytest.approx(np.linalg.slogdet(summed)[1], rel=1e-3)


def test_wrcor_of_a_network_that_does_not_see_its_input_is_none() -> None:
    with pytest.raises(ScorerError, match=r"tests\.proxies\.networks\.Blind"):
        get_proxy("wrcor", batch=4)(Blind(), SHAPE)


# VKDNW


def test_vkdnw_takes_one_weight_of_each_layer() -> None:
    network, batch = small_net(), 6
    images = random_images(batch, SHAPE, 0, 1.0)
    biases = [torch.as_tensor(network[place].bias) for place in (4, 8)]
    weights, places = layer_weights(network), [(0, 0, 1, 1), (0, 0, 1, 1), (0, 0)]
    with torch.no_grad():
        seen = network[0](images)
    mean, variance = seen.mean((0, 2, 3)), seen.var((0, 2, 3))

    def logits(three: Tensor, image: Tensor) -> Tensor:
        """Of one image, with the three weights in place of the network's own."""
        parts = [
            weight.detach().index_put(tuple(map(torch.tensor, place)), value)
            for weight, value, place in zip(weights, three, places, strict=True)
        ]
        x = F.conv2d(image[None], parts[0], padding=1)
        # At the start BatchNorm has no scale of its own.
        x = F.max_pool2d(F.relu(F.batch_norm(x, mean, variance)), 2)
        x = F.relu(F.conv2d(x, parts[1], biases[0], 2, 1))
        return F.linear(x.mean((2, 3)), parts[2], biases[1])[0]

    three = torch.stack([weight[place] for weight, place in zip(weights, places, strict=True)]).detach()
    information = torch.zeros(3, 3, dtype=torch.float64)
    for image in images:
        chances = logits(three, image).softmax(0).detach()
        jacobian = torch.func.jacrev(lambda w, i: logits(w, i).log_softmax(0))(three, image)
        information += (jacobian.T @ (chances[:, None] * jacobian)).double() / batch
    values = np.linalg.eigvalsh(information.detach().numpy())
    deciles = np.quantile(values, np.arange(1, 10) / 10)
    shares = deciles / deciles.sum()
    expected = 3 - float((shares * np.log(shares)).sum())
    assert own_weights("vkdnw", network, batch=batch) == pytest.approx(expected, rel=1e-4)


def test_the_fisher_information_of_many_classes_is_estimated_without_bias() -> None:
    generator = torch.Generator().manual_seed(0)
    directions = torch.randn(2, 3, 2 * DRAWS, generator=generator)  # of two layers and three images
    deltas = [torch.zeros(3, requires_grad=True) for _ in range(2)]
    base = torch.randn(3, 2 * DRAWS, generator=generator)
    logits = base + sum(delta[:, None] * own for delta, own in zip(deltas, directions, strict=True))
    chances = base.softmax(1).double()
    exact = torch.zeros(2, 2, dtype=torch.float64)
    for image in range(3):
        spread = chances[image].diag() - chances[image].outer(chances[image])
        jacobian = directions[:, image].double()
        exact += jacobian @ spread @ jacobian.T / 3
    found = torch.stack([fisher(logits, deltas, seed) for seed in range(300)]).mean(0)
    assert torch.allclose(found, exact, atol=0.06)


def entropy_of(*values: float) -> float:
    return decile_entropy(torch.tensor(values, dtype=torch.float64).diag())


def test_decile_entropy_is_that_of_nine_shares() -> None:
    assert entropy_of(*[2.0] * 7) == pytest.approx(math.log(9))
    shares = np.array([0.5, 1, 1, 1, 1]) / 4.5  # deciles 0, 0, 0, 0, ½, 1, 1, 1, 1
    assert entropy_of(*[0.0] * 5, *[3.0] * 5) == pytest.approx(-float((shares * np.log(shares)).sum()))
    assert math.isnan(entropy_of(0.0, 0.0))


def test_a_deeper_network_has_a_higher_vkdnw() -> None:
    """The entropy is at most ln 9, so three layers more always weigh more."""
    scores = [get_proxy("vkdnw", initialise=False)(chain(*[1.0] * depth), (1, 4, 4)) for depth in (1, 4)]
    assert scores[1] - scores[0] > 3 - math.log(9)
