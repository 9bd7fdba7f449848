"""Scripted and traced modules: their own TorchScript graph, run as plain calls that can be recorded.

Control flow over numbers, lists and sizes is executed as it stands (`prim::If`, `prim::Loop`); operators on tensors are
called by the functions that aten operators are known by. The form of the graph was seen in torch 2.14.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from fxscore.capture.aten import plain_named
from fxscore.capture.script_operators import OF_ANY_VALUE, SCALAR_OPERATORS
from fxscore.capture.torch_private import schema_arguments
from fxscore.errors import CaptureError

_IGNORED = frozenset("device layout memory_format pin_memory non_blocking copy generator inplace".split())
# The numbers of types in TorchScript: the order of `c10::ScalarType`.
_TYPES = dict(enumerate((
    torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float16, torch.float32, torch.float64,
    torch.complex32, torch.complex64, torch.complex128, torch.bool, torch.qint8, torch.quint8, torch.qint32,
    torch.bfloat16,
)))  # fmt: skip
_NUMBERS = {dtype: number for number, dtype in _TYPES.items()}


class ScriptedNetwork(nn.Module):
    """A scripted or traced module as one that runs its graph in Python.

    Its parameters, buffers and submodules have the names that they had, so that reports name them. A frozen module has
    none left: its layers' weights are constants of the graph, and become parameters again.
    """

    def __init__(self, scripted: torch.jit.ScriptModule, with_graph: bool = True) -> None:
        super().__init__()
        for name, parameter in scripted.named_parameters(recurse=False):
            self.register_parameter(name, parameter)
        for name, buffer in scripted.named_buffers(recurse=False):
            self.register_buffer(name, buffer)
        for name, child in scripted.named_children():
            self.add_module(name, ScriptedNetwork(child, with_graph=False))  # type: ignore[arg-type]
        self.source = _Shared(scripted)
        graph = _graph_of(scripted) if with_graph else None
        self.graph: Any = None if graph is None else _Shared(graph)
        for name, value in _frozen_weights(graph) if graph is not None else ():
            self.register_parameter(f"frozen_{name}", nn.Parameter(value.detach(), requires_grad=False))

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Run the graph.

        Raises:
            CaptureError: it has an operator that is not known here; names it.
        """
        schema = self.source.value.forward.schema
        return _run(self.graph.value, [self, *_given(schema.arguments[1:], args, kwargs)])

    def attribute(self, name: str) -> Any:
        """A parameter, buffer, submodule or other attribute of the module."""
        for table in (self._parameters, self._buffers, self._modules):
            if name in table:
                return table[name]
        return self.training if name == "training" else getattr(self.source.value, name)


def _graph_of(scripted: torch.jit.ScriptModule) -> Any:
    try:
        return scripted.inlined_graph
    except (AttributeError, RuntimeError) as error:
        raise CaptureError(
            f"{scripted.original_name} was scripted without a graph of its own; "
            "give it as it was before torch.jit.script"
        ) from error


def _frozen_weights(graph: Any) -> Iterator[tuple[str, Tensor]]:
    """(name, value) of the constants that layers take as weights or biases."""
    named: set[str] = set()
    for node in graph.nodes():
        if not node.kind().startswith("aten::"):
            continue
        for argument, value in zip(schema_arguments(node.schema()), node.inputs(), strict=False):
            name, source = value.debugName(), value.node()
            if argument.name not in ("weight", "bias") or source.kind() != "prim::Constant" or name in named:
                continue
            tensor = value.toIValue()
            if isinstance(tensor, Tensor) and tensor.is_floating_point():
                named.add(name)
                yield name.replace(".", "_"), tensor


