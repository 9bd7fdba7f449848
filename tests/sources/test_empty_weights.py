"""Weight-free building: which step of the ladder builds what, and that nothing is left behind."""

from __future__ import annotations

import resource
import threading
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from fxscore.capture.empty_weights import build_without_weights, empty_weights
from tests.sources.weight_free_survey import differences


class Constants(nn.Module):
    """Buffers made in the ways that constructors make them, some of them where the weights are."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 5)
        self.scale = nn.Parameter(torch.log(10 * torch.ones(5)))
        weight = self.linear.weight
        self.register_buffer("steps", torch.arange(5, device=weight.device))
        self.register_buffer("zeros", torch.zeros_like(weight))
        self.register_buffer("fresh", weight.new_full((3,), 2.0), persistent=False)
        self.register_buffer("grid", torch.stack(torch.meshgrid(*[torch.arange(3)] * 2, indexing="ij")))
        self.register_buffer("filled", torch.empty(3))
        self.get_buffer("filled").copy_(torch.linspace(0, 1, 3, device=weight.device))
        self.norm = nn.BatchNorm1d(5)


class ReadsValue(nn.Module):
    """A constructor that looks at a weight."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 5)
        self.recurrent = nn.LSTM(4, 5)
        self.total = float(self.linear.weight.detach().sum())
        self.linear.bias.requires_grad = False
        self.register_buffer("ramp", torch.arange(3.0))


class CopiesWeight(nn.Module):
    """A buffer written from a weight."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 5)
        self.register_buffer("start", torch.zeros(5, 4))
        self.get_buffer("start")[1:].copy_(self.linear.weight.detach()[1:])


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(7, 4)
        self.head = nn.Linear(4, 7)
        self.head.weight = self.embed.weight
        self.embed.weight.requires_grad_(False)


class TiedAndRead(Tied):
    def __init__(self) -> None:
        super().__init__()
        self.total = self.embed.weight.sum().item()


class MovesAndCasts(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5))
        self.to("cpu")
        self.layers[0].half()
        self.layers[0].to(torch.device("cpu"), torch.float64)
        weight = self.layers[0].get_parameter("weight")
        self.layers[0].weight = nn.Parameter(weight.cpu().to(torch.ones(2)))


class MixesOperands(nn.Module):
    """Parameters computed from parameters and real tensors together."""

    def __init__(self) -> None:
        super().__init__()
        conv = nn.Conv2d(3, 4, 3)
        mask = torch.ones(4, 3, 3, 3)
        self.masked = nn.Parameter(conv.weight.detach() * mask)
        conv.weight.data[0] = torch.eye(3)[None]
        conv.weight.data.copy_(mask)
        self.stacked = nn.Parameter(torch.cat([torch.zeros(2, 3, 3, 3), conv.weight.detach()]))
        self.picked = nn.Parameter(conv.weight.detach()[torch.tensor([2, 0])])


class WritesOut(nn.Module):
    """`out=` and `.data =` into parameters, which step 2 must not write."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(4, 3))
        torch.mul(torch.ones(4, 3), 2.0, out=self.weight.data)
        self.total = self.weight.sum().item()


def spectral() -> nn.Module:
    return torch.nn.utils.parametrizations.spectral_norm(nn.Linear(4, 5))


def transformer() -> nn.Module:
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), 2, enable_nested_tensor=False)


BUILDERS: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "conv": (lambda: nn.Conv2d(3, 4, 3), "meta"),
    "transposed conv": (lambda: nn.ConvTranspose2d(3, 4, 3), "meta"),
    "bilinear": (lambda: nn.Bilinear(2, 3, 4), "meta"),
    "embedding with padding": (lambda: nn.Embedding(5, 3, padding_idx=1), "meta"),
    "attention": (lambda: nn.MultiheadAttention(8, 2, kdim=4, vdim=4, add_bias_kv=True), "meta"),
    "copied layers": (transformer, "meta"),
    "recurrent": (lambda: nn.GRU(3, 4, 2, bidirectional=True), "meta"),
    "weight norm": (lambda: torch.nn.utils.parametrizations.weight_norm(nn.Linear(3, 4)), "meta"),
    "half precision": (lambda: nn.Linear(3, 4, dtype=torch.float16), "meta"),
    "channels last": (lambda: nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last), "meta"),
    "constants": (Constants, "meta"),
    "tied": (Tied, "meta"),
    "moves and casts": (MovesAndCasts, "meta"),
    "mixed operands": (MixesOperands, "meta"),
    "reads a value": (ReadsValue, "zeros"),
    "tied and read": (TiedAndRead, "zeros"),
    "writes out": (WritesOut, "zeros"),
    "spectral norm": (spectral, "ordinary"),
    "copies a weight": (CopiesWeight, "ordinary"),
}
RANDOM_BUFFERS = ("spectral norm", "copies a weight")  # computed from random weights: equal in shape only


