"""From the words after a command to model references."""

from __future__ import annotations

from collections.abc import Iterable

from fxscore.types import ModelRef


def expand(patterns: Iterable[str], pretrained_only: bool = False) -> list[ModelRef]:
    """The references that the words stand for, each once, in the order given; see `fxscore.sources.expand_or_keep`."""
    from fxscore import sources

    found: dict[ModelRef, None] = {}
    for pattern in patterns:
        found.update(dict.fromkeys(sources.expand_or_keep(pattern, pretrained_only=pretrained_only)))
    return list(found)
