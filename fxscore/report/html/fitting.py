"""The report of a fit: how well it ranks networks that it did not see, each network, what was left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fxscore.report.html.page import Axis, Cell, Page, Plot, Table

_SCORE = Axis("score", "score, in no unit")


def fit_page(
    networks: Sequence[tuple[str, float, float | None]],
    left_out: Mapping[str, str],
    summary: str,
    settings: Mapping[str, Any],
) -> Page:
    """The report of a fit.

    Args:
        networks: (name, accuracy, score by a fit that did not see it; None where each did) of each that was used.
        left_out: reasons by name.
        summary: how well it ranks what it did not see.
        settings: of the command.
    """
    rows = [[Cell.of(name), Cell.of(accuracy), Cell.of(score)] for name, accuracy, score in networks]
    tables = [Table("Networks that were fitted to", ("network", "accuracy", "score, not seen"), rows)]
    if left_out:
        lines = [[Cell.of(name), Cell.of(reason)] for name, reason in left_out.items()]
        tables.append(Table("Networks that were left out", ("network", "reason"), lines))
    points = [
        {"name": name, "y": accuracy, "score": score}
        for name, accuracy, score in networks
        if score is not None
    ]
    title = "Accuracy against scores by fits that had not seen the network"
    plots = [Plot(title, [_SCORE], "accuracy", points)]
    return Page("Fit to trained networks", [summary], plots if points else [], tables, settings)
