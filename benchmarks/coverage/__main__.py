"""Which networks fxscore takes: all of timm and torchvision, twelve of the transformers library, and the `wild`.

``python -m benchmarks.coverage`` builds, captures, represents and scores every architecture, each in a process of its
own with limits of time and memory, two at a time, and writes ``benchmarks/coverage/libraries.csv`` and the section
"Coverage" of RESULTS.md. A stopped run goes on where it was (`--work`). ``--only 'timm:resnet*'`` examines a few and
only prints, ``--only 'transformers:*'`` the twelve. The features that were read of every network are kept in
``runs/features/timm.npz`` and ``torchvision.npz``.

``python -m benchmarks.coverage wild`` does so with networks of packages from PyPI (`benchmarks.coverage.wild`), one at
a time, and writes ``benchmarks/coverage/wild.csv`` and the section "Wild coverage". ``--again`` tries what failed anew.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from fnmatch import filter as matches
from math import isfinite
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import timm  # noqa: F401 - imported here so that the processes need not
import torch
import torchvision  # noqa: F401

from benchmarks.coverage import transformers_models
from benchmarks.coverage.probe import probe
from benchmarks.coverage.rows import CoverageRow, add_scores, capture_step, examine, write_csv
from benchmarks.quality.features import FOLDER, read_known, write_known
from benchmarks.results import DOCS, command_line, table, write_block, write_section
from fxscore.run import Where
from fxscore.sources import expand

CSV = Path(__file__).parent / "libraries.csv"
SOURCES = ("timm", "torchvision", "transformers")


def architectures() -> list[str]:
    """Every network of the three libraries, as references."""
    names = [str(ref) for pattern in ("timm:*", "torchvision:*") for ref in expand(pattern)]
    return names + matching(f"{SOURCES[-1]}:*")


def matching(pattern: str) -> list[str]:
    """The references that a pattern stands for; ``transformers:`` is the twelve's."""
    source, _, name = pattern.partition(":")
    if source != SOURCES[-1]:
        return [str(ref) for ref in expand(pattern)]
    return [f"{transformers_models.__name__}:{each}" for each in matches(transformers_models.NAMES, name)]


def keep_features(rows: Mapping[str, CoverageRow], folder: Path) -> None:
    """Hand the features to `benchmarks.quality.features`."""
    for source in SOURCES[:2]:
        known = read_known(folder / f"{source}.npz")
        chosen = {name: row for name, row in rows.items() if library(name) == source and not row["error"]}
        known |= {name: (row["fingerprint"], np.array(row["features"])) for name, row in chosen.items()}
        if known:
            write_known(folder / f"{source}.npz", known)


def is_scored(row: CoverageRow) -> bool:
    """Whether the default scorer gives a number."""
    return not row["error"] and isfinite(row["score"])


def library(name: str) -> str:
    """The library that a network is from."""
    source = name.partition(":")[0]
    return source if source in SOURCES else SOURCES[-1]


def is_represented(row: CoverageRow) -> bool:
    """Whether nothing that the encoding depends on is left without a representation."""
    return not row["error"] and not row["missing"]


def summary(rows: Mapping[str, CoverageRow]) -> str:
    """The section of RESULTS.md."""
    good = [row for row in rows.values() if not row["error"]]
    return "\n\n".join([counts_table(rows), _accounting(good), _times(good), _failures(rows)])


def counts_table(rows: Mapping[str, CoverageRow]) -> str:
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


def _counts(rows: Sequence[CoverageRow]) -> list[int]:
    steps = Counter(map(capture_step, rows))
    built = sum("step" in row or not str(row["error"]).startswith("ModelRefError") for row in rows)
    kinds = [steps[name] for name in ("recorded", "part", "whole export")]
    return [len(rows), built, *kinds, sum(map(is_represented, rows)), sum(map(is_scored, rows))]


