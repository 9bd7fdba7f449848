"""What is tried where recording fails: `torch.export` of the module, replayed as calls that can be recorded.

Export sees through scripted functions and C++ operators. Its graph of aten operators is not decomposed, since that
would dissolve attention and norms; each operator is called by its name in `torch`, so that recording, and the rules
of representation, are the same as for every other network.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind, InputSpec
from torch.overrides import _pop_mode_temporarily
from torch.utils import _pytree as pytree

_CHECKS = ("_assert", "sym_constrain")


def exported_forward(module: nn.Module) -> Callable[..., Any]:
    """A forward for `module` that exports it for the arguments at hand, then replays the exported graph."""

    def forward(*args: Any, **kwargs: Any) -> Any:
        with _pop_mode_temporarily():  # export records in its own way
            program = _export(module, args, kwargs)
        return _replay(program, module, args, kwargs)

    return forward


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


def _replay(program: ExportedProgram, module: nn.Module, args: Any, kwargs: Any) -> Any:
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
            values[node] = _plain_function(node.target)(*arguments, **options)
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


def _plain_function(target: Any) -> Callable[..., Any]:
    """The function or tensor method that an aten operator is known by; the operator itself where there is none."""
    if not isinstance(target, torch._ops.OpOverload):
        return target  # type: ignore[no-any-return]
    name = target._schema.name.split("::")[-1]
    if name in _OTHER_NAMES:
        return _OTHER_NAMES[name]
    for namespace in (torch, F, torch._C._nn, Tensor):
        function = getattr(namespace, name, None)
        if callable(function):
            return function  # type: ignore[no-any-return]
    return target


def _batch_norm(
    value: Tensor, weight: Any, bias: Any, mean: Tensor, variance: Tensor, momentum: float, eps: float
) -> tuple[Tensor, None, None]:
    return torch.batch_norm(value, weight, bias, mean, variance, False, momentum, eps, False), None, None


def _index(value: Tensor, indices: list[Any]) -> Tensor:
    return value[tuple(slice(None) if index is None else index for index in indices)]


_OTHER_NAMES: dict[str, Callable[..., Any]] = {
    "_native_batch_norm_legit_no_training": _batch_norm,
    "_unsafe_view": Tensor.reshape,
    "_to_copy": Tensor.to,
    "index": _index,
}
