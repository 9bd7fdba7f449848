"""Rows of the coverage benchmark: measured in processes of their own, kept in a file, scored, written as a table."""

from __future__ import annotations

import csv
import json
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.shared.apart import each
from fxscore.run import Where
from fxscore.scorer import Hybrid, load_scorer

CoverageRow = dict[str, Any]
COLUMNS = (
    "name,error,score,built,captured,own,seen,params,represented,head,unused,missing,macs,build_seconds,"
    "capture_seconds,score_seconds,memory_mib"
).split(",")


def examine(
    measure: str,
    names: Sequence[str],
    work: Path,
    where: Where,
) -> dict[str, CoverageRow]:
    """A row per network, from the file of rows, or measured by `measure` (`package.module:name`) and added to it."""
    rows = read_rows(work)
    work.parent.mkdir(parents=True, exist_ok=True)
    missing = [name for name in names if name not in rows]
    start = time.monotonic()
    with work.open("a") as file:
        for done, (name, found, error) in enumerate(each(measure, missing, where), start=1):
            rows[name] = {"name": name, "error": error and without_folders(error), **(found or {})}
            file.write(json.dumps(rows[name]) + "\n")
            file.flush()
            print(f"{done}/{len(missing)} {time.monotonic() - start:.0f} s {name} {error or ''}", flush=True)
    return {name: rows[name] for name in names}


def without_folders(error: str) -> str:
    """An error whose files are named from their package on, so that it reads alike wherever it was run."""
    return re.sub(r"[^\s,:]*site-packages/", "", error)


def read_rows(work: Path) -> dict[str, CoverageRow]:
    """What a run has measured so far; a line that a kill cut short is measured again."""
    rows: dict[str, CoverageRow] = {}
    for line in work.read_text().splitlines() if work.exists() else ():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue
        rows[row["name"]] = row
    return rows


def forget_failures(work: Path, names: Sequence[str]) -> None:
    """Leave out of the file of rows those of the named networks that failed."""
    rows = read_rows(work)
    kept = [row for name, row in rows.items() if not (row["error"] and name in names)]
    if rows:
        work.write_text("".join(json.dumps(row) + "\n" for row in kept))


def add_scores(rows: Mapping[str, CoverageRow], features: str = "features", score: str = "score") -> None:
    """The default scorer's score of every network, from the features that it would read again."""
    scorer = load_scorer()
    assert isinstance(scorer, Hybrid)
    good = [row for row in rows.values() if not row["error"]]
    values = scorer.raw_scores(np.array([row[features] for row in good])).tolist() if good else []
    for row, value in zip(good, values, strict=True):
        row[score] = value


def capture_step(row: CoverageRow) -> str:
    """The step of the ladder that captured a network."""
    exported = row.get("exported")
    return (
        "failed"
        if exported is None
        else "recorded"
        if not exported
        else "whole export"
        if "" in exported
        else "part"
    )


def write_csv(rows: Mapping[str, CoverageRow], path: Path, more: Sequence[str] = ()) -> None:
    """One line a network, without its features; `more` names further columns."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*COLUMNS, *more], extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(map(_csv_row, rows.values()))


def _csv_row(row: CoverageRow) -> CoverageRow:
    if row["error"]:
        return {**row, "captured": "failed"}
    sizes = {key: "×".join(map(str, row[key])) for key in ("own", "seen")}
    rounded = {key: round(value, 3) for key, value in row.items() if key.endswith("_seconds")}
    scores: CoverageRow = {key: round(row[key], 6) for key in ("score", "variant") if key in row}
    names = {
        "unused": len(row["unused"]),
        "missing": " ".join(row["missing"]),
        "unseen": " ".join(row.get("unseen", ())),
    }
    built = {"built": row["step"], "captured": capture_step(row), "memory_mib": row["memory"] >> 20}
    return {**row, **sizes, **rounded, **scores, **names, **built}
