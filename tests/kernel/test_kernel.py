from __future__ import annotations

import copy
from collections.abc import Callable
from math import prod, sqrt

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from fxscore.kernel import FourierKernel, TrainableWeights, WeightCache, kaiming_scale
from fxscore.types import Shape

sizes = st.integers(1, 9)
weight_shapes = st.tuples(st.integers(1, 8), st.integers(1, 6), sizes, sizes)
shapes = st.one_of(weight_shapes, st.tuples(st.integers(1, 90)))


def kernel(n_in: int = 4, n_out: int = 6, size: int = 3, seed: int = 0) -> FourierKernel:
    return FourierKernel(n_in, n_out, size, torch.Generator().manual_seed(seed))


def plain_weight(maps: np.ndarray, shape: Shape) -> np.ndarray:
    """Steps 1 to 3 of METHOD.md section 1, one after the other, in numpy."""
    out, within, kh, kw = shape
    spectra = np.fft.fft2(maps, s=(kh, kw), axes=(1, 2), norm="ortho")
    along = np.fft.fft(spectra, n=out * within, axis=0, norm="ortho")
    weight = np.abs(along)
    for before, after in zip(maps.shape, (out * within, kh, kw), strict=True):
        if before < after:
            weight = weight / np.sqrt(before / after)
    return weight.reshape(shape)


@settings(max_examples=30)
@given(shape=weight_shapes, n_in=st.integers(1, 6), n_out=st.integers(1, 6), size=st.integers(1, 7))
def test_weights_follow_the_three_steps(shape: Shape, n_in: int, n_out: int, size: int) -> None:
    source = kernel(n_in, n_out, size)
    expected = plain_weight(source.maps.detach().double().numpy(), shape)
    np.testing.assert_allclose(source.synthesise(shape).detach().numpy(), expected, rtol=1e-4, atol=1e-5)


@settings(max_examples=30)
@given(length=st.integers(1, 90), n_out=st.integers(1, 40))
def test_biases_follow_the_same_rule(length: int, n_out: int) -> None:
    source = kernel(n_out=n_out)
    spectrum = np.fft.fft(source.biases.detach().double().numpy(), n=length, norm="ortho")
    expected = np.abs(spectrum) / (np.sqrt(n_out / length) if n_out < length else 1)
    np.testing.assert_allclose(source.synthesise((length,)).detach().numpy(), expected, rtol=1e-4, atol=1e-5)


def energies(shape: Shape, n: int, size: int, draws: int) -> Tensor:
    """|W|² of `shape` from many kernels of i.i.d. zero-mean maps, (draws,) means over the elements."""
    found = []
    for seed in range(draws):
        source = kernel(n, 1, size, seed)
        found.append(source.synthesise(shape).detach().double().square().mean())
    return torch.stack(found)


@settings(max_examples=12)
@given(
    out=st.integers(1, 24),
    within=st.integers(1, 8),
    kh=sizes,
    kw=sizes,
    n=st.integers(2, 48),
    size=st.integers(1, 7),
)
def test_the_energy_of_a_weight_does_not_depend_on_its_shape(
    out: int, within: int, kh: int, kw: int, n: int, size: int
) -> None:
    found = energies((out, within, kh, kw), n, size, draws=24)
    error = float(found.std()) / sqrt(len(found))
    assert abs(float(found.mean()) - 1) < 5 * error + 1e-3


@settings(max_examples=15)
@given(before=st.integers(1, 40), after=st.integers(1, 80))
def test_equation_2_energy_of_an_orthonormal_dft(before: int, after: int) -> None:
    """E|X|² = min(1, N / K) · E|x|² for zero-mean i.i.d. values, before the correction."""
    values = torch.randn(2000, before, generator=torch.Generator().manual_seed(before), dtype=torch.double)
    power = torch.fft.fft(values, n=after, norm="ortho").abs().square().mean(1)
    error = float(power.std()) / sqrt(len(power))
    assert abs(float(power.mean()) - min(1.0, before / after)) < 5 * error


@settings(max_examples=25)
@given(shape=weight_shapes)
def test_magnitudes_are_conjugate_symmetric(shape: Shape) -> None:
    out, within, kh, kw = shape
    weight = kernel().synthesise(shape).detach().reshape(out * within, kh, kw)
    mirrored = torch.roll(weight.flip((0, 1, 2)), (1, 1, 1), (0, 1, 2))
    torch.testing.assert_close(weight, mirrored, rtol=1e-4, atol=1e-5)


@settings(max_examples=25)
@given(shape=shapes)
def test_weights_are_finite_not_negative_and_depend_on_the_shape_alone(shape: Shape) -> None:
    weight = kernel().synthesise(shape)
    assert weight.shape == shape
    assert bool(weight.isfinite().all())
    assert bool((weight >= 0).all())
    assert torch.equal(weight, kernel().synthesise(shape))


@settings(max_examples=25)
@given(shape=shapes)
def test_gradients_are_finite_also_where_magnitudes_vanish(shape: Shape) -> None:
    source = kernel()
    with torch.no_grad():
        source.maps.zero_()
        source.biases.zero_()
    torch.autograd.backward(source.synthesise(shape).sum())
    assert all(bool(p.grad.isfinite().all()) for p in source.parameters() if p.grad is not None)


@settings(max_examples=25)
@given(shape=weight_shapes)
def test_kaiming_scale_is_sqrt_two_over_fan_in(shape: Shape) -> None:
    fan_in, _ = torch.nn.init._calculate_fan_in_and_fan_out(torch.empty(shape))
    assert kaiming_scale(shape) == pytest.approx(sqrt(2 / fan_in))
    assert kaiming_scale(shape[:1]) == 1


