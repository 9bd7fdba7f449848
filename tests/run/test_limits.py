from __future__ import annotations

import os
from pathlib import Path

import pytest

from fxscore.run import LocalExecutor, Store, evaluate
from fxscore.run.processes import machine_memory
from fxscore.types import ModelRef
from tests.run.jobs import ToyJob, noted, toy


def pids(log: Path) -> list[str]:
    return [line.rpartition("\t")[2] for line in log.read_text().splitlines() if line.startswith("prepare")]


def test_the_time_limit_names_itself_and_is_tried_again(tmp_path: Path, log: Path) -> None:
    twin = toy("twin", sleep=60, same="x", late=0.2)
    refs = [toy("endless", sleep=60, same="x"), toy("good", value=1), twin]
    with LocalExecutor(2, time_limit=0.5) as executor, Store(tmp_path / "store") as store:
        for _ in range(2):
            records = {r.ref.name: r for r in evaluate(refs, ToyJob(str(log)), executor, store)}
            assert records["endless"].error == "passed the time limit of 0.5 s"
            assert records["twin"].error == records["endless"].error
            assert records["good"].score == 1
            assert 0.4 < records["endless"].seconds < 2
    assert noted(log, "prepare")[str(refs[0])] == 2
    assert noted(log, "prepare")[str(refs[1])] == 1


def test_the_memory_limit_names_itself() -> None:
    with LocalExecutor(1, memory_limit=300 << 20) as executor:
        greedy, good = evaluate([toy("greedy", leak=400, sleep=5), toy("good", value=1)], ToyJob(), executor)
    assert greedy.error is not None
    assert greedy.error.startswith("passed the memory limit of 300 MiB (held ")
    assert good.score == 1


def test_a_runner_that_grew_is_replaced_before_it_meets_the_limit(log: Path) -> None:
    refs = [toy(str(number), leak=40, value=number, sleep=0.1) for number in range(12)]
    with LocalExecutor(1, memory_limit=200 << 20) as executor:
        records = list(evaluate(refs, ToyJob(str(log)), executor))
    assert all(record.error is None for record in records)
    assert 2 <= len(set(pids(log))) < 12


def test_trusted_networks_share_a_process_and_files_do_not(tmp_path: Path, log: Path) -> None:
    for number in range(4):
        (tmp_path / f"{number}.py").write_text(
            f"import os\ndef build():\n    return os.getpid() + {number} * 0\n"
        )
    files = [ModelRef.of("file", f"{tmp_path / str(number)}.py:build") for number in range(4)]
    with LocalExecutor(1) as executor:
        own = [record.score for record in evaluate(files, ToyJob(), executor)]
        list(evaluate([toy("a"), toy("b"), toy("c")], ToyJob(str(log)), executor))
    assert len(set(own)) == 4
    assert len(set(pids(log))) == 1
    assert str(os.getpid()) not in pids(log)


@pytest.mark.parametrize("workers", [1, 3])
def test_the_default_memory_limit_is_shared_by_the_workers(workers: int) -> None:
    with LocalExecutor(workers) as executor:
        assert executor.limits.memory * workers == pytest.approx(0.8 * machine_memory(), rel=0.01)
