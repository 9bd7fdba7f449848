"""Choosing among known names by wildcards, and what to say where a name is unknown."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from fnmatch import fnmatchcase

from fxscore.errors import ModelRefError


def select(source: str, patterns: str, names: Iterable[str]) -> list[str]:
    """The names that match one of the comma-separated patterns and none of those with a leading `!`.

    Raises:
        ModelRefError: a pattern matches nothing, or everything is left out again.
    """
    known = list(names)
    items = [item.strip() for item in patterns.split(",") if item.strip()]
    excluded = [item[1:] for item in items if item.startswith("!")]
    included = [item for item in items if not item.startswith("!")] or ["*"]
    chosen: set[str] = set()
    for item in included:
        matches = [name for name in known if fnmatchcase(name, item)]
        if not matches:
            raise ModelRefError(f"{source}:{item} matches nothing{did_you_mean(item, known)}")
        chosen.update(matches)
    left = [name for name in known if name in chosen and not any(fnmatchcase(name, e) for e in excluded)]
    if not left:
        raise ModelRefError(f"{source}:{patterns} matches nothing: all that it names is left out again")
    return left


def did_you_mean(name: str, known: Iterable[str], ending: str = "") -> str:
    """A phrase with the closest known names, each with an `ending`, or nothing where none is close."""
    close = difflib.get_close_matches(name.strip("*?"), list(known), n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(f'{each}{ending}' for each in close)}?" if close else ""
