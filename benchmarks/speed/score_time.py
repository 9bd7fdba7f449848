"""What a score of a NAS-Bench-201 cell costs with every scorer that ships, on one core.

    python -m benchmarks.speed.score_time                # writes the section "score-time" of benchmarks/RESULTS.md
    python -m benchmarks.speed.score_time --cells 10 --print-only

Random cells of the space; each is scored once from its text form: the
module is built, captured, rewritten, run and ranked. Times are CPU times of the process, scorers in turn, after three
cells that nobody counts.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch

import fxscore
from benchmarks.results import command_line, table, write_section
from fxscore.scorer import Scorer, load_scorer, shipped_scorers
from fxscore.spaces import get_space

SPACE = "nasbench201"
WARM = 3


def cells(count: int, seed: int) -> list[str]:
    """References of random cells."""
    space, generator = get_space(SPACE), torch.Generator().manual_seed(seed)
    return [f"{SPACE}:{space.format(space.sample(generator))}" for _ in range(count)]


def milliseconds(ref: str, scorer: Scorer) -> float:
    """CPU time of one score."""
    begin = time.process_time()
    fxscore.score(ref, scorer=scorer)
    return 1e3 * (time.process_time() - begin)


def main() -> None:
    """Measure, print, and write the section."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0, help="of the draw of cells")
    parser.add_argument("--print-only", action="store_true", help="leave RESULTS.md alone")
    options = parser.parse_args()
    torch.set_num_threads(1)
    refs = cells(options.cells + WARM, options.seed)
    scorers = {name: load_scorer(name) for name in shipped_scorers()}
    times = np.array([[milliseconds(ref, scorer) for scorer in scorers.values()] for ref in refs])[WARM:]
    rows = [
        [name, f"{np.median(column):.0f}", f"{column.mean():.0f}", f"{np.quantile(column, 0.9):.0f}"]
        for name, column in zip(scorers, times.T, strict=True)
    ]
    text = (
        f"{options.cells} random cells (seed {options.seed}), each built, captured, rewritten, run and scored; CPU "
        f"milliseconds of one thread.\n\n{table(('scorer', 'median', 'mean', '90th percentile'), rows)}"
    )
    print(text)
    if not options.print_only:
        write_section("score-time", "Time of a score of a NAS-Bench-201 cell", text, command_line())


if __name__ == "__main__":
    main()
