"""A report as one HTML file that works offline: tables, plots, a panel for each network.

Tables are DataTables', plots Observable Plot's; both lie in the file, with their licences (`vendor/LICENSES.txt`). Its
content policy forbids every request to a network. A command builds a `Page` from its results and writes it with `save`.
"""

from __future__ import annotations

import base64
import html
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from platform import python_version
from string import Template
from typing import Any

from fxscore.report import numbers

_SCRIPTS = ("vendor/d3.min.js", "vendor/plot.min.js", "vendor/datatables.min.js", "app.js")
_STYLES = ("vendor/datatables.min.css", "style.css")
_PACKAGES = ("fxscore", "torch", "torchvision", "timm")


@dataclass(frozen=True)
class Cell:
    """A value by which a table sorts, and the text that it shows."""

    value: float | str | None
    text: str

    @classmethod
    def of(cls, value: float | str | None, form: str = "score") -> Cell:
        """A number in one of the forms of `numbers` (`score`, `count`), `plain`, or a text."""
        if isinstance(value, str):
            return cls(value, value)
        if value is None or not math.isfinite(value):
            return cls(None, numbers.MISSING)
        return cls(value, f"{value:g}" if form == "plain" else getattr(numbers, form)(value))


@dataclass(frozen=True)
class Listing:
    """A small table in a panel."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Panel:
    """What is known of one network: facts by name, lists, and a drawing as SVG, with words in its place."""

    facts: Mapping[str, str]
    lists: Sequence[Listing] = ()
    svg: str | None = None
    alt: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of cells that can be sorted and filtered.

    Attributes:
        title: its heading.
        columns: their titles.
        rows: a cell for each column.
        panels: one for each row, or none at all.
        opens: the column whose cell opens the panel.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    panels: Sequence[Panel] = ()
    opens: int = 0


@dataclass(frozen=True)
class Axis:
    """What x is: a key of the points, its name with unit, and whether it is logarithmic.

    Of a cost, the points that no other beats (more y for less x) are joined.
    """

    key: str
    label: str
    log: bool = False
    cost: bool = False


@dataclass(frozen=True)
class Plot:
    """Points with `name`, `y`, a value for each axis and, where known, `low` and `high` of y.

    Attributes:
        title: its heading.
        x: the axes to choose from.
        y: name of y.
        points: the networks.
    """

    title: str
    x: Sequence[Axis]
    y: str
    points: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Page:
    """One report.

    Attributes:
        title: of the page.
        lead: paragraphs: what was done, and how far to trust it.
        plots, tables: in this order.
        settings: what decided the result; versions are added.
    """

    title: str
    lead: Sequence[str]
    plots: Sequence[Plot] = ()
    tables: Sequence[Table] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    def html(self) -> str:
        """The whole file."""
        data = {
            "plots": [_plot(each) for each in self.plots],
            "tables": [_table(each) for each in self.tables],
        }
        return Template(_text("template.html")).substitute(
            title=html.escape(self.title),
            licenses=_text("vendor/LICENSES.txt").replace("--", "- -"),
            style="\n".join(map(_text, _STYLES)),
            body="\n".join(_body(self)),
            data=_json(data),
            scripts="\n".join(map(_text, _SCRIPTS)),
        )

    def save(self, path: Path | str) -> None:
        """Write the file."""
        Path(path).write_text(self.html(), encoding="utf-8")


def versions() -> dict[str, str]:
    """Of what decides a score, and of Python."""
    return {name: version(name) for name in _PACKAGES} | {"Python": python_version()}


def _text(name: str) -> str:
    return files("fxscore.report.html").joinpath(name).read_text(encoding="utf-8")


def _json(data: Any) -> str:
    """JSON that cannot end the script element that it stands in."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")


def _body(page: Page) -> Iterator[str]:
    yield from (f"<p>{html.escape(text)}</p>" for text in page.lead)
    for place, plot in enumerate(page.plots):
        yield _figure(plot, place)
    for place, table in enumerate(page.tables):
        title = html.escape(table.title)
        yield f'<section><h2 id="title-{place}">{title}</h2>'
        yield f'<table id="table-{place}" class="display" aria-labelledby="title-{place}"></table></section>'
    yield (
        "<section><h2>Settings and versions</h2>" + _settings({**page.settings, **versions()}) + "</section>"
    )


def _figure(plot: Plot, place: int) -> str:
    options = "".join(f"<option>{html.escape(axis.label)}</option>" for axis in plot.x)
    choice = f"<label>against <select>{options}</select></label>" if len(plot.x) > 1 else ""
    title = html.escape(plot.title)
    caption = f"<figcaption><h2>{title}</h2>{choice}</figcaption>"
    return f'<figure id="plot-{place}">{caption}<div class="plot"></div></figure>'


def _settings(values: Mapping[str, Any]) -> str:
    rows = (
        f'<tr><th scope="row">{html.escape(name)}</th><td>{html.escape(str(value))}</td></tr>'
        for name, value in values.items()
        if value is not None
    )
    return f'<table class="plain">{"".join(rows)}</table>'


def _plot(plot: Plot) -> dict[str, Any]:
    points = [dict(point) for point in plot.points]
    return {"title": plot.title, "x": list(map(asdict, plot.x)), "y": plot.y, "points": points}


def _table(table: Table) -> dict[str, Any]:
    columns = [
        {
            "title": html.escape(title),
            "number": any(isinstance(row[place].value, (int, float)) for row in table.rows),
        }
        for place, title in enumerate(table.columns)
    ]
    rows: list[dict[str, Any]] = [
        {"cells": [[c.value, html.escape(c.text)] for c in row]} for row in table.rows
    ]
    for row, panel in zip(rows, table.panels, strict=bool(table.panels)):
        row["panel"] = _panel(panel)
    return {"title": table.title, "columns": columns, "rows": rows, "opens": table.opens}


def _panel(panel: Panel) -> dict[str, Any]:
    picture = None
    if panel.svg is not None:
        picture = "data:image/svg+xml;base64," + base64.b64encode(panel.svg.encode()).decode()
    lists = [asdict(each) for each in panel.lists]
    return {"facts": list(panel.facts.items()), "lists": lists, "picture": picture, "alt": panel.alt}
