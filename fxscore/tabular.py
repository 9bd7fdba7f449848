"""What results look like in a notebook: an HTML table, a data frame, a plot, and a repr of one line.

A class says what its rows are; colours are the notebook's own, so that light and dark themes both serve.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, ClassVar

from fxscore.errors import UsageError
from fxscore.extras import require
from fxscore.quantities import percentile_text

_MOST = 60  # rows that a notebook shows
_STYLE = (
    "<style>.fxscore{border-collapse:collapse;color:inherit;background:none}"
    ".fxscore th,.fxscore td{border-bottom:1px solid rgba(128,128,128,.35);padding:.2em .7em;text-align:right;"
    "color:inherit;background:none}"
    ".fxscore th:first-child,.fxscore td:first-child{text-align:left}</style>"
)


class Tabular:
    """A result with rows.

    Subclasses give `summary` and `table`; `AXES` names the columns that a plot shows, across and up.
    """

    AXES: ClassVar[tuple[str, str]] = ("macs", "score")
    SCORES: ClassVar[tuple[str, ...]] = ("score", "low", "high")  # columns in the unit of scores

    @property
    def has_percentiles(self) -> bool:
        """Whether scores are percentiles, of which two digits mean something."""
        return False

    def summary(self) -> str:
        """The result in one line."""
        raise NotImplementedError

    def table(self) -> list[dict[str, Any]]:
        """A mapping of column to plain value (text, number, None) for each row, all with the same columns."""
        raise NotImplementedError

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """All tables by name; a result has one or, such as an explanation, several."""
        return {"": self.table()}

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.summary()}>"

    def _repr_html_(self) -> str:
        """The tables as a notebook shows them."""
        shown = "".join(
            _html(name, rows, self.SCORES if self.has_percentiles else ())
            for name, rows in self.tables().items()
        )
        return f"{_STYLE}{shown}<p>{escape(self.summary())}</p>"

    def to_frame(self, name: str | None = None) -> Any:
        """A table as a pandas data frame.

        Args:
            name: of one of `tables`; the first by default.

        Raises:
            UsageError: there is no such table.
            MissingExtraError: pandas is not installed.
        """
        require("frames", "A data frame")
        from pandas import DataFrame  # no requirement of fxscore

        tables = self.tables()
        wanted = next(iter(tables)) if name is None else name
        if wanted not in tables:
            raise UsageError(f"this result has no table {wanted!r}; there are {', '.join(tables)}")
        return DataFrame(tables[wanted])

    def plot(self, axes: Any = None) -> Any:
        """A point for each row that has both of `AXES`; of a search, its front too.

        Args:
            axes: matplotlib axes to draw on; new ones by default.

        Returns:
            The axes.

        Raises:
            UsageError: no row has both.
        """
        from fxscore.report.results import plot_result  # loads matplotlib

        return plot_result(self, axes)


def _html(name: str, every: Sequence[Mapping[str, Any]], percentiles: Sequence[str]) -> str:
    rows = every[:_MOST]
    hidden = f" ({_MOST} of {len(every)} rows)" if len(every) > _MOST else ""
    caption = f"<caption>{escape(name + hidden)}</caption>" if name or hidden else ""
    shown = [name for name in (rows[0] if rows else ()) if any(row[name] is not None for row in rows)]
    head = "".join(f"<th>{escape(name)}</th>" for name in shown)
    body = "".join(
        "<tr>"
        + "".join(f"<td>{escape(_text(row[name], name in percentiles))}</td>" for name in shown)
        + "</tr>"
        for row in rows
    )
    return f'<table class="fxscore">{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _text(value: Any, percentile: bool) -> str:
    if value is None:
        return "–"
    if percentile:
        return percentile_text(value)
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
