"""Trains networks of the space `wild`, or of Zen-NAS's, on Fashion-MNIST by one recipe; keeps a table of accuracies.

``python -m benchmarks.quality.wild_training --networks 400 --workers 2`` goes through networks in a fixed, seeded
order: in every round one network of each family, families in random order, so that a stop at any moment leaves a fair
sample; every network of every fourth round is trained with three seeds. A line is written to ``runs/wild/rows.jsonl``
the moment a training ends; what that file or the table holds is not trained again, so the same command goes on after
any stop. ``--space zen_resnet`` does the same with networks of `benchmarks.quality.zen_networks`, whose images are
3×32×32: grey in every channel. ``--only-table`` brings the table up to date. ``--device cuda`` trains on an
accelerator, ``--workers`` networks at once; ``--cuda-workers 5`` adds such processes to those on the processor, out of
one queue, so that chance says which network is trained where; with CUDA's Multi-Process Service started before
(``nvidia-cuda-mps-control -d``) fourteen trained five networks a second on an H200 where five without it trained two
thirds of one. ``--minutes`` ends a run on a lent machine.

`recipe` and the generator were fixed before any score of these networks was looked at: 10,000 of the training images,
the same for all, five epochs of AdamW with one cycle of the learning rate, mirrored at random; accuracy on all 10,000
test images after the last step. A training whose loss is no number counts with the accuracy that its weights have.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import itertools
import json
import math
import multiprocessing
import multiprocessing.queues
import os
import random
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from benchmarks.quality import zen_networks
from fxscore.errors import TrainingError
from fxscore.network_training import ClassifierPlan, ClassifierTrainer, Network, build_network, open_data_set
from fxscore.network_training.images import Images
from fxscore.sources.building import seeded
from fxscore.spaces.wild import Wild
from fxscore.types import ModelRef

TABLES = Path(__file__).parents[1] / "tables"
TABLE = TABLES / "wild.csv.gz"
LABEL = "fashion_mnist.test"
SEEDED_ROUND = 4  # every so many rounds, networks are trained with all SEEDS
SEEDS = (0, 1, 2)
DEVICE = "FXSCORE_WILD_DEVICE"  # of a worker process
DRAW_SEED = 0
COLUMNS = (
    "space",
    "genotype",
    LABEL,
    "group",
    "params",
    "flops",
    "family",
    "side",
    "seed",
    "loss",
    "seconds",
    "device",
    "date",
    "torch",
)


def recipe(seed: int) -> ClassifierPlan:
    """The one recipe of all rows."""
    return ClassifierPlan(
        epochs=5,
        batch=125,
        learning_rate=3e-3,
        warmup=1,
        optimiser="adamw",
        weight_decay=0.02,
        clip=1.0,
        mixed_precision=False,
        channels_last=True,
        training_images=10_000,
        seed=seed,
    )


@dataclass(frozen=True)
class Training:
    """One training: a genotype's text, a seed, and the space."""

    genotype: str
    seed: int
    space: str = "wild"


def tasks(space: str = "wild") -> Iterator[Training]:
    """All trainings of a space in their order, without end."""
    return wild_tasks() if space == "wild" else zen_tasks()


def zen_tasks() -> Iterator[Training]:
    """Those of Zen-NAS's space: every fourth network with all seeds."""
    for place, text in enumerate(zen_networks.networks(DRAW_SEED)):
        for seed in SEEDS if place % SEEDED_ROUND == 0 else SEEDS[:1]:
            yield Training(text, seed, zen_networks.SPACE.name)


def wild_tasks() -> Iterator[Training]:
    """Those of `wild`: in every round a network of each family."""
    space, order = Wild(), random.Random(DRAW_SEED)
    generator = torch.Generator().manual_seed(DRAW_SEED)
    drawn: set[str] = set()
    place = 0
    while True:
        families = sorted(space.families)
        order.shuffle(families)
        for family in families:
            text = space.format(space.sample_of(family, generator))
            if text not in drawn:
                drawn.add(text)
                yield from (
                    Training(text, seed) for seed in (SEEDS if place % SEEDED_ROUND == 0 else SEEDS[:1])
                )
        place += 1


