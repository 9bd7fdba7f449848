"""What a handcrafted proxy is: a frozen object that gives one readable number per network.

A larger value means a better network, as the proxy's authors claim it; values compare only within one
`scorer_id`, one input shape and one version of torch. Every proxy states its `source` and its `tie_rule`;
tied networks share the average of their ranks in every correlation, and keep their order in a ranking.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import ClassVar, Protocol, runtime_checkable

import torch
from torch import nn

from fxscore.errors import ScorerError
from fxscore.types import Shape


@runtime_checkable
class Proxy(Protocol):
    """A score of an untrained network, larger is better."""

    @property
    def scorer_id(self) -> str:
        """The name with every setting that the value depends on."""

    @property
    def needs_weights(self) -> bool:
        """False where a module with meta-device parameters will do."""

    def __call__(self, module: nn.Module, input_shape: Shape) -> float:
        """Score `module` for inputs of `input_shape` (C, H, W), without the batch.

        Raises:
            ScorerError: The value is not finite, or the proxy does not apply to the network.
        """


@dataclass(frozen=True)
class BaseProxy(ABC):
    """A proxy whose settings are dataclass fields; subclasses give `measure`."""

    name: ClassVar[str]
    source: ClassVar[str]
    tie_rule: ClassVar[str]
    needs_weights: ClassVar[bool] = True

    @property
    def scorer_id(self) -> str:
        """`name(field=value,…)`: equal identifiers mean comparable values."""
        settings = ",".join(f"{field.name}={getattr(self, field.name)}" for field in fields(self))
        return f"{self.name}({settings})" if settings else self.name

    @abstractmethod
    def measure(self, module: nn.Module, input_shape: Shape) -> float:
        """The value, which `__call__` checks; `module` must come out as it went in."""

    def __call__(self, module: nn.Module, input_shape: Shape) -> float:
        """The proxy's value of `module`; raises `ScorerError` where it is not finite."""
        return self.checked(module, input_shape, lambda: self.measure(module, tuple(input_shape)))

    def checked(self, module: nn.Module, input_shape: Shape, measure: Callable[[], float]) -> float:
        """What `measure` returns for `module`; raises `ScorerError`, with both names, where it is not finite."""
        try:
            # A caller's inference mode would leave tensors that no gradient can pass.
            with torch.inference_mode(False):
                value = measure()
        except ScorerError as error:
            raise ScorerError(f"{self.name} of {network_name(module)}: {error}") from None
        if not math.isfinite(value):
            raise ScorerError(
                f"{self.name} of {network_name(module)} at input {tuple(input_shape)} is {value}: the network "
                "does not pass its input on, or its activations overflow; use another proxy"
            )
        return value


def network_name(module: nn.Module) -> str:
    """The dotted path of the module's class."""
    kind = type(module)
    return f"{kind.__module__}.{kind.__qualname__}"


def resized(input_shape: Shape, resolution: int | None) -> Shape:
    """`input_shape` (C, …, H, W) with H and W replaced by `resolution`, if one is given."""
    if resolution is None:
        return input_shape
    if len(input_shape) < 3:
        raise ScorerError(f"resolution={resolution} needs an input (C, H, W), not {input_shape}")
    return (*input_shape[:-2], resolution, resolution)
