"""Memory that one forward of one example needs: parameters, buffers, and the tensors that are alive at one time.

Every tensor is kept from the operator that makes it to the last one that reads it, views of it included: an upper bound
that a run-time without operators in place or fused comes to. What an operator needs within itself is not counted.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from torch import Tensor, fx

from fxscore.capture.torch_private import pytree, storage_key


def memory_of(graph_module: fx.GraphModule, batch: int) -> int:
    """Bytes, of a graph that was captured at this batch; what is alive at one time is shared out to its examples."""
    nodes = list(graph_module.graph.nodes)
    held = {node: _storages(node.meta.get("val")) for node in nodes}
    sizes: dict[int, int] = {}
    for node in nodes:
        if node.op == "get_attr":
            sizes.update(held[node])
    constants = sum(sizes.values())
    made, last = _lives(nodes, held, sizes)
    freed: Counter[int] = Counter()
    for key, place in last.items():
        freed[place] += sizes[key]
    alive = largest = 0
    for place, begun in enumerate(made):
        alive += begun
        largest = max(largest, alive)
        alive -= freed[place]
    return constants + largest // batch


def _lives(
    nodes: list[fx.Node], held: dict[fx.Node, dict[int, int]], sizes: dict[int, int]
) -> tuple[list[int], dict[int, int]]:
    """(bytes that each node makes anew, where each storage that is no constant is last read); adds to `sizes`."""
    made: list[int] = []
    last: dict[int, int] = {}
    for place, node in enumerate(nodes):
        begun = 0
        for key, size in held[node].items():
            if key not in sizes:
                sizes[key] = size
                begun += size
                last[key] = place
        made.append(begun)
        for read in (node, *node.all_input_nodes):
            for key in held[read]:
                if key in last:
                    last[key] = place
    return made, last


def _storages(values: Any) -> dict[int, int]:
    """Identity → bytes of what holds a node's values; views of one tensor have one."""
    leaves = (values,) if isinstance(values, Tensor) else pytree.tree_leaves(values)
    storages = [value.untyped_storage() for value in leaves if isinstance(value, Tensor)]
    return {storage_key(storage): storage.nbytes() for storage in storages}
