"""Peak memory of a listwise training step against the number of networks in it (METHOD.md section 4).

``python -m benchmarks.speed.training_memory --write`` takes two steps over s random cells of NAS-Bench-201, each s in a
process of its own. All processes construct the same cells beforehand, so that what differs is the step alone.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
from dataclasses import replace

import torch

from benchmarks.results import command_line, table, write_section
from fxscore.scorer import Settings
from fxscore.spaces import get_space
from fxscore.train.data import CellSet
from fxscore.train.loop import Trainer
from fxscore.train.plan import TrainingPlan

STEPS = 2


def measure(samples: int, cells: int) -> tuple[float, float]:
    """(MiB before the first step, MiB at the peak of the last), of this process."""
    torch.set_num_threads(1)
    space, generator = get_space("nasbench201"), torch.Generator().manual_seed(0)
    genotypes = [space.sample(generator) for _ in range(cells)]
    chosen = CellSet(space, genotypes, torch.rand(cells, generator=generator), Settings())
    for index in range(cells):
        chosen[index]
    plan = TrainingPlan(samples=2, steps=1)
    list(Trainer(plan, [chosen]).run())  # what is imported and allocated once
    before = _peak()
    list(Trainer(replace(plan, samples=samples, steps=STEPS), [chosen]).run())
    return before, _peak()


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure each s in a new process, print, and write the section."""
    options = arguments()
    if options.child:
        print(*measure(options.child, max(options.samples)))
        return
    rows = []
    for samples in options.samples:
        command = [sys.executable, "-m", "benchmarks.speed.training_memory", "--child", str(samples)]
        command += ["--samples", *map(str, options.samples)]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        before, after = map(float, output.split())
        rows.append([samples, f"{before:.0f}", f"{after:.0f}", f"{after - before:.0f}"])
    columns = ["s", "peak of a step of 2, MiB", "peak of steps of s, MiB", "difference, MiB"]
    text = (
        f"{STEPS} steps over s cells of NAS-Bench-201, batch 16, 16×16, {max(options.samples)} cells constructed "
        f"beforehand in every process.\n\n{table(columns, rows)}"
    )
    print(text)
    if options.write:
        write_section("training-memory", "Memory of a training step", text, command_line())


def arguments() -> argparse.Namespace:
    """The command's options."""
    parser = argparse.ArgumentParser(description="Measure the memory of training steps.")
    parser.add_argument("--samples", type=int, nargs="+", default=[8, 64, 256], help="s")
    parser.add_argument("--child", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--write", action="store_true", help="keep the figures in RESULTS.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
