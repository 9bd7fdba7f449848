"""Building a module without its weights: parameters on the meta device from birth, buffers real.

A scorer reads topology and shapes, never a weight (METHOD.md, section 1), so a weight need not exist: a
network of a billion parameters is built in the memory of its buffers. `build_without_weights` climbs down a
ladder, one step at a time and only where the step before does not do:

1. ``meta``: `nn.Parameter` gives its data away as it is made and keeps shape, dtype and strides on the meta
   device, where initialisation costs nothing. A function mode mends what a constructor may do with such a
   parameter: a real operand beside it becomes meta; `parameter.device` answers `cpu` and
   `zeros_like(parameter)` is real, so that constants made "where the weights are" get their values.
2. ``zeros``: where step 1 raises (the constructor reads a weight's value), a parameter is one real zero seen
   through strides of 0, and writing to it does nothing. It reads as zeros and takes no memory.
3. ``ordinary``: where step 2 raises too, or a buffer is computed from a weight (the vectors of a spectral
   norm), the module is built with its weights, and they are dropped afterwards.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from fxscore.capture.modes import evaluating
from fxscore.capture.torch_private import buffers_of, parameters_of, pytree
from fxscore.collection import collection_paused

Step = Literal["meta", "zeros", "ordinary"]

# What a constructor raises when it needs the value of a weight that has none. It may have caught torch's own error and
# go on without what that step should have made.
_NEEDS_VALUES = (RuntimeError, TypeError, ValueError, AssertionError, NameError, AttributeError, LookupError)


@dataclass(frozen=True)
class WeightFree:
    """A module in eval mode, its parameters on the meta device, and the step of the ladder that built it."""

    module: nn.Module
    step: Step


@collection_paused()
def build_without_weights(build: Callable[[], nn.Module]) -> WeightFree:
    """Call `build` so that the module's parameters never take memory, where that is possible.

    Args:
        build: makes the module; called again (at most three times) where a step of the ladder does not do.

    Returns:
        The module in eval mode, parameters meta (of tensor subclasses: as they are), buffers real.

    Raises:
        Whatever `build` raises in an ordinary build.
    """
    try:
        with empty_weights() as mode:
            module = build()
    except _NEEDS_VALUES as error:
        return _build_on_zeros(build, error)
    if mode.reaches_buffers_of(module):
        return _finish(build(), "ordinary")
    return _finish(module, "meta")


@contextmanager
def empty_weights() -> Iterator[MetaWeights]:
    """Within this context (and this thread) every new `nn.Parameter` is on the meta device.

    A constructor that reads a weight's value raises what torch raises for meta tensors;
    `build_without_weights` goes on from there.
    """
    mode = MetaWeights()
    with _parameters_made_by(_meta_like), mode:
        yield mode


class MetaWeights(TorchFunctionMode):
    """Lets a constructor go on where meta parameters meet real tensors."""

    def __init__(self) -> None:
        super().__init__()
        self._unwritten: list[Tensor] = []

    def reaches_buffers_of(self, module: nn.Module) -> bool:
        """Whether a buffer of the module was computed from a parameter, so that its value is not known."""
        lost = {tensor.untyped_storage().data_ptr() for tensor in self._unwritten} - {0}
        buffers = (b for child in module.modules() for b in buffers_of(child).values() if b is not None)
        return any(b.is_meta or (lost and b.untyped_storage().data_ptr() in lost) for b in buffers)

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is torch.empty:
            return _empty(*args, **kwargs)
        # Most calls of a constructor concern no weight: they are let through at once.
        if not (_holds_meta(args) or (kwargs and _holds_meta(kwargs.values()))):
            return func(*args, **kwargs)
        name = getattr(func, "__name__", "")
        if name == "__get__":
            return torch.device("cpu") if func == torch.Tensor.device.__get__ else func(*args)
        return func(*args, **kwargs) if name == "__deepcopy__" else self._call(func, name, args, kwargs)

    def _call(self, func: Callable[..., Any], name: str, args: Any, kwargs: dict[str, Any]) -> Any:
        """A call that concerns a weight."""
        operands = _tensors(args, kwargs)
        if name in _CONSTANTS:
            return func(*args, **{**kwargs, "device": kwargs.get("device") or "cpu"})
        if name in _MOVES:
            return args[0]
        if name == "to":
            args, kwargs = pytree.tree_map_only((str, torch.device), lambda _: "meta", (args, kwargs))
            args = (args[0], *(a.to("meta") if isinstance(a, Tensor) else a for a in args[1:]))
        if _initialises(func, operands, kwargs):
            return operands[0]
        if _writes(func, kwargs) and not operands[0].is_meta:
            self._unwritten.append(operands[0])
            return operands[0]
        if not all(operand.is_meta or operand.dim() == 0 for operand in operands):
            args, kwargs = pytree.tree_map_only(Tensor, _on_meta, (args, kwargs))
        return func(*args, **kwargs)


class _ZeroWeights(TorchFunctionMode):
    """Lets initialisation write to a parameter that is one number seen many times: it does nothing."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if _writes(func, kwargs):
            target = kwargs.get("out", args[0] if args else kwargs.get("tensor"))
            if isinstance(target, Tensor) and 0 in target.stride() and target.numel() > 1:
                return target
        return func(*args, **kwargs)


