"""The populations: every ranking task of the tables, and whether its networks are built as they were trained.

`python -m benchmarks.coverage.populations --data FOLDER [--write]` builds the networks weight-free (no values are
computed) and compares their parameter counts with the published ones. `--networks N` builds N of each table, drawn with
seed 0.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.results import command_line, table, write_section
from fxscore.errors import FxScoreError
from fxscore.evaluate.task import TaskTable
from fxscore.evaluate.tasks import table_names, task_tables
from fxscore.sources import build
from fxscore.types import ModelRef

OWN_TABLES = Path(__file__).parents[1] / "tables"


@dataclass(frozen=True)
class Check:
    """What building a table's networks showed.

    Attributes:
        built: how many were built.
        tried: of how many.
        compared: how many have a published parameter count.
        exact: of these, how many agree with it to its last digit.
        largest: the largest relative difference.
        failures: the first error of each kind, with a network.
    """

    built: int
    tried: int
    compared: int
    exact: int
    largest: float
    failures: Mapping[str, str]


def check(found: TaskTable, networks: int) -> Check:
    """Build a table's networks, or so many of them."""
    refs = drawn(found.networks, networks)
    counts: dict[ModelRef, int] = {}
    failures: dict[str, str] = {}
    for ref in refs:
        try:
            counts[ref] = sum(parameter.numel() for parameter in build(ref).module.parameters())
        except FxScoreError as error:
            failures.setdefault(str(error).removeprefix(f"{ref}: "), str(ref))
    pairs = [(counts[ref], found.published_params[ref]) for ref in counts if ref in found.published_params]
    exact = sum(agrees(count, published) for count, published in pairs)
    largest = max((abs(count / published - 1) for count, published in pairs), default=0.0)
    return Check(len(counts), len(refs), len(pairs), exact, largest, failures)


def drawn(refs: Sequence[ModelRef], count: int) -> list[ModelRef]:
    """So many of the networks in their order, drawn with seed 0; all where `count` is 0."""
    if not 0 < count < len(refs):
        return list(refs)
    return [refs[i] for i in sorted(np.random.default_rng(0).choice(len(refs), count, replace=False))]


def agrees(count: int, published: float) -> bool:
    """Whether a count is the published one to its last digit, rounded or cut off: 28.3 M is right to 0.1 M."""
    digits = f"{published:.0f}"
    unit = 10 ** (len(digits) - len(digits.rstrip("0")))
    return math.isclose(count, published, abs_tol=0 if unit == 1 else min(unit, 0.05 * published))


def line(found: TaskTable, seen: Check) -> tuple[object, ...]:
    """The table's row of the report."""
    sizes = sorted({len(task) for task in found.tasks})
    trains = all(task.may_train for task in found.tasks)
    return (
        found.name,
        found.origin,
        " to ".join(str(size) for size in dict.fromkeys((sizes[0], sizes[-1]))) if sizes else "",
        len(found.tasks),
        "yes" if trains else "judge only",
        f"{seen.built} of {seen.tried}",
        f"{seen.exact} of {seen.compared}" if seen.compared else "none stated",
        f"{100 * seen.largest:.2f} %" if seen.compared else "",
    )


COLUMNS = (
    "table",
    "origin",
    "n",
    "tasks",
    "may train",
    "built",
    "published params met",
    "largest difference",
)


def report(rows: Sequence[tuple[TaskTable, Check]], absent: Sequence[str]) -> str:
    """Markdown: a row per table, the tasks, what is left out and why, and what was not built."""
    tasks = [task for found, _ in rows for task in found.tasks]
    origins = {task.origin for task in tasks}
    left = [
        f"- {found.name}: {count} rows: {why}" for found, _ in rows for why, count in found.left_out.items()
    ]
    failed = [f"- {ref}: {why}" for _, seen in rows for why, ref in seen.failures.items()]
    cautions = dict.fromkeys(
        f"- {t.population.name}: {t.population.caution}" for t in tasks if t.population.caution
    )
    parts = [
        f"{len(tasks)} ranking tasks of {len(rows)} tables and {len(origins)} origins. A count is met where it is the "
        "published one to the last digit that is given.",
        table(COLUMNS, [line(found, seen) for found, seen in rows]),
        "Left out:\n\n" + "\n".join(left or ["- nothing"]),
        "Not built:\n\n" + "\n".join(failed or ["- none"]),
        "To be said beside figures:\n\n" + "\n".join(cautions or ["- nothing"]),
    ]
    return "\n\n".join([*parts, f"Tables that were not there: {', '.join(absent)}."] if absent else parts)


def main() -> None:
    """Check what is asked for."""
    options = arguments()
    rows = []
    for found in task_tables([options.data, OWN_TABLES], options.only):
        rows.append((found, check(found, options.networks)))
        print(*line(*rows[-1]), sep="  ", flush=True)
    names = {found.name for found, _ in rows}
    absent = [name for name in options.only or table_names() if name not in names]
    text = report(rows, absent)
    print(f"\n{text}")
    if options.write:
        write_section("populations", "Populations", text, command_line())


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of benchmark tables")
    parser.add_argument(
        "--only", nargs="*", default=[], metavar="TABLE", help="tables to check instead of all"
    )
    parser.add_argument("--networks", type=int, default=0, help="build so many of each table; 0 builds all")
    parser.add_argument("--write", action="store_true", help="write a section of RESULTS.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
