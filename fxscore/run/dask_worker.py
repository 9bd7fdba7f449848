"""What `fxscore.run.cluster` asks of a Dask worker; these functions run there.

Each executor has a pool of supervisors in each worker, kept on the worker object, so that they end with it.
"""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass
from typing import Any, cast

from fxscore.errors import WorkerError
from fxscore.run.outcome import Limits, Outcome, Task
from fxscore.run.pool import SupervisorPool
from fxscore.run.version import package_version


@dataclass(frozen=True)
class Bundle:
    """Networks that one thread of a worker scores one after the other.

    Attributes:
        key: names the executor.
        package: the package version that the worker must have, or None where that is certain.
        payload: the pickled job.
        seconds: no network is begun when so much time has passed.
        folder: of the run, in which relative names of files mean what they mean there.
    """

    key: str
    package: str | None
    payload: bytes
    limits: Limits
    seconds: float
    folder: str
    tasks: tuple[Task, ...]


def score(bundle: Bundle) -> list[Outcome]:
    """The outcomes of a bundle: of its first networks only, where these took longer than a bundle should.

    Raises:
        WorkerError: a network cannot be scored here.
    """
    from distributed import get_worker

    if bundle.package not in (None, package_version()):
        found, wanted = package_version(), bundle.package
        raise WorkerError(f"a Dask worker has fxscore {found}, and this is fxscore {wanted}")
    pool, outcomes = _pool(get_worker(), bundle.key, bundle.folder), []
    end = time.monotonic() + bundle.seconds
    for task in bundle.tasks:
        outcomes.append(pool.run(bundle.payload, bundle.limits, task))
        if time.monotonic() > end:
            break
    return outcomes


def _pool(dask_worker: Any, key: str, folder: str) -> SupervisorPool:
    """The executor's; where its folder is not, relative names mean nothing, rather than files of the same name here."""
    if key not in vars(dask_worker):
        there = folder if os.path.isdir(folder) else os.path.abspath(os.sep)
        vars(dask_worker)[key] = SupervisorPool(there)
    return cast(SupervisorPool, vars(dask_worker)[key])


# `Client.run` hands the worker to an argument of this name; only a coroutine may run without being waited for.
async def stop(key: str, dask_worker: Any = None) -> None:
    """End the networks that are being scored."""
    if (pool := vars(dask_worker).get(key)) is not None:
        pool.stop()


async def close(key: str, dask_worker: Any = None) -> None:
    """End every child."""
    if (pool := vars(dask_worker).pop(key, None)) is not None:
        await asyncio.to_thread(pool.close)
