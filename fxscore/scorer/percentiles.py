"""Raw scores on a readable scale: percentiles of a reference population, strictly rising with the raw score.

Between the quantiles of the reference, linear; beyond them, tails that come ever nearer to 0 and 100 without reaching
them, so that networks better than all of the reference still differ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_STEPS = 200


@dataclass(frozen=True, eq=False)
class Percentiles:
    """Points of the scale.

    Attributes:
        raw: (n,) rising raw scores.
        percent: (n,) their percentiles, rising, in (0, 100).
    """

    raw: Floats
    percent: Floats

    def __post_init__(self) -> None:
        """Raise `ValueError` where the points make no rising scale."""
        if self.raw.ndim != 1 or self.raw.shape != self.percent.shape or not len(self.raw):
            raise ValueError("a scale has as many percentiles as raw scores, and one at least")
        rising = (np.diff(self.raw) > 0).all() and (np.diff(self.percent) > 0).all()
        if not rising or not 0 < self.percent[0] <= self.percent[-1] < 100:
            raise ValueError("the points of a scale rise, and its percentiles lie between 0 and 100")

    def arrays(self) -> dict[str, Floats]:
        """The points by name."""
        return {"raw": self.raw, "percent": self.percent}

    @classmethod
    def of(cls, raw: Floats) -> Percentiles:
        """The scale of a reference population with these raw scores, (n,)."""
        percent = 100 * (np.arange(_STEPS) + 0.5) / _STEPS
        points, places = np.unique(np.quantile(raw, percent / 100), return_index=True)
        return cls(points, percent[places])

    def __call__(self, raw: float) -> float:
        """The percentile of a raw score."""
        low, high = self.raw[0], self.raw[-1]
        reach = max(high - low, 1e-9) / 4
        if raw < low:
            return float(self.percent[0] / (1 + (low - raw) / reach))
        if raw > high:
            return float(100 - (100 - self.percent[-1]) / (1 + (raw - high) / reach))
        return float(np.interp(raw, self.raw, self.percent))
