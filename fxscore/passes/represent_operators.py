"""Operators with weights become their representations; operators without get their one spelling."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import fx

from fxscore.capture.recorder import assign
from fxscore.errors import UnrepresentedOperatorError
from fxscore.passes.base import PassBase, PassResult, ancestors, reversed_nodes, weight_nodes
from fxscore.passes.missing_rule import missing_rule
from fxscore.represent.context import RewriteContext
from fxscore.represent.registry import module_rule, rule_for

# Operators without weights of their own in which a learnable tensor may stand like any other operand.
_DIRECT_USE = {
    torch.add, torch.sub, torch.mul, torch.div, torch.rsub, torch.pow, torch.cat, torch.stack, torch.where,
    torch.maximum, torch.minimum, torch.lerp, torch.cross, torch.eq, torch.gt, torch.lt, torch.ge, torch.le,
    assign, torch.concat, F.scaled_dot_product_attention, F.grid_sample, "expand_as",
    "masked_fill", torch.masked_fill, torch.index_select, torch.gather,
    torch.cdist, torch.cosine_similarity, F.cosine_similarity, F.pairwise_distance, torch.kron, torch.outer,
}  # fmt: skip


@dataclass(frozen=True)
class Represented:
    """One line of coverage: what one weighted operator became.

    Attributes:
        path: module path of its parameters.
        operator: name of the captured operator.
        form: what its weights became: `synthesised`, `one`, `zero`, … or `head` (replaced by the scorer).
        parameters: names of the parameters that it accounts for.
    """

    path: str
    operator: str
    form: str
    parameters: tuple[str, ...]


class RepresentOperatorsPass(PassBase):
    """Applies the rule of every operator, last to first, so that what only fed a replaced weight is dead by its turn.

    Raises:
        UnrepresentedOperatorError: an operator with weights has no rule; names it, its path, and a rule to fill in.
    """

    def call(self, graph_module: fx.GraphModule) -> PassResult:
        graph = graph_module.graph
        weights, from_input = weight_nodes(graph.nodes)
        inputs = {node.target: node for node in graph.nodes if node.op == "placeholder"}
        context = RewriteContext(graph, inputs["weights"], inputs["observer"], weights)
        coverage: list[Represented] = []
        modified = False
        for node in reversed_nodes(graph):
            if node.op in ("output", "placeholder") or node.meta.get("represented"):
                continue
            modified = True
            if not node.users:
                graph.erase_node(node)
                continue
            self._represent(graph_module, context, node, node in from_input)
            coverage += _coverage(node, context)
        graph_module.meta.setdefault("coverage", []).extend(reversed(coverage))
        return PassResult(graph_module, modified)

    def _represent(
        self, module: fx.GraphModule, context: RewriteContext, node: fx.Node, from_input: bool
    ) -> None:
        context.node = node
        context.replaced = []
        if node.op == "get_attr":
            substitute = _direct_tensor(context, node)
        elif node.op == "call_module":
            substitute = _apply_module_rule(module, context, node)
        else:
            substitute = _apply_rule(context, node, from_input)
        node.meta["represented"] = True
        if substitute is not node:
            substitute.meta.setdefault("val", node.meta.get("val"))
            node.meta["captured"] = node.target
            node.replace_all_uses_with(substitute)
            node.graph.erase_node(node)


def _direct_tensor(context: RewriteContext, node: fx.Node) -> fx.Node:
    if not node.meta.get("is_parameter"):
        return node
    context.replaced = [(node, "synthesised")]
    return context.direct(node)


def _apply_rule(context: RewriteContext, node: fx.Node, from_input: bool) -> fx.Node:
    rule = rule_for(node.target)
    if rule is None:
        if (
            from_input
            and node.target not in _DIRECT_USE
            and any(map(context.is_weight, node.all_input_nodes))
        ):
            raise UnrepresentedOperatorError(_missing_rule(context, node))
        return node
    try:
        return rule(context, *node.args, **node.kwargs)
    except UnrepresentedOperatorError as error:
        missing = _missing_rule(context, node)
        raise UnrepresentedOperatorError(f"{error} has no representation: {missing}") from None


def _apply_module_rule(graph_module: fx.GraphModule, context: RewriteContext, node: fx.Node) -> fx.Node:
    module = graph_module.get_submodule(str(node.target))
    rule = module_rule(module)
    if rule is None:
        raise UnrepresentedOperatorError(_missing_rule(context, node))
    node.meta["module_parameters"] = tuple(f"{node.target}.{name}" for name, _ in module.named_parameters())
    return rule(context, module, *node.args, **node.kwargs)


def _coverage(node: fx.Node, context: RewriteContext) -> list[Represented]:
    operator = getattr(node.target, "__name__", str(node.target))
    if node.op == "call_module":
        names = node.meta["module_parameters"]
        return [Represented(str(node.target), operator, "rule", names)] if names else []
    lines = []
    for weight, form in context.replaced:
        names = _parameters_of(weight)
        if names:
            lines.append(Represented(names[0].rpartition(".")[0], operator, form, names))
    return lines


def _parameters_of(weight: fx.Node) -> tuple[str, ...]:
    sources = (weight, *ancestors(weight))
    return tuple(sorted(str(source.target) for source in sources if source.meta.get("is_parameter")))


def _missing_rule(context: RewriteContext, node: fx.Node) -> str:
    weights = filter(context.is_weight, node.all_input_nodes)
    paths = [path for source in weights for path in _parameters_of(source)]
    return missing_rule(node, context.is_weight, paths)
