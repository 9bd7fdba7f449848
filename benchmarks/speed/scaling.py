"""How the engine scales: workers, Dask, memory, time and the store; and what that means for 10^6 networks.

``python -m benchmarks.speed.scaling`` writes the section "Scale" of RESULTS.md; ``--quick`` measures less, and only
prints. Run it on an idle machine of at least two cores.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import torch

from benchmarks.results import table, write_section
from benchmarks.speed.work import WorkJob
from fxscore.run import Executor, LocalExecutor, Store, evaluate
from fxscore.run.cluster import BUNDLE_MOST, BUNDLE_SECONDS, DaskExecutor
from fxscore.run.processes import tree_memory
from fxscore.types import ModelRef, ScoreRecord

NETWORK_SECONDS = 0.25  # what one network should take, for the speed-up
MEBI = 1 << 20


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    networks: int = 60
    repeats: int = 5
    lengths: tuple[int, ...] = (100, 300, 1000)
    light: int = 1000
    records: int = 20_000


QUICK = Sizes(networks=8, repeats=1, lengths=(10, 30, 100), light=100, records=2000)


def works(count: int, steps: int, source: str = "work") -> Iterable[ModelRef]:
    """So many different networks."""
    return (
        ModelRef.of(source, f"{time.monotonic_ns()}-{number}", {"steps": steps}) for number in range(count)
    )


def steps_for(seconds: float) -> int:
    """Steps of a network that takes so long in this process, on one thread."""
    torch.set_num_threads(1)
    session = WorkJob().open()
    begin = time.perf_counter()
    session.finish(session.prepare(ModelRef.of("work", "", {"steps": 100})))
    return max(1, round(100 * seconds / (time.perf_counter() - begin)))


def run(executor: Executor, refs: Iterable[ModelRef], store: Store | None = None) -> float:
    """Seconds for a ranking; every network must score."""
    begin = time.perf_counter()
    for record in evaluate(refs, WorkJob(), executor, store):
        if record.error is not None:
            raise SystemExit(f"{record.ref}: {record.error}")
    return time.perf_counter() - begin


def warm(executor: Executor) -> float:
    """Seconds until each worker has started and scored."""
    return run(executor, works(4 * executor.width, steps_for(0.1)))


def in_turn(executors: dict[str, Executor], sizes: Sizes, steps: int) -> dict[str, list[float]]:
    """Seconds of a ranking with each executor, in turn, so that a slow moment of the machine meets all."""
    seconds: dict[str, list[float]] = {name: [] for name in executors}
    for _ in range(sizes.repeats):
        for name, executor in executors.items():
            seconds[name].append(run(executor, works(sizes.networks, steps)))
    return seconds


def ratios(above: list[float], below: list[float]) -> tuple[float, float, float]:
    """Median, least and most of the ratios of paired runs."""
    each = [a / b for a, b in zip(above, below, strict=True)]
    return statistics.median(each), min(each), max(each)


def speed(sizes: Sizes) -> str:
    """1 against 2 workers, and Dask against the local engine."""
    steps = steps_for(NETWORK_SECONDS)
    with LocalExecutor(1) as one, LocalExecutor(2) as two, DaskExecutor("local", 2) as dask:
        executors: dict[str, Executor] = {"1 worker": one, "2 workers": two, "Dask, 2 workers": dask}
        for executor in executors.values():
            warm(executor)
        seconds = in_turn(executors, sizes, steps)
    rows = [(name, statistics.median(values), min(values), max(values)) for name, values in seconds.items()]
    gain = ratios(seconds["1 worker"], seconds["2 workers"])
    price = ratios(seconds["Dask, 2 workers"], seconds["2 workers"])
    each = statistics.median(seconds["1 worker"]) / sizes.networks
    return "\n\n".join(
        [
            f"{sizes.networks} networks of {each:.3f} s, {sizes.repeats} runs of each executor in turn; children warm.",
            table(["executor", "median s", "least", "most"], rows),
            f"1 against 2 workers: {_spread(gain)} times as fast (goal: at least 1.8). "
            f"Dask's local cluster takes {_spread(price)} times as long as the local engine (goal: at most 1.15).",
        ]
    )


def _spread(values: tuple[float, float, float]) -> str:
    median, least, most = values
    return f"{median:.2f} ({least:.2f} to {most:.2f})"


def length(sizes: Sizes) -> str:
    """Time and memory of rankings of different lengths."""
    steps = steps_for(0.1)
    rows = []
    for count in sizes.lengths:
        with LocalExecutor(2) as executor, tempfile.TemporaryDirectory() as folder:
            warm(executor)
            with Store(Path(folder) / "store") as store, PeakMemory() as peak:
                seconds = run(executor, works(count, steps), store)
        rows.append((count, seconds, 1000 * seconds / count, peak.bytes / MEBI))
    columns = ["networks", "s", "ms a network", "peak memory of the process tree, MiB"]
    drift = rows[-1][2] / rows[0][2], rows[-1][3] / rows[0][3]
    return "\n\n".join(
        [
            "Networks of about 0.1 s, 2 workers, a store; memory is resident memory, shared pages counted in each "
            "process, looked at ten times a second.",
            table(columns, rows),
            f"From {sizes.lengths[0]} to {sizes.lengths[-1]} networks, time a network changes by a factor of "
            f"{drift[0]:.2f} and peak memory by {drift[1]:.2f}.",
        ]
    )


class PeakMemory:
    """The most that this process and its descendants held while this lasted."""

    def __init__(self) -> None:
        self.bytes = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        while not self._end.wait(0.1):
            self.bytes = max(self.bytes, tree_memory(os.getpid()))

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._end.set()
        self._thread.join()


@dataclass(frozen=True)
class Prices:
    """Milliseconds a network, a Dask task or a record, beside the work itself."""

    shared: float
    alone: float
    parent: float
    dask_task: float
    store: float
    stored_bytes: float

    def parent_on_dask(self, seconds: float) -> float:
        """Milliseconds of CPU time of engine, client and scheduler, for one network that takes `seconds`."""
        bundle = max(1, min(BUNDLE_MOST, int(BUNDLE_SECONDS / seconds)))
        return self.parent + self.dask_task / bundle


def prices(sizes: Sizes) -> Prices:
    """What a network costs that has nothing to do."""
    with LocalExecutor(1) as one:
        warm(one)
        shared, parent = _wall_and_cpu(lambda: run(one, works(sizes.light, 1)), sizes.light)
        few = sizes.light // 5
        alone, _ = _wall_and_cpu(lambda: run(one, works(few, 1, "alone")), few)
    # a local cluster's scheduler is a thread of this process
    with patch("fxscore.run.cluster.BUNDLE_MOST", 1), DaskExecutor("local", 2) as dask:
        warm(dask)
        _, single = _wall_and_cpu(lambda: run(dask, works(sizes.light, 1)), sizes.light)
    return Prices(shared, alone, parent, single - parent, *_store_price(sizes.records))


def _wall_and_cpu(work: Callable[[], object], count: int) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), _cpu()
    work()
    return 1000 * (time.perf_counter() - wall) / count, 1000 * (_cpu() - cpu) / count


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _store_price(count: int) -> tuple[float, float]:
    """Milliseconds of all that the engine asks of the store for one new record, and bytes of the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store"
        with Store(path) as store:
            context = store.context("scorer", "settings", "1")
            begin = time.perf_counter()
            for number in range(count):
                ref = ModelRef.of("work", str(number), {"steps": 1})
                store.find(context, str(ref), ref, "scorer")
                store.verdict(context, f"{number:032x}")
                store.write(context, str(ref), ScoreRecord(ref, 0.5, None, 1, 2, 0.1, f"{number:032x}"))
            seconds = time.perf_counter() - begin
        return 1000 * seconds / count, path.stat().st_size / count