def _accounting(rows: Sequence[CoverageRow]) -> str:
    exact = sum(row["represented"] + row["head"] == row["params"] for row in rows)
    rest = [row for row in rows if row["unused"]]
    names = ", ".join(
        f"{row['name']} ({len(row['unused'])})" for row in rest if library(row["name"]) == "timm"
    )
    return (
        f"Parameters: of {len(rows)} networks, the sum of what the graph represents and of the head, which the "
        f"scorer replaces, is the network's parameter count in {exact}. In {len(rest)} others some parameters do not "
        "reach the encoding (auxiliary heads, what follows a detector's backbone); libraries.csv has their number. Of "
        f"timm these are {names or 'none'}."
    )


def _times(rows: Sequence[CoverageRow]) -> str:
    capture = np.array([row["capture_seconds"] for row in rows])
    score = np.array([row["build_seconds"] + row["score_seconds"] for row in rows])
    zoo = sum(s for s, row in zip(score, rows, strict=True) if library(row["name"]) == "timm")
    memory = max(row["memory"] for row in rows) / 2**30
    return (
        f"Seconds of one core: capture at the own input size, median {np.median(capture):.2f}, 90th percentile "
        f"{np.quantile(capture, 0.9):.2f}; a score (building, capture, passes, forward of 16 images at the size of "
        f"`fxscore.scorer.seen_size`), median {np.median(score):.2f}, 90th percentile {np.quantile(score, 0.9):.2f}, "
        f"all of timm {zoo / 60:.0f} minutes, which two cores share. Peak memory of a process {memory:.1f} GiB. "
        "Other work ran on the machine at the same time."
    )


def _failures(rows: Mapping[str, CoverageRow]) -> str:
    failed = [f"- {name}: {row['error']}" for name, row in rows.items() if row["error"]]
    partly = [
        f"- {name}: not represented: {', '.join(row['missing'][:3])}"
        for name, row in rows.items()
        if not row["error"] and row["missing"]
    ]
    return "\n".join(["Failures:", "", *(failed + partly or ["- none"])])


def measure(name: str) -> CoverageRow:
    """The row of one network."""
    return asdict(probe(name))


def main() -> None:
    """Examine what is asked for."""
    options = arguments()
    torch.set_num_threads(1)
    if options.part == "wild":
        from benchmarks.coverage import wild  # needs packages that the other part does not

        wild.run(options)
    else:
        run(options)


def run(options: argparse.Namespace) -> None:
    """Examine the architectures of the libraries; write what was found."""
    names = [name for text in options.only for name in matching(text)] if options.only else architectures()
    if not names:
        raise SystemExit(f"no network is called {' or '.join(options.only)}")
    rows = examine(
        "benchmarks.coverage.__main__:measure",
        names,
        options.work or Path("runs/coverage.jsonl"),
        where_of(options),
    )
    add_scores(rows)
    text = summary(rows)
    print(f"\n{text}")
    keep_features(rows, options.features)
    if not options.only:
        write_csv(rows, CSV)
        write_block("coverage", counts_table(rows), DOCS / "coverage.md")
        write_section("coverage", "Coverage", text, command_line())


def where_of(options: argparse.Namespace) -> Where:
    """Two workers, and time and memory of one network."""
    return Where(2, options.seconds, options.memory << 30)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", nargs="?", choices=("libraries", "wild"), default="libraries")
    parser.add_argument("--only", nargs="*", metavar="PATTERN", help="networks to examine instead of all")
    parser.add_argument("--again", action="store_true", help="measure again what failed (part wild)")
    parser.add_argument("--work", type=Path, help="file of measured rows")
    parser.add_argument("--features", type=Path, default=FOLDER, help="folder of features")
    parser.add_argument("--seconds", type=float, default=900, help="time limit of one network")
    parser.add_argument("--memory", type=int, default=10, help="memory limit of one network, GiB")
    return parser.parse_args()


if __name__ == "__main__":
    main()