_CONSTANTS = frozenset(
    "zeros_like ones_like full_like empty_like new_zeros new_ones new_full new_empty new_tensor".split()
)
_HUGE = 2**28  # elements: 1 GiB of float32
_MOVES = frozenset({"cpu", "cuda"})
_WRITES = frozenset("__setitem__ __iadd__ __isub__ __imul__ __itruediv__ __ior__ __iand__".split())
_WRITES_NO_VALUE = frozenset(
    "requires_grad_ detach_ share_memory_ t_ transpose_ swapaxes_ swapdims_ squeeze_ unsqueeze_".split()
)


# Steps of initialisation that fit every shape: without data they do nothing, which PyTorch's Python kernels for the
# meta device take up to a millisecond to find out (seen in 2.14).
_INITIALISES = frozenset(
    "zero_ fill_ constant_ kaiming_uniform_ normal_ uniform_ add_ sub_ mul_ div_ clamp_ erfinv_".split()
)


def _initialises(func: Callable[..., Any], operands: list[Tensor], kwargs: dict[str, Any]) -> bool:
    """Whether a call does nothing but draw or scale values that a weight does not have, and cannot refuse to."""
    name = getattr(func, "__name__", "")
    if name not in _INITIALISES or len(operands) != 1 or not operands[0].is_meta:
        return False
    if name == "kaiming_uniform_":
        known = kwargs["mode"] in ("fan_in", "fan_out") and kwargs["nonlinearity"] in ("relu", "leaky_relu")
        return operands[0].dim() > 1 and known
    # Outside `no_grad` PyTorch refuses to write to a parameter.
    allowed = not torch.is_grad_enabled() or not operands[0].requires_grad
    return allowed or getattr(func, "__module__", None) == nn.init.__name__


def _writes(func: Callable[..., Any], kwargs: dict[str, Any]) -> bool:
    """Whether a call changes the values of its first operand, or of `out`."""
    name = getattr(func, "__name__", "")
    in_place = name.endswith("_") and not name.endswith("__") and name not in _WRITES_NO_VALUE
    sets = name in _WRITES or func == torch.Tensor.data.__set__  # type: ignore[attr-defined]
    return in_place or sets or kwargs.get("out") is not None


def _holds_meta(values: Iterable[Any]) -> bool:
    """Whether a tensor in plain containers is on the meta device."""
    for value in values:
        if isinstance(value, Tensor):
            if value.is_meta:
                return True
        elif isinstance(value, (tuple, list)):
            if _holds_meta(value):
                return True
        elif isinstance(value, dict) and _holds_meta(value.values()):
            return True
    return False


