"""Whether a fit was worth it: beside what learns nothing from the networks, and by how many it learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np

from fxscore.evaluate.coefficients import Floats
from fxscore.evaluate.curves import Point, mean_over_runs
from fxscore.evaluate.estimates import Estimate, Measures, agreement, difference

_RESAMPLES = 1000
_SURE = 0.9  # of the interval of what more networks would bring
_HARDLY = 0.02  # a gain in ρ that is not worth a training
_BELOW_ONE = 1e-3  # ρ is taken for no nearer to 1, whose logarithm there is not


@dataclass(frozen=True)
class Rival:
    """What ranks the same networks without this fit.

    Attributes:
        name: of a scorer, `params` or `MACs`.
        agreement: its Spearman's ρ.
        gain: ρ of the fitted scorer minus it, the interval from paired resamples of the networks.
        known: how many of the networks its own training had, by its file.
    """

    name: str
    agreement: Estimate
    gain: Estimate
    known: int = 0


@dataclass(frozen=True)
class Forecast:
    """What twice as many networks would bring, if the learning curve goes on as it did.

    1 − ρ is taken to fall as a power of the number of networks. Its slope has an interval (90 %) from the draws of the
    curve; that the power goes on at all is assumed, so that nothing is said of more than twice as many.

    Attributes:
        networks: twice as many as were fitted to.
        agreement: ρ with so many.
        gain: that, minus ρ with as many as were fitted to.
    """

    networks: int
    agreement: Estimate
    gain: Estimate

    @property
    def sentence(self) -> str:
        """The forecast in words."""
        value, low, high = self.gain.value, self.gain.low, self.gain.high
        if value is None or low is None or high is None:
            return "The learning curve says nothing of more networks."
        reach = f"twice as many networks ({self.networks}) would change ρ by {value:+.2f} ({low:+.2f} to {high:+.2f})"
        if high < _HARDLY:
            return f"More would hardly help: by the learning curve {reach}."
        if low > 0:
            return f"More would help: by the learning curve {reach}."
        return f"Whether more would help, the learning curve does not tell: {reach}."


@dataclass(frozen=True)
class Worth:
    """What a fit is worth.

    Attributes:
        rivals: on the same networks as the fit's own figure.
        curve: mean ρ by number of networks learned from, with its interval over draws; the last point is the fit's own
            figure. () where no curve was drawn.
        forecast: None where the curve has too few points.
    """

    rivals: tuple[Rival, ...] = ()
    curve: tuple[Point, ...] = ()
    forecast: Forecast | None = None

    @property
    def best(self) -> Rival | None:
        """The rival of the highest ρ; None where none has one."""
        known = [rival for rival in self.rivals if rival.agreement.value is not None]
        return max(known, key=lambda rival: rival.agreement.value or 0.0, default=None)

    @property
    def verdict(self) -> str | None:
        """Whether the fit was worth it, in words; None where nothing was measured beside it."""
        best = self.best
        if best is None or best.gain.value is None or best.gain.low is None or best.gain.high is None:
            return None
        reach = f"ρ {best.gain.value:+.2f} ({best.gain.low:+.2f} to {best.gain.high:+.2f})"
        beside = f"beside {best.name}, the best without a fit"
        beside += f" (whose own training had {best.known} of these)" if best.known else ""
        if best.gain.low > 0:
            return f"Worth it: {reach} {beside}."
        if best.gain.high < 0:
            return f"Not worth it: {reach} {beside}."
        return f"Not shown to be worth it: {reach} {beside}."

    @property
    def sentences(self) -> tuple[str, ...]:
        """All that is known, a sentence each."""
        found = []
        known = [each for each in self.rivals if each.agreement.value is not None]
        if known:
            figures = ", ".join(f"{each.name} {each.agreement.value:.3f}" for each in known)
            found.append(f"The same networks are ranked by {figures}.")
        if self.verdict:
            found.append(self.verdict)
        if len(self.curve) > 1:
            points = ", ".join(f"{point.estimate.value:.2f} ({point.x:.0f})" for point in self.curve)
            found.append(f"ρ by number of networks learned from: {points}.")
        if self.forecast is not None:
            found.append(self.forecast.sentence)
        return tuple(found)

    def as_dict(self) -> dict[str, Any]:
        """A JSON-ready form."""
        rivals = [
            {
                "name": each.name,
                **_figure("spearman", each.agreement),
                **_figure("gain", each.gain),
                "known": each.known,
            }
            for each in self.rivals
        ]
        curve = [
            {"networks": point.x, **_figure("spearman", point.estimate), "draws": point.runs}
            for point in self.curve
        ]
        more = self.forecast
        forecast = more and {
            "networks": more.networks,
            **_figure("spearman", more.agreement),
            **_figure("gain", more.gain),
        }
        return {"rivals": rivals, "verdict": self.verdict, "curve": curve, "forecast": forecast}


def _figure(name: str, estimate: Estimate) -> dict[str, Any]:
    interval = None if estimate.low is None else [estimate.low, estimate.high]
    return {name: estimate.value, f"{name}_interval": interval}


def rivals_of(
    own: Floats,
    others: Mapping[str, Floats],
    labels: Floats,
    seed: int,
    known: Mapping[str, int] | None = None,
) -> tuple[Rival, ...]:
    """What else ranks these networks; () where there are fewer than two.

    Args:
        own: (n,) scores of the fit, which did not see them.
        others: (n,) scores by name.
        labels: (n,).
        seed: of the resamples.
        known: how many of the networks each of the others learned from; by default none.
    """
    if len(labels) < 2:
        return ()
    measures = Measures(seed=seed)
    fitted = agreement(own, labels, measures)
    found = {name: agreement(scores, labels, measures) for name, scores in others.items()}
    return tuple(
        Rival(
            name, each.figures["spearman"], difference(fitted, each, "spearman"), (known or {}).get(name, 0)
        )
        for name, each in found.items()
    )


def curve_of(
    drawn: Sequence[tuple[float, Sequence[float]]], own: Estimate, count: int, folds: int, seed: int
) -> tuple[tuple[Point, ...], Forecast | None]:
    """The learning curve and what it forecasts.

    Args:
        drawn: (networks learned from, ρ of each draw), for rising numbers.
        own: ρ in folds, each of which learned from all but a fold of the networks.
        count: number of networks.
        folds: their number.
        seed: of the resamples.
    """
    if own.value is None or not drawn:
        return (), None
    points = [Point(size, mean_over_runs(values), len(values)) for size, values in drawn]
    last = count * (1 - 1 / folds)
    points.append(Point(last, own, folds))
    return tuple(points), _forecast(drawn, own.value, count, last, seed) if len(drawn) > 1 else None


def _forecast(
    drawn: Sequence[tuple[float, Sequence[float]]], own: float, count: int, last: float, seed: int
) -> Forecast:
    sizes = [size for size, _ in drawn] + [last]
    random = np.random.default_rng(seed)

    def at(wanted: int, means: Sequence[float]) -> float:
        power = _power(sizes, [*means, own])
        return float(1 - (1 - min(own, 1 - _BELOW_ONE)) * (wanted / last) ** power)

    def both(means: Sequence[float]) -> tuple[float, float]:
        return at(2 * count, means), at(2 * count, means) - at(count, means)

    resampled = np.array(
        [
            both([float(random.choice(values, len(values)).mean()) for _, values in drawn])
            for _ in range(_RESAMPLES)
        ]
    )
    then, gain = both([float(np.mean(values)) for _, values in drawn])
    return Forecast(
        2 * count, Estimate.of(then, resampled[:, 0], _SURE), Estimate.of(gain, resampled[:, 1], _SURE)
    )


def _power(sizes: Sequence[float], values: Sequence[float]) -> float:
    """The slope of ln(1 − ρ) by ln(networks), in least squares."""
    errors = [log(max(1 - value, _BELOW_ONE)) for value in values]
    return float(np.polyfit(np.log(sizes), errors, 1)[0])
