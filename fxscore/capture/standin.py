"""A copy of a module whose parameters take no memory: what is captured instead of the user's own model."""

from __future__ import annotations

import copy

import torch
from torch import nn

from fxscore.errors import CaptureError


def weightless_copy(model: nn.Module) -> nn.Module:
    """Copy `model` in evaluation mode, with parameters on the meta device and buffers of its own.

    The weights are never read or copied; the model itself is left as it is, whatever its forward does to `self`.

    Raises:
        CaptureError: the module holds something that cannot be copied (a lock, a generator, an open file).
    """
    memo: dict[int, object] = {id(parameter): _meta_parameter(parameter) for parameter in model.parameters()}
    try:
        duplicate = copy.deepcopy(model, memo)
    except Exception as error:  # a user's object may raise anything from __deepcopy__ or __reduce__
        raise CaptureError(
            f"{type(model).__name__} cannot be copied ({type(error).__name__}: {error}); "
            "instead of the instance, give a recipe that builds it (a file with build(), or package.module:callable)"
        ) from error
    return duplicate.eval()


def _meta_parameter(parameter: nn.Parameter) -> nn.Parameter:
    return nn.Parameter(torch.empty_like(parameter, device="meta"), requires_grad=False)
