"""The default order of the passes, spelled out."""

from __future__ import annotations

from collections.abc import Sequence

from torch import fx

from fxscore.errors import FxScoreError, PassError
from fxscore.passes.align_batch import AlignBatchPass
from fxscore.passes.base import PassBase, PassResult
from fxscore.passes.cut_head import CutHeadPass
from fxscore.passes.fold_zeros import FoldZerosPass
from fxscore.passes.join_biases import JoinBiasesPass
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
from fxscore.passes.sink_permutes import SinkPermutesPass
from fxscore.passes.skip_unitisation import SkipUnitisationPass
from fxscore.passes.sort_sums import SortSumsPass
from fxscore.passes.spell_products import SpellProductsPass
from fxscore.passes.verify import VerifyPass


class FollowedPass(PassBase):
    """A pass, and another that has nothing to do where the first changed nothing."""

    def __init__(self, first: PassBase, then: PassBase) -> None:
        self.first, self.then = first, then

    def call(self, graph_module: fx.GraphModule) -> PassResult:
        result: PassResult = self.first.call(graph_module)  # type: ignore[assignment]
        if result.modified:
            self.then.call(graph_module)
        return result


def default_pipeline() -> list[PassBase]:
    """From a captured graph to a constructed architecture."""
    return [
        PrepareInputsPass(),  # input → input-like tensor
        SpellProductsPass(),  # einsum, tensordot … → linear layers and matrix products
        JoinBiasesPass(),  # x @ W + b → linear layers
        CutHeadPass(),  # outputs → encodings; loss and heads → the scorer's
        RepresentOperatorsPass(),  # weights → synthesised weights; one spelling for the rest
        AlignBatchPass(),  # time first, folded frames → the batch in front
        NameFunctionsPass(),  # activations that are written out
        # edges that carry only zeros; what is left of a sum may then repeat its neighbour
        FollowedPass(FoldZerosPass(), NameFunctionsPass()),  # activations that now stand behind each other
        SimplifyPass(),  # identities, ReLU∘ReLU, BN∘BN
        OrderNodesPass(),  # rules count users: those that are left
        RewritePatternsPass(),  # operators that are written in single steps
        SinkPermutesPass(),  # time first → batch first inside the network
        SimplifyPass(),  # what the rules and that moved axes with
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
    """Apply passes in order, in place; `lint` checks the graph's form after each, which costs as much as they do.

    Raises:
        PassError: a pass failed; names it and the passes before it.
    """
    for place, rewrite in enumerate(passes):
        try:
            rewrite(graph_module)
            if lint:
                graph_module.graph.lint()
        except FxScoreError:
            raise  # says what of the network is at fault
        except Exception as error:
            raise _failed(passes[: place + 1], error) from error
    graph_module.recompile()
    return graph_module


def _failed(passes: Sequence[PassBase], error: Exception) -> PassError:
    *before, last = map(_name, passes)
    return PassError(
        f"{last} failed ({type(error).__name__}: {error}) after {', '.join(before) or 'no other pass'}; unless a "
        "rule of yours is at fault, that is worth an issue with the shortest network that shows it"
    )


def _name(rewrite: PassBase) -> str:
    if isinstance(rewrite, FollowedPass):
        return f"{_name(rewrite.first)} with {_name(rewrite.then)}"
    return type(rewrite).__name__
