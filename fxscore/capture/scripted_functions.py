"""Functions that `torch.jit.script` compiled run by their graphs while a forward is recorded, `torch.cond` as an `if`.

PyTorch calls and compiles them where no recorder looks, so their call itself is replaced, in the threads that record
and only while one does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from fxscore.capture.script import run_function
from fxscore.capture.torch_private import ScriptFunction

_LOCK = threading.Lock()
_RECORDING: set[int] = set()  # threads
_CALL = ScriptFunction.__call__
_COND = torch.cond


@contextmanager
def scripted_functions_followed() -> Iterator[None]:
    """Within this context, in this thread, a scripted function runs as Python, and so does `torch.cond`."""
    thread = threading.get_ident()
    nested = thread in _RECORDING
    with _LOCK:
        _RECORDING.add(thread)
        ScriptFunction.__call__ = _call
        torch.cond = _cond
    try:
        yield
    finally:
        with _LOCK:
            if not nested:
                _RECORDING.discard(thread)
            if not _RECORDING:
                ScriptFunction.__call__ = _CALL
                torch.cond = _COND


def _call(function: Any, *args: Any, **kwargs: Any) -> Any:
    if threading.get_ident() in _RECORDING:
        return run_function(function, args, kwargs)
    return _CALL(function, *args, **kwargs)


def _cond(pred: Any, true_fn: Callable[..., Any], false_fn: Callable[..., Any], operands: Any = ()) -> Any:
    """The branch of a constant; a condition that depends on the input is data-dependent control flow, as with `if`."""
    if threading.get_ident() in _RECORDING:
        return true_fn(*operands) if pred else false_fn(*operands)
    return _COND(pred, true_fn, false_fn, operands)
