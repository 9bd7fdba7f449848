"""Evaluate many model references, in child processes or on a cluster, with a store of what is known.

`fxscore.run.cluster.DaskExecutor` is not among these names: it imports more than a local run needs.
"""

from __future__ import annotations

from fxscore.run.engine import Watcher, evaluate, in_order
from fxscore.run.executor import Executor, LocalExecutor
from fxscore.run.job import Job, JobSession, Prepared
from fxscore.run.store import Store
from fxscore.run.store_file import default_store_path
from fxscore.run.store_tools import export_rows, export_store, prune_store, store_info
from fxscore.run.version import package_version
from fxscore.run.where import Where, shows_where

__all__ = [
    "Executor",
    "Job",
    "JobSession",
    "LocalExecutor",
    "Prepared",
    "Store",
    "Watcher",
    "Where",
    "default_store_path",
    "evaluate",
    "export_rows",
    "export_store",
    "in_order",
    "package_version",
    "prune_store",
    "shows_where",
    "store_info",
]
