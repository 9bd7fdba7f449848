"""Searches of spaces of networks: NSGA-II with differential evolution, and what it is compared with."""

from __future__ import annotations

from fxscore.searching.api import ALGORITHMS, HISTORY, search, sizes
from fxscore.searching.evaluation import Evaluation
from fxscore.searching.goals import Limits, Objective
from fxscore.searching.loop import Progress, SearchWatcher
from fxscore.searching.result import SearchResult

__all__ = [
    "ALGORITHMS",
    "HISTORY",
    "Evaluation",
    "Limits",
    "Objective",
    "Progress",
    "SearchResult",
    "SearchWatcher",
    "search",
    "sizes",
]