class _Shared:
    """Something of C++ that is not copied with the module that holds it."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __deepcopy__(self, memo: Any) -> _Shared:
        return self


def run_function(function: Any, args: Any, kwargs: Any) -> Any:
    """Run a scripted function by its graph."""
    return _run(function.inlined_graph, _given(function.schema.arguments, args, kwargs))


def _given(arguments: Any, args: Any, kwargs: Any) -> list[Any]:
    """What a call gives to the arguments of a schema, in their order."""
    rest = arguments[len(args) :]
    named = [kwargs.get(one.name, one.default_value) for one in rest]
    return [*args, *named]


def _run(graph: Any, inputs: list[Any]) -> Any:
    results = _Run(inputs).block(graph)
    return results[0] if len(results) == 1 else tuple(results)


class _Run:
    """Runs blocks of a TorchScript graph; `values` by their names in it."""

    def __init__(self, inputs: list[Any]) -> None:
        self.values: dict[str, Any] = {}
        self.inputs = inputs
        self.written: dict[tuple[int, str], Any] = {}  # attributes that the run has set

    def block(self, block: Any, inputs: list[Any] | None = None) -> list[Any]:
        """Run a graph or block, and give its results."""
        given = self.inputs if inputs is None else inputs
        for value, item in zip(block.inputs(), given, strict=True):
            self.values[value.debugName()] = item
        for node in block.nodes():
            results = self._node(node)
            for value, item in zip(node.outputs(), results, strict=True):
                self.values[value.debugName()] = item
        return [self.values[value.debugName()] for value in block.outputs()]

    def _node(self, node: Any) -> list[Any]:
        kind = node.kind()
        if kind in _SPECIAL:
            return _SPECIAL[kind](self, node)
        result = _call(node, self._inputs(node))
        outputs = len(list(node.outputs()))
        return list(result) if outputs > 1 else [result] * outputs

    def _inputs(self, node: Any) -> list[Any]:
        return [self.values[value.debugName()] for value in node.inputs()]

    # -- what is no operator -----------------------------------------------------------------------------------------

    def _constant(self, node: Any) -> list[Any]:
        value = next(iter(node.outputs()))
        name = f"frozen_{value.debugName().replace('.', '_')}"
        return [getattr(self.inputs[0], name) if self._is_frozen(name) else value.toIValue()]

    def _is_frozen(self, name: str) -> bool:
        return (
            bool(self.inputs)
            and isinstance(self.inputs[0], ScriptedNetwork)
            and hasattr(self.inputs[0], name)
        )

    def _get_attr(self, node: Any) -> list[Any]:
        (owner,) = self._inputs(node)
        name = node.s("name")
        if (id(owner), name) in self.written:
            return [self.written[id(owner), name]]
        return [owner.attribute(name) if isinstance(owner, ScriptedNetwork) else getattr(owner, name)]

    def _set_attr(self, node: Any) -> list[Any]:
        owner, value = self._inputs(node)
        self.written[id(owner), node.s("name")] = value  # for this run alone
        return []

    def _print(self, node: Any) -> list[Any]:
        return []

    def _branch(self, node: Any) -> list[Any]:
        yes, no = node.blocks()
        (condition,) = self._inputs(node)
        return self.block(yes if bool(condition) else no, [])

    def _loop(self, node: Any) -> list[Any]:
        trips, going, *carried = self._inputs(node)
        (body,) = node.blocks()
        step = 0
        while step < trips and bool(going):
            going, *carried = self.block(body, [step, *carried])
            step += 1
        return carried

    def _list_construct(self, node: Any) -> list[Any]:
        return [self._inputs(node)]

    def _tuple_construct(self, node: Any) -> list[Any]:
        return [tuple(self._inputs(node))]

    def _dict_construct(self, node: Any) -> list[Any]:
        items = self._inputs(node)
        return [dict(zip(items[::2], items[1::2], strict=True))]

    def _list_unpack(self, node: Any) -> list[Any]:
        return list(self._inputs(node)[0])

    def _tuple_index(self, node: Any) -> list[Any]:
        items, place = self._inputs(node)
        return [items[place]]

    def _raise(self, node: Any) -> list[Any]:
        raise ValueError(str(self._inputs(node)[0]))

    def _uninitialized(self, node: Any) -> list[Any]:
        return [None]

    def _unchecked_cast(self, node: Any) -> list[Any]:
        return self._inputs(node)[:1]

    def _number_to_tensor(self, node: Any) -> list[Any]:
        return [torch.tensor(*self._inputs(node))]

    def _dtype(self, node: Any) -> list[Any]:
        return [_NUMBERS[self._inputs(node)[0].dtype]]

    def _device(self, node: Any) -> list[Any]:
        return [torch.device("cpu")]


_SPECIAL: dict[str, Callable[[_Run, Any], list[Any]]] = {
    "prim::Constant": _Run._constant,
    "prim::GetAttr": _Run._get_attr,
    "prim::SetAttr": _Run._set_attr,
    "prim::If": _Run._branch,
    "prim::Loop": _Run._loop,
    "prim::ListConstruct": _Run._list_construct,
    "prim::TupleConstruct": _Run._tuple_construct,
    "prim::DictConstruct": _Run._dict_construct,
    "prim::ListUnpack": _Run._list_unpack,
    "prim::TupleIndex": _Run._tuple_index,
    "prim::RaiseException": _Run._raise,
    "prim::Uninitialized": _Run._uninitialized,
    "prim::unchecked_cast": _Run._unchecked_cast,
    "prim::NumToTensor": _Run._number_to_tensor,
    "prim::dtype": _Run._dtype,
    "prim::device": _Run._device,
    "prim::TupleUnpack": _Run._list_unpack,
    "prim::unchecked_unwrap_optional": _Run._unchecked_cast,
    "prim::Print": _Run._print,
}


def _call(node: Any, inputs: list[Any]) -> Any:
    """An operator: a function of tensors by its plain name, one of numbers and lists by Python's."""
    name = node.kind().split("::")[-1]
    scalar = SCALAR_OPERATORS.get(name)
    of_tensors = any(isinstance(value, Tensor) for value in inputs)
    if scalar is not None and (not of_tensors or name in OF_ANY_VALUE):
        return scalar(*inputs)
    if node.kind().startswith("prim::") and hasattr(
        inputs[0], name
    ):  # a property: is_nested, requires_grad, …
        return getattr(inputs[0], name)
    function = plain_named(name) if node.kind().startswith("aten::") else None
    if function is None:
        raise _unknown(node)
    args, kwargs = _arguments(node, inputs)
    return function(*args, **kwargs)


