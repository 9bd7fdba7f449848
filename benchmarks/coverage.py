"""Which networks fxscore takes: all of timm and torchvision, and twelve of the transformers library.

``python -m benchmarks.coverage`` builds, captures, represents and scores every architecture, each in a process of its
own with limits of time and memory, two at a time, and writes ``benchmarks/coverage.csv`` and the section "Coverage" of
RESULTS.md. A stopped run goes on where it was (`--work`). ``--only 'timm:resnet*'`` examines a few and only prints.
The features that were read of every network are kept in ``runs/features/timm.npz`` and ``torchvision.npz``, from which
the general scorer is trained (`benchmarks.general`).
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import timm  # noqa: F401 - imported here so that the processes need not
import torch
import torchvision  # noqa: F401

from benchmarks import transformers_models
from benchmarks.coverage_probe import Probe, probe
from benchmarks.features import FOLDER, read_known, write_known
from benchmarks.isolated import Limits, each
from benchmarks.results import command_line, table, write_readme, write_section
from fxscore.scorer import Hybrid, load_scorer
from fxscore.sources import expand

WORK = Path("runs/coverage.jsonl")
CSV = Path(__file__).parent / "coverage.csv"
SOURCES = ("timm", "torchvision", "transformers")
Row = dict[str, Any]


def architectures() -> list[str]:
    """Every network of the three libraries, as references."""
    names = [str(ref) for pattern in ("timm:*", "torchvision:*") for ref in expand(pattern)]
    return names + [f"benchmarks.transformers_models:{name}" for name in transformers_models.NAMES]


def examine(names: Sequence[str], work: Path, limits: Limits) -> dict[str, Row]:
    """A row per network, from the file of rows or measured and added to it."""
    rows = read_rows(work)
    work.parent.mkdir(parents=True, exist_ok=True)
    missing = [name for name in names if name not in rows]
    start = time.monotonic()
    with work.open("a") as file:
        for done, (name, found, error) in enumerate(each(probe, missing, limits), start=1):
            rows[name] = {"name": name, "error": error, **(asdict(found) if isinstance(found, Probe) else {})}
            file.write(json.dumps(rows[name]) + "\n")
            file.flush()
            print(f"{done}/{len(missing)} {time.monotonic() - start:.0f} s {name} {error or ''}", flush=True)
    return {name: rows[name] for name in names}


def read_rows(work: Path) -> dict[str, Row]:
    """What a run has measured so far; a line that a kill cut short is measured again."""
    rows: dict[str, Row] = {}
    for line in work.read_text().splitlines() if work.exists() else ():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue
        rows[row["name"]] = row
    return rows


def keep_features(rows: Mapping[str, Row], folder: Path) -> None:
    """Hand the features to `benchmarks.features`."""
    for source in SOURCES[:2]:
        known = read_known(folder / f"{source}.npz")
        chosen = {name: row for name, row in rows.items() if library(name) == source and not row["error"]}
        known |= {name: (row["fingerprint"], np.array(row["features"])) for name, row in chosen.items()}
        if known:
            write_known(folder / f"{source}.npz", known)


def add_scores(rows: Mapping[str, Row]) -> None:
    """The default scorer's score of every network, from the features that it would read again."""
    scorer = load_scorer()
    assert isinstance(scorer, Hybrid)
    good = [row for row in rows.values() if not row["error"]]
    scores = scorer.raw_scores(np.array([row["features"] for row in good]))
    for row, score in zip(good, scores.tolist(), strict=True):
        row["score"] = score


def is_scored(row: Row) -> bool:
    """Whether the default scorer gives a number."""
    return not row["error"] and isfinite(row["score"])


def library(name: str) -> str:
    """The library that a network is from."""
    source = name.partition(":")[0]
    return source if source in SOURCES else SOURCES[-1]


def capture_step(row: Row) -> str:
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


def is_represented(row: Row) -> bool:
    """Whether nothing that the encoding depends on is left without a representation."""
    return not row["error"] and not row["missing"]


def summary(rows: Mapping[str, Row]) -> str:
    """The section of RESULTS.md."""
    good = [row for row in rows.values() if not row["error"]]
    return "\n\n".join([counts_table(rows), _accounting(good), _times(good), _failures(rows)])


def counts_table(rows: Mapping[str, Row]) -> str:
    """How many networks of each library got how far."""
    groups = {source: [row for name, row in rows.items() if library(name) == source] for source in SOURCES}
    columns = (
        "",
        "networks",
        "built",
        "recorded",
        "part exported",
        "whole exported",
        "represented",
        "scored",
    )
    lines = [(source, *_counts(group)) for source, group in groups.items()]
    return table(columns, [*lines, ("all", *_counts(list(rows.values())))])


