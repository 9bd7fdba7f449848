from __future__ import annotations

import argparse
import itertools
import json
import struct
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.quality import wild_training, zen_networks
from benchmarks.quality.wild_training import LABEL, SEEDS, Training, known_rows, tasks, write_table
from benchmarks.search.width_steps import factor, widest_step
from fxscore.evaluate import read_population
from fxscore.network_training import ClassifierPlan
from fxscore.spaces.wild import Wild
from fxscore.spaces.wild.registry import FAMILIES

MLPS = tuple(
    f"mlp:side=14,width={width},growth=1.0,depth=1,norm=none,activation=relu,residual=False,order=pre"
    for width in (4, 6)
)


def row(genotype: str, seed: int = 0, accuracy: float = 50.0) -> dict[str, Any]:
    return {
        "space": "wild",
        "genotype": genotype,
        LABEL: accuracy,
        "loss": "",
        "seconds": 1.0,
        "group": genotype,
        "params": 800,
        "flops": 800,
        "family": "mlp",
        "side": 14,
        "seed": seed,
        "device": "cpu",
        "date": "2026-01-01",
        "torch": "2",
    }


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two networks, trained on few images in threads."""
    monkeypatch.setattr(
        wild_training, "tasks", lambda space: (Training(text, seed) for text in MLPS for seed in (0, 1))
    )
    monkeypatch.setattr(wild_training, "pool_of", lambda workers, _: ThreadPoolExecutor(workers))
    monkeypatch.setattr(
        wild_training,
        "recipe",
        lambda seed: ClassifierPlan(epochs=2, batch=10, warmup=0, training_images=40, seed=seed),
    )
    wild_training.images.cache_clear()


@pytest.fixture
def options(tmp_path: Path) -> argparse.Namespace:
    draw = np.random.default_rng(0)
    for name, count in {"train": 50, "t10k": 20}.items():
        pixels = draw.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = (np.arange(count) % 10).astype(np.uint8)
        for kind, array in (("images-idx3", pixels), ("labels-idx1", labels)):
            head = struct.pack(f">{1 + array.ndim}I", 8 << 8 | array.ndim, *array.shape)
            (tmp_path / f"{name}-{kind}-ubyte").write_bytes(head + array.tobytes())
    return argparse.Namespace(
        space="wild",
        networks=2,
        workers=1,
        cuda_workers=0,
        minutes=5,
        data=tmp_path,
        rows=tmp_path / "new" / "rows.jsonl",
        table=tmp_path / "wild.csv.gz",
    )


def test_every_round_has_each_family_once_and_the_order_is_fixed() -> None:
    first, again = (list(itertools.islice(tasks(), 3 * len(FAMILIES) + 1)) for _ in range(2))
    assert first == again
    families = [Wild().parse(task.genotype).family for task in first[:-1]]
    assert Counter(families) == dict.fromkeys(FAMILIES, 3)  # three seeds each in the first round
    assert [task.seed for task in first[:6]] == [*SEEDS, *SEEDS]
    assert first[-1].seed == SEEDS[0]
    assert families[:: len(SEEDS)] != sorted(FAMILIES)


def test_networks_of_the_zen_space_are_within_their_limits_and_from_level_to_wide() -> None:
    texts, again = (list(itertools.islice(zen_networks.networks(0), 12)) for _ in range(2))
    assert texts == again
    assert len(set(texts)) == 12
    chains = [zen_networks.SPACE.parse(text) for text in texts]
    sizes = [zen_networks.SPACE.count_parameters(chain) for chain in chains]
    assert zen_networks.LEAST_PARAMETERS <= min(sizes) <= max(sizes) <= zen_networks.MOST_PARAMETERS
    assert max(map(zen_networks.macs_of, chains)) <= zen_networks.MOST_MACS
    steps = [factor(widest_step(zen_networks.SPACE.build(chain))) for chain in chains]
    assert min(steps) < 8
    assert max(steps) > 32
    first = list(itertools.islice(tasks("zen_resnet"), 5))
    assert [(task.genotype, task.seed) for task in first[:4]] == [
        *((texts[0], seed) for seed in SEEDS),
        (texts[1], 0),
    ]


def test_macs_of_a_known_network() -> None:
    text = "SuperConvK3BNRELU(3,8,1,1)SuperResK3K3(8,16,2,8,1)SuperConvK1BNRELU(16,32,1,1)"
    body, shortcut = 16 * 16 * 9 * (8 * 8 + 8 * 16), 16 * 16 * 8 * 16
    whole = 32 * 32 * 9 * 3 * 8 + body + shortcut + 16 * 16 * 16 * 32 + 32 * 10
    assert zen_networks.macs_of(zen_networks.SPACE.parse(text)) == whole


@pytest.mark.usefixtures("short")
def test_a_network_of_the_zen_space_is_trained_as_those_of_wild_are(options: argparse.Namespace) -> None:
    text = "SuperConvK3BNRELU(3,8,1,1)SuperResK3K3(8,16,2,8,1)SuperConvK1BNRELU(16,32,1,1)"
    found = wild_training.trained(Training(text, 1, "zen_resnet"), options.data)
    assert set(wild_training.COLUMNS) == set(found)
    assert (found["space"], found["family"], found["side"]) == ("zen_resnet", "zen_resnet", 32)
    assert found["params"] == zen_networks.SPACE.count_parameters(zen_networks.SPACE.parse(text))
    write_table([found], options.table)
    population = read_population("zen_resnet", options.table)
    assert population.label(LABEL).tolist() == [found[LABEL]]


@pytest.mark.usefixtures("short")
def test_rows_come_one_by_one_and_nothing_is_trained_twice(
    options: argparse.Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    options.networks = 1
    wild_training.train(options)
    lines = options.rows.read_text().splitlines()
    assert [json.loads(line)["seed"] for line in lines] == [0, 1]
    options.rows.write_text("\n".join([lines[0], lines[1][:30]]))  # as a kill leaves it
    options.networks = 2
    wild_training.train(options)
    found = known_rows(options.rows, options.table)
    assert {(r["genotype"], r["seed"]) for r in found} == {(text, seed) for text in MLPS for seed in (0, 1)}
    assert options.rows.read_text().splitlines()[0] == lines[0]
    monkeypatch.setattr(wild_training, "trained", lambda *_: pytest.fail("trained twice"))
    wild_training.train(options)


@pytest.mark.usefixtures("short")
def test_equal_trainings_end_alike_and_rows_say_what_was_trained(options: argparse.Namespace) -> None:
    first, again, other = (wild_training.trained(Training(MLPS[0], seed), options.data) for seed in (0, 0, 1))
    assert first["loss"] == again["loss"]
    assert first["loss"] != other["loss"]
    assert first["params"] == 14 * 14 * 4 + 4 + 4 * 10 + 10
    assert first["flops"] == 14 * 14 * 4 + 4 * 10
    assert (first["family"], first["side"], first["group"]) == ("mlp", 14, MLPS[0])
    assert set(wild_training.COLUMNS) == set(first)


@pytest.mark.usefixtures("short")
def test_a_training_without_a_number_counts_with_what_it_has(
    options: argparse.Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = ClassifierPlan(epochs=2, batch=10, warmup=0, training_images=40, learning_rate=1e30)
    monkeypatch.setattr(wild_training, "recipe", lambda seed: plan)
    found = wild_training.trained(Training(MLPS[0], 0), options.data)
    assert found["loss"] == ""
    assert found[LABEL] == 10.0  # every output is no number, so all images are of the first class


def test_the_table_reads_like_any_other(tmp_path: Path) -> None:
    path = tmp_path / "wild.csv.gz"
    write_table([row(MLPS[0], 0, 50.0), row(MLPS[0], 1, 60.0), row(MLPS[1], 0, 70.0)], path)
    population = read_population("wild", path)
    assert population.label(LABEL).tolist() == [55.0, 70.0]
    assert population.families == ("mlp", "mlp")
    assert [ref.name for ref in population.refs] == list(MLPS)
    assert len(known_rows(tmp_path / "none.jsonl", path)) == 3


def test_rows_of_the_table_come_before_new_ones(tmp_path: Path) -> None:
    table, rows = tmp_path / "wild.csv.gz", tmp_path / "rows.jsonl"
    write_table([row(MLPS[0], 0, 50.0)], table)
    rows.write_text(json.dumps(row(MLPS[0], 0, 99.0)) + "\n" + json.dumps(row(MLPS[1])) + "\n" + '{"cut')
    found = known_rows(rows, table)
    assert [float(r[LABEL]) for r in found] == [50.0, 50.0]
