from __future__ import annotations

import itertools
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from fxscore.errors import StoreError, WorkerError
from fxscore.run import LocalExecutor, Store, evaluate, in_order
from fxscore.types import ModelRef, Ranking, ScoreRecord
from tests.run.jobs import ToyJob, noted, toy
from tests.run.processes_of_test import left_over, living, marked


def by_name(records: Iterator[ScoreRecord]) -> dict[str, ScoreRecord]:
    return {record.ref.name: record for record in records}


class Notes:
    """A watcher that remembers."""

    def __init__(self) -> None:
        self.cached: dict[str, bool] = {}
        self.at_once = 0
        self.last: Sequence[ModelRef] = ()

    def working(self, refs: Sequence[ModelRef]) -> None:
        self.at_once = max(self.at_once, len(refs))
        self.last = refs

    def arrived(self, record: ScoreRecord, cached: bool) -> None:
        self.cached[record.ref.name] = cached


def test_given_order_restores_the_order_of_equal_scores(local: LocalExecutor) -> None:
    refs = [toy("slow", sleep=0.2, value=1), toy("quick", value=1), toy("best", value=2)]
    records = list(evaluate(refs, ToyJob(), local))
    assert records[-1].ref.name == "slow"
    ranking = Ranking.of(in_order(refs, records))
    assert [record.ref.name for record in ranking] == ["best", "slow", "quick"]


def test_a_second_run_captures_nothing(local: LocalExecutor, tmp_path: Path, log: Path) -> None:
    refs = [toy(str(number), value=number) for number in range(20)] + [toy("loop", broken=1)]
    with Store(tmp_path / "store") as store:
        first = in_order(refs, evaluate(refs, ToyJob(str(log)), local, store))
        before = noted(log, "prepare")
        notes = Notes()
        second = in_order(refs, evaluate(refs, ToyJob(str(log)), local, store, watcher=notes))
    assert first == second
    assert noted(log, "prepare") == before
    assert before.total() == 21
    assert all(notes.cached.values())


@pytest.mark.parametrize("change", [{"settings": "batch 64"}, {"scorer_id": "other"}])
def test_other_settings_are_computed_anew(
    local: LocalExecutor, tmp_path: Path, log: Path, change: dict[str, str]
) -> None:
    job = ToyJob(str(log))
    with Store(tmp_path / "store") as store:
        list(evaluate([toy("a", value=1)], job, local, store))
        list(evaluate([toy("a", value=1)], replace(job, **change), local, store))  # type: ignore[arg-type]
    assert noted(log, "finish").total() == 2


