"""The report of an evaluation: figures with intervals, scores against accuracies, failures, notes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fxscore.evaluate import ScorerComparison, ScorerEvaluation
from fxscore.evaluate.estimates import Estimate
from fxscore.evaluate.resampling import FIGURES
from fxscore.report.figure import SIZES
from fxscore.report.html.page import Axis, Cell, Page, Plot, Table


def evaluation_page(comparisons: Iterable[ScorerComparison], settings: Mapping[str, Any]) -> Page:
    """The report of what `fxscore evaluate` measured on one space or several."""
    comparisons = list(comparisons)
    plots = [plot for each in comparisons for plot in _plots(each)]
    tables = [_figures(each) for each in comparisons] + [f for each in comparisons if (f := _failures(each))]
    tables += [_networks(each) for each in comparisons]
    lead = [text for each in comparisons for text in _lead(each)]
    return Page("Evaluation of scorers", lead, plots, tables, settings)


def _lead(comparison: ScorerComparison) -> Iterator[str]:
    measures = comparison.measures
    yield (
        f"{comparison.population}: {comparison.n} networks that every scorer scored, of {comparison.drawn}; "
        f"{100 * measures.confidence:.0f} % intervals from {measures.resamples} resamples."
    )
    yield from comparison.notes


def _figures(comparison: ScorerComparison) -> Table:
    columns = ("scorer", "label", "n", *FIGURES, "interval of spearman")
    return Table(comparison.population, columns, [_figures_of(each) for each in comparison.evaluations])


def _figures_of(evaluation: ScorerEvaluation) -> list[Cell]:
    figures = evaluation.agreement.figures
    values = [Cell.of(figures[name].value) for name in FIGURES]
    first = [Cell.of(evaluation.scorer), Cell.of(evaluation.label), Cell.of(evaluation.n, "plain")]
    return [*first, *values, Cell.of(_interval(figures["spearman"]))]


def _interval(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return "–"
    return f"{estimate.low:.3f} to {estimate.high:.3f}"


def _plots(comparison: ScorerComparison) -> Iterator[Plot]:
    """The scores of each scorer against the first label, which is y."""
    label, values = next(iter(comparison.labels.items()))
    axes = [
        Axis(f"s{place}", SIZES.get(name, f"score of {name}"), log=name in SIZES and bool(values.min() > 0))
        for place, (name, values) in enumerate(comparison.scores.items())
    ]
    scores = list(comparison.scores.values())
    points = [
        {"name": name, "y": float(value)} | {f"s{place}": float(each[n]) for place, each in enumerate(scores)}
        for n, (name, value) in enumerate(zip(comparison.networks, values, strict=True))
    ]
    yield Plot(f"{comparison.population}: {label} against scores", axes, label, points)


def _networks(comparison: ScorerComparison) -> Table:
    """Every network with what was measured of it, and its scores."""
    columns = {**comparison.labels, **{f"score of {name}": each for name, each in comparison.scores.items()}}
    rows = [
        [Cell.of(name), *(Cell.of(float(values[place])) for values in columns.values())]
        for place, name in enumerate(comparison.networks)
    ]
    return Table(f"{comparison.population}: the networks", ("network", *columns), rows)


def _failures(comparison: ScorerComparison) -> Table | None:
    lines = [
        [Cell.of(scorer), Cell.of(str(record.ref)), Cell.of(str(record.error))]
        for scorer, failed in comparison.failures.items()
        for record in failed
    ]
    return (
        Table(f"{comparison.population}: what failed", ("scorer", "network", "reason"), lines)
        if lines
        else None
    )