def trained(task: Training, data: Path | None) -> dict[str, Any]:
    """Train one network on this process's device; the row of the table."""
    device = os.environ.get(DEVICE, "cpu")
    if device == "cpu":
        return trained_on(task, data, device)
    try:
        return trained_on(task, data, device)
    except (RuntimeError, TrainingError) as error:  # of the device: the network is trained all the same
        print(f"on {device}: {type(error).__name__}: {error}; trained on the processor: {task}", flush=True)
        return trained_on(task, data, "cpu")


def trained_on(task: Training, data: Path | None, device: str) -> dict[str, Any]:
    """Train one network; the row of the table."""
    network, macs = network_of(task)
    trainer = ClassifierTrainer(
        network,
        recipe(task.seed),
        *images(data, network.input_shape),
        device=device,
        measure_every=recipe(0).epochs,
        captured=True,
    )
    return {
        "space": task.space,
        "genotype": task.genotype,
        **outcome(trainer),
        "group": task.genotype,
        "params": network.params,
        "flops": macs,
        "family": task.genotype.partition(":")[0] if task.space == "wild" else task.space,
        "side": network.input_shape[-1],
        "seed": task.seed,
        "device": device,
        "date": date.today().isoformat(),
        "torch": version("torch"),
    }


def network_of(task: Training) -> tuple[Network, int]:
    """(the network for ten classes, multiply-accumulates of one image)."""
    ref = ModelRef(task.space, task.genotype)
    if task.space == "wild":
        wild = Wild()
        return build_network(ref, 10, seed=task.seed), wild.measure(wild.parse(task.genotype))[1]
    chain = zen_networks.SPACE.parse(task.genotype)
    with seeded(task.seed):
        module = zen_networks.SPACE.build(chain)
    return Network(ref, module, zen_networks.SPACE.input_shape), zen_networks.macs_of(chain)


def outcome(trainer: ClassifierTrainer) -> dict[str, Any]:
    """Accuracy in percent, loss of the last epoch (empty where it is no number), seconds of computing."""
    try:
        for _ in trainer.run():
            pass
    except TrainingError:  # the loss is no number
        loss: float | str = ""
    else:
        loss = round(trainer.history[-1].loss, 5)
    accuracy = trainer.history[-1].accuracy if loss != "" else trainer.measure()
    return {
        LABEL: round(float(accuracy or 0.0), 2),
        "loss": loss,
        "seconds": round(sum(epoch.seconds for epoch in trainer.history), 1),
    }


@cache
def images(data: Path | None, shape: tuple[int, int, int]) -> tuple[Images, Images]:
    """Training and test images of a shape, read once a process."""
    return open_data_set("fashion_mnist", data).split(shape, recipe(0))


def known_rows(rows: Path, table: Path) -> list[dict[str, Any]]:
    """Rows of the table and of the file of new ones, each training once."""
    found: dict[Training, dict[str, Any]] = {}
    for row in (*table_rows(table), *new_rows(rows)):
        found.setdefault(Training(row["genotype"], int(row["seed"])), row)
    return list(found.values())


