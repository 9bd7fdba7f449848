"""The tensors of one forward and the nodes that stand for them, also where tensors share memory and change in place."""

from __future__ import annotations

from collections.abc import Iterator
from operator import getitem
from typing import Any

import torch
from torch import Tensor, fx, nn

from fxscore.capture.nodes import new_call, new_node
from fxscore.capture.precision import in_single, plain_argument
from fxscore.capture.torch_private import base_of, version_of
from fxscore.errors import CaptureError

_CHANGED_THROUGH_A_VIEW = -1
_NUMBERS = frozenset((int, bool, type(None)))  # most arguments: they stay what they are


def assign(value: Tensor, index: Any, item: Any) -> Tensor:
    """`value[index] = item` without changing `value`: the graph's form of indexed assignment."""
    changed = value.clone()
    changed[index] = item
    return changed


def change(value: Tensor, method: str, *args: Any, **kwargs: Any) -> Tensor:
    """An in-place method that has no other form, on a copy."""
    changed = value.clone()
    getattr(changed, method)(*args, **kwargs)
    return changed


def part_of(base: Tensor, size: tuple[int, ...], stride: tuple[int, ...], offset: int) -> Tensor:
    """The view of a tensor in row-major order with this geometry."""
    return base.contiguous().as_strided(size, stride, offset)


def put_back(
    base: Tensor, part: Tensor, size: tuple[int, ...], stride: tuple[int, ...], offset: int
) -> Tensor:
    """`base` with `part` in the place of its view of this geometry."""
    changed = base.contiguous().clone()
    changed.as_strided(size, stride, offset).copy_(part)
    return changed


