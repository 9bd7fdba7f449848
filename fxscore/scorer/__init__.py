"""Scorers: what turns a network into a number."""

from __future__ import annotations

from fxscore.scorer.base import Scorer
from fxscore.scorer.ft_scorenet import FTScoreNet, Settings
from fxscore.scorer.hybrid import Hybrid
from fxscore.scorer.registry import DEFAULT_SCORER, ScorerInfo, list_scorers, load_scorer, shipped_scorers
from fxscore.scorer.subject import Subject

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