def _counts(rows: Sequence[Row]) -> list[int]:
    steps = Counter(map(capture_step, rows))
    built = sum("step" in row or not str(row["error"]).startswith("ModelRefError") for row in rows)
    kinds = [steps[name] for name in ("recorded", "part", "whole export")]
    return [len(rows), built, *kinds, sum(map(is_represented, rows)), sum(map(is_scored, rows))]


def _accounting(rows: Sequence[Row]) -> str:
    exact = sum(row["represented"] + row["head"] == row["params"] for row in rows)
    rest = [row for row in rows if row["unused"]]
    names = ", ".join(
        f"{row['name']} ({len(row['unused'])})" for row in rest if library(row["name"]) == "timm"
    )
    return (
        f"Parameters: of {len(rows)} networks, the sum of what the graph represents and of the head, which the "
        f"scorer replaces, is the network's parameter count in {exact}. In {len(rest)} others some parameters do not "
        "reach the encoding (auxiliary heads, what follows a detector's backbone); coverage.csv has their number. Of "
        f"timm these are {names or 'none'}."
    )


def _times(rows: Sequence[Row]) -> str:
    capture = np.array([row["capture_seconds"] for row in rows])
    score = np.array([row["build_seconds"] + row["score_seconds"] for row in rows])
    zoo = sum(s for s, row in zip(score, rows, strict=True) if library(row["name"]) == "timm")
    memory = max(row["memory"] for row in rows) / 2**30
    return (
        f"Seconds of one core: capture at the own input size, median {np.median(capture):.2f}, 90th percentile "
        f"{np.quantile(capture, 0.9):.2f}; a score (building, capture, passes, forward of 16 images at the size of "
        f"`fxscore.scorer.protocol`), median {np.median(score):.2f}, 90th percentile {np.quantile(score, 0.9):.2f}, "
        f"all of timm {zoo / 60:.0f} minutes, which two cores share. Peak memory of a process {memory:.1f} GiB. "
        "Other work ran on the machine at the same time."
    )


def _failures(rows: Mapping[str, Row]) -> str:
    failed = [f"- {name}: {row['error']}" for name, row in rows.items() if row["error"]]
    partly = [
        f"- {name}: not represented: {', '.join(row['missing'][:3])}"
        for name, row in rows.items()
        if not row["error"] and row["missing"]
    ]
    return "\n".join(["Failures:", "", *(failed + partly or ["- none"])])


def write_csv(rows: Mapping[str, Row], path: Path) -> None:
    """One line a network, without its features."""
    columns = (
        "name,error,score,built,captured,own,seen,params,represented,head,unused,missing,macs,build_seconds,"
        "capture_seconds,score_seconds,memory_mib"
    ).split(",")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(_csv_rows(rows))


def _csv_rows(rows: Mapping[str, Row]) -> Iterator[Row]:
    for name, row in rows.items():
        if row["error"]:
            yield {"name": name, "error": row["error"], "captured": "failed"}
            continue
        sizes = {key: "×".join(map(str, row[key])) for key in ("own", "seen")}
        rounded = {key: round(row[key], 3) for key in row if key.endswith("_seconds") or key == "score"}
        names = {"unused": len(row["unused"]), "missing": " ".join(row["missing"])}
        built = {"built": row["step"], "captured": capture_step(row), "memory_mib": row["memory"] >> 20}
        yield {**row, **sizes, **rounded, **names, **built}


def main() -> None:
    """Examine, and write what was found."""
    options = arguments()
    torch.set_num_threads(1)
    names = [str(ref) for text in options.only for ref in expand(text)] if options.only else architectures()
    rows = examine(names, options.work, Limits(options.seconds, options.memory << 30))
    add_scores(rows)
    text = summary(rows)
    print(f"\n{text}")
    keep_features(rows, options.features)
    if not options.only:
        write_csv(rows, CSV)
        write_readme("coverage", counts_table(rows))
        write_section("coverage", "Coverage", text, command_line())


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="*", metavar="PATTERN", help="networks to examine instead of all")
    parser.add_argument("--work", type=Path, default=WORK, help="file of measured rows")
    parser.add_argument("--features", type=Path, default=FOLDER, help="folder of features")
    parser.add_argument("--seconds", type=float, default=900, help="time limit of one network")
    parser.add_argument("--memory", type=int, default=10, help="memory limit of one network, GiB")
    return parser.parse_args()


if __name__ == "__main__":
    main()