def _tensors(args: Any, kwargs: dict[str, Any]) -> list[Tensor]:
    operands = [kwargs["out"]] if isinstance(kwargs.get("out"), Tensor) else []
    return [*operands, *_leaves(args), *_leaves(kwargs.values())]


def _leaves(values: Iterable[Any]) -> Iterator[Tensor]:
    """The tensors in plain containers; by hand, since `tree_leaves` took half of the time of a build."""
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (tuple, list)):
            yield from _leaves(value)
        elif isinstance(value, dict):
            yield from _leaves(value.values())


def _empty(*args: Any, **kwargs: Any) -> Tensor:
    """`torch.empty`, but data for a weight larger than memory might be is not even asked for."""
    if kwargs.get("device") is None and kwargs.get("out") is None:
        empty = torch.empty(*args, **{**kwargs, "device": "meta"})
        if empty.is_floating_point() and empty.numel() >= _HUGE:
            return empty
    return torch.empty(*args, **kwargs)


def _on_meta(tensor: Tensor) -> Tensor:
    return tensor if tensor.is_meta or tensor.dim() == 0 else tensor.to("meta")


def _meta_like(data: Tensor) -> Tensor:
    return torch.empty_like(data, device="meta")


def _zeros_like(data: Tensor) -> Tensor:
    return torch.zeros((), dtype=data.dtype).expand(data.shape)


def _build_on_zeros(build: Callable[[], nn.Module], first: Exception) -> WeightFree:
    try:
        with _parameters_made_by(_zeros_like), _ZeroWeights():
            module = build()
    except _NEEDS_VALUES as error:
        if type(error) is type(first) and str(error) == str(first):
            raise  # twice the same: the builder's own mistake
        return _finish(build(), "ordinary")
    return _finish(module, "zeros")


def _finish(module: nn.Module, step: Step) -> WeightFree:
    replaced: dict[nn.Parameter, nn.Parameter] = {}  # tied parameters stay tied
    for child in module.modules():
        for name, parameter in list(parameters_of(child).items()):
            if type(parameter) is nn.Parameter and not parameter.is_meta:
                if parameter not in replaced:
                    empty = _meta_like(parameter.data)
                    replaced[parameter] = nn.Parameter(empty, parameter.requires_grad)
                setattr(child, name, replaced[parameter])  # by name: an LSTM follows in its own list
    return WeightFree(evaluating(module), step)


class _ParameterPatch:
    """Replaces `nn.Parameter.__new__` while any thread builds; other threads' parameters are left alone."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.users = 0
        self.of_thread = threading.local()

    def enter(self) -> None:
        with self.lock:
            self.users += 1
            if self.users == 1:
                self.original = nn.Parameter.__dict__["__new__"]
                type.__setattr__(nn.Parameter, "__new__", staticmethod(self._wrap(self.original.__func__)))

    def leave(self) -> None:
        with self.lock:
            self.users -= 1
            if self.users == 0:
                type.__setattr__(nn.Parameter, "__new__", self.original)

    def _wrap(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def new(cls: type[nn.Parameter], data: Tensor | None = None, requires_grad: bool = True) -> Any:
            make = getattr(self.of_thread, "make", None)
            if make is not None and (data is None or type(data) in (Tensor, nn.Parameter)):
                data = make(torch.empty(0) if data is None else data)
            return original(cls, data, requires_grad)

        return new


_PATCH = _ParameterPatch()


@contextmanager
def _parameters_made_by(make: Callable[[Tensor], Tensor]) -> Iterator[None]:
    outer = getattr(_PATCH.of_thread, "make", None)
    _PATCH.enter()
    _PATCH.of_thread.make = make
    try:
        yield
    finally:
        _PATCH.of_thread.make = outer
        _PATCH.leave()
