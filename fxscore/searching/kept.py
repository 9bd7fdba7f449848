"""A search as its folder keeps it, read without its space: what plots of finished, or running, searches need."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fxscore.errors import SearchError
from fxscore.searching.goals import Objective
from fxscore.searching.journal import HISTORY, evaluation_of, whole_lines
from fxscore.searching.result import SearchRecord


def read_search(place: Path) -> SearchRecord:
    """The search of a folder, or of the history in it; a search that is still writing it is not disturbed.

    Raises:
        SearchError: there is none, or it is no history of a search.
    """
    path = place / HISTORY if place.is_dir() else place
    try:
        settings, *generations = map(json.loads, whole_lines(path))
        history = tuple(tuple(map(evaluation_of, entries)) for entries in generations)
        objectives = tuple(map(Objective.parse, settings["objectives"]))
        return SearchRecord(_place(settings, generations), objectives, history, settings)
    except OSError as error:
        raise SearchError(
            f"there is no search in {place} ({error.strerror}); name the folder that `fxscore search --out` made"
        ) from None
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise SearchError(f"{path} is no history of a search: {error}") from None


def _place(settings: Any, generations: list[Any]) -> str:
    """The space's own name in front of its genotypes; of an empty history, in front of its digest."""
    first = next((entry for entries in generations for entry in entries), None)
    if first is None:
        return str(settings["space"]).partition(" ")[0]
    return str(first["name"]).removesuffix(f":{first['text']}")
