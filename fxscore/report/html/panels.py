"""The panel of a network: its record, what stands behind its score, what its operators became, and its drawing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from fxscore.errors import FxScoreError, MissingExtraError
from fxscore.explanation import batch_of, explain_subject
from fxscore.report import numbers
from fxscore.report.drawing import Drawing, draw
from fxscore.report.html.page import Listing, Panel
from fxscore.report.html.reasons import Reasons, Why, reasons_in
from fxscore.report.rows import ScoreForm, rows, score_form
from fxscore.run.failure import own_errors_only
from fxscore.run.guard import unchanged_globals
from fxscore.scorer import load_scorer
from fxscore.scorer.subject import subject_of
from fxscore.types import ModelRef, Ranking, ScoreRecord

Detail = Callable[[ModelRef], Panel]
DRAWN = 10  # networks of a table that are built again for their operators and drawing
_AS_REFERRED: Mapping[ModelRef, str] = MappingProxyType({})  # no network has another name
_APART = ("name", "low", "high")  # of a record: the title of its panel, and one fact
_FORMS: Mapping[str, Callable[[Any], str]] = {
    "params": numbers.count,
    "macs": numbers.count,
    "seconds": numbers.seconds,
    "published": numbers.accuracy,
}


def panels_of(
    ranking: Ranking, why: Why | None = None, detail: Detail | None = None, details: int = DRAWN
) -> list[Panel]:
    """The panels of the networks of a ranking that have a score, in the order of its `rows`.

    Args:
        ranking: what was scored.
        why: what stands behind the score of each network.
        detail: operators and drawing of a network; asked for the first `details` networks.
        details: how many.
    """
    form = score_form(ranking.judge)
    records = [row.record for row in rows(ranking) if row.record.error is None]
    return [
        _panel(
            record,
            detail(record.ref) if detail and place < details else None,
            why(record) if why else Reasons(),
            form,
        )
        for place, record in enumerate(records)
    ]


def named_panels(
    ranking: Ranking, scorer: Any, names: Mapping[ModelRef, str] = _AS_REFERRED, details: int = DRAWN
) -> dict[ModelRef, Panel]:
    """All that is known of each scored network of a ranking.

    Args:
        ranking: what was scored; each network once.
        scorer: that scored them, as for `fxscore.explain`.
        names: of networks that people call otherwise than by their references.
        details: so many networks are built again, in this process, for their operators and drawing.
    """
    why = reasons_in(ranking, load_scorer(scorer), names=names)
    panels = panels_of(ranking, why, network_detail(scorer, names), details)
    refs = [row.record.ref for row in rows(ranking) if row.record.error is None]
    return dict(zip(refs, panels, strict=True))


def _panel(record: ScoreRecord, more: Panel | None, reasons: Reasons, form: ScoreForm) -> Panel:
    facts = _facts(record, form)
    if reasons.unknown:
        facts["looks most like"] = reasons.unknown
    if more is None:
        return Panel(facts, reasons.lists)
    return Panel({**facts, **more.facts}, [*reasons.lists, *more.lists], more.svg, more.alt)


def _facts(record: ScoreRecord, form: ScoreForm) -> dict[str, str]:
    """All that the record says, as people read it."""
    known = {name: value for name, value in record.as_dict().items() if value is not None}
    forms = {**_FORMS, "score": form}
    facts = {name: forms.get(name, str)(value) for name, value in known.items() if name not in _APART}
    if record.low is not None and record.high is not None:
        facts["cannot be told from"] = f"{form(record.low)} to {form(record.high)}"
    return facts


def network_detail(scorer: Any, names: Mapping[ModelRef, str] = _AS_REFERRED) -> Detail:
    """Reads a network once more in this process: what its operators became, its coverage and its drawing.

    Args:
        scorer: as for `fxscore.explain`.
        names: of networks that people call otherwise than by their references.
    """

    def detail(ref: ModelRef) -> Panel:
        try:
            return _drawn(_operators(ref, scorer), ref, names.get(ref, str(ref)))
        except FxScoreError as error:
            return Panel({"not shown": str(error)})

    return detail


def _operators(ref: ModelRef, scorer: Any) -> Panel:
    used = load_scorer(scorer)
    with own_errors_only(), unchanged_globals():
        subject = subject_of(ref, weights=used.needs_weights)
        explained = explain_subject(str(ref), subject, batch_of(used))
    lines = [[o.operator, o.form, str(o.count), numbers.count(o.params)] for o in explained.operators]
    facts = {
        "operators with weights": str(sum(operator.count for operator in explained.operators)),
        "parameters without a part": ", ".join(explained.unused) or "none",
    }
    return Panel(
        facts, [Listing("Operators with weights", ("operator", "became", "times", "parameters"), lines)]
    )


def _drawn(panel: Panel, ref: ModelRef, name: str) -> Panel:
    """The panel with the network's drawing, or why there is none."""
    try:
        drawing = Drawing(replace(draw(ref).diagram, name=name))
        svg = drawing.svg
    except MissingExtraError as error:
        return replace(panel, facts={**panel.facts, "drawing": str(error)})
    blocks = ", ".join(block.title for block in drawing.diagram.blocks)
    return replace(panel, svg=svg, alt=f"Drawing of {name}: {blocks}")