def price_table(known: Prices) -> str:
    """The prices, in words."""
    rows = [
        ("a network of 1 ms in a shared process (wall time, 1 worker)", known.shared),
        ("the same in a process of its own, a fork of the loaded child (wall time, 1 worker)", known.alone),
        ("the parent's part in it (CPU time)", known.parent),
        ("one Dask task, for scheduler and client (CPU time)", known.dask_task),
        ("all that is asked of the store for one new record (goal: less than 1)", known.store),
    ]
    return (
        table(["what", "ms"], rows) + f"\n\nThe store's file takes {known.stored_bytes:.0f} bytes a record."
    )


def million(known: Prices, networks: float = 1e6, cores: int = 1000) -> str:
    """What 10^6 networks on 1,000 cores cost, from what was measured."""
    rows = []
    for seconds in (0.1, 1.0, 10.0):
        parent = known.parent_on_dask(seconds)
        work, serial = networks * (seconds + known.shared / 1000), networks * parent / 1000
        busy = f"{1000 * seconds / parent:,.0f}"
        minutes = (work / cores / 60, serial / 60, max(work / cores, serial) / 60)
        rows.append((f"{seconds:g} s", work / 3600, parent, *minutes, busy))
    columns = ["one network", "core hours", "ms of the parent", "min of the cores", "min of the parent"]
    columns += ["min in all", "cores that one parent keeps busy"]
    short, enough = known.parent_on_dask(0.1), known.parent_on_dask(10.0) * cores / 1000
    return "\n\n".join(
        [
            f"Computed, not run, from the prices above: {networks:,.0f} networks on {cores:,} cores of Dask.",
            table(columns, rows),
            "What breaks first is the one process that holds engine, client and scheduler: with networks of 0.1 s "
            f"it spends {short:.2f} ms of CPU time on each, {1000 / short:,.0f} networks a second whatever the "
            f"number of cores. {cores:,} cores are kept busy by networks of about {enough:.0f} s and more; for "
            "shorter ones, split the list over several rankings, each with a scheduler and a store of its own. "
            f"The store takes {networks * known.store / 60_000:.0f} min of that process's time and "
            f"{networks * known.stored_bytes / 2**30:.1f} GiB.",
        ]
    )


def main() -> None:
    """Measure, print, and write the section."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="measure less, and write nothing")
    quick = parser.parse_args().quick
    sizes = QUICK if quick else Sizes()
    parts = []
    for title, measure in (("Workers", speed), ("Length", length)):
        parts.append(f"### {title}\n\n{measure(sizes)}")
        print(parts[-1], "\n", flush=True)
    known = prices(sizes)
    parts += [f"### Prices\n\n{price_table(known)}", f"### 10^6 networks on 1,000 cores\n\n{million(known)}"]
    print("\n\n".join(parts[2:]))
    if not quick:
        write_section("scale", "Scale", "\n\n".join(parts), "python -m benchmarks.speed.scaling")


if __name__ == "__main__":
    main()
