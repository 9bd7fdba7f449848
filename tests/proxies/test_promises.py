"""What every proxy promises, whatever it measures."""

from __future__ import annotations

import copy
import math
import pickle
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from fxscore.capture.empty_weights import build_without_weights
from fxscore.errors import CaptureError, ScorerError
from fxscore.proxies import BaseProxy, Proxy, get_proxy, proxy_names
from fxscore.proxies.probe import SeededProxy
from fxscore.proxies.registry import proxy_class
from tests.proxies.networks import SHAPE, Attention, Returns, small_net

NAMES = proxy_names()
STRUCTURAL = ("params", "macs", "flops", "activations", "layers", "layer_depth")
WEIGHTED = tuple(name for name in NAMES if name not in STRUCTURAL)


def small(name: str, **settings: Any) -> Proxy:
    """The proxy with a batch of four, if it has one; `swap`, which counts at most 2^batch patterns, with sixteen."""
    seeded = issubclass(proxy_class(name), SeededProxy)
    batch = {"batch": 16 if name == "swap" else 4} if seeded else {}
    return get_proxy(name, **batch, **settings)


def snapshot(network: nn.Module) -> list[object]:
    """All that a proxy might change of a network, hooks and gradients included."""
    state = [
        (name, tensor.clone(), tensor._version) for name, tensor in network.state_dict(keep_vars=True).items()
    ]
    flags = [
        (part.training, len(part._forward_hooks), len(part._forward_pre_hooks)) for part in network.modules()
    ]
    gradients = [(parameter.requires_grad, parameter.grad) for parameter in network.parameters()]
    return [state, flags, gradients, [id(part) for part in network.modules()], torch.random.get_rng_state()]


def same(one: object, two: object) -> bool:
    if isinstance(one, Tensor) and isinstance(two, Tensor):
        return torch.equal(one, two)
    if isinstance(one, (list, tuple)) and isinstance(two, (list, tuple)):
        return len(one) == len(two) and all(map(same, one, two))
    return one == two


@pytest.mark.parametrize("build", [small_net, Attention])
@pytest.mark.parametrize("name", NAMES)
def test_the_module_and_the_random_state_stay_as_they_were(name: str, build: Callable[[], nn.Module]) -> None:
    network = build().train()
    next(network.parameters()).requires_grad_(False)
    network.register_forward_hook(lambda *_: None)
    before = snapshot(network)
    small(name)(network, SHAPE)
    assert same(before, snapshot(network))


@pytest.mark.parametrize("build", [small_net, Attention])
@pytest.mark.parametrize("name", NAMES)
def test_equal_architectures_score_the_same(name: str, build: Callable[[], nn.Module]) -> None:
    """However they were built, trained and left: another start, other statistics, eval or training mode."""
    one, two = build().train(), build().eval()
    for tensor in two.state_dict().values():
        tensor.add_(1)
    torch.manual_seed(7)
    first = small(name)(one, SHAPE)
    with torch.inference_mode():
        assert small(name)(two, SHAPE) == first
    assert type(first) is float
    assert math.isfinite(first)


@pytest.mark.parametrize("name", WEIGHTED)
def test_the_seed_and_only_the_seed_changes_a_score(name: str) -> None:
    network = small_net()
    assert small(name, seed=1)(network, SHAPE) != small(name)(network, SHAPE)
    assert small(name, seed=1)(network, SHAPE) == small(name, seed=1)(network, SHAPE)


@pytest.mark.parametrize("name", WEIGHTED)
def test_own_weights_are_used_on_request(name: str) -> None:
    one, two = small_net(), small_net()
    assert small(name, initialise=False)(one, SHAPE) != small(name, initialise=False)(two, SHAPE)


@dataclass
class Named:
    extra: int
    logits: Tensor


@pytest.mark.parametrize(
    "wrap",
    [
        lambda y: (y, y.mean()),
        lambda y: [torch.ones(2, dtype=torch.int64), y],
        lambda y: OrderedDict(aux=y * 3, out=y),
        lambda y: {"features": y * 3, "logits": y},
        lambda y: Named(3, y),
        lambda y: ((y, y * 2), y * 3),
    ],
    ids=["tuple", "list", "out", "logits", "dataclass", "nested"],
)
@pytest.mark.parametrize("name", NAMES)
def test_the_main_tensor_is_taken_from_any_output(name: str, wrap: Callable[[Tensor], Any]) -> None:
    network = small_net()
    assert small(name)(Returns(network, wrap), SHAPE) == small(name)(network, SHAPE)


