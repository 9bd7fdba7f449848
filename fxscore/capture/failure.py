"""What is said of a forward that could not be recorded, and whether another way of capture is worth a try."""

from __future__ import annotations

import traceback
from pathlib import Path

import torch
from torch import nn

from fxscore.capture.dependence import ConstantOutputError
from fxscore.capture.recorder import DataDependentError
from fxscore.errors import CaptureError
from fxscore.texts import first_line
from fxscore.types import Shape

_CAPTURE = str(Path(__file__).parent)
_LIBRARY = (str(Path(torch.__file__).parent), str(Path(__file__).parent.parent))


def may_be_sound(error: Exception) -> bool:
    """Whether recording failed on a network that may run: it is then worth exporting.

    Not so where control flow depends on values, where the network's own code raises, or where an operator refuses what
    it is given: a `RuntimeError`, `ValueError` or `IndexError` of PyTorch's, unless it is about the meta device.
    """
    if isinstance(error, (DataDependentError, ConstantOutputError)) or _counts_values(error):
        return False
    if isinstance(error, (CaptureError, NotImplementedError)) or "meta" in str(error):
        return True
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    in_recorder = frame.f_code.co_filename.startswith(_CAPTURE)
    return in_recorder and not isinstance(error, (RuntimeError, ValueError, IndexError))


def failing_path(model: nn.Module, error: Exception) -> str:
    """The path of the innermost module that was running."""
    names = {id(module): name for name, module in model.named_modules()}
    path = ""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        path = names.get(id(frame.f_locals.get("self")), path)
    return path


def explain(model: nn.Module, error: Exception, input_shape: Shape) -> str:
    """One line: the network, its module, the line of its code, the cause, and what to try."""
    path, line = failing_path(model, error), ""
    for frame, number in traceback.walk_tb(error.__traceback__):
        if not frame.f_code.co_filename.startswith(_LIBRARY):
            line = f"{frame.f_code.co_filename}:{number}"
    ours = isinstance(error, CaptureError)
    reason = str(error) if ours else _reason(error)
    where = f"{type(model).__name__}" + (f", module {path!r}" if path else "") + (f", {line}" if line else "")
    image = ", (3, H, W) for an image," if len(input_shape) == 1 else ""
    hint = (
        ""
        if ours
        else f"; if the input {input_shape} does not fit, give input_shape{image} or example_inputs"
    )
    return f"cannot capture {where}: {reason}{hint}"


def _counts_values(error: Exception) -> bool:
    """Whether the size of a result depends on values: `x[x > 0]`."""
    return "meta_nonzero_assume_all_nonzero" in str(error)


def _reason(error: Exception) -> str:
    line = first_line(error)
    if line.startswith("Guard failed"):  # the check of a module that torch.export made
        return (
            f"it was exported for other sizes ({line}); export it with dynamic_shapes, the first axis of every input "
            "torch.export.Dim('batch')"
        )
    if "cannot be called on meta tensors" in line or _counts_values(error):
        return (
            f"data-dependent control flow: a value or a size depends on the values of the input ({line[:80]})"
        )
    return f"{type(error).__name__}: {line}"
