"""What stands behind a score in words and figures, as terminals and pages show it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fxscore.errors import ModelRefError
from fxscore.report import numbers
from fxscore.types import ModelRef

if TYPE_CHECKING:
    from fxscore.scorer.measured import Result

_MANY_TASKS = 3
_LONG_NAME = 160
_OF_THE_DATA = ("classes", "num_classes")  # options that say nothing of the network itself
_PUBLISHED = "fxscore.published."


def results_in_words(results: Sequence[Result]) -> str:
    """What was measured of a network of training; of many tasks, the first ones."""
    shown = "; ".join(each.words() for each in results[:_MANY_TASKS])
    rest = len(results) - _MANY_TASKS
    return (shown + (f"; and {rest} tasks more" if rest > 0 else "")) or "nothing"


def short(name: str) -> str:
    """A reference as a table takes it: networks of published tables by their name, very long genotypes cut."""
    shown = _published(name) if name.startswith(_PUBLISHED) else name
    return shown if len(shown) <= _LONG_NAME else f"{shown[:_LONG_NAME]}…"


def _published(name: str) -> str:
    """`cifar10_resnet20` for a builder that was given that name, `wrn blocks=28` for a family, `vgg depth=13` else."""
    try:
        ref = ModelRef.parse(name)
    except ModelRefError:  # a file may hold anything
        return name
    options = ref.kwargs
    if own := options.get("name") or options.get("architecture"):
        return str(own)
    family = str(options.pop("family", ref.name))
    return " ".join(
        [family, *(f"{key}={value}" for key, value in options.items() if key not in _OF_THE_DATA)]
    )


def in_points(points: float | None, raw: float | None) -> tuple[str, str]:
    """With a sign; what rounds to nothing has none."""
    return _signed(points, 1), _signed(raw, 3)


def _signed(value: float | None, digits: int) -> str:
    if value is None:
        return numbers.MISSING
    text = f"{value:+.{digits}f}".replace("-", "−")
    return text if text.strip("+−0.") else text[1:]
