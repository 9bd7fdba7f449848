"""The default order of the passes, spelled out."""

from __future__ import annotations

from collections.abc import Sequence

from torch import fx

from fxscore.passes.align_batch import AlignBatchPass
from fxscore.passes.base import PassBase
from fxscore.passes.cut_head import CutHeadPass
from fxscore.passes.fold_zeros import FoldZerosPass
from fxscore.passes.join_encodings import JoinEncodingsPass
from fxscore.passes.mark_functions import MarkFunctionsPass
from fxscore.passes.merge_common import MergeCommonSubexpressionsPass
from fxscore.passes.name_functions import NameFunctionsPass
from fxscore.passes.name_nodes import NameNodesPass
from fxscore.passes.order_nodes import OrderNodesPass
from fxscore.passes.prepare_inputs import PrepareInputsPass
from fxscore.passes.represent_operators import RepresentOperatorsPass
from fxscore.passes.rewrite_patterns import RewritePatternsPass
from fxscore.passes.show_activations import ShowActivationsPass
from fxscore.passes.simplify import SimplifyPass
from fxscore.passes.skip_unitisation import SkipUnitisationPass
from fxscore.passes.sort_sums import SortSumsPass
from fxscore.passes.spell_products import SpellProductsPass
from fxscore.passes.verify import VerifyPass


def default_pipeline() -> list[PassBase]:
    """From a captured graph to a constructed architecture."""
    return [
        PrepareInputsPass(),  # input → input-like tensor
        SpellProductsPass(),  # einsum, tensordot … → linear layers and matrix products
        CutHeadPass(),  # outputs → encodings; loss and heads → the scorer's
        RepresentOperatorsPass(),  # weights → synthesised weights; one spelling for the rest
        AlignBatchPass(),  # time first, folded frames → the batch in front
        NameFunctionsPass(),  # activations that are written out
        FoldZerosPass(),  # edges that carry only zeros; what is left of a sum may then repeat its neighbour
        SimplifyPass(),  # identities, ReLU∘ReLU, BN∘BN
        OrderNodesPass(),  # rules count users: those that are left
        RewritePatternsPass(),  # operators that are written in single steps
        SimplifyPass(),  # what the rules moved axes with
        OrderNodesPass(),  # what nobody uses must not hide that a sum is used once, or only normalised
        SortSumsPass(),
        MergeCommonSubexpressionsPass(),
        SkipUnitisationPass(),
        JoinEncodingsPass(),
        MarkFunctionsPass(),  # activations that have no name
        ShowActivationsPass(),
        OrderNodesPass(),
        NameNodesPass(),
        VerifyPass(),
    ]


def run_passes(
    graph_module: fx.GraphModule, passes: Sequence[PassBase], *, lint: bool = False
) -> fx.GraphModule:
    """Apply passes in order, in place; `lint` checks the graph's form after each, which costs as much as they do."""
    for rewrite in passes:
        rewrite.call(graph_module)
        if lint:
            graph_module.graph.lint()
    graph_module.recompile()
    return graph_module
