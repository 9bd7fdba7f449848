"""What was tried to break fxscore: hostile files, altered scorers, odd tables, random references and modules, deaths.

``python -m benchmarks.robustness --write`` writes the section of RESULTS.md. The sizes are options, small by default;
``--full`` takes those of the table that is wanted once a release: some hours on two cores.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial

from benchmarks.results import table, write_section
from benchmarks.robustness_files import hostile_files
from benchmarks.robustness_inputs import Tried, altered_scorers, modules, references, tables
from benchmarks.robustness_kills import COMMANDS, cluster_deaths, kills

# name: (what tries it, its size, its full size)
CLASSES: dict[str, tuple[Callable[[int, int], Tried], int, int]] = {
    "files": (hostile_files, 40, 150),
    "scorers": (altered_scorers, 200, 500),
    "tables": (tables, 100, 100),
    "references": (references, 300, 3000),
    "modules": (modules, 100, 500),
    **{f"kills-{name}": (partial(kills, name), 1, 20) for name in COMMANDS},
    "cluster": (cluster_deaths, 2, 20),
}


def main() -> int:
    """Try, print each class as it is done, and write the section where asked; 1 where anything went wrong."""
    given = _parser().parse_args()
    warnings.simplefilter("ignore")
    done = []
    for name, (attempt, small, full) in CLASSES.items():
        size = getattr(given, name.replace("-", "_"))
        size = (full if given.full else small) if size is None else size
        if size:
            begin = time.monotonic()
            done.append(attempt(size, given.seed))
            _tell(done[-1], time.monotonic() - begin)
    if given.write:
        command = " ".join(["python -m benchmarks.robustness", *sys.argv[1:]])
        write_section("robustness", "What was tried to break it", _body(done), command)
    return int(any(tried.bad for tried in done))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, (_, small, full) in CLASSES.items():
        parser.add_argument(f"--{name}", type=int, help=f"inputs; {small} by default, {full} with --full")
    parser.add_argument("--full", action="store_true", help="all at full size")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true", help="write the section of RESULTS.md")
    return parser


def _tell(tried: Tried, seconds: float) -> None:
    print(f"{tried.name}: {tried.inputs} tried, {len(tried.bad)} bad, {seconds:.0f} s", flush=True)
    for line in tried.bad:
        print(f"  {line!a}", flush=True)


def _body(done: list[Tried]) -> str:
    rows = [(tried.name, tried.inputs, tried.accepted, len(tried.bad)) for tried in done]
    return (
        "Bad is an outcome that is neither the right result nor an error of fxscore in a printable line: a traceback,\n"
        "a good network without its row, another number than the one written, an altered scorer that loads, another\n"
        "result after a kill than without it. Accepted: a row, a score, a result, where it is not an error.\n\n"
        + table(("tried", "inputs", "accepted", "bad outcomes"), rows)
    )


if __name__ == "__main__":
    sys.exit(main())