class Bindings:
    """Which node has the value of which tensor; `attributes` holds what the graph's `get_attr` nodes name."""

    def __init__(self, parameters: dict[str, nn.Parameter], buffers: dict[str, Tensor]) -> None:
        super().__init__()
        self.graph = fx.Graph()
        self.attributes: dict[str, Tensor] = {}
        self.sizes_asked = False  # whether the graph may be another at another size of the input
        self._names = {id(tensor): name for name, tensor in (buffers | parameters).items()}
        self._nodes: dict[int, fx.Node] = {}
        self._standins: dict[int, Tensor] = {}
        self._versions: dict[int, int] = {}
        self._views: dict[int, tuple[Tensor, fx.Node]] = {}  # what a view is of, and how it is taken
        self._siblings: dict[int, list[Tensor]] = {}
        self._given: set[int] = set()  # real tensors that depend on an input: token ids and what follows
        self._dependent: set[int] = set()  # real tensors into which something recorded was written
        self._parts: dict[int, list[int]] = {}  # real tensors to the views of them that have nodes
        self._alive: list[Tensor] = []  # an id is only unique while its tensor lives

    def _note_size(self, tensor: Tensor) -> None:
        """What follows may depend on the size of `tensor`, of which a parameter's is always the same."""
        self.sizes_asked = self.sizes_asked or not isinstance(tensor, nn.Parameter)

    def give(self, tensor: Tensor) -> Tensor:
        """Make `tensor`, which has values (token ids), an input whose values are part of the graph."""
        self._given.add(id(tensor))
        self._alive.append(tensor)
        return tensor

    def flows(self, tensor: Tensor) -> bool:
        """Whether a tensor depends on the input or on a weight, so that what is done to it is recorded."""
        return tensor.is_meta or isinstance(tensor, nn.Parameter) or self._is_dependent(tensor)

    def _is_dependent(self, tensor: Tensor) -> bool:
        return bool(self._dependent) and (
            id(tensor) in self._dependent or id(base_of(tensor)) in self._dependent
        )

    def is_constant_number(self, value: Any) -> bool:
        """Whether `value` is a real tensor of one number, known here and now."""
        return (
            isinstance(value, Tensor)
            and value.dim() == 0
            and not self.flows(value)
            and id(value) not in self._given
        )

    # -- from tensors to nodes ---------------------------------------------------------------------------------------

    def _bind(self, tensor: Tensor, node: fx.Node, standin: Tensor, annotate: bool = True) -> None:
        key = id(tensor)
        self._nodes[key] = node
        self._standins[key] = standin
        self._versions[key] = version_of(standin)
        self._alive.append(tensor)
        if base_of(tensor) is not None and not tensor.is_meta:
            self._parts.setdefault(id(base_of(tensor)), []).append(key)
        if annotate:
            node.meta["val"] = in_single(standin)

    def _bind_result(self, node: fx.Node, result: Any, args: Any = ()) -> Any:
        if isinstance(result, Tensor):
            if id(result) in self._nodes:  # an operator that answers its own argument
                result = torch.empty_like(result)
            self._bind(result, node, result)
            if base_of(result) is not None and args and isinstance(args[0], Tensor):
                self._views[id(result)] = (args[0], node)
            return result
        node.meta["val"] = _in_single(result)
        parts = [item for item in result if isinstance(item, Tensor)]
        for index, item in enumerate(result):
            if holds_tensor(item):
                self._bind_result(new_call(self.graph, getitem, node, index), item)
                self._siblings[id(item)] = parts
        return result

    def _stand_for(self, source: Tensor, dtype: torch.dtype) -> Tensor:
        """A new tensor with the value of `source`: a copy, or the same in another precision."""
        copy = torch.empty(source.shape, dtype=dtype, device="meta")
        self._bind(copy, self._node_of(source), copy, annotate=False)
        return copy

    def _node_of(self, tensor: Tensor) -> fx.Node:
        key = id(tensor)
        node = self._nodes.get(key)
        if node is None:
            return self._name_constant(tensor)
        if self._versions[key] != version_of(self._standins[key]):
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
        if self._is_dependent(tensor):
            return self._take_part(tensor)
        name = self._names.get(id(tensor))
        if name is None or name in self.attributes:
            name = self._new_name(tensor)
        self.attributes[name] = in_single(tensor)
        node = new_node(self.graph, "get_attr", name)
        node.meta["is_parameter"] = isinstance(tensor, nn.Parameter)
        node.meta["is_input"] = id(tensor) in self._given
        self._bind(tensor, node, meta_of(tensor))
        return node

    def _new_name(self, tensor: Tensor) -> str:
        if tensor.is_meta:
            raise CaptureError(
                "a tensor was made where recording cannot see it (a C++ extension, or a forward that runs in another "
                "thread); replace it by plain PyTorch code"
            )
        kind = "parameter" if isinstance(tensor, nn.Parameter) else "constant"
        return f"{kind}_{len(self.attributes)}"

    def _take_part(self, tensor: Tensor) -> fx.Node:
        """A real view of a real tensor into which something recorded was written."""
        base = base_of(tensor)
        assert base is not None
        self._note_size(tensor)
        node = self.graph.call_function(part_of, (self._node_of(base), *_geometry(tensor, base)))
        self._dependent.add(id(tensor))
        self._bind(tensor, node, meta_of(tensor))
        return node

    # -- changes in place --------------------------------------------------------------------------------------------

    def _mutate(self, tensor: Tensor, node: fx.Node) -> Tensor:
        """Let `node` be the value of `tensor` from here on; what shares its memory is then out of date."""
        standin = self._standins.get(id(tensor), tensor if tensor.is_meta else meta_of(tensor))
        standin.zero_()  # raises the version that its views share
        self._bind(tensor, node, standin)
        # the parts of a split share a version but no memory
        for sibling in self._siblings.get(id(tensor), ()):
            self._versions[id(sibling)] = version_of(self._standins[id(sibling)])
        if not tensor.is_meta:
            self._change_base(tensor, node)
        elif id(tensor) in self._views:
            self._change_parent(*self._views[id(tensor)], node)
        elif base_of(tensor) is not None and id(base_of(tensor)) in self._versions:
            self._versions[id(base_of(tensor))] = _CHANGED_THROUGH_A_VIEW
        return tensor

    def _change_base(self, tensor: Tensor, node: fx.Node) -> None:
        """A real tensor now has a recorded value: so has what it is a view of, and every other view of that."""
        viewed = base_of(tensor)
        base = tensor if viewed is None else viewed
        if base is not tensor:
            self._note_size(base)
            whole = self.graph.call_function(put_back, (self._node_of(base), node, *_geometry(tensor, base)))
            self._bind(base, whole, meta_of(base))
        self._dependent.add(id(base))
        for key in self._parts.pop(id(base), ()):
            if key != id(tensor):
                self._nodes.pop(key, None)  # is taken anew from the base when it is next used

    def keep_constants_from(self, target: Tensor) -> None:
        """Before `target`, a real tensor, is really changed: what the graph holds of its memory stays as it was."""
        place = target.untyped_storage().data_ptr()
        for name, tensor in self.attributes.items():
            if not tensor.is_meta and tensor.untyped_storage().data_ptr() == place:
                self.attributes[name] = tensor.clone()
        for tensor in self._alive:
            if not tensor.is_meta and tensor.untyped_storage().data_ptr() == place:
                self._nodes.pop(id(tensor), None)

    def _change_parent(self, parent: Tensor, view: fx.Node, changed: fx.Node) -> None:
        """A view of `parent` now has the value `changed`: write it back, as shared memory does."""
        if view.target is getitem and self._versions[id(parent)] != _CHANGED_THROUGH_A_VIEW:
            # Its node as it stands: the change itself has made the parent's version look out of date.
            before = self._nodes[id(parent)]
            node = self.graph.call_function(assign, (before, view.args[1], changed))
        elif view.meta["val"].numel() == parent.numel() and _keeps_order(view):
            self._note_size(parent)
            node = self.graph.call_function(torch.reshape, (changed, tuple(parent.shape)))
        else:
            self._versions[id(parent)] = _CHANGED_THROUGH_A_VIEW
            return
        self._mutate(parent, node)

    # -- arguments ---------------------------------------------------------------------------------------------------

    def _standin(self, value: Any) -> Any:
        """`value` with every tensor on the meta device, save numbers, which operators may have to read."""
        if type(value) in _NUMBERS:
            return value
        if isinstance(value, Tensor):
            if value.is_meta or self.is_constant_number(value):
                return value
            known = self._standins.get(id(value))
            return meta_of(value) if known is None else known
        if isinstance(value, tuple):
            return tuple(map(self._standin, value)) if type(value) in (tuple, torch.Size) else value
        if isinstance(value, list):
            return [self._standin(item) for item in value]
        if isinstance(value, dict):
            return {key: self._standin(item) for key, item in value.items()}
        return value

    def _as_arguments(self, value: Any) -> Any:
        """`value` with every tensor replaced by its node."""
        if type(value) in _NUMBERS:
            return value
        if isinstance(value, Tensor):
            return self._node_of(value)
        if isinstance(value, tuple):
            return tuple(map(self._as_arguments, value))
        if isinstance(value, list):
            return [self._as_arguments(item) for item in value]
        if isinstance(value, dict):
            return {key: self._as_arguments(item) for key, item in value.items()}
        if isinstance(value, slice):
            return slice(*(self._as_arguments(part) for part in (value.start, value.stop, value.step)))
        return plain_argument(value)


