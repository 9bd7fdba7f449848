from __future__ import annotations

import numpy as np
import pytest
import torch

from fxscore.proxies.inputs import random_images, random_labels


def test_images_have_unit_variance_and_the_asked_spectrum() -> None:
    for spectrum in (0.0, 1.0, 1.5):
        images = random_images(64, (3, 32, 32), 0, spectrum)
        assert images.std() == pytest.approx(1, abs=0.02)
        amplitudes = torch.fft.fft2(images).abs().square().mean((0, 1)).sqrt()[0, 1:16].numpy()
        slope = np.polyfit(np.log(np.arange(1, 16)), np.log(amplitudes), 1)[0]
        assert slope == pytest.approx(-spectrum, abs=0.1)


@pytest.mark.parametrize("shape", [(5,), (3, 16), (3, 8, 12), (2, 4, 8, 8)])
def test_any_number_of_axes(shape: tuple[int, ...]) -> None:
    assert random_images(4, shape, 0, 1.0).shape == (4, *shape)


def test_equal_seeds_give_equal_draws() -> None:
    assert torch.equal(random_images(2, (3, 4, 4), 5, 1.0), random_images(2, (3, 4, 4), 5, 1.0))
    assert not torch.equal(random_images(2, (3, 4, 4), 5, 1.0), random_images(2, (3, 4, 4), 6, 1.0))
    assert set(random_labels(200, 3, 0).tolist()) == {0, 1, 2}
