"""Every weighted proxy against a plain restatement of its formula."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fxscore.errors import ScorerError
from fxscore.proxies import get_proxy
from fxscore.proxies.inputs import random_images, random_labels
from tests.proxies.networks import SHAPE, Attention, Blind, Functional, small_net

BATCH = 4
N = TypeVar("N", bound=nn.Module)


def own_weights(name: str, network: nn.Module, **settings: int) -> float:
    """The proxy with the weights that the network has."""
    return get_proxy(name, initialise=False, **settings)(network, SHAPE)


def train_like(network: N) -> N:
    for part in network.modules():
        part.training = isinstance(part, nn.BatchNorm2d)
    return network


def images(spectrum: float = 1.0) -> Tensor:
    return random_images(BATCH, SHAPE, 0, spectrum)


def logarithm(value: float) -> float:
    return math.copysign(math.log(1 + abs(value)), value)


def loss_of(network: nn.Module) -> Tensor:
    return F.cross_entropy(train_like(network)(images()), random_labels(BATCH, 5, 0))


def layer_weights(network: nn.Module) -> Sequence[Tensor]:
    return [part.weight for part in network.modules() if isinstance(part, (nn.Conv2d, nn.Linear))]


def test_naswot_compares_codes_bit_by_bit() -> None:
    network = train_like(small_net())
    codes: list[list[bool]] = [[] for _ in range(BATCH)]
    x = images()
    for part in network:
        if isinstance(part, nn.ReLU):
            for code, row in zip(codes, x, strict=True):
                code += [bool(value > 0) for value in row.flatten()]
        x = part(x)
    agreement = [[sum(a == b for a, b in zip(one, two, strict=True)) for two in codes] for one in codes]
    expected = np.linalg.slogdet(np.array(agreement, dtype=float))[1]
    assert own_weights("naswot", network, batch=BATCH) == pytest.approx(expected)


def test_zen_measures_the_change_of_features_and_gives_scales_back() -> None:
    network = train_like(small_net())
    features = network[:6]  # up to the last ReLU, before the global average
    one, noise = (random_images(BATCH, SHAPE, seed, 0.0) for seed in (0, 1))
    with torch.no_grad():
        change = (features(one + 0.01 * noise) - features(one)).abs().flatten(1).sum(1).mean()
        variance = network[0](one).var((0, 2, 3), unbiased=False).mean()
    expected = math.log(change) + 0.5 * math.log(variance)
    assert own_weights("zen", network, batch=BATCH) == pytest.approx(expected, abs=1e-3)


def test_zen_takes_normal_weights_and_no_bias() -> None:
    wide = nn.Sequential(
        nn.Conv2d(3, 64, 3, bias=False), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 2)
    )
    with torch.no_grad():
        noise = random_images(64, SHAPE, 1, 0.0)
        # |Σ over 27 weights of N(0, 1) and inputs of N(0, 1)| has the mean sqrt(27 · 2/π).
        expected = math.log(0.01 * math.sqrt(27 * 2 / math.pi) * 64 * 36)
    assert noise.std() == pytest.approx(1, abs=0.05)
    assert get_proxy("zen", batch=64)(wide, SHAPE) == pytest.approx(expected, abs=0.1)


def test_grad_norm_and_snip_sum_over_layers() -> None:
    network = small_net()
    weights = layer_weights(network)
    gradients = torch.autograd.grad(loss_of(network), weights)
    norms = sum(float(gradient.norm()) for gradient in gradients)
    products = sum(float((w.detach() * g).abs().sum()) for w, g in zip(weights, gradients, strict=True))
    assert own_weights("grad_norm", network, batch=BATCH) == pytest.approx(logarithm(norms), rel=1e-4)
    assert own_weights("snip", network, batch=BATCH) == pytest.approx(logarithm(products), rel=1e-4)


def test_grasp_multiplies_by_the_whole_hessian() -> None:
    network = nn.Sequential(
        nn.Flatten(), nn.Linear(192, 2, bias=False), nn.Tanh(), nn.Linear(2, 3, bias=False)
    )
    first, second = layer_weights(network)
    data, labels = images(), random_labels(BATCH, 3, 0)

    def loss(flat: Tensor) -> Tensor:
        one, two = flat[:384].reshape(2, 192), flat[384:].reshape(3, 2)
        return F.cross_entropy((data.flatten(1) @ one.T).tanh() @ two.T, labels)

    flat = torch.cat([first.flatten(), second.flatten()]).detach()
    gradient = torch.func.grad(loss)(flat)
    hessian = torch.func.hessian(loss)(flat)
    expected = -float(flat @ hessian @ gradient)
    assert own_weights("grasp", network, batch=BATCH) == pytest.approx(logarithm(expected), rel=1e-3)


def test_fisher_squares_what_every_channel_means_to_the_loss() -> None:
    network = train_like(small_net())
    x, outputs = images(), []
    for part in network:
        # Not in place: the outputs of layers are read below.
        x = F.relu(x) if isinstance(part, nn.ReLU) else part(x)
        if isinstance(part, (nn.Conv2d, nn.Linear)):
            x.retain_grad()
            outputs.append((x, part.weight[0].numel()))
    F.cross_entropy(x, random_labels(BATCH, 5, 0)).backward()  # type: ignore[no-untyped-call]
    expected = 0.0
    for activation, fan in outputs:
        assert activation.grad is not None
        felt = (activation.detach() * activation.grad).reshape(BATCH, activation.shape[1], -1).sum(2)
        expected += fan * float(felt.square().mean(0).sum()) / 2
    assert own_weights("fisher", network, batch=BATCH) == pytest.approx(logarithm(expected), rel=1e-4)


def test_jacov_correlates_input_gradients() -> None:
    network = train_like(small_net())
    data = images().requires_grad_()
    (gradient,) = torch.autograd.grad(network(data).sum(), data)
    values = np.linalg.eigvalsh(np.corrcoef(gradient.flatten(1).double().numpy())) + 1e-5
    expected = -np.sum(np.log(values) + 1 / values)
    assert own_weights("jacov", network, batch=BATCH) == pytest.approx(expected, rel=1e-3)


def test_synflow_of_a_chain_counts_the_flow_once_per_layer() -> None:
    network = nn.Sequential(
        nn.Flatten(), nn.Linear(192, 6, bias=False), nn.ReLU(), nn.Linear(6, 5, bias=False)
    )
    first, second = (weight.detach().double().abs() for weight in layer_weights(network))
    flow = float((second @ first).sum())
    assert own_weights("synflow", network) == pytest.approx(math.log(1 + 2 * flow))


def test_synflow_passes_batch_norm_by() -> None:
    torch.manual_seed(0)
    convs = [nn.Conv2d(3, 3, 1, bias=False) for _ in range(2)]
    tail = [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    normed = nn.Sequential(convs[0], nn.BatchNorm2d(3), convs[1], *tail)
    assert own_weights("synflow", normed) == pytest.approx(
        own_weights("synflow", nn.Sequential(*convs, *tail))
    )


def test_synflow_of_a_deep_network_can_be_read() -> None:
    deep = nn.Sequential(*(nn.Conv2d(64 if i else 3, 64, 3, padding=1) for i in range(60)))
    assert 60 < get_proxy("synflow")(deep, SHAPE) < 400


@pytest.mark.parametrize(
    "name", ["naswot", "zen", "snip", "fisher", "grasp", "grad_norm", "jacov", "synflow"]
)
def test_functional_calls_count_as_modules_do(name: str) -> None:
    modules, functional = small_net(), Functional()
    parameters = list(modules.parameters())
    ours = [functional.first, functional.norm.weight, functional.norm.bias, functional.second]
    for mine, theirs in zip(
        [*ours, functional.bias, functional.head, functional.head_bias], parameters, strict=True
    ):
        mine.data = theirs.data
    settings = {} if name == "synflow" else {"batch": BATCH}
    assert own_weights(name, functional, **settings) == pytest.approx(own_weights(name, modules, **settings))


def test_naswot_sees_activations_inside_a_fused_transformer_layer() -> None:
    with torch.no_grad():
        assert math.isfinite(get_proxy("naswot", batch=BATCH)(Attention(), SHAPE))


def test_no_rectifier_no_naswot() -> None:
    with pytest.raises(ScorerError, match="no rectifier"):
        get_proxy("naswot")(nn.Sequential(nn.Conv2d(3, 3, 1), nn.Sigmoid()), SHAPE)


@pytest.mark.parametrize("name", ["naswot", "zen", "jacov"])
def test_a_network_that_does_not_see_its_input_has_no_score(name: str) -> None:
    with pytest.raises(ScorerError, match=r"tests\.proxies\.networks\.Blind"):
        get_proxy(name, batch=BATCH)(Blind(), SHAPE)


def test_cross_entropy_needs_two_outputs() -> None:
    with pytest.raises(ScorerError, match="two classes"):
        get_proxy("snip")(nn.Sequential(nn.Flatten(), nn.Linear(192, 1)), SHAPE)


@pytest.mark.parametrize("name", ["snip", "grad_norm", "grasp", "fisher", "synflow"])
def test_without_layers_there_is_nothing_to_sum(name: str) -> None:
    with pytest.raises(ScorerError, match="convolution or linear"):
        get_proxy(name)(nn.Sequential(nn.Flatten(), nn.BatchNorm1d(192)), SHAPE)


def test_a_network_whose_output_needs_no_weight_ties_at_zero() -> None:
    class Idle(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 5, 1)
            self.scale = nn.Parameter(torch.ones(5))

        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = (self.conv(x) * 0).mean((2, 3)) + self.scale * 0
            return out

    for name in ("snip", "grad_norm", "grasp", "fisher", "synflow"):
        assert get_proxy(name)(Idle(), SHAPE) == 0
