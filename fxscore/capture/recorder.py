"""Records what a forward pass does to its input, on shapes alone.

The forward runs for real, once, as Python: control flow over shapes, flags, types and `len` is simply executed.
What depends on the input or on a parameter flows as tensors without storage (the meta device), and every
`torch` function, `torch.nn.functional` function and tensor method that such a value meets becomes one node of an
`fx.Graph`. What depends on neither (index tables, masks, sizes) is computed for real and becomes a constant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import getitem
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.overrides import TorchFunctionMode

from fxscore.capture.indices import check_indices
from fxscore.capture.operators import (
    CASTS,
    DROPPED_KEYWORDS,
    IDENTITIES,
    OPERATORS,
    READS_VALUES,
    TENSOR_PROPERTIES,
    canonical_target,
    cast_dtype,
    inplace_position,
)
from fxscore.capture.packing import PACKING, packed
from fxscore.capture.shapes import RECURRENT, infer
from fxscore.errors import CaptureError

_CHANGED_THROUGH_A_VIEW = -1


def assign(value: Tensor, index: Any, item: Any) -> Tensor:
    """`value[index] = item` without changing `value`: the graph's form of indexed assignment."""
    changed = value.clone()
    changed[index] = item
    return changed


class DataDependentError(CaptureError):
    """The forward reads a value that depends on the input or on a weight: no capture can follow both ways."""


