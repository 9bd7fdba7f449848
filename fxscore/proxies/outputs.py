"""The main tensor of whatever a network returns, and class logits made of it.

The main tensor is the output itself; in a mapping the entry `logits` or `out`, else the first; in a tuple,
list or object with fields the first that holds a floating tensor. Logits average every axis but batch and
channel (METHOD.md section 2): the channel is axis 1, or the last of a token sequence (B, N, C).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass

import torch
from torch import Tensor

from fxscore.errors import ScorerError

MAIN_KEYS = ("logits", "out")


def main_tensor(output: object) -> Tensor:
    """The main floating tensor of a network's output; raises `ScorerError` where there is none."""
    found = _first_tensor(output)
    if found is None:
        raise ScorerError(f"the network returns {type(output).__name__} without a floating tensor")
    return found


def _first_tensor(output: object) -> Tensor | None:
    if isinstance(output, Tensor):
        return output if output.is_floating_point() else None
    return next((found for part in _parts(output) if (found := _first_tensor(part)) is not None), None)


def _parts(output: object) -> Iterable[object]:
    if isinstance(output, Mapping):
        main = [output[key] for key in MAIN_KEYS if key in output]
        return [*main, *output.values()]
    if isinstance(output, (tuple, list)):
        return output
    if is_dataclass(output) and not isinstance(output, type):
        return [getattr(output, field.name) for field in fields(output)]
    return ()


def class_logits(output: object, batch: int) -> Tensor:
    """Logits (batch, classes ≥ 2) of the main tensor."""
    tensor = main_tensor(output)
    if tensor.dim() < 2 or tensor.shape[0] != batch:
        raise ScorerError(f"the main output {tuple(tensor.shape)} is not one row of logits per image")
    logits = (
        tensor.mean(1) if tensor.dim() == 3 else tensor.flatten(2).mean(2) if tensor.dim() > 3 else tensor
    )
    if logits.shape[1] < 2:
        raise ScorerError("cross entropy needs at least two classes, the network has one output")
    return torch.as_tensor(logits)
