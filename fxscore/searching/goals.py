"""What a search wants and what it may not exceed: objectives, and limits that are decided before scoring.

METHOD.md section 6: score and number of parameters, under a budget of parameters. Objectives that measure cost
are minimised unless `max:` says otherwise; the paper's two-dimensional reading, in which the number of parameters
is capacity and a second sign of quality, is `("score", "max:params")`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from fxscore.errors import SearchError
from fxscore.proxies import proxy_names

SCORE, LATENCY = "score", "latency"
HELD_BACK = "held_back"  # what caution took off the score
SIZES = ("params", "macs", "layers")
_COSTS = {*SIZES, LATENCY, "flops", "activations", "layer_depth"}


@dataclass(frozen=True)
class Objective:
    """One number per network, and which way is better."""

    name: str
    maximise: bool

    @classmethod
    def parse(cls, text: str) -> Objective:
        """Read `score`, `params`, `latency` (seconds) or a proxy's name; `min:` or `max:` before it turns it.

        Raises:
            SearchError: nothing is measured under this name.
        """
        direction, colon, name = text.strip().rpartition(":")
        known = (SCORE, *SIZES, LATENCY, *proxy_names())
        if name not in known or direction not in ("", "min", "max"):
            names = ", ".join(dict.fromkeys(known))
            raise SearchError(f"no objective is called {text!r}; there are {names}, with min: or max: before")
        return cls(name, direction == "max" if colon else name not in _COSTS)

    def loss(self, value: float) -> float:
        """The value with its sign so that smaller is better."""
        return -value if self.maximise else value

    def __str__(self) -> str:
        return f"{'max' if self.maximise else 'min'}:{self.name}"


@dataclass(frozen=True)
class SizeLimits:
    """The largest number of parameters, of multiply-accumulates of one image, and of layers; None has no limit."""

    params: float | None = None
    macs: float | None = None
    layers: float | None = None

    @property
    def given(self) -> dict[str, float]:
        """The limits that are set."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: float(value) for name, value in values.items() if value is not None}

    def violation(self, sizes: Mapping[str, float]) -> float:
        """By how much the limits are passed, as the sum of the shares beyond each; 0 where all are kept."""
        return sum(max(0.0, sizes[name] / limit - 1) for name, limit in self.given.items())