def meta_of(tensor: Tensor) -> Tensor:
    """The form of a tensor on the meta device."""
    if (
        tensor.is_contiguous()
    ):  # `empty_like` of a meta tensor is Python, and five times as slow (seen in 2.14)
        return torch.empty(tensor.shape, dtype=tensor.dtype, device="meta")
    return torch.empty_like(tensor, device="meta")


def holds_tensor(value: Any) -> bool:
    """Whether a value is a tensor, or a sequence with one in it."""
    if isinstance(value, Tensor):
        return True
    return isinstance(value, (tuple, list)) and any(map(holds_tensor, value))


def tensors_in(value: Any) -> Iterator[Tensor]:
    """The tensors in nested sequences and mappings."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from tensors_in(item)
    elif isinstance(value, dict):
        yield from tensors_in(list(value.values()))


def _in_single(value: Any) -> Any:
    if isinstance(value, Tensor):
        return in_single(value)
    return type(value)(map(_in_single, value)) if type(value) in (tuple, list) else value


def _geometry(view: Tensor, base: Tensor) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    if not base.is_contiguous():
        raise CaptureError("a part of a tensor that is not in row-major order is changed in place")
    return tuple(view.shape), view.stride(), int(view.storage_offset() - base.storage_offset())


def _keeps_order(view: fx.Node) -> bool:
    return view.target in ("view", "reshape", torch.reshape, torch.flatten, torch.squeeze, torch.unsqueeze)
