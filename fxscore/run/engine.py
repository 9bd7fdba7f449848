"""The one engine: many recipes become many records, whatever the executor.

Order, retries and caching live here. The engine keeps a bounded window of submitted work; for each recipe it
looks in the store, and at the work in flight, before it submits; each outcome is written to the store as it
arrives, then yielded. Equal architectures under other names share one outcome: on this machine they are not
scored where a score is known or being computed; on a cluster, where the engine cannot be asked, they are
joined on arrival.
"""

from __future__ import annotations

import logging
import pickle
import queue
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import Protocol

from fxscore.errors import WorkerError
from fxscore.run.executor import Executor
from fxscore.run.failure import describe_exception
from fxscore.run.job import Job
from fxscore.run.outcome import Facts, Outcome, Task
from fxscore.run.sharing import Sharing
from fxscore.run.store import Store
from fxscore.run.version import package_version
from fxscore.types import ModelRef, ScoreRecord

_logger = logging.getLogger(__name__)
_LOOK_SECONDS = 1.0  # between two looks at whether anybody still works


class Watcher(Protocol):
    """Is told what happens, for a display."""

    def working(self, refs: Sequence[ModelRef]) -> None:
        """These networks are being worked on."""

    def arrived(self, record: ScoreRecord, cached: bool) -> None:
        """A record is there; `cached` where nothing was computed for it."""


def evaluate(
    refs: Iterable[ModelRef],
    job: Job,
    executor: Executor,
    store: Store | None = None,
    *,
    watcher: Watcher | None = None,
    retry_errors: bool = False,
    retries: int = 1,
) -> Iterator[ScoreRecord]:
    """Yield one record for each reference, as they arrive (`in_order` restores the given order).

    Leaving the iterator early, by Ctrl-C too, ends the networks that are being scored within a second; what
    has arrived is in the store.

    Args:
        refs: the recipes; read as work goes on, so that a generator of millions is never held in memory.
        job: how a recipe becomes a score.
        executor: where.
        store: what is known already; without one, equal architectures of this call alone are shared.
        watcher: is told of each start and each record.
        retry_errors: try again also where the store holds a lasting error.
        retries: further attempts for a network whose process was ended from outside, as by the kernel when
            memory runs out. A limit, a crash or an exception is the network's own and is not tried again.

    Raises:
        WorkerError: no worker could start, or the job could not be opened there.
        StoreError: the store cannot be read or written any more.
    """
    with Store() as temporary:
        run = _Run(job, executor, store or temporary, watcher, retry_errors, retries)
        try:
            yield from run.records(refs)
        finally:
            run.stop()


def in_order(refs: Iterable[ModelRef], records: Iterable[ScoreRecord]) -> list[ScoreRecord]:
    """The records in the order of their references, so that equal scores rank the same in every run."""
    places: dict[ModelRef, int] = {}
    for place, ref in enumerate(refs):
        places.setdefault(ref, place)
    return sorted(records, key=lambda record: places[record.ref])


def _as(leaders: Outcome, own: Outcome) -> Outcome:
    """The result of an equal architecture, with the task's own facts and time."""
    return replace(
        own, score=leaders.score, error=leaders.error, lasting=leaders.lasting, values=leaders.values
    )


