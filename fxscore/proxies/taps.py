"""Finds a network's convolution and linear weights as they are used, and can step in at those calls.

A function mode sees every call of torch's public functions: of modules, of `F.conv2d` on a bare parameter, of
weights that were standardised first. What torch's own attention function does inside is seen as one call with
its projection weights. Recurrent layers are not seen.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

CONVOLUTIONS = frozenset(getattr(torch, f"conv{kind}{n}d") for kind in ("", "_transpose") for n in (1, 2, 3))
PRODUCTS = frozenset(
    getattr(owner, name)
    for owner in (torch, Tensor)
    for name in ("matmul", "mm", "bmm", "einsum", "__matmul__", "__rmatmul__")
    if hasattr(owner, name)
)
_PROJECTIONS = ("in_proj_weight", "out_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight")
BATCH_NORMS = frozenset((F.batch_norm, torch.batch_norm))


class Unfused(TorchFunctionMode):
    """Changes nothing; but while any function mode is active, torch runs transformer layers operator by operator.

    Its fused layer, taken in eval mode without gradients, hides the operators within.
    """

    def __torch_function__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run one function."""
        return func(*args, **(kwargs or {}))


class WeightTap(TorchFunctionMode):
    """Collects in `weights` every weight tensor that a convolution or linear call uses, each once."""

    def __init__(self) -> None:
        super().__init__()
        self._found: dict[int, Tensor] = {}

    @property
    def weights(self) -> list[Tensor]:
        """The weights in the order of their first use; part of the autograd graph of the output."""
        return list(self._found.values())

    def __torch_function__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run one function; note its weights."""
        used = used_weights(func, args, kwargs or {})
        self._found.update((id(weight), weight) for weight in used if weight.requires_grad)
        result = self.run(func, args, kwargs or {})
        return self.changed(func, result, used) if used else result

    def run(self, func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Call the function; a subclass may do otherwise."""
        return func(*args, **kwargs)

    def changed(self, func: Any, result: Any, weights: Sequence[Tensor]) -> Any:
        """What the call of `func` that used `weights` shall return."""
        return result


def used_weights(func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Tensor]:
    """The weight tensors of one convolution, linear or attention call; empty for any other."""
    if func in CONVOLUTIONS or func is F.linear:
        return [kwargs["weight"] if "weight" in kwargs else args[1]]
    if func is F.multi_head_attention_forward:
        return _attention_weights(args, kwargs)
    if func in PRODUCTS:
        return [arg for arg in (*args, *kwargs.values()) if isinstance(arg, nn.Parameter) and arg.dim() > 1]
    return []


def _attention_weights(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Tensor]:
    given = inspect.signature(F.multi_head_attention_forward).bind(*args, **kwargs).arguments
    return [given[name] for name in _PROJECTIONS if given.get(name) is not None]


class BatchNormFree(WeightTap):
    """Also lets the input of every BatchNorm pass as it is."""

    def run(self, func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        if func in BATCH_NORMS:
            return args[0] if args else kwargs["input"]
        return super().run(func, args, kwargs)


class TwiceDifferentiable(WeightTap):
    """Also spells hard sigmoid out, the one activation that torch differentiates only once."""

    def run(self, func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        if func is F.hardsigmoid:
            value: Tensor = args[0] if args else kwargs["input"]
            return (value / 6 + 0.5).clamp(0, 1)
        return super().run(func, args, kwargs)
