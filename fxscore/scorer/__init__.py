"""Scorers: what turns a network into a number.

Names are loaded when first used: what a scorer's file says of itself (`card`, `names`, `confidence`) is read without
torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fxscore.on_demand import loader

if TYPE_CHECKING:
    from fxscore.scorer.base import Scorer
    from fxscore.scorer.ft_scorenet import FTScoreNet, Settings
    from fxscore.scorer.hybrid import Hybrid
    from fxscore.scorer.names import DEFAULT_SCORER, ScorerInfo, list_scorers, shipped_scorers
    from fxscore.scorer.registry import load_scorer
    from fxscore.scorer.subject import Subject
else:
    __getattr__ = loader(
        __name__,
        {
            "DEFAULT_SCORER": "fxscore.scorer.names",
            "FTScoreNet": "fxscore.scorer.ft_scorenet",
            "Hybrid": "fxscore.scorer.hybrid",
            "Scorer": "fxscore.scorer.base",
            "ScorerInfo": "fxscore.scorer.names",
            "Settings": "fxscore.scorer.ft_scorenet",
            "Subject": "fxscore.scorer.subject",
            "list_scorers": "fxscore.scorer.names",
            "load_scorer": "fxscore.scorer.registry",
            "shipped_scorers": "fxscore.scorer.names",
        },
    )

__all__ = [
    "DEFAULT_SCORER",
    "FTScoreNet",
    "Hybrid",
    "Scorer",
    "ScorerInfo",
    "Settings",
    "Subject",
    "list_scorers",
    "load_scorer",
    "shipped_scorers",
]