class _Run:
    """One call of `evaluate`."""

    def __init__(
        self,
        job: Job,
        executor: Executor,
        store: Store,
        watcher: Watcher | None,
        retry_errors: bool,
        retries: int,
    ) -> None:
        self._job = job
        self._payload = pickle.dumps(job)
        self._executor = executor
        self._store = store
        self._watcher = watcher
        self._retry_errors = retry_errors
        self._retries = retries
        self._context = store.context(job.scorer_id, job.settings, package_version())
        self._at_work: dict[Future[Outcome], Task] = {}
        self._done: queue.SimpleQueue[Future[Outcome]] = queue.SimpleQueue()
        self._attempts: dict[int, int] = {}
        self._same_recipe: dict[str, list[ModelRef]] = {}
        self._sharing = Sharing()
        # held while both the store and the sharing are looked at: between them no network may slip through
        self._lock = threading.Lock()

    def records(self, refs: Iterable[ModelRef]) -> Iterator[ScoreRecord]:
        for number, ref in enumerate(refs):
            yield from self._begin(number, ref)
            while len(self._at_work) >= self._executor.window:
                yield from self._next()
        while self._at_work:
            yield from self._next()

    def _begin(self, number: int, ref: ModelRef) -> Iterator[ScoreRecord]:
        """Answer a reference from what is known, or put it to work."""
        try:
            recipe = self._job.recipe_key(ref)
        except Exception as error:  # noqa: BLE001  one file, one row: it may be anything at all
            record = ScoreRecord(ref, error=describe_exception(error), scorer_id=self._job.scorer_id)
            yield self._told(record, cached=False)
            return
        found = self._store.find(self._context, recipe, ref, self._job.scorer_id)
        if found is not None and self._is_answer(found[0].score, lasting=found[1]):
            yield self._told(found[0], cached=True)
        elif recipe in self._same_recipe:
            self._same_recipe[recipe].append(ref)
        else:
            self._same_recipe[recipe] = []
            self._submit(Task(number, ref, recipe, alone=not self._job.trusts(ref)))

    def _is_answer(self, score: float | None, lasting: bool) -> bool:
        return score is not None or (lasting and not self._retry_errors)

    def _submit(self, task: Task) -> None:
        future = self._executor.submit(self._payload, task, self._is_wanted)
        self._at_work[future] = task
        self._show_work()
        future.add_done_callback(self._done.put)

    def _is_wanted(self, task: Task, facts: Facts) -> bool:
        """Whether a captured network is to be scored; called by supervisors, in their threads."""
        with self._lock:
            known = self._store.verdict(self._context, facts.fingerprint)
            if known is not None and self._is_answer(known.score, known.lasting):
                return False
            return self._sharing.is_leader(task, facts)

    def _next(self) -> Iterator[ScoreRecord]:
        """Wait for one outcome."""
        if self._done.empty():
            self._executor.flush()
        future = self._arrival()
        task = self._at_work.pop(future)
        try:
            outcome = self._executor.outcome(future)
        except CancelledError:
            raise WorkerError(f"the executor gave up on {task.ref}") from None
        if outcome.lost and self._attempts.get(task.number, 0) < self._retries:
            self._attempts[task.number] = self._attempts.get(task.number, 0) + 1
            _logger.warning("%s is tried again: %s", task.ref, outcome.error)
            self._submit(task)
            return
        self._attempts.pop(task.number, None)
        yield from self._settled(task, outcome)

    def _arrival(self) -> Future[Outcome]:
        while True:
            with suppress(queue.Empty):
                return self._done.get(timeout=_LOOK_SECONDS)
            self._executor.check()

    def _settled(self, task: Task, outcome: Outcome) -> Iterator[ScoreRecord]:
        """Write and yield the record of one outcome, and of those that waited for it."""
        cached = outcome.score is None and outcome.error is None
        with self._lock:
            full = self._from_elsewhere(task, outcome) if cached else self._agreed(outcome)
            if full is None:
                return
            record = self._written(task, full)
            followers = self._sharing.settle(task, full)
        yield from self._with_same_recipe(task, record, cached)
        for follower, own in followers:
            record = self._written(follower, _as(full, own))
            yield from self._with_same_recipe(follower, record, cached=True)

    def _from_elsewhere(self, task: Task, outcome: Outcome) -> Outcome | None:
        """The outcome of a task that was not scored, from the store or its leader; None if still to come."""
        assert outcome.facts is not None  # it was not scored because of its fingerprint
        known = self._store.verdict(self._context, outcome.facts.fingerprint)
        if known is not None and self._is_answer(known.score, known.lasting):
            return replace(
                outcome, score=known.score, error=known.error, lasting=known.lasting, values=known.values
            )
        try:
            leaders = self._sharing.join(task, outcome)
        except KeyError:  # another process pruned the store in between
            self._submit(task)
            return None
        return None if leaders is None else _as(leaders, outcome)

    def _agreed(self, outcome: Outcome) -> Outcome:
        """The score that others of this fingerprint have, where one was scored elsewhere at the same time."""
        if outcome.score is None or outcome.facts is None:
            return outcome
        known = self._store.verdict(self._context, outcome.facts.fingerprint)
        if known is None or known.score is None:
            return outcome
        return replace(outcome, score=known.score, values=known.values)

    def _written(self, task: Task, outcome: Outcome) -> ScoreRecord:
        facts = outcome.facts
        known = (facts.params, facts.macs) if facts else (None, None)
        fingerprint = facts.fingerprint if facts else None
        results = (outcome.score, outcome.error, *known, outcome.seconds, fingerprint)
        note = facts.note if facts else None
        record = ScoreRecord(task.ref, *results, self._job.scorer_id, note, outcome.values)
        self._store.write(self._context, task.recipe, record, outcome.lasting)
        return record

    def _with_same_recipe(self, task: Task, record: ScoreRecord, cached: bool) -> Iterator[ScoreRecord]:
        yield self._told(record, cached)
        for ref in self._same_recipe.pop(task.recipe, ()):
            yield self._told(replace(record, ref=ref), cached=True)

    def _told(self, record: ScoreRecord, cached: bool) -> ScoreRecord:
        if self._watcher is not None:
            self._watcher.arrived(record, cached)
            self._show_work()
        return record

    def _show_work(self) -> None:
        # executors begin in the order of submission, so the first are those at work
        if self._watcher is not None:
            self._watcher.working([task.ref for task in islice(self._at_work.values(), self._executor.width)])

    def stop(self) -> None:
        """End what is at work; what has arrived is kept."""
        if not self._at_work:
            return
        for future in self._at_work:
            future.cancel()
        self._executor.stop()
        while not self._done.empty():
            future = self._done.get()
            with suppress(CancelledError, WorkerError):
                outcome = self._executor.outcome(future)
                if outcome.score is not None:
                    self._written(self._at_work[future], outcome)