@pytest.mark.parametrize("name", BUILDERS)
def test_each_builder_takes_its_step_and_gives_what_an_ordinary_build_gives(name: str) -> None:
    build, step = BUILDERS[name]
    free = build_without_weights(build)
    assert free.step == step
    assert not free.module.training
    found = list(differences(build(), free.module))
    if name in RANDOM_BUFFERS:
        found = [difference for difference in found if not difference.startswith("buffer ")]
        assert all(not buffer.is_meta and buffer.any() for buffer in free.module.buffers())
    assert found == []


def test_a_recurrent_layer_holds_its_new_parameters_in_its_own_list_too() -> None:
    module = build_without_weights(ReadsValue).module
    assert isinstance(module, ReadsValue)
    assert module.total == 0.0
    assert [id(w) for w in module.recurrent._flat_weights] == [id(p) for p in module.recurrent.parameters()]


def test_a_lazy_parameter_stays_as_it_is() -> None:
    free = build_without_weights(lambda: nn.LazyLinear(3))
    assert isinstance(free.module.weight, nn.UninitializedParameter)


def test_a_weight_larger_than_any_memory_costs_none() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    module = build_without_weights(lambda: nn.Linear(10**6, 10**6)).module
    assert module.get_parameter("weight").numel() == 10**12
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**15  # KiB


def test_the_zeros_step_takes_no_memory_either() -> None:
    def build() -> nn.Module:
        module = nn.Linear(20_000, 20_000)  # 1.6 GB
        assert float(module.weight.detach()[0, 0]) == 0.0
        return module

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert build_without_weights(build).step == "zeros"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**16


def test_the_builders_own_error_is_raised_as_it_is_and_soon() -> None:
    calls: list[None] = []

    def build() -> nn.Module:
        calls.append(None)
        raise ValueError("width must be even")

    with pytest.raises(ValueError, match="width must be even"):
        build_without_weights(build)
    assert len(calls) == 2


def test_outside_the_context_parameters_are_real_again() -> None:
    original = nn.Parameter.__dict__["__new__"]
    with empty_weights():
        inner = nn.Linear(2, 3)
        with empty_weights():
            pass
        still = nn.Parameter(torch.ones(2))
    assert inner.weight.is_meta
    assert still.is_meta
    assert nn.Parameter.__dict__["__new__"] is original
    assert torch.equal(nn.Parameter(torch.ones(2)), torch.ones(2))


def test_an_error_inside_restores_everything() -> None:
    original = nn.Parameter.__dict__["__new__"]
    with pytest.raises(KeyError), empty_weights():
        raise KeyError("mine")
    assert nn.Parameter.__dict__["__new__"] is original
    assert nn.Linear(2, 2).weight.device.type == "cpu"
    assert inner_device_of_a_new_context() == "meta"


def inner_device_of_a_new_context() -> str:
    with empty_weights():
        module = nn.Linear(2, 2)
    return module.weight.device.type


def test_other_threads_keep_their_weights() -> None:
    """One thread leaves its context while the other is still inside, in either order."""
    entered, leave = threading.Barrier(2), [threading.Event(), threading.Event()]
    inside: list[bool] = []

    def build(number: int) -> None:
        with empty_weights():
            entered.wait(10)
            leave[number].wait(10)
            inside.append(nn.Linear(2, 2).weight.is_meta)

    threads = [threading.Thread(target=build, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    here: list[Tensor] = []
    for thread, event in zip(threads, leave, strict=True):
        here.append(nn.Linear(2, 2).weight)
        event.set()
        thread.join(10)
    assert inside == [True, True]
    assert all(weight.device.type == "cpu" for weight in here)
    assert nn.Linear(2, 2).weight.device.type == "cpu"


def test_a_module_built_weight_free_can_be_copied_and_run_on_meta() -> None:
    module = build_without_weights(transformer).module
    assert module(torch.empty(2, 5, 8, device="meta")).shape == (2, 5, 8)


class Drawn(nn.Module):
    """Draws its weights step by step, as timm does."""

    def __init__(self, size: tuple[int, ...], nonlinearity: str = "relu") -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(size))
        nn.init.kaiming_uniform_(self.weight, nonlinearity=nonlinearity)  # type: ignore[arg-type]
        with torch.no_grad():
            self.drawn = self.weight.uniform_(-1, 1).erfinv_().mul_(0.02).add_(1.0).clamp_(-2, 2)


def test_what_draws_a_weight_without_data_gives_the_weight() -> None:
    built = build_without_weights(lambda: Drawn((4, 3)))
    assert built.step == "meta"
    assert built.module.drawn is built.module.weight


@pytest.mark.parametrize("arguments", [((3,), "relu"), ((3, 2), "no such function")])
def test_an_initialisation_that_pytorch_refuses_is_refused(arguments: tuple[tuple[int, ...], str]) -> None:
    with pytest.raises(ValueError, match=r"Fan in|nonlinearity"), empty_weights():
        Drawn(*arguments)


class Unguarded(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(3))
        self.weight.zero_()


def test_a_parameter_that_is_written_to_with_gradients_on_is_refused_as_by_pytorch() -> None:
    with pytest.raises(RuntimeError, match="leaf Variable"), empty_weights():
        Unguarded()
