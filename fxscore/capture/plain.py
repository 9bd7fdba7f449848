"""Wrappers around a network are taken off: what `torch.compile`, `DataParallel`, TorchScript, quantisation made of it.

A compiled module holds the module that was compiled. A scripted or traced one is replaced by a module that runs its
graph (`fxscore.capture.script`), a dynamically quantised layer by the layer that it was
(`fxscore.capture.quantised`). Anywhere in a network; the user's own stays as it is.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from fxscore.capture.quantised import unquantised
from fxscore.capture.script import ScriptedNetwork
from fxscore.capture.torch_private import COMPILED_FROM, COMPILER, children_of


def unwrapped(module: nn.Module) -> nn.Module:
    """What a wrapper is around; the module itself where it is none."""
    while True:
        inner = _inner(module)
        if inner is module:
            return module
        module = inner


def replacements(model: nn.Module) -> dict[nn.Module, nn.Module]:
    """The modules within `model` that are wrappers or scripted, each with what takes its place."""
    found: dict[nn.Module, nn.Module] = {}
    waiting = [model]
    while waiting:
        module = waiting.pop()
        plain = unwrapped(module)
        if plain is not module:
            found[module] = plain
        waiting.extend(plain.children() if not isinstance(plain, ScriptedNetwork) else ())
    return found


def replace_parts(model: nn.Module, found: dict[nn.Module, nn.Module]) -> nn.Module:
    """`model` itself, with the parts that `replacements` found replaced in place."""
    model = found.get(model, model)
    for module in list(model.modules()):
        for name, child in children_of(module).items():
            if child in found:
                children_of(module)[name] = found[child]
    return model


@contextmanager
def nothing_compiled() -> Iterator[None]:
    """Within this context functions and modules that `torch.compile` was applied to run as they were written."""
    if COMPILER not in sys.modules:  # nothing was compiled; to import it takes seconds
        yield
        return
    with torch.compiler.set_stance("force_eager"):
        yield


def _inner(module: nn.Module) -> nn.Module:
    if isinstance(module, torch.jit.ScriptModule):
        return ScriptedNetwork(module)
    if (plain := unquantised(module)) is not None:
        return plain
    wraps = COMPILED_FROM if type(module).__name__ == "OptimizedModule" else "module"
    known = isinstance(module, nn.DataParallel) or type(module).__name__ in (
        "OptimizedModule",
        "DistributedDataParallel",
    )
    inner = children_of(module).get(wraps) if known else None
    return module if inner is None else inner