def test_a_changed_file_is_computed_anew(local: LocalExecutor, tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    ref = ModelRef.of("file", f"{path}:build")
    job = ToyJob()
    with Store(tmp_path / "store") as store:
        path.write_text("def build(): return 1")
        (first,) = evaluate([ref], job, local, store)
        path.write_text("def build(): return 2")
        store_of_other_content = store.find(0, job.recipe_key(ref), ref, job.scorer_id)
    assert first.score == 1
    assert store_of_other_content is None


def test_equal_architectures_are_scored_once(local: LocalExecutor, log: Path) -> None:
    refs = [toy(str(number), same="one", value=3, sleep=0.1) for number in range(12)]
    notes = Notes()
    records = list(evaluate(refs, ToyJob(str(log)), local, watcher=notes))
    assert noted(log, "finish").total() == 1
    assert noted(log, "prepare").total() == 12
    assert {record.score for record in records} == {3.0}
    assert [record.params for record in in_order(refs, records)] == [1] * 10 + [2] * 2  # each keeps its own
    assert sorted(notes.cached.values()) == [False] + [True] * 11


def test_equal_architectures_share_an_error(local: LocalExecutor, log: Path) -> None:
    refs = [toy(str(number), same="one", error="no") for number in range(6)]
    errors = {record.error for record in evaluate(refs, ToyJob(str(log)), local)}
    assert len(errors) == 1
    assert "ValueError: no (jobs.py:" in errors.pop()  # type: ignore[operator]


def test_equal_references_are_prepared_once(local: LocalExecutor, log: Path) -> None:
    records = list(evaluate([toy("a", value=1, sleep=0.1)] * 5, ToyJob(str(log)), local))
    assert [record.score for record in records] == [1.0] * 5
    assert noted(log, "prepare").total() == 1


def test_what_the_store_answers_and_what_is_tried_again(
    local: LocalExecutor, tmp_path: Path, log: Path
) -> None:
    refs = [toy("score", value=1), toy("lasting", broken=1), toy("passing", error="no memory")]
    with Store(tmp_path / "store") as store:
        for _ in range(2):
            list(evaluate(refs, ToyJob(str(log)), local, store))
        assert {ref.name: noted(log, "prepare")[str(ref)] for ref in refs} == {
            "score": 1,
            "lasting": 1,
            "passing": 2,
        }
        list(evaluate(refs, ToyJob(str(log)), local, store, retry_errors=True))
    assert [noted(log, "prepare")[str(ref)] for ref in refs] == [1, 2, 3]


def test_errors_become_records_of_one_line(local: LocalExecutor, tmp_path: Path) -> None:
    missing = ModelRef.of("file", f"{tmp_path / 'missing.py'}:build")
    refs = [toy("loop", broken=1), toy("bug", error="x\ny"), toy("nan", value="nan"), missing]
    records = by_name(evaluate(refs, ToyJob(), local))
    assert records["loop"].error == "loop has a loop that depends on data"
    assert records["bug"].error is not None
    assert records["bug"].error.startswith("ValueError: x y (jobs.py:")
    assert records["nan"].error == "the score is nan, which ranks nothing"
    assert records[missing.name].error == "there is no file missing.py"


def test_references_are_read_as_work_goes_on(local: LocalExecutor) -> None:
    numbers = itertools.count()
    read: list[int] = []

    def endless() -> Iterator[ModelRef]:
        for number in numbers:
            read.append(number)
            yield toy(str(number), value=number)

    records = evaluate(endless(), ToyJob(), local)
    assert len(list(itertools.islice(records, 50))) == 50
    records.close()  # type: ignore[attr-defined]
    assert len(read) <= 50 + 2 * local.width + 1


def test_the_watcher_sees_as_many_at_work_as_there_are_workers(local: LocalExecutor) -> None:
    notes = Notes()
    list(evaluate([toy(str(number)) for number in range(10)], ToyJob(), local, watcher=notes))
    assert notes.at_once == 2
    assert len(notes.cached) == 10
    assert notes.last == []


@pytest.mark.parametrize(
    ("fails", "says"), [("error", "^no scorer file$"), ("exit", "could start.*exit code 7")]
)
def test_a_job_that_does_not_open_ends_the_run(fails: str, says: str) -> None:
    with LocalExecutor(2) as executor, pytest.raises(WorkerError, match=says):
        list(evaluate([toy("a"), toy("b")], ToyJob(fails=fails), executor))


def test_a_store_that_fails_in_the_middle_ends_the_run(
    local: LocalExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StoreError("damaged")

    with Store() as store, monkeypatch.context() as patch:
        patch.setattr(store, "verdict", fail)
        with pytest.raises(StoreError, match="damaged"):
            list(evaluate([toy("a"), toy("b")], ToyJob(), local, store))
    assert [record.score for record in evaluate([toy("a", value=5)], ToyJob(), local)] == [5]


def test_a_job_that_leaves_threads_is_named(caplog: pytest.LogCaptureFixture) -> None:
    with LocalExecutor(1) as executor:
        assert [
            record.score for record in evaluate([toy("a", value=1)], ToyJob(fails="thread"), executor)
        ] == [1]
    assert "the job left 2 threads" in caplog.text


def test_leaving_early_ends_what_is_at_work_and_keeps_the_executor() -> None:
    with marked() as mark, LocalExecutor(2) as executor:
        records = evaluate([toy("a", value=1), toy("b", sleep=60), toy("c", sleep=60)], ToyJob(), executor)
        assert next(records).score == 1
        begin = time.monotonic()
        records.close()  # type: ignore[attr-defined]
        assert [record.score for record in evaluate([toy("d", value=4)], ToyJob(), executor)] == [4]
        executor.close()
        assert time.monotonic() - begin < 4
        assert left_over(mark) == []


def test_no_more_children_than_networks() -> None:
    with marked() as mark, LocalExecutor(8) as executor:
        list(evaluate([toy("a", value=1)], ToyJob(), executor))
        assert len(living(mark)) == 2  # a keeper and its runner
        executor.close()
        assert left_over(mark) == []


def kill_when_both_are_at_work(log: Path, victim: ModelRef, follower: ModelRef) -> None:
    """Kill the process that scores `victim`, from outside, once `follower` has been prepared."""
    while noted(log, "prepare")[str(follower)] == 0:
        time.sleep(0.01)
    time.sleep(0.2)
    (line,) = (line for line in log.read_text().splitlines() if str(victim) in line)
    os.kill(int(line.rpartition("\t")[2]), signal.SIGKILL)


@pytest.mark.parametrize(("retries", "scored"), [(0, False), (1, True)])
def test_a_network_that_was_killed_from_outside_is_tried_again(
    local: LocalExecutor, log: Path, retries: int, scored: bool
) -> None:
    victim = toy("victim", sleep=1, value=1, same="x")
    follower = toy("waits", same="x", value=1, late=0.1)
    list(
        evaluate([toy(str(number), sleep=0.3) for number in range(2)], ToyJob(str(log)), local)
    )  # both start
    killer = threading.Thread(target=kill_when_both_are_at_work, args=(log, victim, follower))
    killer.start()
    refs = [victim, toy("other", value=2), follower]
    records = by_name(evaluate(refs, ToyJob(str(log)), local, retries=retries))
    killer.join()
    assert records["other"].score == 2
    assert noted(log, "prepare")[str(victim)] == 1 + retries
    for name in ("victim", "waits"):
        assert records[name].score == (1 if scored else None)
        assert (records[name].error is None) == scored
