"""The report of a comparison: its verdicts, what speaks for each network, and the ranking of the same networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fxscore.comparison import Comparison
from fxscore.report.comparison import speaking
from fxscore.report.html.page import Cell, Page, Table
from fxscore.report.html.panels import Detail
from fxscore.report.html.ranking import ranking_page
from fxscore.report.html.reasons import Why


def comparison_page(
    comparison: Comparison,
    settings: Mapping[str, Any],
    *,
    scorer: Mapping[str, Any] | None = None,
    why: Why | None = None,
    detail: Detail | None = None,
) -> Page:
    """The report of `fxscore compare`; arguments as for `ranking_page`, of whose report it is the beginning."""
    page = ranking_page(comparison.ranking, settings, scorer=scorer, why=why, detail=detail)
    lead = [*(verdict.sentence for verdict in comparison.verdicts), *comparison.advice, *page.lead]
    reasons = [
        [Cell.of(f"{verdict.better} against {verdict.other}"), Cell.of(line)]
        for verdict in comparison.verdicts
        for line in speaking(verdict)
    ]
    tables = list(page.tables)
    if reasons:
        tables.append(Table("What speaks for each", ("networks", "groups of features that decide"), reasons))
    return replace(page, title="Comparison of networks", lead=lead, tables=tables)
