"""The report of a fit: whether it was worth it, the learning curve, how sure scores are, each network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from fxscore.evaluate.estimates import Estimate
from fxscore.evaluate.worth import Worth
from fxscore.report import numbers
from fxscore.report.html.page import Axis, Cell, Page, Panel, Plot, Table
from fxscore.scorer.pair_table import PairTable

_SCORE = Axis("score", "score, in no unit")
_NETWORKS = Axis("networks", "networks learned from", log=True)

_NOW = "score by the fitted scorer"
_FACTS = {"accuracy": "accuracy", "unseen score": "score, not seen"}


class FitOutcome(Protocol):
    """What is told of a fit (`fxscore.train.fit.Fitted`, which needs packages that reports do not)."""

    @property
    def sentences(self) -> Sequence[str]: ...

    @property
    def agreement(self) -> Estimate: ...

    @property
    def held_out(self) -> int: ...

    @property
    def worth(self) -> Worth: ...

    @property
    def pairs(self) -> PairTable | None: ...

    def table(self) -> list[dict[str, Any]]: ...


def fit_page(
    fitted: FitOutcome, settings: Mapping[str, Any], panels: Mapping[str, Panel] | None = None
) -> Page:
    """The report of a fit.

    Args:
        fitted: what came of it.
        settings: of the command.
        panels: what more is known of some networks, by name (`fxscore.report.html.panels.named_panels`).
    """
    plots = [plot for plot in (_against_accuracy(fitted), _curve(fitted)) if plot.points]
    return Page(
        "Fit to trained networks", fitted.sentences, plots, list(_tables(fitted, panels or {})), settings
    )


def _against_accuracy(fitted: FitOutcome) -> Plot:
    points = [
        {"name": str(row["network"]), "y": row["accuracy"], "score": row["unseen score"]}
        for row in fitted.table()
        if None not in (row["accuracy"], row["unseen score"])
    ]
    title = "Accuracy against scores by fits that had not seen the network"
    return Plot(title, [_SCORE], "accuracy", points)


def _curve(fitted: FitOutcome) -> Plot:
    points = [
        {
            "name": f"{point.x:.0f} networks, {point.runs} draws",
            "networks": point.x,
            "y": point.estimate.value,
            "low": point.estimate.low,
            "high": point.estimate.high,
        }
        for point in fitted.worth.curve
    ]
    return Plot("ρ by number of networks learned from", [_NETWORKS], "ρ", points)


def _tables(fitted: FitOutcome, panels: Mapping[str, Panel]) -> Iterator[Table]:
    if fitted.worth.rivals:
        yield _beside(fitted)
    if fitted.pairs is not None and fitted.pairs.counts.any():
        yield _pairs(fitted.pairs)
    columns = ("network", *_FACTS)
    rows = sorted(fitted.table(), key=lambda row: -(row["accuracy"] or 0.0))
    used = [row for row in rows if row["error"] is None]
    cells = [[Cell.of(row[name]) for name in columns] for row in used]
    shown = [_panel(row, panels.get(str(row["network"]), Panel({}))) for row in used]
    yield Table("Networks that were fitted to", ("network", *_FACTS.values()), cells, shown)
    lines = [[Cell.of(row["network"]), Cell.of(row["error"])] for row in rows if row["error"] is not None]
    if lines:
        yield Table("Networks that were left out", ("network", "reason"), lines)


def _panel(row: Mapping[str, Any], more: Panel) -> Panel:
    """What the fit knows of a network, and what more is known of it."""
    facts = {text: numbers.score(row[name]) for name, text in _FACTS.items()}
    known = {_NOW if name == "score" else name: text for name, text in more.facts.items()}
    return replace(more, facts={**facts, **known})


def _beside(fitted: FitOutcome) -> Table:
    own = [Cell.of("this fit"), *_estimate(fitted.agreement), *_estimate(Estimate(None))]
    rivals = [
        [Cell.of(each.name), *_estimate(each.agreement), *_estimate(each.gain)]
        for each in fitted.worth.rivals
    ]
    title = f"Beside what learned from none of these, on {fitted.held_out} networks"
    columns = ("scorer", "ρ", "95 % interval", "gain of the fit", "95 % interval of it")
    return Table(title, columns, [own, *rivals])


def _pairs(table: PairTable) -> Table:
    shares = {name: row for name, row in table.as_dict().items() if name != "gaps" and row is not None}
    rows = [
        [
            Cell(gap, f"{gap:.2g}"),
            *(Cell(row[place], numbers.probability(row[place])) for row in shares.values()),
        ]
        for place, gap in enumerate(table.gaps.tolist())
    ]
    return Table("Probability that the higher score is the better network", ("gap of scores", *shares), rows)


def _estimate(estimate: Estimate) -> list[Cell]:
    known = estimate.low is not None and estimate.high is not None
    text = f"{estimate.low:.3f} to {estimate.high:.3f}" if known else numbers.MISSING
    return [Cell.of(estimate.value), Cell(estimate.low, text)]
