"""`rank`, `fit`, `search` and `evaluate` on a real cluster: its workers do the work, to the same result as here."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from fxscore.cli.app import run
from fxscore.scorer import load_scorer
from fxscore.spaces import BenchmarkTable, get_space

Captured = pytest.CaptureFixture[str]
pytestmark = pytest.mark.slow
pytest.importorskip("distributed")

NETS = """
from torch import nn
from fxscore import SearchSpace, Variable
INPUT_SHAPE = (3, 8, 8)
def build(width=4):
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU(), nn.Flatten(), nn.Linear(width * 36, 2))
class Widths(SearchSpace):
    name, input_shape = "widths", INPUT_SHAPE
    variables = (Variable("width", tuple(range(2, 30)), ordered=True),)
    def build(self, genotype):
        return build(genotype[0])
"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A scheduler and a worker process."""
    distributed: Any = import_module("distributed")
    options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(silence_logs=logging.CRITICAL, **options) as cluster:
        yield cluster.scheduler_address


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of networks, their results and a benchmark table."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets.py").write_text(NETS)
    rows = [f'"nets.py{{""width"": {width}}}",{50 + width * 7 % 11}' for width in range(2, 12)]
    (tmp_path / "results.csv").write_text("\n".join(["model,accuracy", *rows]) + "\n")
    space = get_space("nasbench_macro")
    cells = tuple(map(space.parse, ("00000000", "11111111", "22222222", "01201201")))
    table = BenchmarkTable(space.name, cells, {"cifar10.test": np.array([80.0, 90.0, 91.0, 85.0])})
    (tmp_path / "tables").mkdir()
    space.write(table, tmp_path / "tables" / "nas_bench_macro.csv.gz")
    return tmp_path


def done(words: str, capsys: Captured) -> str:
    assert run(words.split()) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def no_workers_here(*given: object) -> NoReturn:
    raise AssertionError("a worker process was started beside the cluster")


COMMANDS = {
    "rank": "rank nets.py --scorer macs --csv",
    "fit": "fit results.csv --out {place}.safetensors",
    "search": "search nets.py:Widths --scorer params --budget 6 --population 3 --out {place}",
    "evaluate": "evaluate nasbench_macro --data tables --scorer params --scorer macs --resamples 10",
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_cluster_comes_to_what_this_machine_comes_to(
    name: str, address: str, files: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    words = COMMANDS[name] + " --no-store"
    here = done(words.format(place="here") + " --workers 1", capsys)
    for place in ("fxscore.run.where.LocalExecutor", "fxscore.evaluate.scoring.LocalExecutor"):
        monkeypatch.setattr(place, no_workers_here)
    there = done(words.format(place="there") + f" --cluster {address}", capsys)
    if name == "fit":
        assert _digest("here") == _digest("there")
    elif name == "search":
        fronts = [(files / place / "front.csv").read_text() for place in ("here", "there")]
        assert fronts[0] == fronts[1]
    else:
        assert _without_seconds(here) == _without_seconds(there)


def _without_seconds(text: str) -> list[str]:
    """Of CSV the columns before the time; of a table all."""
    return [line.partition(",")[0] + line.partition(",")[2][:20] for line in text.splitlines()]


def _digest(name: str) -> str:
    """Of a fitted scorer's tensors: its id without the name of its file."""
    return load_scorer(f"{name}.safetensors").scorer_id.partition("@")[2]
