"""Searches of spaces of networks: NSGA-II with differential evolution, and what it is compared with."""

from __future__ import annotations

from fxscore.searching.api import ALGORITHMS, search, sizes
from fxscore.searching.evaluation import Evaluation
from fxscore.searching.goals import Objective, SizeLimits
from fxscore.searching.journal import HISTORY
from fxscore.searching.loop import SearchStanding, SearchWatcher
from fxscore.searching.result import SearchResult

__all__ = [
    "ALGORITHMS",
    "HISTORY",
    "Evaluation",
    "Objective",
    "SearchResult",
    "SearchStanding",
    "SearchWatcher",
    "SizeLimits",
    "search",
    "sizes",
]
