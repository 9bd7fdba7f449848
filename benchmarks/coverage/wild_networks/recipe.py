"""How one network of a package is built, what it takes, and in what its variant differs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

Options = Mapping[str, Any]


@dataclass(frozen=True)
class Recipe:
    """A small network of a package, and a variant of it.

    Attributes:
        package: its name on PyPI.
        make: builds the network with keyword arguments.
        inputs: what the network takes, for one example.
        options: the keyword arguments.
        changed: those that the variant has instead: a width, a kernel or a depth.
        by_value: why its control flow depends on values of its input, so that no graph stands for it; else empty.
    """

    package: str
    make: Callable[..., nn.Module]
    inputs: Any
    options: Options = field(default_factory=dict)
    changed: Options = field(default_factory=dict)
    by_value: str = ""

    def build(self, changed: bool = False) -> nn.Module:
        """The network with its inputs as `example_input_array`, or its variant."""
        module = self.make(**{**self.options, **(self.changed if changed else {})})
        module.example_input_array = self.inputs
        return module


def table(package: str, inputs: Any, rows: Mapping[str, tuple[Any, ...]]) -> dict[str, Recipe]:
    """Recipes of one package that take the same inputs; a row is (make, options, changed)."""
    return {name: Recipe(package, make, inputs, *rest) for name, (make, *rest) in rows.items()}


def image(size: int = 64, channels: int = 3) -> Tensor:
    """One square image."""
    return torch.zeros(1, channels, size, size)


def volume(size: int = 32, channels: int = 1) -> Tensor:
    """One cube of voxels."""
    return torch.zeros(1, channels, size, size, size)


def tokens(length: int = 16, vocabulary: int = 100) -> Tensor:
    """One row of token ids, the largest of the vocabulary among them."""
    ids = torch.arange(length).remainder(vocabulary)[None]
    ids[0, 0] = vocabulary - 1
    return ids


class Wrapped(nn.Module):
    """A network called as `forward` says, where its own signature takes more than tensors."""

    def __init__(self, inner: nn.Module, forward: Callable[..., Any]) -> None:
        super().__init__()
        self.inner = inner
        self._forward = forward

    def forward(self, *args: Any, **named: Any) -> Any:
        return self._forward(self.inner, *args, **named)
