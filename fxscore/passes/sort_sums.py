"""Sums are flattened and their operands sorted, so that neither association nor order changes the graph."""

from __future__ import annotations

import torch
from torch import fx

from fxscore.ops import sum_of
from fxscore.passes.base import PassBase, PassResult, is_sum, shape_of
from fxscore.passes.structure import structural_hashes


class SortSumsPass(PassBase):
    """Turns nested binary sums into one `sum_of` with operands in the order of their hashes; sorts products too.

    A partial sum that is used elsewhere as well stays a node of its own, so that it is computed once.
    """

    def call(self, graph_module: fx.GraphModule) -> PassResult:
        hashes = structural_hashes(graph_module)
        modified = False
        for node in graph_module.graph.nodes:
            if is_sum(node):
                modified |= _sort(node, tuple(sorted(_flatten(node), key=lambda term: hashes[term])))
            elif node.target is torch.mul and all(isinstance(arg, fx.Node) for arg in node.args):
                modified |= _sort(node, tuple(sorted(node.args, key=lambda factor: hashes[factor])))
        return PassResult(graph_module, modified)


def _flatten(node: fx.Node) -> list[fx.Node]:
    terms: list[fx.Node] = []
    for operand in node.args:
        assert isinstance(operand, fx.Node)
        alone = len(operand.users) == 1 and node.args.count(operand) == 1
        nested = is_sum(operand) and alone and shape_of(operand) == shape_of(node)
        terms += operand.args if nested else [operand]  # type: ignore[arg-type]
    return terms


def _sort(node: fx.Node, operands: tuple[fx.Node, ...]) -> bool:
    target = sum_of if is_sum(node) else node.target
    if node.args == operands and node.target is target:
        return False
    node.target, node.args = target, operands
    return True
