"""A graph as a list of calls: quicker to make than generated code, and small enough to keep thousands of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from torch import Tensor, fx


class _Slot(int):
    """The place of a value among the values of a run, where an argument may also be a plain number."""


@dataclass(frozen=True)
class _Call:
    result: int
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    options: dict[str, Any]
    nested: bool
    finished: tuple[int, ...]


class Program:
    """Runs a graph of functions; each value is dropped after its last use.

    Args:
        graph_module: its graph calls functions and tensor methods only.
    """

    def __init__(self, graph_module: fx.GraphModule) -> None:
        nodes = [node for node in graph_module.graph.nodes if node.op != "output"]
        slots = {node: _Slot(index) for index, node in enumerate(nodes)}
        last_uses = _last_uses(graph_module.graph)
        self._size = len(nodes)
        self._inputs: list[int] = [slots[node] for node in nodes if node.op == "placeholder"]
        self._constants: list[tuple[int, Any]] = [
            (slots[node], attrgetter(str(node.target))(graph_module))
            for node in nodes
            if node.op == "get_attr"
        ]
        self._calls = [_call(node, slots, last_uses.get(node, ())) for node in nodes if _is_call(node)]
        (output,) = (node for node in graph_module.graph.nodes if node.op == "output")
        self._output = slots[output.args[0]]

    def __call__(self, *inputs: Any) -> Any:
        """The graph's result for its inputs, in the order of its placeholders."""
        values: list[Any] = [None] * self._size
        for place, value in (*zip(self._inputs, inputs, strict=True), *self._constants):
            values[place] = value
        for call in self._calls:
            look_up = _look_up_nested if call.nested else _look_up
            arguments = [look_up(argument, values) for argument in call.arguments]
            options = {key: _look_up_nested(value, values) for key, value in call.options.items()}
            values[call.result] = call.function(*arguments, **options)
            for place in call.finished:
                values[place] = None
        return values[self._output]


def _is_call(node: fx.Node) -> bool:
    return node.op in ("call_function", "call_method")


def _call(node: fx.Node, slots: dict[fx.Node, _Slot], finished: tuple[fx.Node, ...]) -> _Call:
    function = getattr(Tensor, node.target) if isinstance(node.target, str) else node.target
    arguments = fx.node.map_arg(node.args, slots.__getitem__)
    options = fx.node.map_arg(node.kwargs, slots.__getitem__) if node.kwargs else {}
    nested = any(isinstance(argument, (list, tuple, slice)) for argument in arguments)
    return _Call(
        slots[node], function, tuple(arguments), dict(options), nested, tuple(slots[n] for n in finished)
    )


def _last_uses(graph: fx.Graph) -> dict[fx.Node, tuple[fx.Node, ...]]:
    """The values that are not needed after each node."""
    seen: set[fx.Node] = set()
    finished: dict[fx.Node, tuple[fx.Node, ...]] = {}
    for node in reversed(graph.nodes):
        fresh = [source for source in node.all_input_nodes if source not in seen]
        seen.update(fresh)
        if fresh and node.op != "output":
            finished[node] = tuple(fresh)
    return finished


def _look_up(argument: Any, values: list[Any]) -> Any:
    return values[argument] if type(argument) is _Slot else argument


def _look_up_nested(argument: Any, values: list[Any]) -> Any:
    if isinstance(argument, (list, tuple)):
        return type(argument)(_look_up_nested(item, values) for item in argument)
    if isinstance(argument, slice):
        return slice(*(_look_up(part, values) for part in (argument.start, argument.stop, argument.step)))
    return _look_up(argument, values)