class Recorder(TorchFunctionMode):
    """Turns the `torch` calls of one forward into `graph`; `attributes` holds what its `get_attr` nodes name."""

    def __init__(self, parameters: dict[str, nn.Parameter], buffers: dict[str, Tensor]) -> None:
        super().__init__()
        self.graph = fx.Graph()
        self.attributes: dict[str, Tensor] = {}
        self._names = {id(tensor): name for name, tensor in (buffers | parameters).items()}
        self._nodes: dict[int, fx.Node] = {}
        self._standins: dict[int, Tensor] = {}
        self._versions: dict[int, int] = {}
        self._views: dict[int, tuple[Tensor, fx.Node]] = {}  # what a view is of, and how it is taken
        self._siblings: dict[int, list[Tensor]] = {}
        self._given: set[int] = (
            set()
        )  # real tensors that depend on an input: token ids and what follows from them
        self._alive: list[Tensor] = []  # an id is only unique while its tensor lives
        self._muted = False

    def placeholder(self, name: str, tensor: Tensor, batched: bool = True) -> Tensor:
        """Make `tensor` (on the meta device) an input of the graph; `batched` says whether it has a batch axis."""
        node = self.graph.placeholder(name)
        node.meta["batched"] = batched
        self._bind(tensor, node, tensor)
        return tensor

    def give(self, tensor: Tensor) -> Tensor:
        """Make `tensor`, which has values (token ids), an input whose values are part of the graph."""
        self._given.add(id(tensor))
        self._alive.append(tensor)
        return tensor

    def finish(self, outputs: Sequence[Tensor]) -> None:
        """End the graph with `outputs` as its results; a single one is the result itself."""
        nodes = tuple(self._node_of(output) for output in outputs)
        values = tuple(node.meta["val"] for node in nodes)
        single = len(nodes) == 1
        self.graph.output(nodes[0] if single else nodes).meta["val"] = values[0] if single else values

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if self._muted:
            return self._run_unseen(func, args, kwargs)
        if func.__name__ == "__get__":
            return self._read_property(func.__self__.__name__, func, args)
        if not (self._touches(args) or (kwargs and self._touches(kwargs.values()))):
            result = func(*args, **kwargs)
            return self._hand_on(func, args, kwargs, result) if self._given else result
        return self._record(func, args, kwargs)

    def _hand_on(self, func: Any, args: Any, kwargs: Any, result: Any) -> Any:
        """What is computed from a given tensor is given too."""
        if any(id(tensor) in self._given for tensor in _tensors((args, kwargs))):
            changed = args[0] if func.__name__ == "__setitem__" else result
            for tensor in _tensors(changed):
                self.give(tensor)
        return result

    def call_leaf(self, path: str, forward: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Record one call of a whole module; its inner operators stay unseen."""
        self._muted = True
        try:
            result = forward(*args, **kwargs)
        finally:
            self._muted = False
        node = self.graph.call_module(path, self._as_arguments(args), self._as_arguments(kwargs))
        return self._bind_result(node, result)

    def _run_unseen(self, func: Any, args: Any, kwargs: Any) -> Any:
        """A call inside a leaf, of which only shapes count: a value that it reads is zero."""
        inputs, options = self._standin(args), self._standin(kwargs)
        if func.__name__ in READS_VALUES and inputs[0].is_meta:
            inputs = (torch.zeros(inputs[0].shape, dtype=inputs[0].dtype), *inputs[1:])
        return func(*inputs, **options)

    # -- what kind of call is this? ---------------------------------------------------------------------------------

    def _touches(self, values: Iterable[Any]) -> bool:
        for value in values:
            if isinstance(value, Tensor):
                if value.is_meta or id(value) in self._nodes or isinstance(value, nn.Parameter):
                    return True
            elif isinstance(value, (list, tuple)) and value and self._touches(value):
                return True
        return False

    def _read_property(self, name: str, func: Any, args: Any) -> Any:
        tensor = args[0]
        if not self._touches(args):
            return func(*args)
        if name == "device":
            return torch.device("cpu")  # where the constructed architecture will run
        if name == "is_meta":
            return False
        if name not in TENSOR_PROPERTIES:
            return func(self._standin(tensor))
        if name == "data":
            return tensor
        return self._record(getattr(torch, TENSOR_PROPERTIES[name]), args, {})

    def _record(self, func: Any, args: Any, kwargs: Any) -> Any:
        name = func.__name__
        if name in IDENTITIES:
            return self._pass_on(name, args[0] if args else kwargs["input"])
        if name in CASTS:
            return self._cast(name, func, args, kwargs)
        if name in READS_VALUES:
            raise DataDependentError(
                f"`{name}` reads a value that depends on the input or on a weight (data-dependent control flow); "
                "compute it from shapes, or give the module a representation with @fxscore.represents"
            )
        if name == "__setitem__":
            return self._record_assignment(*args)
        if name in PACKING:
            return self._record_packing(func, *args)
        return self._record_call(func, args, kwargs)

    def _record_call(self, func: Any, args: Any, kwargs: Any) -> Any:
        check_indices(func.__name__, args, kwargs)
        place = inplace_position(func)
        if place is not None and len(args) > place:
            kwargs = {**kwargs, "inplace": args[place]}
            args = (*args[:place], False, *args[place + 1 :])
        mutated = self._mutated(func, args, kwargs)
        inputs = {key: value for key, value in kwargs.items() if key not in DROPPED_KEYWORDS}
        if func in RECURRENT and isinstance(args[3], (list, tuple)):  # the sizes of a packed sequence
            args = (args[0], self._copy(args[1]), *args[2:])
        # Before the shapes are inferred: an in-place operator changes its argument's version even there.
        arguments, options = self._as_arguments(args), self._as_arguments(inputs)
        result = infer(func, self._standin(args), self._standin(inputs))
        if not _holds_tensor(result):
            return result
        kind, target = canonical_target(func)
        # Arguments are set afterwards, which spares a search through them for symbolic sizes: there are none here.
        node = self.graph.create_node(kind, target)
        node.args, node.kwargs = arguments, options
        if mutated is None:
            return self._bind_result(node, result, args)
        return self._mutate(mutated, node)

    def _record_packing(
        self, func: Any, value: Tensor, sizes: Tensor, *settings: Any
    ) -> tuple[Tensor, Tensor]:
        """A sequence that is packed or padded: its sizes stay real, since later layers read them."""
        result, further = packed(func, self._standin(value), sizes, *settings)
        node = self.graph.call_function(
            func, (self._node_of(value), self._node_of(self._copy(sizes)), *settings)
        )
        node.meta["val"] = (result, self._standin(further))
        self._bind(result, self.graph.call_function(getitem, (node, 0)), result)
        return result, self.give(further)

    def _copy(self, tensor: Tensor) -> Tensor:
        """A real tensor again, to be a constant of the graph: what is computed from the first stays real."""
        return self.give(tensor.clone()) if id(tensor) in self._given else tensor.clone()

    def _mutated(self, func: Any, args: Any, kwargs: Any) -> Tensor | None:
        """The tensor that this call overwrites, if it overwrites one."""
        name = func.__name__
        if isinstance(kwargs.get("out"), Tensor):
            return kwargs["out"]  # type: ignore[no-any-return]
        in_place = (name.endswith("_") and not name.startswith("__")) or (
            name.startswith("__i") and name in OPERATORS and name != "__invert__"
        )
        if in_place or kwargs.get("inplace"):
            return args[0] if args else kwargs["input"]  # type: ignore[no-any-return]
        return None

    def _record_assignment(self, tensor: Tensor, index: Any, item: Any) -> None:
        node = self.graph.call_function(assign, self._as_arguments((tensor, index, item)))
        self._mutate(tensor, node)

    def _mutate(self, tensor: Tensor, node: fx.Node) -> Tensor:
        """Let `node` be the value of `tensor` from here on; what shares its memory is then out of date."""
        standin = self._standin(tensor)
        standin.zero_()  # raises the version that its views share
        self._bind(tensor, node, standin)
        # the parts of a split share a version but no memory
        for sibling in self._siblings.get(id(tensor), ()):
            self._versions[id(sibling)] = self._standins[id(sibling)]._version
        if id(tensor) in self._views:
            self._change_parent(*self._views[id(tensor)], node)
        elif tensor._base is not None and id(tensor._base) in self._versions:
            self._versions[id(tensor._base)] = _CHANGED_THROUGH_A_VIEW
        return tensor

    def _change_parent(self, parent: Tensor, view: fx.Node, changed: fx.Node) -> None:
        """A view of `parent` now has the value `changed`: write it back, as shared memory does."""
        if view.target is getitem and self._versions[id(parent)] != _CHANGED_THROUGH_A_VIEW:
            # Its node as it stands: the change itself has made the parent's version look out of date.
            before = self._nodes[id(parent)]
            node = self.graph.call_function(assign, (before, view.args[1], changed))
        elif view.meta["val"].numel() == parent.numel() and _keeps_order(view):
            node = self.graph.call_function(torch.reshape, (changed, tuple(parent.shape)))
        else:
            self._versions[id(parent)] = _CHANGED_THROUGH_A_VIEW
            return
        self._mutate(parent, node)

    def _cast(self, name: str, func: Any, args: Any, kwargs: Any) -> Tensor:
        tensor: Tensor = args[0]
        dtype = cast_dtype(name, args[1:], kwargs) or tensor.dtype
        if dtype == self._standin(tensor).dtype:
            return tensor
        node = self.graph.call_method("to", (self._node_of(tensor), dtype))
        result = torch.empty(tensor.shape, dtype=dtype, device="meta")
        self._bind(result, node, result)
        return result

    # -- tensors and their nodes -------------------------------------------------------------------------------------

    def _pass_on(self, name: str, tensor: Tensor) -> Tensor:
        """The result of an operator that changes no value: `tensor` itself, or the copy that it is in PyTorch too."""
        if name != "clone" and (name != "contiguous" or self._standin(tensor).is_contiguous()):
            return tensor
        copy = torch.empty(tensor.shape, dtype=tensor.dtype, device="meta")
        self._bind(copy, self._node_of(tensor), copy, annotate=False)
        return copy

    def _bind(self, tensor: Tensor, node: fx.Node, standin: Tensor, annotate: bool = True) -> None:
        key = id(tensor)
        self._nodes[key] = node
        self._standins[key] = standin
        self._versions[key] = standin._version
        self._alive.append(tensor)
        if annotate:
            node.meta["val"] = standin

    def _bind_result(self, node: fx.Node, result: Any, args: Any = ()) -> Any:
        node.meta["val"] = result
        if isinstance(result, Tensor):
            if id(result) in self._nodes:  # an operator that answers its own argument
                result = torch.empty_like(result)
            self._bind(result, node, result)
            if result._base is not None and args and isinstance(args[0], Tensor):
                self._views[id(result)] = (args[0], node)
            return result
        parts = [item for item in result if isinstance(item, Tensor)]
        for index, item in enumerate(result):
            if _holds_tensor(item):
                self._bind_result(self.graph.call_function(getitem, (node, index)), item)
                self._siblings[id(item)] = parts
        return result

    def _node_of(self, tensor: Tensor) -> fx.Node:
        key = id(tensor)
        node = self._nodes.get(key)
        if node is None:
            return self._name_constant(tensor)
        if self._versions[key] != self._standins[key]._version:
            return self._refresh(tensor, node)
        return node

    def _refresh(self, tensor: Tensor, node: fx.Node) -> fx.Node:
        """A tensor whose memory was changed under another name since its node was made."""
        parent, view = self._views.get(id(tensor), (None, node))
        if parent is None or self._versions.get(id(parent)) == _CHANGED_THROUGH_A_VIEW:
            raise CaptureError(
                "a tensor is changed in place through a view of it; write it without in-place operators"
            )
        fresh = self.graph.node_copy(view, lambda n: n)
        fresh.args = (self._node_of(parent), *view.args[1:])
        self._bind(tensor, fresh, self._standins[id(tensor)])
        return fresh

    def _name_constant(self, tensor: Tensor) -> fx.Node:
        name = self._names.get(id(tensor))
        if name is None:
            if tensor.is_meta:
                raise CaptureError(
                    "a tensor was made where recording cannot see it (a scripted function, a C++ extension, or a "
                    "forward that runs in another thread); replace it by plain PyTorch code"
                )
            name = (
                f"parameter_{len(self.attributes)}"
                if isinstance(tensor, nn.Parameter)
                else f"constant_{len(self.attributes)}"
            )
        self.attributes[name] = tensor
        node = self.graph.create_node("get_attr", name)
        node.meta["is_parameter"] = isinstance(tensor, nn.Parameter)
        node.meta["is_input"] = id(tensor) in self._given
        self._bind(tensor, node, self._standin(tensor))
        return node

    def _standin(self, value: Any) -> Any:
        """`value` with every tensor replaced by its form on the meta device."""
        if isinstance(value, Tensor):
            if value.is_meta:
                return value
            known = self._standins.get(id(value))
            return torch.empty_like(value, device="meta") if known is None else known
        if isinstance(value, tuple):
            return tuple(map(self._standin, value)) if type(value) in (tuple, torch.Size) else value
        if isinstance(value, list):
            return [self._standin(item) for item in value]
        if isinstance(value, dict):
            return {key: self._standin(item) for key, item in value.items()}
        return value

    def _as_arguments(self, value: Any) -> Any:
        """`value` with every tensor replaced by its node."""
        if isinstance(value, Tensor):
            return self._node_of(value)
        if isinstance(value, tuple):
            return tuple(self._as_arguments(item) for item in value)
        if isinstance(value, list):
            return [self._as_arguments(item) for item in value]
        if isinstance(value, dict):
            return {key: self._as_arguments(item) for key, item in value.items()}
        if isinstance(value, slice):
            return slice(*(self._as_arguments(part) for part in (value.start, value.stop, value.step)))
        return value


def _tensors(value: Any) -> Iterator[Tensor]:
    """The tensors in nested sequences and mappings."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _tensors(item)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))


def _keeps_order(view: fx.Node) -> bool:
    return view.target in ("view", "reshape", torch.reshape, torch.flatten, torch.squeeze, torch.unsqueeze)


def _holds_tensor(value: Any) -> bool:
    if isinstance(value, Tensor):
        return True
    return isinstance(value, (tuple, list)) and any(map(_holds_tensor, value))
