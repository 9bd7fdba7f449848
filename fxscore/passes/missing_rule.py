"""What is said of an operator with weights that has no rule: where it is, and a rule that runs when it is pasted."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx

from fxscore.capture.torch_private import OpOverload, OpOverloadPacket

# Where people find functions, by the name of the place.
_HOMES = {
    "torch": torch,
    "torch.nn.functional": F,
    "torch.fft": torch.fft,
    "torch.linalg": torch.linalg,
    "torch.special": torch.special,
}


def missing_rule(node: fx.Node, is_weight: Callable[[Any], bool], paths: list[str]) -> str:
    """The message, `paths` those of the parameters concerned.

    The rule synthesises each weight where it stands among the arguments, and unitises a result that is one tensor.
    """
    operator, name = spelt(node.target)
    where = f" at {paths[0].rpartition('.')[0]!r}" if paths else ""
    arguments = [f"arg{place}" for place in range(len(node.args))]
    lines = [
        f"    {argument} = {_synthesised(argument, value, is_weight)}"
        for argument, value in (*zip(arguments, node.args, strict=True), *_options(node))
        if _holds_weight(value, is_weight)
    ]
    call = f"ctx.call({', '.join((operator, *arguments, '**options'))}, like=ctx.node)"
    result = f"ctx.unitise({call})" if isinstance(node.meta.get("val"), torch.Tensor) else call
    imports = "".join(f"import {module}\n" for module in _modules(operator))
    taken = ", ".join(("ctx", *arguments, "**options"))
    header = f"{imports}\n\n@fxscore.represents({operator})\ndef {name.strip('_')}({taken}):\n"
    return (
        f"operator {name}{where} has weights and no representation; declare one:\n\n"
        + header
        + "\n".join(lines)
        + f"\n    return {result}\n"
    )


def spelt(target: Any) -> tuple[str, str]:
    """(what to write for an operator, its name): a function by its place, a method or C++ operator by its name."""
    if isinstance(target, str):
        return repr(target), target
    if isinstance(target, (OpOverload, OpOverloadPacket)):
        return f"torch.ops.{target}", str(target).split(".")[1]
    name = str(target.__name__)
    for home, place in _HOMES.items():
        short = name.removeprefix(f"{home.rpartition('.')[2]}_")  # torch.fft.rfft is called fft_rfft
        if getattr(place, short, None) is target:
            return f"{home}.{short}", short
    return f"{getattr(target, '__module__', None) or 'torch'}.{name}", name


def _modules(operator: str) -> list[str]:
    """What to import for an operator as it is written."""
    if operator.startswith("torch.ops."):
        package = operator.split(".")[2]  # registers its operators when it is imported
        return ["fxscore", "torch", *([package] if package in sys.modules else [])]
    return ["fxscore"] if operator.startswith("'") else ["fxscore", operator.rpartition(".")[0]]


def _options(node: fx.Node) -> list[tuple[str, Any]]:
    return [(f'options["{key}"]', value) for key, value in node.kwargs.items()]


def _holds_weight(value: Any, is_weight: Callable[[Any], bool]) -> bool:
    return is_weight(value) or (isinstance(value, (list, tuple)) and any(map(is_weight, value)))


def _synthesised(argument: str, value: Any, is_weight: Callable[[Any], bool]) -> str:
    if is_weight(value):
        return f"ctx.weight({argument})  # synthesised from the shared kernel"
    return f"[ctx.weight(value) for value in {argument}]"
