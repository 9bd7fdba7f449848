"""Rankings as tables, JSON and CSV."""

from __future__ import annotations

from fxscore.report.files import ranking_csv, ranking_json
from fxscore.report.rows import SORT_KEYS, Row, rows
from fxscore.report.table import print_ranking, ranking_table, summary

__all__ = [
    "SORT_KEYS",
    "Row",
    "print_ranking",
    "ranking_csv",
    "ranking_json",
    "ranking_table",
    "rows",
    "summary",
]
