"""Before a batch-axis norm the division by the unitisation factor is redundant and skipped (METHOD.md section 1)."""

from __future__ import annotations

from torch import fx

from fxscore.ops import batch_axis_norm, note_redundant, unitise
from fxscore.passes.base import PassBase, PassResult


class SkipUnitisationPass(PassBase):
    """Turns `unitise` into `note_redundant` where nothing but batch-axis norms follow: they cancel any scale."""

    def call(self, graph_module: fx.GraphModule) -> PassResult:
        modified = False
        for node in graph_module.graph.nodes:
            if (
                node.target is unitise
                and node.users
                and all(user.target is batch_axis_norm for user in node.users)
            ):
                node.target = note_redundant
                modified = True
        return PassResult(graph_module, modified)
