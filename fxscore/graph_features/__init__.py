"""Features of any network: of its constructed graph, and of one constructed forward (METHOD.md section 5).

`graph_features` reads the canonical graph alone, `forward_features` what one forward gave; both return ordered, named
numbers in float64, and `describe` says what every name means. Equal fingerprints have equal features.
"""

from __future__ import annotations

from fxscore.constructed import ConstructedArchitecture
from fxscore.graph_features import degrees, forward, paths, sizes
from fxscore.graph_features.flow import Flow, trace_flow
from fxscore.graph_features.forward import forward_features

__all__ = ["describe", "forward_features", "graph_features"]


def graph_features(constructed: ConstructedArchitecture | Flow) -> dict[str, float]:
    """Features of a constructed architecture's graph: sizes, degrees and paths, for any network.

    Args:
        constructed: from `fxscore.construct`, or its flow. Sizes are those of its input shape, per image.

    Returns:
        Column name → value, always in the same order; finite also for a network that returns only zeros.
    """
    flow = constructed if isinstance(constructed, Flow) else trace_flow(constructed)
    return {**sizes.size_features(flow), **degrees.degree_features(flow), **paths.path_features(flow)}


def describe() -> dict[str, str]:
    """Every column's name → meaning: those of `graph_features`, then those of `forward_features`."""
    return {**sizes.COLUMNS, **degrees.COLUMNS, **paths.COLUMNS, **forward.COLUMNS}
