"""fxscore ranks any PyTorch network without training it.

    >>> fxscore.score(model, input_shape=(3, 32, 32))
    >>> fxscore.rank(["zoo/vgg.py", "timm:resnet18"])

Names are loaded when first used, so that importing fxscore is quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fxscore.on_demand import loader

if TYPE_CHECKING:
    from fxscore.api import explain, score
    from fxscore.capture.inputs import Shared
    from fxscore.comparing import compare
    from fxscore.comparison import Comparison
    from fxscore.constructed import ConstructedArchitecture, construct
    from fxscore.errors import FxScoreError
    from fxscore.ranking import rank
    from fxscore.report.drawing import draw
    from fxscore.represent import represents
    from fxscore.run import Where
    from fxscore.scorer import FTScoreNet, Hybrid, load_scorer
    from fxscore.searching import SearchResult, search
    from fxscore.spaces import SearchSpace, Variable
    from fxscore.train.fit import Fitted, fit
    from fxscore.types import ModelRef, Ranking, ScoreRecord

    __version__: str

_HOMES = {
    "Comparison": "fxscore.comparison",
    "ConstructedArchitecture": "fxscore.constructed",
    "FTScoreNet": "fxscore.scorer",
    "Fitted": "fxscore.train.fit",
    "FxScoreError": "fxscore.errors",
    "Hybrid": "fxscore.scorer",
    "ModelRef": "fxscore.types",
    "Ranking": "fxscore.types",
    "ScoreRecord": "fxscore.types",
    "SearchResult": "fxscore.searching",
    "SearchSpace": "fxscore.spaces",
    "Shared": "fxscore.capture.inputs",
    "Variable": "fxscore.spaces",
    "Where": "fxscore.run",
    "compare": "fxscore.comparing",
    "construct": "fxscore.constructed",
    "draw": "fxscore.report.drawing",
    "explain": "fxscore.api",
    "fit": "fxscore.train.fit",
    "load_scorer": "fxscore.scorer",
    "rank": "fxscore.ranking",
    "represents": "fxscore.represent",
    "score": "fxscore.api",
    "search": "fxscore.searching",
}

__all__ = [
    "Comparison",
    "ConstructedArchitecture",
    "FTScoreNet",
    "Fitted",
    "FxScoreError",
    "Hybrid",
    "ModelRef",
    "Ranking",
    "ScoreRecord",
    "SearchResult",
    "SearchSpace",
    "Shared",
    "Variable",
    "Where",
    "compare",
    "construct",
    "draw",
    "explain",
    "fit",
    "load_scorer",
    "rank",
    "represents",
    "score",
    "search",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("fxscore")
    return loader(__name__, _HOMES)(name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
