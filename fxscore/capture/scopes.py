"""Which call of which module made a node of the graph, for those who ask: drawings fold a graph by its modules.

The forward runs once and nodes are appended in its order, so the nodes between the beginning and the end of a module's
call are that call's.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import Any, NamedTuple

from torch import fx, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook


class Call(NamedTuple):
    """One call of a module: its path in the network, the name of its class, and the how manieth call it is."""

    path: str
    kind: str
    number: int


class Scopes:
    """While it is entered, gives each new node of `graph` its `meta["scope"]`: the calls around it, outermost first."""

    def __init__(self, model: nn.Module, graph: fx.Graph) -> None:
        self._graph = graph
        self._names = {id(module): name for name, module in model.named_modules()}
        self._calls: Counter[str] = Counter()
        self._open: list[Call] = []
        self._marked = 0

    def __enter__(self) -> None:
        """Follow the calls of all modules."""
        # Without `always_call` a forward that fails would leave its call open; the capture fails with it.
        self._hooks = (
            register_module_forward_pre_hook(self._begin),
            register_module_forward_hook(self._end, always_call=True),
        )

    def __exit__(self, *failure: object) -> None:
        """Follow them no more."""
        for hook in self._hooks:
            hook.remove()
        self._mark()

    def _begin(self, module: nn.Module, args: Any) -> None:
        name = self._names.get(id(module))
        if name is not None:
            self._mark()
            self._calls[name] += 1
            self._open.append(Call(name, type(module).__name__, self._calls[name]))

    def _end(self, module: nn.Module, args: Any, result: Any) -> None:
        if id(module) in self._names:
            self._mark()
            self._open.pop()

    def _mark(self) -> None:
        """What is new since the last time was made by the innermost open call."""
        scope, total = tuple(self._open), len(self._graph.nodes)
        for node in islice(reversed(self._graph.nodes), total - self._marked):
            node.meta["scope"] = scope
        self._marked = total
