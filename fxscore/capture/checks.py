"""Questions about values that have one answer for every sound network: checks, which are passed and reported.

`assert not torch.isnan(x).any()` and `if (x < 0).any(): raise …` cannot change what a network computes, only stop it. A
question is a check where its answer follows from what it asks (nothing is NaN or infinite), or where the statement that
asks does nothing but `assert`, or `raise`. Any other question about values is control flow that capture cannot follow.
"""

from __future__ import annotations

import ast
import linecache
import operator
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import fx

_LIBRARY = str(Path(torch.__file__).parent)
_CAPTURE = str(Path(__file__).parent)
_ANSWERS = {
    torch.isnan: False,
    torch.isinf: False,
    torch.isfinite: True,
    torch.isneginf: False,
    torch.isposinf: False,
}
_KEEPS = {torch.any, torch.all, torch.sum, torch.max, torch.min, torch.amax, torch.amin, torch.count_nonzero}
_COMBINES: dict[Any, Any] = {
    torch.logical_or: operator.or_, torch.bitwise_or: operator.or_, torch.logical_and: operator.and_,
    torch.bitwise_and: operator.and_, torch.eq: operator.eq, torch.ne: operator.ne, torch.gt: operator.gt,
    torch.lt: operator.lt, torch.ge: operator.ge, torch.le: operator.le,
}  # fmt: skip


def certain_truth(value: Any) -> bool | None:
    """The truth of a node's value in every sound network; None where it is open.

    False stands for "False, or 0, everywhere", which is what is known of `isnan(x)` and of its sum.
    """
    if not isinstance(value, fx.Node):
        return bool(value) if value in (0, 1) else None
    target, args = value.target, value.args
    if target in _ANSWERS:
        return _ANSWERS[target]
    if target in (torch.ne, torch.eq) and args[0] is args[1]:  # x != x asks for NaN
        return target is torch.eq
    known = [certain_truth(argument) for argument in args[: 2 if target in _COMBINES else 1]]
    if not known or None in known:
        return None
    if target in (torch.logical_not, torch.bitwise_not):
        return not known[0]
    if target in _KEEPS:
        return known[0]
    return bool(_COMBINES[target](*known)) if target in _COMBINES else None


def answer_of_check(frame: FrameType | None) -> bool | None:
    """The answer that lets the network go on where the statement that asks is a check; None where it is none."""
    asking = _outside(frame, (_CAPTURE,))
    return None if asking is None else _checks_of(asking.f_code.co_filename).get(asking.f_lineno)


def place_of(frame: FrameType | None) -> str:
    """file:line of the network's own code that asks."""
    asking = _outside(frame, (_CAPTURE, _LIBRARY))
    return "" if asking is None else f"{asking.f_code.co_filename}:{asking.f_lineno}"


def _outside(frame: FrameType | None, folders: tuple[str, ...]) -> FrameType | None:
    while frame is not None and frame.f_code.co_filename.startswith(folders):
        frame = frame.f_back
    return frame


@cache
def _checks_of(path: str) -> dict[int, bool]:
    """Line → answer, of the checks of a source file."""
    try:
        tree = ast.parse("".join(linecache.getlines(path)))
    except (SyntaxError, ValueError):
        return {}
    answers: dict[int, bool] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            wanted = _wanted(node.test, True)
        elif isinstance(node, ast.If) and isinstance(node.body[0], ast.Raise) and not node.orelse:
            wanted = _wanted(node.test, False)
        else:
            continue
        if len(wanted) == 1:
            lines = range(node.test.lineno, (node.test.end_lineno or node.test.lineno) + 1)
            answers.update(dict.fromkeys(lines, *wanted))
    return answers


def _wanted(test: ast.expr, truth: bool) -> set[bool]:
    """What the questions inside `test` must be answered for the test to come out as `truth`."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return _wanted(test.operand, not truth)
    if isinstance(test, ast.BoolOp):
        return set().union(*(_wanted(value, truth) for value in test.values))
    return {truth}


def reads_a_value(name: str) -> str:
    """What is said of a forward that asks for a value."""
    return (
        f"`{name}` reads a value that depends on the input or on a weight (data-dependent control flow); "
        "compute it from shapes, or give the module a representation with @fxscore.represents"
    )
