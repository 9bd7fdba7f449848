"""What stands behind a score in words and figures, as terminals and pages show it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fxscore.report import numbers

if TYPE_CHECKING:
    from fxscore.scorer.measured import Result

_MANY_TASKS = 3
_LONG_NAME = 160


def results_in_words(results: Sequence[Result]) -> str:
    """What was measured of a network of training; of many tasks, the first ones."""
    shown = "; ".join(each.words() for each in results[:_MANY_TASKS])
    rest = len(results) - _MANY_TASKS
    return (shown + (f"; and {rest} tasks more" if rest > 0 else "")) or "nothing"


def short(name: str) -> str:
    """A reference as a table takes it: genotypes of thousands of letters are cut."""
    return name if len(name) <= _LONG_NAME else f"{name[:_LONG_NAME]}…"


def in_points(points: float | None, raw: float | None) -> tuple[str, str]:
    """With a sign; what rounds to nothing has none."""
    texts = (
        numbers.MISSING if value is None else f"{value:+.{digits}f}"
        for value, digits in ((points, 1), (raw, 3))
    )
    first, second = (text.replace("-", "−") for text in texts)
    return first, second
