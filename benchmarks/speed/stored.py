"""What `fxscore rank` costs where the store knows every network: the whole command, from the shell and back.

    python -m benchmarks.speed.stored                # writes the section "stored" of benchmarks/speed/RESULTS.md
    python -m benchmarks.speed.stored --rounds 3 --print-only

Ranks the zoo once into a store of its own, then again; CPU time of the command and all that it starts, and its time.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.results import command_line, table, write_section

SCORERS = ("general", "nasbench201", "params")


def seconds(networks: list[str], scorer: str, store: Path) -> tuple[float, float]:
    """(CPU time, duration) of one ranking."""
    command = [sys.executable, "-m", "fxscore", "rank", *networks, "--scorer", scorer, "--store", str(store)]
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    duration, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, duration


def main() -> None:
    """Measure, print, and write the section."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--print-only", action="store_true", help="leave RESULTS.md alone")
    options = parser.parse_args()
    networks = [str(path) for path in sorted(Path("zoo").glob("*.py"))]
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store.sqlite"
        first = {scorer: seconds(networks, scorer, store) for scorer in SCORERS}
        again = np.array(
            [[seconds(networks, each, store) for each in SCORERS] for _ in range(options.rounds)]
        )
    median = np.median(again, axis=0)
    rows = [
        [scorer, *(f"{value:.2f}" for value in (*first[scorer], *median[place], *again[:, place].max(0)))]
        for place, scorer in enumerate(SCORERS)
    ]
    columns = ("scorer", "first, CPU s", "s", "stored, CPU s", "s", "most CPU s", "most s")
    text = (
        f"`fxscore rank` of the {len(networks)} networks of the zoo, {os.cpu_count()} cores: the first time, and the "
        f"median and the most of {options.rounds} further times.\n\n{table(columns, rows)}"
    )
    print(text)
    if not options.print_only:
        write_section("stored", "What a ranking costs that the store knows", text, command_line())


if __name__ == "__main__":
    main()
