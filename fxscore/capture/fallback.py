"""What is tried where recording fails: `torch.export` of the module, replayed as calls that can be recorded.

Export sees through scripted functions and C++ operators. Its graph of aten operators is not decomposed, since that
would dissolve attention and norms; each operator is called by its name in `torch`, so that recording, and the rules
of representation, are the same as for every other network.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind, InputSpec

from fxscore.capture.aten import plain_function
from fxscore.capture.torch_private import EXPORT_LOGGER, pop_mode_temporarily, pytree
from fxscore.errors import CaptureError

_CHECKS = ("_assert", "sym_constrain")


def exported_forward(module: nn.Module) -> Callable[..., Any]:
    """A forward for `module` that exports it for the arguments at hand, then replays the exported graph."""

    def forward(*args: Any, **kwargs: Any) -> Any:
        with pop_mode_temporarily(), _quietly():  # export records in its own way
            program = _export(module, args, kwargs)
        return replay(program, module, args, kwargs)

    return forward


@contextmanager
def _quietly() -> Iterator[None]:
    """Export logs a traceback for every operator that fails, beside raising it."""
    logger = logging.getLogger(EXPORT_LOGGER)
    before = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = before


def _export(module: nn.Module, args: Any, kwargs: Any) -> ExportedProgram:
    """Export on the meta device: parameters are there already, and values are not needed."""
    memo: dict[int, object] = {id(buffer): buffer.to("meta") for buffer in module.buffers()}
    shadow = copy.deepcopy(module, memo)
    del shadow.__dict__["forward"]  # its class's own forward, not the one that brought us here
    inputs, named = pytree.tree_map_only(
        Tensor, lambda tensor: tensor.to("meta"), (tuple(args), dict(kwargs))
    )
    # An empty table of decompositions leaves operators whole, and takes in-place changes through views out.
    program: ExportedProgram = torch.export.export(shadow, inputs, named, strict=False).run_decompositions({})
    return program


def replay(program: ExportedProgram, module: nn.Module, args: Any, kwargs: Any) -> Any:
    """Run an exported program by the plain functions that its operators are known by.

    Args:
        program: without decompositions, functional (`run_decompositions({})`).
        module: holds the parameters and buffers that the program names.
        args: what the program's forward is called with.
        kwargs: what it is called with by name.
    """
    values: dict[fx.Node, Any] = {}
    given = iter(pytree.tree_leaves((tuple(args), dict(kwargs))))
    specs = iter(program.graph_signature.input_specs)
    for node in program.graph.nodes:
        if node.op == "placeholder":
            values[node] = _input(program, module, next(specs), given)
        elif node.op == "output":
            results = fx.node.map_arg(node.args[0], lambda n: values[n])
        elif node.op == "call_function" and not _is_check(node):
            arguments, options = fx.node.map_arg((node.args, node.kwargs), lambda n: values[n])
            if "device" in options:
                options = {**options, "device": "cpu"}
            values[node] = plain_function(node.target)(*arguments, **options)
    return pytree.tree_unflatten(list(results), program.call_spec.out_spec)


def _input(program: ExportedProgram, module: nn.Module, spec: InputSpec, given: Any) -> Any:
    if spec.kind is InputKind.USER_INPUT:
        return next(given)
    assert spec.target is not None
    if spec.kind is InputKind.PARAMETER:
        return module.get_parameter(spec.target)
    if spec.kind is InputKind.BUFFER:
        return module.get_buffer(spec.target)
    return program.constants[spec.target]


def _is_check(node: fx.Node) -> bool:
    return any(check in str(node.target) for check in _CHECKS)


class ExportedNetwork(nn.Module):
    """An exported program as a module that can be captured; see `exported_network`."""

    def __init__(self, program: ExportedProgram, network: nn.Module) -> None:
        super().__init__()
        self.program = program
        self.network = network

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Replay the program.

        Raises:
            CaptureError: its batch is a constant, and another than the scorer's.
        """
        self._check_batch(pytree.tree_leaves((args, kwargs)))
        return replay(self.program, self.network, args, kwargs)

    def _check_batch(self, given: list[Any]) -> None:
        taken = [node.meta["val"] for node in self.program.graph.nodes if node.op == "placeholder"]
        for value, tensor in zip(taken[-len(given) :], given, strict=True):
            if isinstance(tensor, Tensor) and isinstance(value.shape[0], int) and len(value) != len(tensor):
                raise CaptureError(
                    f"the program was exported for a batch of {len(value)} alone; export it with dynamic_shapes, the "
                    f"first axis of every input torch.export.Dim('batch'), or for the scorer's batch of {len(tensor)}"
                )

    def train(self, mode: bool = True) -> ExportedNetwork:
        """Nothing: what was exported has one mode."""
        return self


def exported_network(program: ExportedProgram) -> ExportedNetwork:
    """The module that stands for a program which the user exported."""
    return ExportedNetwork(program.run_decompositions({}), program.module(check_guards=False))
