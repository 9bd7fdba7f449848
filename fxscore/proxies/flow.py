"""Follows, operator by operator, what every tensor of a forward pass is made of.

Below autograd torch shows a forward pass as a list of aten operators on tensors. For every storage the mode
keeps a `Origin`: whether the network's input has a part in it, whether parameters alone have made it, and the
largest number of convolution and linear operators between input and it. A product with the number 0 cuts the
path. An operator counts as convolution or linear when one of its two factors is made of parameters alone and
the other depends on the input: modules, functional calls, einsum and standardised weights look the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef

from fxscore.capture.torch_private import TorchDispatchMode
from fxscore.proxies.operators import CONVOLUTIONS, PRODUCTS, SCALINGS, Packet


@dataclass(frozen=True)
class Origin:
    """What a storage is made of.

    Attributes:
        data: The network's input has a part in it, be it multiplied by zero.
        learned: A parameter has a part in it.
        depth: Convolution and linear operators on the longest path from the input, None where no path is left.
    """

    data: bool = False
    learned: bool = False
    depth: int | None = None


CONSTANT = Origin()
INPUT = Origin(data=True, depth=0)
PARAMETER = Origin(learned=True)


@dataclass(frozen=True)
class Call:
    """One executed operator: its packet, arguments, tensors in and out, and the origins of those that came in."""

    packet: Packet
    args: tuple[Any, ...]
    inputs: tuple[Tensor, ...]
    origins: tuple[Origin, ...]
    outputs: tuple[Tensor, ...] = ()

    @property
    def data(self) -> bool:
        """Whether the result depends on the network's input."""
        return any(origin.data for origin in self.origins)

    @property
    def weighted(self) -> bool:
        """Whether this is a convolution or linear layer."""
        if self.packet in CONVOLUTIONS:
            first, second = self.origins[:2]
        elif self.packet in PRODUCTS:
            first, second = self.origins[-2:]
        else:
            return False
        return any(a.data and b.learned and not b.data for a, b in ((first, second), (second, first)))


class FlowMode(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Runs operators as they are, and calls `before` and `see` around each.

    Args:
        parameters: The network's parameters.
        images: Its input.
    """

    def __init__(self, parameters: Iterator[Tensor], images: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.origins: dict[StorageWeakRef, Origin] = {}
        for parameter in parameters:
            self.origins[storage_of(parameter)] = PARAMETER
        self.origins[storage_of(images)] = INPUT

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)  # type: ignore[no-untyped-call]

    def before(self, call: Call) -> None:
        """Called ahead of every operator, which may work in place; `call.outputs` is empty."""

    def see(self, call: Call) -> None:
        """Called after every operator."""

    def origin_of(self, tensor: Tensor) -> Origin:
        """What `tensor` is made of."""
        return self.origins.get(storage_of(tensor), CONSTANT)

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run one operator, then note its origin."""
        if func.namespace == "prim":
            return func(*args, **(kwargs or {}))
        inputs = tuple(_tensors((args, kwargs or {})))
        call = Call(getattr(func, "overloadpacket", func), args, inputs, tuple(map(self.origin_of, inputs)))
        self.before(call)
        result = func(*args, **(kwargs or {}))
        if outputs := tuple(_tensors(result)):
            self._note(replace(call, outputs=outputs))
        return result

    def _note(self, call: Call) -> None:
        self.see(call)
        origin = Origin(call.data, any(origin.learned for origin in call.origins), _depth(call))
        for output in call.outputs:
            key = storage_of(output)
            known = self.origins.get(key)
            self.origins[key] = origin if known is None or known == origin else _joined(known, origin)


def _depth(call: Call) -> int | None:
    depths = [origin.depth for origin in call.origins if origin.depth is not None]
    cut = call.packet in SCALINGS and any(_is_zero(arg) for arg in call.args)
    return None if cut or not depths else max(depths) + call.weighted


def _is_zero(value: object) -> bool:
    return isinstance(value, (int, float)) and value == 0


def _joined(known: Origin, new: Origin) -> Origin:
    """The origin of a storage that is written again, or seen through a view: nothing it held is forgotten."""
    depths = [origin.depth for origin in (known, new) if origin.depth is not None]
    return Origin(known.data or new.data, known.learned or new.learned, max(depths, default=None))


def storage_of(tensor: Tensor) -> StorageWeakRef:
    """What tells apart what is stored, whatever views of it there are."""
    # The weak reference keeps the address from being given to another storage while the origin is kept.
    return StorageWeakRef(tensor.untyped_storage())  # type: ignore[no-untyped-call]


def _tensors(value: object) -> Iterator[Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _tensors(item)
    elif isinstance(value, dict):
        yield from _tensors(tuple(value.values()))
