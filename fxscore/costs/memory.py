"""Memory that one forward of one example needs: parameters, buffers, and the tensors that are alive at one time.

Every tensor is kept from the operator that makes it to the last one that reads it, views of it included: an upper bound
that a run-time without operators in place or fused comes to. What an operator needs within itself is not counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from torch import Tensor, fx

from fxscore.capture.torch_private import pytree, storage_key


def memory_of(graph_module: fx.GraphModule, batch: int) -> int:
    """Bytes, of a graph that was captured at this batch; what is alive at one time is shared out to its examples."""
    nodes = list(graph_module.graph.nodes)
    constant = {key: size for node in nodes if node.op == "get_attr" for key, size in _storages(node)}
    ends = _last_uses(nodes, constant)
    alive = largest = 0
    for place in range(len(nodes)):
        alive += sum(size for _, size in ends.made[place])
        largest = max(largest, alive)
        alive -= ends.freed[place]
    return sum(constant.values()) + largest // batch


class _Lives:
    """Which storages each node makes, and how many bytes are free after it."""

    def __init__(self) -> None:
        self.made: dict[int, list[tuple[int, int]]] = {}
        self.freed: Counter[int] = Counter()


def _last_uses(nodes: list[fx.Node], constant: dict[int, int]) -> _Lives:
    lives, last, sizes = _Lives(), dict[int, int](), dict[int, int]()
    for place, node in enumerate(nodes):
        fresh = dict(each for each in _storages(node) if each[0] not in sizes and each[0] not in constant)
        lives.made[place] = list(fresh.items())
        sizes.update(fresh)
        for user in (node, *node.all_input_nodes):
            last.update({key: place for key, _ in _storages(user) if key in sizes})
    for key, place in last.items():
        lives.freed[place] += sizes[key]
    return lives


def _storages(node: fx.Node) -> Iterator[tuple[int, int]]:
    """(identity, bytes) of what holds a node's values; views of one tensor have one."""
    for value in pytree.tree_leaves(node.meta.get("val")):
        if isinstance(value, Tensor):
            yield storage_key(value), value.untyped_storage().nbytes()
