"""Deaths of `benchmarks.robustness`: commands killed at any moment, schedulers and workers that go."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

import fxscore
from benchmarks.robustness.inputs import Tried
from fxscore.errors import WorkerError
from fxscore.spaces import get_space

NETS = """
from torch import nn
INPUT_SHAPE = (3, 8, 8)
def build(width=4):
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU(), nn.Flatten(), nn.Linear(width * 36, 2))
"""
SPACE = """
import fxscore
from nets import build
class Nets(fxscore.SearchSpace):
    name, input_shape = "nets", (3, 8, 8)
    variables = (fxscore.Variable("width", tuple(range(2, 60)), ordered=True), fxscore.Variable("kind", (1, 2)))
    def build(self, genotype):
        return build(genotype[0] * genotype[1])
"""
WIDTHS = range(2, 26)
WHERE = ["--workers", "1", "--store", "store.sqlite"]
Result = Callable[[Path], Any]


def _rows(folder: Path) -> Any:
    rows = json.loads((folder / "rows.json").read_text())
    return [(row["name"], row["score"], row["error"]) for row in rows]


def _history(folder: Path) -> Any:
    text = (folder / "found" / "history.jsonl").read_text()
    return text.replace(str(folder.resolve()), "").splitlines()[1:]  # names hold the place


def _scorer(folder: Path) -> Any:
    return fxscore.load_scorer(folder / "mine.safetensors").scorer_id  # with a digest of its tensors


REFS = [f'nets.py{{"width": {width}}}' for width in WIDTHS]
OUT = ["--out", "mine.safetensors"]
TRAIN = "--cells 12 --samples 4 --steps 30 --batch 4 --resolution 8 --validation 0.4 --test 6".split()
# a command, what is added when it goes on after a kill, and what must be equal to a run without one
COMMANDS: dict[str, tuple[list[str], list[str], Result]] = {
    "rank": (["rank", *REFS, "--json", "rows.json", "--scorer", "nasbench201", *WHERE], [], _rows),
    "search": (
        ["search", "space.py:Nets", "--budget", "60", "--population", "6", "--scorer", "nasbench201", *WHERE],
        ["--resume"],
        _history,
    ),
    "fit": (["fit", "results.csv", *OUT, *WHERE], [], _scorer),
    "train": (["train", "nasbench201", "--data", "tables", *OUT, *TRAIN], [], _scorer),
}
COMMANDS["search"][0].extend(["--out", "found"])


def kills(name: str, count: int, seed: int = 0) -> Tried:
    """A command killed at a random moment, then run again: it comes to what it would have without the kill."""
    tried, draw = Tried(f"kills of `fxscore {name}`"), random.Random(seed)
    words, again, result = COMMANDS[name]
    with tempfile.TemporaryDirectory() as place:
        begin = time.monotonic()
        whole = _folder(Path(place) / "whole")
        _finish(whole, words)
        seconds, wanted = time.monotonic() - begin, result(whole)
        for number in range(count):
            folder = _folder(Path(place) / f"kill{number}")
            moment = draw.uniform(0.1, 0.95) * seconds
            tried.check(
                f"{name} killed after {moment:.1f} s",
                lambda folder=folder, moment=moment: _killed(folder, words, again, result, wanted, moment),  # type: ignore[misc]
            )
    return tried


def _killed(
    folder: Path, words: list[str], again: list[str], result: Result, wanted: Any, moment: float
) -> str | None:
    process = _start(folder, words)
    try:
        process.wait(moment)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    begun = not again or (folder / "found" / "history.jsonl").exists()
    said = _finish(folder, [*words, *again] if begun else words)
    if "Traceback" in said:
        return said[-200:]
    found = result(folder)
    return None if found == wanted else f"{str(found)[:90]} for {str(wanted)[:90]}"


def _folder(folder: Path) -> Path:
    folder.mkdir()
    (folder / "nets.py").write_text(NETS)
    (folder / "space.py").write_text(SPACE)
    quoted = (ref.replace('"', '""') for ref in REFS)
    rows = [f'"{ref}",{50 + number * 7 % 23}' for number, ref in enumerate(quoted)]
    (folder / "results.csv").write_text("model,accuracy\n" + "\n".join(rows) + "\n")
    _write_cells(folder / "tables")
    return folder


def _write_cells(folder: Path) -> None:
    """A benchmark table of twenty random cells."""
    space, generator = get_space("nasbench201"), torch.Generator().manual_seed(0)
    rows = [f"{space.format(space.sample(generator))},{50 + i},{40 + i}" for i in range(20)]
    folder.mkdir()
    with gzip.open(folder / "nas_bench_201.csv.gz", "wt") as file:
        file.write("\n".join(["cell,cifar100_test_200ep,cifar100_valid_200ep", *rows]) + "\n")


def _start(folder: Path, words: list[str]) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(fxscore.__file__).parents[1]), str(folder)])}
    program = [sys.executable, "-m", "fxscore", *words]
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    return subprocess.Popen(program, cwd=folder, env=env, text=True, start_new_session=True, **pipes)  # type: ignore[call-overload, no-any-return]


def _finish(folder: Path, words: list[str]) -> str:
    return str(_start(folder, words).communicate(timeout=900)[1])


def cluster_deaths(count: int, seed: int = 0) -> Tried:
    """A Dask worker that dies costs nothing; a scheduler that dies ends the run with what is done."""
    distributed: Any = import_module("distributed")
    tried, draw = Tried("deaths of Dask workers and schedulers"), random.Random(seed)
    for number in range(count):
        whom = ("worker", "scheduler")[number % 2]
        options: dict[str, Any] = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
        with (
            distributed.LocalCluster(silence_logs=50, **options) as cluster,
            tempfile.TemporaryDirectory() as place,
        ):
            folder, moment = _folder(Path(place) / "x"), draw.randrange(1, 8)
            tried.check(f"{whom} {number}", lambda: _goes_on(cluster, whom, folder, moment))  # noqa: B023
    return tried


def _goes_on(cluster: Any, whom: str, folder: Path, moment: int) -> str | None:
    killer = _Killer(cluster, whom, moment)
    refs = [f'{folder}/nets.py{{"width": {width}}}' for width in WIDTHS]
    try:
        ranking = fxscore.rank(
            refs, scorer="nasbench201", cluster=cluster.scheduler_address, no_store=True, watcher=killer
        )
    except WorkerError as error:
        return None if whom == "scheduler" and killer.count >= moment else f"{killer.count} done, {error}"
    wrong = [record.error for record in ranking.failures]
    return f"{len(wrong)} failed, the first with {wrong[0]}" if wrong else None


class _Killer:
    """Kills a worker, or closes the scheduler, when so many records have arrived."""

    def __init__(self, cluster: Any, whom: str, moment: int) -> None:
        self.cluster, self.whom, self.moment, self.count = cluster, whom, moment, 0

    def working(self, refs: Any) -> None: ...

    def sized(self) -> None: ...

    def left_out(self, failed: Any, large: Any) -> None: ...

    def arrived(self, record: Any, cached: bool) -> None:
        self.count += 1
        if self.count == self.moment:
            if self.whom == "scheduler":
                self.cluster.close(timeout=5)
            else:
                os.kill(next(iter(self.cluster.workers.values())).pid, signal.SIGKILL)
