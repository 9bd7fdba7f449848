"""Where networks are worked on, and where what is found is kept: one bundle for every command and function."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from numbers import Integral, Real
from pathlib import Path
from typing import Any, TypeVar

from fxscore.errors import UsageError
from fxscore.run.executor import DEFAULT_SECONDS, Executor, LocalExecutor
from fxscore.run.store import Store, open_store
from fxscore.texts import one_line

_F = TypeVar("_F", bound=Callable[..., Any])
# (attribute, its type, the least, what it is)
_RANGES: tuple[tuple[str, Any, float, str], ...] = (
    ("workers", Integral, 1, "number of workers; give 1 or more"),
    ("time_limit", Real, 1e-3, "limit in seconds; give a positive number"),
    ("memory_limit", Integral, 1, "limit in bytes; give a positive whole number"),
    ("worker_wait", Real, 0, "number of seconds; give a positive number"),
)


@dataclass(frozen=True)
class Where:
    """Workers, limits, store and cluster.

    Attributes:
        workers: worker processes; one per core by default.
        time_limit: seconds for one network; 600 by default.
        memory_limit: bytes for one network; by default the workers share four fifths of the memory.
        store: file of the result store; by default the one in the user's cache folder.
        no_store: neither read nor keep results.
        cluster: address of a Dask scheduler, or `local`; this machine without one by default.
        worker_wait: seconds that a cluster may be without workers before the run ends with what is done; 60 by default.
    """

    workers: int | None = None
    time_limit: float | None = None
    memory_limit: int | None = None
    store: Path | str | None = None
    no_store: bool = False
    cluster: str | None = None
    worker_wait: float | None = None

    def __post_init__(self) -> None:
        """Refuse what is no number of workers, seconds or bytes, before anything waits for it.

        Raises:
            UsageError: an attribute is of another kind, or out of range; names it.
        """
        for name, kind, least, what in _RANGES:
            value: Any = getattr(self, name)
            right = isinstance(value, kind) and not isinstance(value, bool) and value >= least
            if value is not None and not right:
                raise UsageError(f"{name}={one_line(repr(value), 80)} is no {what}")
        for name in ("store", "cluster"):
            value = getattr(self, name)
            if not isinstance(value, (str, Path, type(None))):
                raise UsageError(f"{name}={one_line(repr(value), 80)} is no text")

    def executor(self) -> Executor:
        """What runs networks there; raises `WorkerError` where a cluster cannot be reached."""
        seconds = self.time_limit or DEFAULT_SECONDS
        if self.cluster is None:
            return LocalExecutor(self.workers, seconds, self.memory_limit)
        from fxscore.run.cluster import WORKER_SECONDS, DaskExecutor  # needs the extra `cluster`

        wait = self.worker_wait or WORKER_SECONDS
        return DaskExecutor(self.cluster, self.workers, seconds, self.memory_limit, wait)

    def opened_store(self) -> Store:
        """The store, a context; one that cannot be used is a warning, and results are then kept in memory."""
        return Store() if self.no_store else open_store(self.store)


def shows_where(function: _F) -> _F:
    """A function whose `**where` are the keywords of `Where`; help and completion show them one by one."""
    signature = inspect.signature(function)
    kept = [each for each in signature.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
    shown = [
        inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=field.type
        )
        for field in fields(Where)
    ]
    function.__signature__ = signature.replace(parameters=[*kept, *shown])  # type: ignore[attr-defined]
    return function
