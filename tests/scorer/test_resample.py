from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample as scipy_resample
from torch import Tensor

from fxscore.input_like import resample
from fxscore.types import Shape

lengths = st.integers(1, 17)
planes = st.tuples(st.integers(1, 4), lengths, lengths)


def noise(*shape: int) -> Tensor:
    return torch.randn(2, *shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=torch.double)


@settings(max_examples=40)
@given(before=planes, after=planes)
def test_each_axis_is_resampled_as_scipy_does(before: Shape, after: Shape) -> None:
    found = resample(noise(*before), after)
    expected = noise(*before).numpy()
    for axis, length in enumerate(after, start=1):
        expected = scipy_resample(expected, length, axis=axis)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-10)


@settings(max_examples=20)
@given(shape=planes, times=st.integers(2, 4))
def test_a_finer_grid_goes_through_the_points_of_the_coarse_one(shape: Shape, times: int) -> None:
    channels, height, width = shape
    fine = resample(noise(*shape), (channels, times * height, times * width))
    torch.testing.assert_close(fine[:, :, ::times, ::times], noise(*shape))


@settings(max_examples=20)
@given(shape=planes, more=st.tuples(*(st.integers(0, 9),) * 3))
def test_there_and_back_again(shape: Shape, more: Shape) -> None:
    larger = tuple(length + extra for length, extra in zip(shape, more, strict=True))
    torch.testing.assert_close(resample(resample(noise(*shape), larger), shape), noise(*shape))


@settings(max_examples=20)
@given(shape=planes, factor=st.floats(-3, 3))
def test_it_is_linear_and_keeps_means_and_constants(shape: Shape, factor: float) -> None:
    first, second = noise(3, 8, 8), noise(3, 8, 8).flip(0)
    joint = resample(first + factor * second, shape)
    torch.testing.assert_close(joint, resample(first, shape) + factor * resample(second, shape))
    torch.testing.assert_close(joint.mean((1, 2, 3)), (first + factor * second).mean((1, 2, 3)))
    torch.testing.assert_close(resample(torch.full((2, 3, 8, 8), 0.7), shape), torch.full((2, *shape), 0.7))


def test_the_shape_in_which_it_is_stored_is_left_alone() -> None:
    stored = noise(3, 8, 8)
    assert resample(stored, (3, 8, 8)) is stored


def test_other_ranks() -> None:
    stored = noise(3, 4, 4)
    assert torch.equal(resample(stored, (3, 16)), stored.flatten(2))
    assert resample(stored, (5,)).shape == (2, 5)
    video = resample(stored, (3, 6, 4, 4))
    torch.testing.assert_close(video, stored[:, :, None].expand(2, 3, 6, 4, 4))


@settings(max_examples=10)
@given(shape=planes)
def test_the_gradient_is_that_of_a_linear_map(shape: Shape) -> None:
    stored = noise(3, 4, 6).requires_grad_()
    slope = noise(*shape)
    (gradient,) = torch.autograd.grad((resample(stored, shape) * slope).sum(), stored)
    change = noise(3, 4, 6).flip(1)
    along = (resample(change, shape) * slope).sum()
    torch.testing.assert_close((gradient * change).sum(), along)
