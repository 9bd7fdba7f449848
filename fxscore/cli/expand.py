"""From the words after a command to model references."""

from __future__ import annotations

from collections.abc import Iterable

from fxscore.errors import ModelRefError
from fxscore.types import ModelRef


def expand(patterns: Iterable[str], pretrained_only: bool = False) -> list[ModelRef]:
    """The references that the words stand for, each once, in the order given.

    A plain name that cannot be found is kept: it becomes an error row beside the networks that can be ranked.

    Raises:
        ModelRefError: If a word is no reference at all, or a pattern matches nothing.
    """
    found: dict[ModelRef, None] = {}
    for pattern in patterns:
        found.update(dict.fromkeys(_expand_one(pattern, pretrained_only)))
    return list(found)


def _expand_one(pattern: str, pretrained_only: bool) -> list[ModelRef]:
    from fxscore import sources

    try:
        return sources.expand(pattern, pretrained_only=pretrained_only)
    except ModelRefError:
        if any(sign in pattern for sign in "*?["):
            raise
        return [ModelRef.parse(pattern)]
