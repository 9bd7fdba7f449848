"""What every executor keeps, and what is Dask's own."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fxscore.errors import WorkerError
from fxscore.run import Executor, LocalExecutor, Store, cluster, evaluate, in_order, supervisor
from fxscore.run.cluster import DaskExecutor
from fxscore.run.dask_worker import Bundle
from fxscore.run.outcome import Limits, Outcome
from fxscore.run.processes import descendants
from fxscore.run.version import package_version
from fxscore.types import ModelRef, ScoreRecord
from tests.run.jobs import ToyJob, noted, toy
from tests.run.processes_of_test import left_over, living, marked

SECONDS = 1.5
pytestmark = pytest.mark.slow
pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def dask() -> Iterator[DaskExecutor]:
    """A real scheduler and two worker processes, for the module."""
    with DaskExecutor("local", 2, SECONDS) as executor:
        yield executor


@pytest.fixture(params=["local", "spawned", "dask"])
def executor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Executor]:
    if request.param == "dask":
        dask: DaskExecutor = request.getfixturevalue("dask")
        monkeypatch.setattr(dask, "_pace", cluster._Pace())  # each test has networks of another pace
        yield dask
    else:
        if request.param == "spawned":
            monkeypatch.setattr(supervisor, "can_fork", lambda: False)
        with LocalExecutor(2, SECONDS) as local:
            yield local


class TestEveryExecutor:
    def test_it_tells_its_width(self, executor: Executor) -> None:
        assert executor.width == 2

    def test_records_are_those_of_the_networks(self, executor: Executor, tmp_path: Path) -> None:
        file = tmp_path / "net.py"
        file.write_text("def build(): return 7")
        refs = [toy(str(number), value=number) for number in range(30)]
        refs += [toy("loop", broken=1), toy("bug", error="no"), ModelRef.of("file", f"{file}:build")]
        records = in_order(refs, evaluate(refs, ToyJob(), executor))
        assert [record.score for record in records] == [*map(float, range(30)), None, None, 7.0]
        assert [record.params for record in records[:11]] == [1] * 10 + [2]
        assert records[30].error == "loop has a loop that depends on data"
        assert records[31].error is not None
        assert records[31].error.startswith("ValueError: no (jobs.py:")
        assert all(record.scorer_id == "toy-scorer" for record in records)

    def test_killers_and_limits_are_named_and_the_others_scored(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        bodies = {"crash": "import ctypes; ctypes.string_at(0)", "loop": "while True: pass"}
        bad = []
        for name, body in bodies.items():
            (tmp_path / f"{name}.py").write_text(f"def build():\n    {body}")
            bad.append(ModelRef.of("file", f"{tmp_path / name}.py:build"))
        refs = [toy("a", value=1), *bad, toy("b", value=2)]
        records = in_order(refs, evaluate(refs, ToyJob(), executor))
        assert [record.score for record in records] == [1, None, None, 2]
        assert records[1].error == "the process was killed by SIGSEGV (crash.py:2)"
        assert records[2].error == f"passed the time limit of {SECONDS} s"

    def test_equal_architectures_have_one_score(self, executor: Executor) -> None:
        # the values differ to tell who was scored; one of them is everybody's
        refs = [toy(str(number), same="one", value=number, sleep=0.1) for number in range(6)]
        assert len({record.score for record in evaluate(refs, ToyJob(), executor)}) == 1

    def test_a_second_run_does_no_work(self, executor: Executor, tmp_path: Path, log: Path) -> None:
        refs = [toy(str(number), value=number) for number in range(8)]
        with Store(tmp_path / "store") as store:
            first = in_order(refs, evaluate(refs, ToyJob(str(log)), executor, store))
            assert in_order(refs, evaluate(refs, ToyJob(str(log)), executor, store)) == first
        assert noted(log, "prepare").total() == 8

    def test_a_job_that_does_not_open_ends_the_run(self, executor: Executor) -> None:
        with pytest.raises(WorkerError, match=r"^no scorer file$"):
            list(evaluate([toy("a"), toy("b")], ToyJob(fails="error"), executor))
        assert [record.score for record in evaluate([toy("a", value=3)], ToyJob(), executor)] == [3]

    def test_leaving_early_ends_what_is_at_work(
        self, executor: Executor, log: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(executor, "limits", Limits(60.0, 1 << 30))
        refs = [toy("a", value=1), *(toy(str(number), sleep=50) for number in range(4))]
        records = evaluate(refs, ToyJob(str(log)), executor)
        assert next(records).score == 1
        while noted(log, "prepare").total() < 3:  # both workers are at it
            time.sleep(0.01)
        begin = time.monotonic()
        records.close()  # type: ignore[attr-defined]
        assert time.monotonic() - begin < 2
        assert [record.score for record in evaluate([toy("d", value=4)], ToyJob(), executor)] == [4]
        assert time.monotonic() - begin < 20


class _Closes:
    """Closes a cluster after three networks."""

    def __init__(self, cluster: Any) -> None:
        self.cluster = cluster
        self.arrivals: list[str] = []

    def working(self, refs: Sequence[ModelRef]) -> None: ...

    def arrived(self, record: ScoreRecord, cached: bool) -> None:
        self.arrivals.append(str(record.ref))
        if len(self.arrivals) == 3:
            self.cluster.close(timeout=5)


class TestDask:
    def test_a_worker_that_is_killed_in_the_middle(
        self, tmp_path: Path, log: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Every network is scored, and what had arrived is not computed again."""
        caplog.set_level(logging.CRITICAL, logger="distributed")
        refs = [toy(str(number), value=number, sleep=0.1) for number in range(60)]
        with marked() as mark, DaskExecutor("local", 2, SECONDS) as executor, Store(tmp_path / "s") as store:
            assert executor.width == 2
            worker = self._a_worker(executor, mark)
            arrived: list[str] = []
            for record in evaluate(refs, ToyJob(str(log)), executor, store):
                arrived.append(str(record.ref))
                assert record.score == int(record.ref.name)
                if len(arrived) == 20:
                    # what arrived a moment ago the scheduler may still hold for wanted, and have computed again
                    finished = set(arrived[:10])
                    os.kill(worker, signal.SIGKILL)
            assert len(arrived) == 60
            finishes = noted(log, "finish")
            assert all(finishes[name] == 1 for name in finished)
            assert finishes.total() <= 66  # the bundle that the killed worker held is done again
        assert left_over(mark) == []

    def test_a_network_whose_dask_workers_always_die_is_an_error(self, dask: DaskExecutor) -> None:
        from distributed import KilledWorker

        future: Future[Outcome] = Future()
        last: Any = SimpleNamespace(address="tcp://there:1")
        future.set_exception(KilledWorker("task", last, 3))
        outcome = dask.outcome(future)
        assert outcome.error == "each Dask worker that tried it died, at last tcp://there:1"
        assert outcome.lost

    def _a_worker(self, executor: Executor, mark: str) -> int:
        pids = list(executor._client.run(os.getpid).values())  # type: ignore[attr-defined]
        assert len(pids) == 2
        assert len(living(mark)) >= 2
        return int(pids[0])

    def test_nobody_answers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cluster, "_CONNECT_SECONDS", 0.5)
        with pytest.raises(WorkerError, match=r"no Dask scheduler .*tcp://127\.0\.0\.1:9"):
            DaskExecutor("tcp://127.0.0.1:9")

    @pytest.mark.parametrize(
        "address",
        ["", "tcp://", "nonsense://there", "tcp://127.0.0.1:port", "tls://127.0.0.1:9", "tcp://[::1"],
    )
    def test_a_bad_address_is_one_line(self, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cluster, "_CONNECT_SECONDS", 0.5)
        with pytest.raises(WorkerError, match=r"write tcp://HOST:PORT") as caught:
            DaskExecutor(address)
        assert repr(address) in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_no_workers_end_the_run_after_a_while(self) -> None:
        distributed: Any = import_module("distributed")
        with (
            distributed.LocalCluster(n_workers=0, processes=False, dashboard_address=None) as empty,
            DaskExecutor(empty.scheduler_address, worker_wait=1.5) as executor,
        ):
            begin = time.monotonic()
            with pytest.raises(WorkerError, match=r"no worker for 1\.5 s; start workers, as in `dask worker"):
                list(evaluate([toy("a")], ToyJob(), executor))
            assert 1 < time.monotonic() - begin < 15

    def test_a_lost_scheduler_ends_the_run_and_what_is_done_stays(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        distributed: Any = import_module("distributed")
        caplog.set_level(logging.CRITICAL, logger="distributed")
        monkeypatch.setattr(cluster, "_CONNECT_SECONDS", 2.0)
        refs = [toy(str(number), value=number, sleep=0.2) for number in range(40)]
        options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": None}
        with distributed.LocalCluster(processes=False, silence_logs=logging.CRITICAL, **options) as lost:
            closes = _Closes(lost)
            with DaskExecutor(lost.scheduler_address) as executor, Store(tmp_path / "s") as store:
                with pytest.raises(WorkerError, match=r"the connection to the Dask scheduler at .* is lost"):
                    list(evaluate(refs, ToyJob(), executor, store, watcher=closes))
                context = store.context(ToyJob().scorer_id, ToyJob().settings, package_version())
                assert all(store.find(context, name, toy("x"), "") for name in closes.arrivals)
        assert 3 <= len(closes.arrivals) < 40

    def test_a_cluster_by_its_address(self, dask: DaskExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("fxscore.run.cluster.package_version", lambda: "9.9")
        with DaskExecutor(dask.address) as other:
            assert other.width == 2
            with pytest.raises(WorkerError, match=r"a Dask worker has fxscore .*, and this is fxscore 9\.9"):
                list(evaluate([toy("a")], ToyJob(), other))
        assert [record.score for record in evaluate([toy("a", value=1)], ToyJob(), dask)] == [1]

    def test_short_networks_travel_in_bundles_and_long_ones_do_not_wait_in_them(
        self, dask: DaskExecutor, log: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sent: list[int] = []
        submit = dask._futures.submit

        def count(function: Any, bundle: Bundle) -> Any:
            sent.append(len(bundle.tasks))
            return submit(function, bundle)

        monkeypatch.setattr(dask._futures, "submit", count)
        refs = [toy(str(number), value=number) for number in range(300)]
        assert len(list(evaluate(refs, ToyJob(), dask))) == 300
        assert len(sent) < 150
        assert dask._pace.bundle > 4
        slow = [toy(str(number), value=number, sleep=0.8) for number in range(8)]
        records = evaluate(slow, ToyJob(str(log)), dask)
        next(records)
        assert noted(log, "finish").total() <= 4, "the first bundle came back in part"
        assert len(list(records)) == 7
        assert noted(log, "finish").total() == 8

    def test_leaving_a_cluster_ends_the_children_there(
        self, dask: DaskExecutor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def children() -> int:
            return sum(len(descendants(pid)) for pid in dask._client.run(os.getpid).values())

        there = next(
            iter(dask._client.run(package_version).values())
        )  # sources may be edited during the tests
        monkeypatch.setattr("fxscore.run.cluster.package_version", lambda: there)
        before = children()
        with DaskExecutor(dask.address) as other:
            list(evaluate([toy("a"), toy("b")], ToyJob(sleep=0.3), other))
            assert children() > before
        end = time.monotonic() + 10
        while (after := children()) > before and time.monotonic() < end:
            time.sleep(0.05)
        assert after == before

    def test_threads_of_the_test_end(self, dask: DaskExecutor) -> None:
        assert not [each for each in threading.enumerate() if each.name.startswith("fxscore-supervisor")]