@pytest.mark.parametrize("name", NAMES)
def test_no_tensor_no_score(name: str) -> None:
    network = Returns(small_net(), lambda y: "nothing")
    if name == "params" or name == "naswot":
        assert math.isfinite(small(name)(network, SHAPE))
    else:
        with pytest.raises(
            (ScorerError, CaptureError), match=r"without a floating tensor|in which there is no tensor"
        ):
            small(name)(network, SHAPE)


@pytest.mark.parametrize("name", ["snip", "grasp", "fisher", "grad_norm"])
def test_maps_and_sequences_are_averaged_to_logits(name: str) -> None:
    stem = nn.Conv2d(3, 5, 4, stride=4)
    pooled = nn.Sequential(stem, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    tokens = Returns(stem, lambda y: y.flatten(2).transpose(1, 2))
    scores = [small(name, initialise=False)(network, SHAPE) for network in (pooled, stem, tokens)]
    assert scores[1:] == pytest.approx([scores[0]] * 2, rel=1e-4)


def test_auxiliary_outputs_and_dropout_are_off() -> None:
    class Auxiliary(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = small_net()

        def forward(self, x: Tensor) -> Any:
            assert not self.training
            return self.network(x)

    dropped = nn.Sequential(nn.Dropout(0.9), small_net())
    for name in NAMES:
        small(name)(Auxiliary(), SHAPE)
    assert small("naswot")(dropped, SHAPE) == small("naswot")(small_net(), SHAPE)


@pytest.mark.parametrize("name", STRUCTURAL)
def test_structure_needs_no_weights(name: str) -> None:
    assert not get_proxy(name).needs_weights
    weight_free = build_without_weights(small_net).module
    before = [parameter.is_meta for parameter in weight_free.parameters()]
    assert get_proxy(name)(weight_free, SHAPE) == get_proxy(name)(small_net(), SHAPE)
    assert before == [parameter.is_meta for parameter in weight_free.parameters()]


@pytest.mark.parametrize("name", WEIGHTED)
def test_the_others_say_that_they_do(name: str) -> None:
    assert get_proxy(name).needs_weights
    with pytest.raises(ScorerError, match=r"needs real weights, but '0\.weight'"):
        small(name)(build_without_weights(small_net).module, SHAPE)


@pytest.mark.parametrize("name", NAMES)
def test_a_proxy_is_a_small_frozen_value(name: str) -> None:
    proxy = get_proxy(name)
    assert isinstance(proxy, Proxy)
    assert pickle.loads(pickle.dumps(proxy)) == proxy == get_proxy(name)
    assert hash(proxy) == hash(get_proxy(name))
    with pytest.raises(FrozenInstanceError):
        proxy.seed = 3  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", NAMES)
def test_every_proxy_states_its_source_and_tie_rule(name: str) -> None:
    kind = proxy_class(name)
    assert kind.name == name
    assert kind.source
    assert kind.tie_rule
    assert kind.__doc__


def test_identifiers_tell_settings_apart() -> None:
    identifiers = {get_proxy(name).scorer_id for name in NAMES}
    identifiers |= {get_proxy("snip", seed=1).scorer_id, get_proxy("snip", batch=8).scorer_id}
    assert len(identifiers) == len(NAMES) + 2
    assert get_proxy("params").scorer_id == "params"
    assert get_proxy("synflow").scorer_id == "synflow(resolution=None,seed=0,initialise=True)"


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(ScorerError, match=r"no proxy 'zenith'; there are params, macs"):
        get_proxy("zenith")
    with pytest.raises(ScorerError, match="macs has no setting 'batch'; it has resolution"):
        get_proxy("macs", batch=3)
    with pytest.raises(ScorerError, match="at least 2 images"):
        get_proxy("naswot", batch=1)
    with pytest.raises(ScorerError, match="needs an input"):
        get_proxy("macs", resolution=8)(nn.Linear(3, 2), (3,))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_is_an_error(value: float) -> None:
    @dataclass(frozen=True)
    class Broken(BaseProxy):
        def measure(self, module: nn.Module, input_shape: tuple[int, ...]) -> float:
            return value

    Broken.name = "broken"
    with pytest.raises(
        ScorerError, match=r"broken of torch\.nn\.modules\.container\.Sequential .* is -?(nan|inf)"
    ):
        Broken()(small_net(), SHAPE)


def test_modules_that_own_tensors_outside_their_state_can_be_copied() -> None:
    class Cached(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 1)
            self.scale = self.conv.weight.sum() * 0 + 1  # not a leaf, so `deepcopy` alone refuses it

        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = self.conv(x) * self.scale
            return out

    with pytest.raises(RuntimeError):
        copy.deepcopy(Cached())
    for name in ("macs", "snip", "synflow"):
        small(name)(Cached(), SHAPE)