# -- the cache ------------------------------------------------------------------------------------------------------


class Counting(FourierKernel):
    """Writes down what is synthesised."""

    def synthesise(self, shape: Shape) -> Tensor:
        self.__dict__.setdefault("asked", []).append(shape)
        return super().synthesise(shape)

    @property
    def count(self) -> int:
        return len(self.__dict__.get("asked", []))


@settings(max_examples=15)
@given(asked=st.lists(shapes, max_size=5), kaiming=st.booleans())
def test_a_shape_is_synthesised_once(asked: list[Shape], kaiming: bool) -> None:
    source = Counting(4, 6)
    cache = WeightCache(source, kaiming=kaiming)
    for shape in asked * 2:
        scale = kaiming_scale(shape) if kaiming else 1.0
        torch.testing.assert_close(cache[shape], FourierKernel.synthesise(source, shape).detach() * scale)
        assert not cache[shape].requires_grad
    assert source.count == len(set(asked)) == len(cache)


@settings(max_examples=20)
@given(asked=st.lists(weight_shapes, min_size=1, max_size=8), limit=st.integers(0, 4000))
def test_the_cache_is_bounded(asked: list[Shape], limit: int) -> None:
    cache = WeightCache(kernel(), max_bytes=limit)
    for shape in asked:
        assert cache[shape].shape == shape
        assert sum(4 * prod(kept) for kept in cache) <= limit


def test_the_least_recently_used_weight_is_forgotten() -> None:
    source = Counting(4, 6)
    cache = WeightCache(source, max_bytes=4 * 3 * 8)
    first, second, third, fourth = (8,), (1, 8, 1, 1), (2, 4, 1, 1), (4, 2, 1, 1)
    for shape in (first, second, third, first, fourth):
        cache[shape]
    assert list(cache) == [third, first, fourth]


def step(source: FourierKernel) -> None:
    optimiser = torch.optim.Adam(source.parameters(), lr=0.1)
    torch.autograd.backward(source.synthesise((2, 3, 3, 3)).sum())
    optimiser.step()


CHANGES: dict[str, Callable[[FourierKernel], object]] = {
    "an optimiser's step": step,
    "load_state_dict": lambda source: source.load_state_dict(kernel(seed=9).state_dict()),
    "a change in place": lambda source: source.maps.detach().mul_(2),
    "another tensor": lambda source: setattr(source.maps, "data", torch.ones_like(source.maps)),
    "another parameter": lambda source: setattr(
        source, "maps", torch.nn.Parameter(torch.ones_like(source.maps))
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_cache_follows_the_parameters(change: str) -> None:
    source = kernel()
    cache = WeightCache(source)
    before = cache[(2, 3, 3, 3)].clone()
    CHANGES[change](source)
    after = cache[(2, 3, 3, 3)]
    assert not torch.equal(before, after)
    assert torch.equal(after, source.synthesise((2, 3, 3, 3)).detach())


def test_copies_of_a_cache_start_empty() -> None:
    cache = WeightCache(kernel())
    cache[(2, 3, 3, 3)]
    duplicate = copy.deepcopy(cache)
    assert len(duplicate) == 0
    assert torch.equal(duplicate[(2, 3, 3, 3)], cache[(2, 3, 3, 3)])


# -- gradients ------------------------------------------------------------------------------------------------------


@settings(max_examples=15)
@given(uses=st.lists(shapes, min_size=1, max_size=5), kaiming=st.booleans(), seed=st.integers(0, 9))
def test_one_synthesis_per_shape_gives_the_gradient_of_one_per_layer(
    uses: list[Shape], kaiming: bool, seed: int
) -> None:
    """Layers of one shape share a synthesis in `TrainableWeights`; autograd through every layer's own agrees."""
    generator = torch.Generator().manual_seed(seed)
    slopes = [torch.randn(shape, generator=generator) for shape in uses]
    shared, own = kernel(), kernel()
    weights = TrainableWeights(shared, kaiming=kaiming)
    for shape, slope in zip(uses, slopes, strict=True):
        torch.autograd.backward((weights[shape].sin() * slope).sum())
    weights.backward()
    losses = []
    for shape, slope in zip(uses, slopes, strict=True):
        scale = kaiming_scale(shape) if kaiming else 1.0
        losses.append(((own.synthesise(shape) * scale).sin() * slope).sum())
    torch.autograd.backward(losses)
    for one, other in zip(shared.parameters(), own.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-4)
    assert len(weights) == len(set(uses))


def test_unused_weights_get_no_gradient() -> None:
    source = kernel()
    weights = TrainableWeights(source)
    weights[(2, 3, 3, 3)]
    weights.backward()
    assert source.maps.grad is None


@pytest.mark.parametrize("shape", [(30, 97, 1, 1), (12, 50, 7, 5), (61, 67, 3, 3), (1021,)])
def test_a_long_transform_equals_the_plain_one(shape: Shape, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = FourierKernel(8, 8, 5)
    plain = kernel.synthesise(shape)
    monkeypatch.setattr("fxscore.kernel.LONG", 100)
    monkeypatch.setattr("fxscore.kernel._ROWS", 3)
    torch.testing.assert_close(kernel.synthesise(shape), plain, rtol=1e-5, atol=1e-6)
    source = kernel.biases if len(shape) == 1 else kernel.maps
    kernel.synthesise(shape).sum().backward()  # type: ignore[no-untyped-call]
    assert source.grad is not None
    assert source.grad.isfinite().all()
