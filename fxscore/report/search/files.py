"""The front of a search as JSON and CSV, and all files of its folder."""

from __future__ import annotations

import csv
import io
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fxscore.errors import FxScoreError, SearchError
from fxscore.searching.evaluation import Evaluation
from fxscore.searching.result import SearchResult

FRONT = "front"
_logger = logging.getLogger(__name__)


def front_rows(result: SearchResult) -> list[dict[str, Any]]:
    """One flat row for each network of the front: its reference, its values and its genotype."""
    return [_row(result, evaluation) for evaluation in result.front]


def _row(result: SearchResult, evaluation: Evaluation) -> dict[str, Any]:
    return {"name": str(result.ref(evaluation)), **evaluation.values, "genotype": evaluation.text}


def front_json(result: SearchResult) -> str:
    """Settings and front."""
    value = {"settings": dict(result.settings), "front": front_rows(result)}
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def front_csv(result: SearchResult) -> str:
    """A header and one line for each network of the front; the header alone where there is none."""
    rows = front_rows(result)
    names = list(dict.fromkeys(name for row in rows for name in row)) or ["name", "genotype"]
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def result_files(folder: Path, picture: str = "png") -> list[Path]:
    """Where `write_search` writes: front (two), plots (two), the chosen network's drawing and source."""
    plots = [f"{stem}.{picture}" for stem in ("pareto", "convergence", "network")]
    return [folder / name for name in (f"{FRONT}.json", f"{FRONT}.csv", *plots, "network.py")]


def write_search(
    result: SearchResult,
    chosen: Evaluation | None,
    folder: Path,
    *,
    picture: str = "png",
) -> list[Path]:
    """Write front, plots, and the chosen network's drawing and source; returns the files.

    Args:
        result: of the search.
        chosen: the network to mark, to draw and to write as a Python file; None writes none.
        folder: made where it is not there.
        picture: `png`, `svg` or `pdf`.
    """
    from fxscore.report.search.plots import plot_convergence, plot_pareto

    folder.mkdir(parents=True, exist_ok=True)
    *files, pareto, convergence, drawing, source = result_files(folder, picture)
    for path, text in zip(files, (front_json(result), front_csv(result)), strict=True):
        path.write_text(text, encoding="utf-8")
    if not result.front:
        return files
    plot_pareto(result, chosen, pareto)
    plot_convergence({"search": result}, convergence)
    files += [pareto, convergence]
    if chosen is not None:
        files += _write_drawing(result, chosen, drawing)
        files += _write_source(result, chosen, source)
    return files


def _write_drawing(result: SearchResult, chosen: Evaluation, path: Path) -> Sequence[Path]:
    from fxscore.report.search.drawing import draw_network

    try:
        draw_network(result, chosen, path)
    except FxScoreError as error:  # the package that lays it out is missing, or no graph can be captured
        return _left_out(path, error)
    return [path]


def _left_out(path: Path, error: FxScoreError) -> Sequence[Path]:
    """One file that cannot be written spoils no other; that of an earlier choice would mislead."""
    path.unlink(missing_ok=True)
    _logger.warning("no %s: %s", path.name, error)
    return []


def _write_source(result: SearchResult, chosen: Evaluation, path: Path) -> Sequence[Path]:
    from fxscore.report.search.source import network_source

    try:
        path.write_text(network_source(result, chosen), encoding="utf-8")
    except SearchError as error:  # a network that no plain file can say; its genotype is in the front
        return _left_out(path, error)
    return [path]