def _arguments(node: Any, inputs: list[Any]) -> tuple[list[Any], dict[str, Any]]:
    """Positional and named arguments, without those that change no value and those that are as by default."""
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for argument, value in zip(_schema(node), inputs, strict=True):
        if argument.name in _IGNORED:
            continue
        if argument.name == "dtype" and isinstance(value, int):
            value = _TYPES[value]
        # `add.Scalar(x, 3, 1)` has its factor by place, which no function of PyTorch's takes.
        by_name = argument.name == "dtype" or (argument.name == "alpha" and node.kind() in _WITH_FACTOR)
        if argument.kwarg_only or by_name:
            if not _is_default(argument, value):
                kwargs[argument.name] = value
        else:
            args.append(value)
    return args, kwargs


_WITH_FACTOR = ("aten::add", "aten::sub", "aten::rsub")


def _is_default(argument: Any, value: Any) -> bool:
    if isinstance(value, Tensor):
        return False
    return value is None or (argument.has_default_value() and bool(argument.default_value == value))


def _schema(node: Any) -> Iterator[Any]:
    return iter(schema_arguments(node.schema()))


def _unknown(node: Any) -> CaptureError:
    place = re.search(r"# (\S+:\d+)", str(node))
    where = f" ({place[1]})" if place else ""
    return CaptureError(
        f"the scripted module calls {node.kind()}{where}, which cannot be followed; give the network as it was before "
        "torch.jit.script or torch.jit.trace"
    )
