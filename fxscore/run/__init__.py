"""Evaluate many model references, in child processes or on a cluster, with a store of what is known."""

from __future__ import annotations

from fxscore.run.engine import Watcher, evaluate, in_order
from fxscore.run.executor import Executor, LocalExecutor
from fxscore.run.job import Job, JobSession, Prepared
from fxscore.run.store import Store
from fxscore.run.store_file import default_store_path

__all__ = [
    "Executor",
    "Job",
    "JobSession",
    "LocalExecutor",
    "Prepared",
    "Store",
    "Watcher",
    "default_store_path",
    "evaluate",
    "in_order",
]
