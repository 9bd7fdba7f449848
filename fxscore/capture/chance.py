"""What is drawn at random inside a forward: a constant of the network, drawn once, from a fixed seed.

Noise (`randn_like`, `torch.rand`, `x.normal_()`) is a constant of the batch's shape, different in every row. A draw
whose distribution depends on the input (`bernoulli(p)`, `multinomial`, `normal(mean, std)`) is one operator, which
draws from its own seed whenever it is run. Dropout in any form is inactive, also with `training=True`. Python's and
NumPy's generators are seeded too; those that the forward makes or seeds anew without a seed (`fxscore.capture.seeds`)
take the same one, and those that a module keeps begin there. So one network has one score, and the caller's generators
go on as before. The clock and the operating system's own randomness (`os.urandom`) stay what they are.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from fxscore.capture.seeds import SEED, unseeded_is_seeded
from fxscore.capture.torch_private import set_deterministic

_LIKE = frozenset("rand_like randn_like randint_like".split())
_IN_PLACE = frozenset(
    "normal_ uniform_ exponential_ cauchy_ log_normal_ geometric_ random_ bernoulli_".split()
)
_OF_VALUES = frozenset(
    """bernoulli multinomial normal poisson binomial _standard_gamma _sample_dirichlet gumbel_softmax
    _fractional_max_pool2d fractional_max_pool2d_with_indices _fractional_max_pool3d
    fractional_max_pool3d_with_indices""".split()
)


@contextmanager
def fixed_chance(seed: int = SEED) -> Iterator[None]:
    """Within this context every generator draws from `seed`; afterwards they are as before."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        try:
            with unseeded_is_seeded():
                yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)  # noqa: NPY002


@contextmanager
def unwritten_is_no_number() -> Iterator[None]:
    """Within this context memory that is not written to reads as NaN, also that of `torch.Tensor(3, 4)`.

    By PyTorch's deterministic mode.
    """
    before = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    set_deterministic(True, warn_only=True)
    try:
        yield
    finally:
        set_deterministic(before[0], warn_only=before[1])


def is_noise(func: Any, args: Any, kwargs: Any) -> bool:
    """Whether a call draws from a distribution that no tensor decides, in the shape of its first argument."""
    name = func.__name__
    if name not in _LIKE and name not in _IN_PLACE:
        return False
    others = [*args[1:], *(value for key, value in kwargs.items() if key not in ("input", "self"))]
    return not any(isinstance(value, Tensor) for value in others)


def noise(func: Callable[..., Any], like: Tensor, args: Any, kwargs: dict[str, Any]) -> Tensor:
    """What the call draws, as a real tensor."""
    options = {key: value for key, value in kwargs.items() if key not in ("device", "input", "generator")}
    drawn: Tensor = func(torch.zeros(like.shape, dtype=like.dtype), *args[1:], **options)
    return drawn


def draws_by_value(func: Any, args: Any, kwargs: Any) -> bool:
    """Whether a call draws from a distribution that its tensors decide."""
    name = func.__name__.removesuffix("_")
    return name in _OF_VALUES or (name == "rrelu" and bool(kwargs.get("training", True in args[3:4])))


def drawn(name: str, seed: int, *args: Any, **kwargs: Any) -> Tensor:
    """The function of `torch` or `torch.nn.functional` of this name, drawing from a seed of its own."""
    function = getattr(torch, name, None) or getattr(F, name)
    devices = [value.device for value in args if isinstance(value, Tensor) and value.is_cuda]
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        result: Tensor = function(*args, **kwargs)
    return result