def table_rows(table: Path) -> list[dict[str, Any]]:
    """What the committed table holds."""
    if not table.exists():
        return []
    with gzip.open(table, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def new_rows(rows: Path) -> list[dict[str, Any]]:
    """What was trained here; a kill may have cut the last line."""
    lines = rows.read_text(encoding="utf-8").splitlines() if rows.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def write_table(rows: Iterable[dict[str, Any]], table: Path) -> None:
    """The whole table, written aside and moved into place."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    aside = table.with_suffix(".part")
    aside.write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))
    aside.replace(table)


def train(options: argparse.Namespace) -> None:
    """Train what is missing of the first networks, a row as each is done."""
    options.rows.parent.mkdir(parents=True, exist_ok=True)
    known = {(row["genotype"], int(row["seed"])) for row in known_rows(options.rows, options.table)}
    wanted = (
        task
        for task in first_tasks(options.space, options.networks)
        if (task.genotype, task.seed) not in known
    )
    end = time.monotonic() + 60 * options.minutes
    with pool_of(options.workers, options.cuda_workers) as pool, options.rows.open("ab") as file:
        waiting: set[Future[dict[str, Any]]] = set()
        end_cut_line(file, options.rows)
        for task in itertools.takewhile(lambda _: time.monotonic() < end, wanted):
            waiting.add(pool.submit(trained, task, options.data))
            if len(waiting) > options.workers + options.cuda_workers:
                waiting = keep(waiting, file)
        while waiting:
            waiting = keep(waiting, file)


def pool_of(workers: int, cuda_workers: int) -> ProcessPoolExecutor:
    """Processes of one thread each, so many of them on the accelerator."""
    context = multiprocessing.get_context("spawn")
    devices = context.SimpleQueue()
    for device in ["cuda"] * cuda_workers + ["cpu"] * workers:
        devices.put(device)
    return ProcessPoolExecutor(workers + cuda_workers, context, initializer=begin_worker, initargs=(devices,))


def begin_worker(devices: multiprocessing.queues.SimpleQueue[str]) -> None:
    """Take a device for as long as this process lives."""
    os.environ[DEVICE] = devices.get()
    torch.set_num_threads(1)
    # Full precision, as on a processor: the recipe is one.
    torch.backends.cudnn.allow_tf32 = False


def first_tasks(space: str, networks: int) -> Iterator[Training]:
    """The trainings of the first so many networks of a space."""
    seen: set[str] = set()
    for task in tasks(space):
        if task.genotype not in seen and len(seen) == networks:
            return
        seen.add(task.genotype)
        yield task


def end_cut_line(file: io.BufferedWriter, path: Path) -> None:
    """A line that a kill cut is ended, so that the next one stands alone."""
    text = path.read_bytes()
    if text and not text.endswith(b"\n"):
        file.write(b"\n")


def keep(waiting: set[Future[dict[str, Any]]], file: io.BufferedWriter) -> set[Future[dict[str, Any]]]:
    """Write the rows of those that are done; the others."""
    done, others = wait(waiting, return_when=FIRST_COMPLETED)
    for future in done:
        row = future.result()
        file.write(json.dumps(row).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
        loss = math.nan if row["loss"] == "" else row["loss"]
        print(
            f"{row[LABEL]:6.2f} %  loss {loss:.3f}  {row['seconds']:6.1f} s  seed {row['seed']}  {row['genotype']}",
            flush=True,
        )
    return others


def main() -> None:
    """Train, and bring the table up to date."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--space", choices=("wild", "zen_resnet"), default="wild")
    parser.add_argument("--networks", type=int, default=400, help="the first so many in the fixed order")
    parser.add_argument("--workers", type=int, default=1, help="processes, one thread each")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where the workers train")
    parser.add_argument("--cuda-workers", type=int, default=0, help="further processes, on the accelerator")
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin no training after so many")
    parser.add_argument(
        "--data", type=Path, help="folder of Fashion-MNIST, where the system does not have it"
    )
    parser.add_argument(
        "--rows", type=Path, help="where rows go as they come; by default runs/SPACE/rows.jsonl"
    )
    parser.add_argument("--table", type=Path, help="that they are gathered in; by default the space's own")
    parser.add_argument("--only-table", action="store_true", help="train nothing")
    options = parser.parse_args()
    options.rows = options.rows or Path("runs") / options.space / "rows.jsonl"
    options.table = options.table or TABLES / f"{options.space}.csv.gz"
    if options.device == "cuda":
        options.workers, options.cuda_workers = 0, options.workers + options.cuda_workers
    if not options.only_table:
        train(options)
    rows = known_rows(options.rows, options.table)
    write_table(rows, options.table)
    print(f"{len(rows)} trainings of {len({row['genotype'] for row in rows})} networks in {options.table}")


if __name__ == "__main__":
    main()
