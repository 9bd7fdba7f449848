"""Sweeps of NDS: `nds_data/*.json` is a list of training jobs, or holds the lists `top` and `mid`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from fxscore.spaces.files import entries
from fxscore.spaces.files.entries import Entry
from fxscore.spaces.files.json_file import read_json
from fxscore.spaces.table import BenchmarkTable

G = TypeVar("G")


def read_nds_jobs(
    path: str | Path, space: str, dataset: str, network: Callable[[Entry], G]
) -> BenchmarkTable[G]:
    """A sweep as a table. The label is 100 − the test error of the last epoch.

    Args:
        path: the file.
        space: name of the search space.
        dataset: that its networks were trained on.
        network: reads the genotype of one job.
    """
    data = read_json(path)
    jobs = [*data["top"].elements(), *data["mid"].elements()] if "top" in data else data.elements()
    genotypes = tuple(network(job["net"]) for job in jobs)
    errors = np.array([job["test_ep_top1"].elements()[-1].number(0, 100) for job in jobs])
    params, flops = (entries.column(jobs, key, 0) for key in ("params", "flops"))
    return BenchmarkTable(space, genotypes, {f"{dataset}.test": 100 - errors}, params=params, flops=flops)
