"""What was tried to break fxscore: hostile files, altered scorers, odd tables, random references and modules, deaths.

``python -m benchmarks.robustness --write`` writes the section of RESULTS.md. The sizes are options, small by default;
``--full`` takes those of the table that is wanted once a release: some hours on two cores. ``--only`` runs some of the
classes; the rows of the others stay in the section, so that a long table may be made part by part.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial

from benchmarks.results import results_file, table, write_section
from benchmarks.robustness.files import hostile_files
from benchmarks.robustness.inputs import Tried, altered_scorers, modules, references, tables
from benchmarks.robustness.kills import COMMANDS, cluster_deaths, kills

# name: (what tries it, its size, its full size)
CLASSES: dict[str, tuple[Callable[[int, int], Tried], int, int]] = {
    "files": (hostile_files, 40, 250),
    "scorers": (altered_scorers, 200, 500),
    "tables": (tables, 100, 100),
    "references": (references, 300, 3000),
    "modules": (modules, 100, 500),
    **{f"kills-{name}": (partial(kills, name), 1, 20) for name in COMMANDS},
    "cluster": (cluster_deaths, 2, 20),
}
COMMAND = "python -m benchmarks.robustness --full --write"
TOLD = """
Bad is an outcome that is neither the right result nor an error of fxscore in a printable line: a traceback,
a good network without its row, another number than the one written, an altered scorer that loads, another
result after a kill than without it. Accepted: a row, a score, a result, where it is not an error. A class whose
inputs are fewer than `--full` gives it was last run alone, with `--only`, at a smaller size.

"""


def main() -> int:
    """Try, print each class as it is done, and write its row where asked; 1 where anything went wrong."""
    given = _parser().parse_args()
    warnings.simplefilter("ignore")
    bad = 0
    for name in given.only or CLASSES:
        attempt, small, full = CLASSES[name]
        size = given.size or (full if given.full else small)
        begin = time.monotonic()
        tried = attempt(size, given.seed)
        _tell(tried, time.monotonic() - begin)
        bad += len(tried.bad)
        if given.write:
            _write(tried)
    return int(bad > 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    sizes = ", ".join(f"{name} {small} ({full})" for name, (_, small, full) in CLASSES.items())
    parser.add_argument(
        "--only", nargs="+", choices=CLASSES, metavar="CLASS", help=f"of {', '.join(CLASSES)}"
    )
    parser.add_argument("--size", type=int, help=f"inputs of each; by default (and with --full): {sizes}")
    parser.add_argument("--full", action="store_true", help="all at full size")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true", help="write the section of RESULTS.md")
    return parser


def _tell(tried: Tried, seconds: float) -> None:
    print(f"{tried.name}: {tried.inputs} tried, {len(tried.bad)} bad, {seconds:.0f} s", flush=True)
    for line in tried.bad:
        print(f"  {line!a}", flush=True)


def _write(tried: Tried) -> None:
    """Put the row of a class into the section, beside those of the other classes."""
    row = (str(tried.inputs), str(tried.accepted), str(len(tried.bad)))
    rows = {**_rows(), tried.name: row}
    body = TOLD + table(
        ("tried", "inputs", "accepted", "bad outcomes"), [(name, *rows[name]) for name in rows]
    )
    write_section("robustness", "What was tried to break it", body, COMMAND)


def _rows() -> dict[str, tuple[str, ...]]:
    """What the section holds now: name of the class -> its cells."""
    text = results_file(COMMAND).read_text(encoding="utf-8")
    section = text.partition("<!-- begin robustness -->")[2].partition("<!-- end robustness -->")[0]
    found = re.findall(r"^\| ([^|]+) \| (\d+) \| (\d+) \| (\d+) \|$", section, re.MULTILINE)
    return {name: tuple(cells) for name, *cells in found}


if __name__ == "__main__":
    sys.exit(main())
