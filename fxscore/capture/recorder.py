"""Records what a forward pass does to its input, on shapes alone.

The forward runs for real, once, as Python: control flow over shapes, flags, types and `len` is simply executed.
What depends on the input or on a parameter flows as tensors without storage (the meta device), and every
`torch` function, `torch.nn.functional` function and tensor method that such a value meets becomes one node of an
`fx.Graph`. What depends on neither (index tables, masks, sizes, noise) is computed for real and becomes a constant.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from operator import getitem
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.overrides import TorchFunctionMode

from fxscore.capture.aten import __name__ as _ATEN
from fxscore.capture.aten import plain_function
from fxscore.capture.bindings import Bindings, assign, change, holds_tensor, tensors_in
from fxscore.capture.chance import drawn, draws_by_value, is_noise, noise
from fxscore.capture.checks import answer_of_check, certain_truth, place_of, reads_a_value
from fxscore.capture.indices import check_classes, check_indices, is_known_mask
from fxscore.capture.nodes import new_node
from fxscore.capture.operators import (
    ASKS,
    CASTS,
    CHECKS,
    COMMUTE,
    DROPPED_KEYWORDS,
    FILLS,
    IDENTITIES,
    OF_ANY_SIZE,
    READS_VALUES,
    SHAPES_ONLY,
    TAKES_NUMBERS,
    TENSOR_PROPERTIES,
    UNWRITTEN,
    WRITES_ALL,
    canonical_target,
    cast_dtype,
    inplace_position,
    is_in_place,
    leaves_first_unread,
    renamed,
)
from fxscore.capture.packing import PACKING, packed
from fxscore.capture.shapes import infer
from fxscore.capture.torch_private import base_of
from fxscore.capture.unwritten import Unwritten, allocated, overwrites
from fxscore.errors import CaptureError

__all__ = ["DataDependentError", "Recorder", "assign"]


class DataDependentError(CaptureError):
    """The forward reads a value that depends on the input or on a weight: no capture can follow both ways."""


class Recorder(Bindings, TorchFunctionMode):
    """Turns the `torch` calls of one forward into `graph`.

    Attributes:
        passed_checks: questions about values that cannot matter, with their answers and places.
    """

    def __init__(self, parameters: dict[str, nn.Parameter], buffers: dict[str, Tensor]) -> None:
        super().__init__(parameters, buffers)
        self.passed_checks: list[str] = []
        self._unwritten = Unwritten()
        self._draws = 0
        self._muted = False

    def placeholder(self, name: str, tensor: Tensor, batched: bool = True) -> Tensor:
        """Make `tensor` (on the meta device) an input of the graph; `batched` says whether it has a batch axis."""
        node = self.graph.placeholder(name)
        node.meta["batched"] = batched
        self._bind(tensor, node, tensor)
        return tensor

    def finish(self, outputs: Sequence[Tensor]) -> None:
        """End the graph with `outputs` as its results; a single one is the result itself."""
        self._unwritten.refuse(outputs)
        nodes = tuple(self._node_of(output) for output in outputs)
        values = tuple(node.meta["val"] for node in nodes)
        single = len(nodes) == 1
        self.graph.output(nodes[0] if single else nodes).meta["val"] = values[0] if single else values

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if self._muted:
            return self._run_unseen(func, args, kwargs)
        if func.__name__ in ("__get__", "__set__"):
            return self._use_property(func.__self__.__name__, func, args)
        func = plain_function(func)
        if getattr(func, "__module__", None) == _ATEN:  # in other words: record what it calls
            with self:
                return func(*args, **kwargs)
        if func.__name__ in UNWRITTEN:
            return self._allocate(func, args, kwargs)
        self._refuse_unread(func, args, kwargs)
        if self._touches(args) or (kwargs and self._touches(kwargs.values())):
            return self._record(func, args, renamed(kwargs))
        return self._compute(func, args, kwargs)

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

    # -- what is computed for real -----------------------------------------------------------------------------------

    def _touches(self, values: Iterable[Any]) -> bool:
        for value in values:
            if isinstance(value, Tensor):
                if self.flows(value):
                    return True
            elif isinstance(value, (list, tuple)) and value and self._touches(value):
                return True
        return False

    def _compute(self, func: Any, args: Any, kwargs: Any) -> Any:
        """A call among constants; what is computed from a given tensor is given too."""
        target = self._mutated(func, args, kwargs)
        if target is not None:
            self._note_written(target)
            self.keep_constants_from(target)
        result = func(*args, **kwargs)
        if (
            self._given
            and func.__name__ not in FILLS
            and any(id(tensor) in self._given for tensor in tensors_in((args, kwargs)))
        ):
            for tensor in tensors_in(args[0] if func.__name__ == "__setitem__" else result):
                self.give(tensor)
        return result

    # -- memory that nobody has written ------------------------------------------------------------------------------

    def _allocate(self, func: Any, args: Any, kwargs: Any) -> Any:
        """`torch.empty` and its like: not a number until something is written there."""
        if self._touches(args):
            place = self._standin(args[0])
            self._note_size(place)
            empty = func(place, *args[1:], **{**kwargs, "device": "meta"})
            node = self.graph.call_function(torch.full, (tuple(empty.shape), float("nan")))
            if not empty.is_floating_point():
                node.args, node.kwargs = (tuple(empty.shape), 0), {"dtype": empty.dtype}
            self._bind(empty, node, empty)
        else:
            empty = allocated(func, args, kwargs)
        self._unwritten.add(empty)
        return empty

    def _note_written(self, tensor: Tensor | None) -> None:
        """`tensor` is written, and so is what it is a view of."""
        while tensor is not None and self._unwritten:
            self._unwritten.remove(tensor)
            tensor = self._views[id(tensor)][0] if id(tensor) in self._views else base_of(tensor)

    def _refuse_unread(self, func: Any, args: Any, kwargs: Any) -> None:
        if not self._unwritten or func.__name__ in SHAPES_ONLY:
            return
        target = self._mutated(func, args, kwargs) if overwrites(func, kwargs) else None
        read = args[1:] if leaves_first_unread(func.__name__, kwargs) else args
        self._unwritten.refuse(tensor for tensor in tensors_in((read, kwargs)) if tensor is not target)

    # -- what is recorded --------------------------------------------------------------------------------------------

    def _use_property(self, name: str, func: Any, args: Any) -> Any:
        tensor = args[0]
        if func.__name__ == "__set__":
            return self._set_property(name, func, args)
        if not self._touches(args):
            return func(*args)
        if name == "device":
            return torch.device("cpu")  # where the constructed architecture will run
        if name == "is_meta":
            return False
        if name not in TENSOR_PROPERTIES:
            if name not in OF_ANY_SIZE:
                self._note_size(tensor)
            return func(self._standin(tensor) if tensor.dim() else tensor)
        if name == "data":
            return tensor
        return self._record(getattr(torch, TENSOR_PROPERTIES[name]), args, {})

    def _set_property(self, name: str, func: Any, args: Any) -> None:
        """`x.data = y` writes to `x`; other properties that can be set (gradients) change no value."""
        if not self._touches(args):
            func(*args)
        elif name == "data":
            self._overwrite(args[0], "copy_", args[1:])

    def _record(self, func: Any, args: Any, kwargs: Any) -> Any:
        name = func.__name__
        if name in IDENTITIES:
            return self._pass_on(name, args[0] if args else kwargs["input"])
        if name in CASTS:
            return self._cast(name, args, kwargs)
        if name in ASKS:
            return self._answer(func, args, kwargs)
        if name in CHECKS:
            return self._note_check(True)
        if name in READS_VALUES or (
            name == "where" and len(args) + len(kwargs) == 1
        ):  # places of what is true
            raise DataDependentError(reads_a_value(name))
        if name == "__setitem__":
            return self._record_assignment(*args)
        if name in PACKING:
            return self._record_packing(func, *args)
        if name in WRITES_ALL:
            return self._overwrite(args[0], name, args[1:] or tuple(kwargs.values()))
        if is_noise(func, args, kwargs):
            return self._draw(func, args, kwargs)
        return self._record_call(func, args, kwargs)

    def _record_call(self, func: Any, args: Any, kwargs: Any) -> Any:
        if func.__name__ == "__getitem__":
            args = (args[0], self._without_masks(args[1]))
        check_indices(func.__name__, args, kwargs)
        place = inplace_position(func)
        if place is not None and len(args) > place:
            kwargs = {**kwargs, "inplace": args[place]}
            args = (*args[:place], False, *args[place + 1 :])
        mutated = self._mutated(func, args, kwargs)
        inputs = {key: value for key, value in kwargs.items() if key not in DROPPED_KEYWORDS}
        if func.__name__ in TAKES_NUMBERS:
            args, inputs = self._with_numbers(func, args), self._numbers(inputs)
        # Before the shapes are inferred: an in-place operator changes its argument's version even there.
        arguments, options = self._as_arguments(args), self._as_arguments(inputs)
        if func.__name__ == "one_hot":
            check_classes(arguments[0] if arguments else None, (*args[1:], *inputs.values(), None)[0])
        result = infer(func, self._standin(args), self._standin(inputs))
        if not holds_tensor(result):
            if func.__name__ not in OF_ANY_SIZE:
                self._note_size(args[0])
            return result
        node = self._node(func, arguments, options)
        if mutated is None:
            return self._bind_result(node, result, args)
        return self._mutated_to(mutated, node)

    def _node(self, func: Any, arguments: Any, options: Any) -> fx.Node:
        kind, target = canonical_target(func)
        if draws_by_value(func, arguments, options):
            self._draws += 1
            kind, target = "call_function", drawn
            self.sizes_asked = True
            arguments = (func.__name__.rstrip("_"), self._draws, *arguments)
        elif target is change:
            arguments = (arguments[0], func.__name__, *arguments[1:])
        return new_node(self.graph, kind, target, arguments, options)

    def _without_masks(self, index: Any) -> Any:
        """An index in which the places that it marks stand for every mask with values."""
        parts = index if isinstance(index, tuple) else (index,)
        if not any(map(is_known_mask, parts)):
            return index
        return tuple(place for part in parts for place in self._places(part))

    def _places(self, part: Any) -> tuple[Any, ...]:
        if not is_known_mask(part):
            return (part,)
        places = part.nonzero(as_tuple=True)
        return tuple(map(self.give, places)) if id(part) in self._given else places

    def _record_packing(
        self, func: Any, value: Tensor, sizes: Tensor, *settings: Any
    ) -> tuple[Tensor, Tensor]:
        """A sequence that is packed or padded: its sizes stay real, since later layers read them."""
        result, further = packed(func, self._standin(value), sizes, *settings)
        node = self.graph.call_function(func, (self._node_of(value), self._node_of(sizes), *settings))
        node.meta["val"] = (result, self._standin(further))
        self._bind(result, self.graph.call_function(getitem, (node, 0)), result)
        return result, self.give(further)

    def _mutated(self, func: Any, args: Any, kwargs: Any) -> Tensor | None:
        """The tensor that this call overwrites, if it overwrites one."""
        if isinstance(kwargs.get("out"), Tensor):
            return kwargs["out"]  # type: ignore[no-any-return]
        if is_in_place(func.__name__) or kwargs.get("inplace"):
            target = args[0] if args else kwargs.get("input")
            return target if isinstance(target, Tensor) else None
        return None

    def _record_assignment(self, tensor: Tensor, index: Any, item: Any) -> None:
        node = self.graph.call_function(assign, self._as_arguments((tensor, index, item)))
        self._mutated_to(tensor, node)

    def _mutated_to(self, tensor: Tensor, node: fx.Node) -> Tensor:
        self._note_written(tensor)
        return self._mutate(tensor, node)

    def _overwrite(self, tensor: Tensor, name: str, values: tuple[Any, ...]) -> Tensor:
        """`zero_`, `fill_` and `copy_`: whatever was there before has no part in what is there now."""
        like = self._node_of(tensor)
        if name == "zero_":
            node = self.graph.call_function(torch.zeros_like, (like,))
        elif name == "copy_":
            node = self._copied(tensor, values[0])
        else:
            node = self.graph.call_function(torch.full_like, (like, *self._as_arguments(values[:1])))
        return self._mutated_to(tensor, node)

    def _copied(self, tensor: Tensor, source: Tensor) -> fx.Node:
        node = self._node_of(source)
        if source.dtype != tensor.dtype:
            node = self._node_of(self._cast("to", (source, tensor.dtype), {}))
        if source.shape == tensor.shape:
            return node
        self._note_size(tensor)
        wide = self.graph.call_method("expand", (node, *tensor.shape))
        wide.meta["val"] = node.meta["val"].expand(tensor.shape)
        return wide

    def _draw(self, func: Any, args: Any, kwargs: Any) -> Tensor:
        """Noise is a constant: what is drawn into a tensor takes its place."""
        like: Tensor = args[0] if args else kwargs["input"]
        self._note_size(like)
        constant = noise(func, like, args, kwargs)
        target = self._mutated(func, args, kwargs)
        return constant if target is None else self._mutated_to(target, self._node_of(constant))

    def _answer(self, func: Any, args: Any, kwargs: Any) -> bool:
        """A question about values: answered where it is a check, which cannot change what is computed."""
        known = certain_truth(self._node_of(args[0])) if func.__name__ in ("__bool__", "is_nonzero") else None
        answer = answer_of_check(sys._getframe()) if known is None else known
        if answer is None:
            raise DataDependentError(reads_a_value(func.__name__))
        self._note_check(answer)
        return answer

    def _note_check(self, answer: bool) -> None:
        self.passed_checks.append(f"{place_of(sys._getframe())}: {answer}")

    def _cast(self, name: str, args: Any, kwargs: Any) -> Tensor:
        tensor: Tensor = args[0]
        own = self._standin(tensor).dtype
        dtype = cast_dtype(name, args[1:], kwargs) or own
        if dtype == own:
            return tensor
        if dtype.is_floating_point and own.is_floating_point:
            return self._stand_for(tensor, dtype)
        node = self.graph.call_method("to", self._as_arguments((tensor, dtype)))
        result = torch.empty(tensor.shape, dtype=dtype, device="meta")
        self._bind(result, node, result)
        return result

    def _pass_on(self, name: str, tensor: Tensor) -> Tensor:
        """The result of an operator that changes no value: `tensor` itself, or the copy that it is in PyTorch too."""
        if name != "clone" and (name != "contiguous" or self._standin(tensor).is_contiguous()):
            return tensor
        return self._stand_for(tensor, tensor.dtype)

    def _with_numbers(self, func: Any, args: Any) -> Any:
        """Arguments with numbers where they were tensors; a method keeps its tensor, on either side of `+` and `*`."""
        if func.__name__ in COMMUTE and len(args) == 2 and self.is_constant_number(args[0]):
            args = (args[1], args[0])
        return (*args[:1], *self._numbers(tuple(args[1:])))

    def _numbers(self, value: Any) -> Any:
        """`value` with the real tensors of one number in it as numbers."""
        if isinstance(value, Tensor):
            return value.item() if self.is_constant_number(value) else value
        if isinstance(value, (tuple, list)) and type(value) in (tuple, list, torch.Size):
            return type(value)(map(self._numbers, value))
        return {key: self._numbers(item) for key, item in value.items()} if isinstance(value, dict) else value
