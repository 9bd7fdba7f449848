"""The report of an evaluation: figures with intervals, scores against accuracies, failures, notes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from fxscore.evaluate import ScorerComparison, ScorerEvaluation
from fxscore.evaluate.estimates import Estimate
from fxscore.evaluate.resampling import FIGURES
from fxscore.report import numbers
from fxscore.report.figure import SIZES
from fxscore.report.html.page import Axis, Cell, Page, Panel, Plot, Table
from fxscore.report.html.panels import DRAWN, named_panels
from fxscore.report.rows import ScoreForm, score_form
from fxscore.scorer.card import card_of
from fxscore.types import ModelRef, Ranking


def evaluation_page(
    comparisons: Iterable[ScorerComparison], scorers: Mapping[str, str], settings: Mapping[str, Any]
) -> Page:
    """The report of what `fxscore evaluate` measured on one space or several.

    Panels are of the first scorer of each space. It has the operators and drawings of as many networks as the report
    of a ranking, be there one space or several.

    Args:
        comparisons: one for each space.
        scorers: names or paths by the name that the comparisons call them.
        settings: of the command.
    """
    comparisons = list(comparisons)
    drawn = -(-DRAWN // max(len(comparisons), 1))
    forms = {name: _form(name, scorer) for name, scorer in scorers.items()}
    plots = [plot for each in comparisons for plot in _plots(each)]
    tables = [_figures(each) for each in comparisons] + [f for each in comparisons if (f := _failures(each))]
    for each in comparisons:
        name = next(iter(each.scores))
        tables.append(
            _networks(each, forms, named_panels(_ranking(each, scorers[name]), scorers[name], details=drawn))
        )
    lead = [text for each in comparisons for text in _lead(each)]
    return Page("Evaluation of scorers", lead, plots, tables, settings)


def _form(name: str, scorer: str) -> ScoreForm:
    """How the scores of a scorer are written: sizes as counts."""
    return numbers.count if name in SIZES else score_form(card_of(scorer).confidence)


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


def _ranking(comparison: ScorerComparison, scorer: str) -> Ranking:
    """The networks by the first scorer."""
    judge = card_of(scorer).confidence
    records = next(iter(comparison.records.values()))
    return Ranking.of(map(judge.annotated, records), judge=judge)


def _networks(
    comparison: ScorerComparison, forms: Mapping[str, ScoreForm], panels: Mapping[ModelRef, Panel]
) -> Table:
    """Every network with what was measured of it, and its scores; the best by the first scorer first."""
    columns = (*comparison.labels, *(f"score of {name}" for name in comparison.scores))
    places = {name: place for place, name in enumerate(comparison.networks)}
    own = f"score of {next(iter(comparison.scores))}"  # which the panel has by itself
    rows, shown = [], []
    for ref, panel in panels.items():
        cells = list(_measured(comparison, places[str(ref)], forms))
        rows.append([Cell.of(str(ref)), *cells])
        facts = {name: cell.text for name, cell in zip(columns, cells, strict=True) if name != own}
        shown.append(replace(panel, facts={**facts, **panel.facts}))
    return Table(f"{comparison.population}: the networks", ("network", *columns), rows, shown)


def _measured(comparison: ScorerComparison, place: int, forms: Mapping[str, ScoreForm]) -> Iterator[Cell]:
    """The labels and the scores of one network."""
    for values in comparison.labels.values():
        yield Cell.of(float(values[place]))
    for name, values in comparison.scores.items():
        yield Cell(float(values[place]), forms[name](float(values[place])))


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
