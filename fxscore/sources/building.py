"""From a model reference to a built module, weight-free or with random weights."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from fxscore.errors import ModelRefError
from fxscore.sources.base import Built, Recipe
from fxscore.sources.blame import foreign_code
from fxscore.sources.registry import source_of
from fxscore.types import ModelRef

if TYPE_CHECKING:
    from torch import nn


def build(ref: ModelRef, *, weights: bool = False, seed: int = 0) -> Built:
    """Build the network that a reference stands for; nothing is downloaded.

    Args:
        ref: one reference, not a pattern.
        weights: False builds weight-free (`fxscore.capture.empty_weights`); True initialises at random.
        seed: of the initialisation, and of whatever else the constructor draws. The random generators of
            torch, numpy and Python are as before afterwards.

    Returns:
        The network in eval mode and the shape of its input.

    Raises:
        ModelRefError: in one line what is missing or failed, where, and what would fit.
    """
    with seeded(seed), same_folder():
        recipe = source_of(ref).recipe(ref)
        with foreign_code(str(ref), recipe.path):
            module, step = _build(ref, recipe, weights)
    resized = None if recipe.resized is None else partial(_resized, ref, recipe, seed)
    return Built(module, recipe.input_shape(module), ref, step, resized)


def _resized(ref: ModelRef, recipe: Recipe, seed: int, size: tuple[int, int]) -> nn.Module:
    from fxscore.capture.empty_weights import build_without_weights

    make = recipe.resized
    assert make is not None
    with seeded(seed), same_folder(), foreign_code(str(ref), recipe.path):
        return build_without_weights(lambda: _checked(ref, make(size))).module


def _build(ref: ModelRef, recipe: Recipe, weights: bool) -> tuple[nn.Module, str]:
    from fxscore.capture.empty_weights import build_without_weights
    from fxscore.capture.modes import evaluating

    if weights:
        return evaluating(_checked(ref, recipe.make())), "with weights"
    built = build_without_weights(lambda: _checked(ref, recipe.make()))
    return built.module, built.step


def _checked(ref: ModelRef, built: object) -> nn.Module:
    from torch import nn

    if isinstance(built, nn.Module):
        return built
    raise ModelRefError(f"{ref}: the builder returned {type(built).__name__}, not an nn.Module")


@contextmanager
def same_folder() -> Iterator[None]:
    """Whatever folder the code within changes to, relative names mean the same files afterwards."""
    before = os.getcwd()
    try:
        yield
    finally:
        os.chdir(before)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Within this context torch, numpy and Python draw from `seed`; outside they go on as before."""
    import numpy as np
    import torch

    from fxscore.capture.seeds import unseeded_is_seeded

    python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002 - foreign code uses it
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002
        try:
            with unseeded_is_seeded():
                yield
        finally:
            random.setstate(python_state)
            np.random.set_state(numpy_state)  # noqa: NPY002
