"""Generators of random numbers that were given no seed: they take one, in the threads that record.

Python, NumPy and PyTorch ask the operating system where no seed is given. While a forward is recorded the functions
that ask are replaced. All of NumPy asks through `numpy.random.bit_generator.randbits`, as seen in NumPy 1.26 and 2.4.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

SEED = 0
_LOCK = threading.Lock()
_RECORDING: list[int] = []  # threads, once for every context that they are in
_RANDBITS: Any = getattr(np.random.bit_generator, "randbits", None)
_RANDOM_SEED, _PYTHON_SEED, _TORCH_SEED = random.Random.seed, random.seed, torch.seed


def _randbits(bits: int) -> int:
    return SEED if _records() else _RANDBITS(bits)


def _random_seed(generator: random.Random, a: Any = None, version: int = 2) -> None:
    _RANDOM_SEED(generator, SEED if a is None and _records() else a, version)


def _python_seed(a: Any = None, version: int = 2) -> None:
    _PYTHON_SEED(SEED if a is None and _records() else a, version)


def _torch_seed() -> int:
    return torch.default_generator.manual_seed(SEED).initial_seed() if _records() else _TORCH_SEED()


# (where, name, as it is, what takes its place)
_REPLACED: tuple[tuple[Any, str, Any, Callable[..., Any]], ...] = (
    (np.random.bit_generator, "randbits", _RANDBITS, _randbits),
    (random.Random, "seed", _RANDOM_SEED, _random_seed),
    (random, "seed", _PYTHON_SEED, _python_seed),
    (torch, "seed", _TORCH_SEED, _torch_seed),
    (torch.random, "seed", _TORCH_SEED, _torch_seed),
)


@contextmanager
def unseeded_is_seeded() -> Iterator[None]:
    """Within this context, in this thread, what the operating system would seed is seeded by `SEED`."""
    thread = threading.get_ident()
    with _LOCK:
        _RECORDING.append(thread)
        for place, name, _, ours in _REPLACED:
            setattr(place, name, ours)
    try:
        yield
    finally:
        with _LOCK:
            _RECORDING.remove(thread)
            for place, name, theirs, _ in () if _RECORDING else _REPLACED:
                setattr(place, name, theirs)


def is_generator(value: object) -> bool:
    """Whether a value draws random numbers from a state of its own."""
    kinds = (torch.Generator, np.random.Generator, np.random.RandomState, random.Random)
    return isinstance(value, kinds) and not isinstance(value, random.SystemRandom)


def new_generator(value: Any) -> Any:
    """A generator of the same kind that begins at `SEED`."""
    if isinstance(value, torch.Generator):
        return torch.Generator().manual_seed(SEED)
    if isinstance(value, np.random.Generator):
        return np.random.Generator(type(value.bit_generator)(SEED))
    return type(value)(SEED)


def _records() -> bool:
    return threading.get_ident() in _RECORDING
