"""Follows, operator by operator, what every tensor of a forward pass is made of.

Below autograd torch shows a forward pass as a list of aten operators on tensors. For every storage the mode
keeps a `Flow`: whether the network's input has a part in it, whether parameters alone have made it, and the
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
from torch.utils._python_dispatch import TorchDispatchMode

from fxscore.proxies.operators import CONVOLUTIONS, PRODUCTS, SCALINGS, Packet


@dataclass(frozen=True)
class Flow:
    """What a storage is made of.

    Attributes:
        data: The network's input has a part in it, be it multiplied by zero.
        learned: A parameter has a part in it.
        depth: Convolution and linear operators on the longest path from the input, None where no path is left.
    """

    data: bool = False
    learned: bool = False
    depth: int | None = None


CONSTANT = Flow()
INPUT = Flow(data=True, depth=0)
PARAMETER = Flow(learned=True)


@dataclass(frozen=True)
class Call:
    """One executed operator: its packet, arguments, tensors in and out, and the flows of those that came in."""

    packet: Packet
    args: tuple[Any, ...]
    inputs: tuple[Tensor, ...]
    flows: tuple[Flow, ...]
    outputs: tuple[Tensor, ...] = ()

    @property
    def data(self) -> bool:
        """Whether the result depends on the network's input."""
        return any(flow.data for flow in self.flows)

    @property
    def weighted(self) -> bool:
        """Whether this is a convolution or linear layer."""
        if self.packet in CONVOLUTIONS:
            first, second = self.flows[:2]
        elif self.packet in PRODUCTS:
            first, second = self.flows[-2:]
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
        self.flows: dict[StorageWeakRef, Flow] = {}
        for parameter in parameters:
            self.flows[_storage(parameter)] = PARAMETER
        self.flows[_storage(images)] = INPUT

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)  # type: ignore[no-untyped-call]

    def before(self, call: Call) -> None:
        """Called ahead of every operator, which may work in place; `call.outputs` is empty."""

    def see(self, call: Call) -> None:
        """Called after every operator."""

    def flow_of(self, tensor: Tensor) -> Flow:
        """What `tensor` is made of."""
        return self.flows.get(_storage(tensor), CONSTANT)

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run one operator, then note its flow."""
        if func.namespace == "prim":
            return func(*args, **(kwargs or {}))
        inputs = tuple(_tensors((args, kwargs or {})))
        call = Call(getattr(func, "overloadpacket", func), args, inputs, tuple(map(self.flow_of, inputs)))
        self.before(call)
        result = func(*args, **(kwargs or {}))
        if outputs := tuple(_tensors(result)):
            self._note(replace(call, outputs=outputs))
        return result

    def _note(self, call: Call) -> None:
        self.see(call)
        flow = Flow(call.data, any(flow.learned for flow in call.flows), _depth(call))
        for output in call.outputs:
            key = _storage(output)
            known = self.flows.get(key)
            self.flows[key] = flow if known is None or known == flow else _joined(known, flow)


def _depth(call: Call) -> int | None:
    depths = [flow.depth for flow in call.flows if flow.depth is not None]
    cut = call.packet in SCALINGS and any(_is_zero(arg) for arg in call.args)
    return None if cut or not depths else max(depths) + call.weighted


def _is_zero(value: object) -> bool:
    return isinstance(value, (int, float)) and value == 0


def _joined(known: Flow, new: Flow) -> Flow:
    """The flow of a storage that is written again, or seen through a view: nothing it held is forgotten."""
    depths = [flow.depth for flow in (known, new) if flow.depth is not None]
    return Flow(known.data or new.data, known.learned or new.learned, max(depths, default=None))


def _storage(tensor: Tensor) -> StorageWeakRef:
    # The weak reference keeps the address from being given to another storage while the flow is kept.
    return StorageWeakRef(tensor.untyped_storage())  # type: ignore[no-untyped-call]


def _tensors(value: object) -> Iterator[Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _tensors(item)
    elif isinstance(value, dict):
        yield from _tensors(tuple(value.values()))
