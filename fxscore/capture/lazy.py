"""Lazy modules get their shapes from a dry run at the network's own input."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter, is_lazy

from fxscore.capture.chance import fixed_chance
from fxscore.capture.modes import evaluating
from fxscore.capture.torch_private import DisableTorchFunction, parameters_of, tensors_of
from fxscore.types import Shape


def has_shape(tensor: Tensor) -> bool:
    """Whether a parameter or buffer has its shape already."""
    return not is_lazy(tensor)


def has_lazy_parts(model: nn.Module) -> bool:
    """Whether a parameter or buffer of the model has no shape yet."""
    return any(
        tensor is not None and is_lazy(tensor) for module in model.modules() for tensor in tensors_of(module)
    )


def initialised(model: nn.Module, input_shape: Shape) -> nn.Module:
    """`model`; where it has lazy modules, a copy whose weights one eager forward has drawn, from a fixed seed."""
    if has_lazy_parts(model):
        memo = {id(buffer): new_buffer(buffer) for buffer in model.buffers() if is_lazy(buffer)}
        model = evaluating(copy.deepcopy(model, memo))
        with torch.no_grad(), fixed_chance():
            model(torch.zeros(2, *input_shape))
    return model


def new_buffer(buffer: Any) -> Tensor:
    """Another buffer without a shape, for a copy: PyTorch cannot copy one."""
    fresh: Tensor = UninitializedBuffer(False, "cpu", buffer.data.dtype)  # type: ignore[arg-type]
    return fresh


def prepare_dry_run(model: nn.Module) -> None:
    """Let the lazy modules of `model` take their shapes from the next forward, without weights, seen by no recorder."""
    for module in model.modules():
        if isinstance(module, LazyModuleMixin) and module.has_uninitialized_params():
            _make_weightless(module)
            module.__dict__["initialize_parameters"] = _unseen(module.initialize_parameters)


def _make_weightless(module: Any) -> None:
    """Parameters come to life on the meta device; buffers are real, as everywhere."""
    for name, parameter in list(parameters_of(module).items()):
        if isinstance(parameter, UninitializedParameter):
            dtype = parameter.data.dtype
            parameters_of(module)[name] = UninitializedParameter(False, "meta", dtype)  # type: ignore[arg-type, call-arg]


def _unseen(initialise: Callable[..., None]) -> Callable[..., None]:
    def initialise_unseen(*args: Any, **kwargs: Any) -> None:
        with DisableTorchFunction():
            initialise(*args, **kwargs)

    return initialise_unseen
