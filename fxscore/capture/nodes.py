"""Nodes of a graph at a quarter of what `fx.Graph.create_node` takes for a call with arguments (seen in 2.14).

That one searches the arguments for symbolic sizes, of which there are none here: every size is known.
"""

from __future__ import annotations

from typing import Any

from torch import fx

from fxscore.capture.torch_private import set_arguments


def new_node(
    graph: fx.Graph, kind: str, target: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
) -> fx.Node:
    """A node at the place where `graph` inserts, with the name that `create_node` gives it."""
    name = target if isinstance(target, str) else target.__name__
    # `create_node` takes names apart for upper case and dots, which is quicker said than found.
    plain = name.replace(".", "_") if name.islower() and name[0] != "_" else None
    node = graph.create_node(kind, target, name=plain)
    if args or kwargs:
        set_arguments(node, args, kwargs or {})
    return node


def new_call(graph: fx.Graph, target: Any, *args: Any, **kwargs: Any) -> fx.Node:
    """A call of a function, or of a tensor method by its name."""
    return new_node(
        graph, "call_method" if isinstance(target, str) else "call_function", target, args, kwargs
    )
