"""One process per task, with limits of time and memory, so many at a time: what a task breaks, only it loses."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

_FORK = get_context("fork")  # what the parent has imported need not be imported again


@dataclass(frozen=True)
class Limits:
    """Limits of one task: wall seconds, and bytes of address space beyond what the parent has."""

    seconds: float = 600.0
    memory: int = 10 << 30


@dataclass
class _Running:
    task: Any
    process: BaseProcess
    deadline: float


def each(
    function: Callable[[Any], Any], tasks: Iterable[Any], limits: Limits, processes: int = 2
) -> Iterator[tuple[Any, Any, str | None]]:
    """(task, result, None) or (task, None, what went wrong), as they finish."""
    waiting = iter(tasks)
    running: dict[Connection, _Running] = {}
    while True:
        while len(running) < processes and (task := next(waiting, None)) is not None:
            receiver, sender = _FORK.Pipe(duplex=False)
            process = _FORK.Process(target=_work, args=(function, task, sender, limits.memory), daemon=True)
            process.start()
            sender.close()
            running[receiver] = _Running(task, process, time.monotonic() + limits.seconds)
        if not running:
            return
        soonest = min(each.deadline for each in running.values())
        ready = wait(list(running), timeout=max(soonest - time.monotonic(), 0.01))
        late = [receiver for receiver, each in running.items() if each.deadline < time.monotonic()]
        for finished in {*ready, *late}:
            assert isinstance(finished, Connection)
            one = running.pop(finished)
            result, error = _receive(finished, one) if finished in ready else (None, "time limit")
            one.process.kill()
            one.process.join()
            yield one.task, result, error if error != "time limit" else f"more than {limits.seconds:.0f} s"


def _receive(receiver: Connection, one: _Running) -> tuple[Any, str | None]:
    try:
        return receiver.recv()  # type: ignore[no-any-return]
    except EOFError:
        one.process.join()
        return None, f"the process died (exit code {one.process.exitcode})"


def _work(function: Callable[[Any], Any], task: Any, sender: Connection, memory: int) -> None:
    with open("/proc/self/statm") as pages:
        used = int(pages.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + memory, used + memory))
    try:
        answer: tuple[Any, str | None] = (function(task), None)
    except Exception as error:  # noqa: BLE001 - the boundary of a worker: whatever the task raises is its result
        answer = (None, f"{type(error).__name__}: {(str(error).strip() or 'no message').splitlines()[0]}")
    sender.send(answer)
