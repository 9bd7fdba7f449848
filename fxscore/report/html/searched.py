"""The report of a search: the front, every network that was looked at, the drawing of the chosen one, failures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fxscore.report import numbers
from fxscore.report.html.page import Axis, Cell, Page, Panel, Plot, Table
from fxscore.report.html.ranking import SIZES, judged, trust
from fxscore.report.rows import ScoreForm, score_form
from fxscore.searching.evaluation import Evaluation
from fxscore.searching.goals import HELD_BACK, SCORE
from fxscore.searching.result import SearchResult

_COUNTED = ("params", "macs", "flops", "activations", "layers", "depth")


def search_page(
    result: SearchResult,
    settings: Mapping[str, Any],
    chosen: Evaluation | None = None,
    panels: Mapping[str, Panel] | None = None,
    scorer: Mapping[str, Any] | None = None,
) -> Page:
    """The report of a search.

    Args:
        result: of the search.
        settings: of the command.
        chosen: the network of the front that was chosen.
        panels: what more is known of some networks, by genotype (`fxscore.report.html.panels.named_panels`).
        scorer: what the scorer's file says of itself.
    """
    known = panels or {}
    front = {each.text for each in result.front}
    feasible = sorted(
        (each for each in result.evaluations if each.feasible),
        key=lambda each: each.values.get(SCORE, 0.0),
        reverse=True,
    )
    names = list(dict.fromkeys(name for each in feasible for name in each.values))
    if not any(
        each.values.get(HELD_BACK) for each in feasible
    ):  # no network is far from the scorer's training
        names = [name for name in names if name != HELD_BACK]
    form = score_form(result.judge)
    rows = [_row(each, names, form, each.text in front) for each in feasible]
    shown = [_panel(each, names, known.get(each.text, Panel({})), form) for each in feasible]
    tables = [Table("Networks", (*names, "on the front", "genotype"), rows, shown, opens=len(names) + 1)]
    if result.failures:
        lines = [[Cell.of(each.text), Cell.of(str(each.error))] for each in result.failures]
        tables.append(Table("Networks that failed", ("genotype", "reason"), lines))
    lead = [f"{len(feasible)} networks of {result.space.name} within the limits, {len(front)} on the front."]
    lead += [f"It ended early: {why}." for why in result.early]
    if chosen is not None:
        lead.append(f"Chosen: {chosen.text}.")
    lead += trust(scorer or {})
    tables += judged(scorer or {})
    better = {each.name for each in result.objectives if each.maximise}
    plots = [_plot(feasible, names, better)] if feasible else []
    return Page(f"Search of {result.space.name}", lead, plots, tables, {**result.settings, **settings})


def _row(evaluation: Evaluation, names: list[str], form: ScoreForm, on_front: bool) -> list[Cell]:
    values = [
        Cell(evaluation.values[SCORE], form(evaluation.values[SCORE]))
        if name == SCORE and SCORE in evaluation.values
        else Cell.of(evaluation.values.get(name), "count" if name in _COUNTED else "score")
        for name in names
    ]
    return [*values, Cell.of("yes" if on_front else "no"), Cell.of(evaluation.text)]


def _panel(evaluation: Evaluation, names: list[str], more: Panel, form: ScoreForm) -> Panel:
    facts = {
        name: numbers.count(value) if name in _COUNTED else (form if name == SCORE else numbers.score)(value)
        for name, value in evaluation.values.items()
        if name in names
    }
    return replace(more, facts={"genotype": evaluation.text, **facts, **more.facts})


def _plot(evaluations: list[Evaluation], names: list[str], better: set[str]) -> Plot:
    """Arguments: networks, names of their values, and of those values the ones that are better the higher they are."""
    sizes = [axis for axis in SIZES if axis.key in names]
    others = [
        Axis(name, name, cost=name not in better)
        for name in names
        if name not in (SCORE, *(axis.key for axis in SIZES))
    ]
    points = [{"name": each.text, "y": each.values[SCORE], **each.values} for each in evaluations]
    return Plot("Score against cost, with the Pareto front", [*sizes, *others], "score", points)
