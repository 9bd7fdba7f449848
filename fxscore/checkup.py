"""What an installation is, and whether it works: versions, extras, machine, store, and two networks scored twice."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil
import torch

from fxscore.api import score
from fxscore.errors import FxScoreError, MissingExtraError
from fxscore.extras import PACKAGES as EXTRAS
from fxscore.extras import require
from fxscore.ranking import rank
from fxscore.run import default_store_path, store_info
from fxscore.scorer import load_scorer

PACKAGES = ("fxscore", "torch", "torchvision", "timm", "numpy", "scipy", "safetensors")
# Two cells that every scorer tells apart: five convolutions, and one.
CELLS = (
    "nasbench201:|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|",
    "nasbench201:|skip_connect~0|+|none~0|skip_connect~1|+|skip_connect~0|none~1|nor_conv_1x1~2|",
)
_TOLERANCE = 1e-6  # relative, of one score in two processes


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: of it.
        text: what was found.
        sound: False where fxscore cannot work so.
    """

    name: str
    text: str
    sound: bool = True

    def as_dict(self) -> dict[str, Any]:
        """A JSON-ready form."""
        return asdict(self)


def checkup(scorer: str | None = None, store: Path | None = None) -> Iterator[Finding]:
    """Look at everything, the slow things last.

    Args:
        scorer: as for `fxscore.score`.
        store: file of the result store; the default one in the user's cache folder.
    """
    yield Finding("Python", f"{platform.python_version()} ({platform.platform()}), {sys.executable}")
    yield from map(_package, PACKAGES)
    yield from map(_extra, EXTRAS)
    yield Finding("cores", _cores())
    yield Finding("memory", _memory())
    yield Finding("accelerator", _accelerator())
    yield _store(store or default_store_path())
    yield _self_test(scorer)


def _package(name: str) -> Finding:
    try:
        return Finding(name, version(name))
    except PackageNotFoundError:
        return Finding(name, f"not installed; pip install {name}", sound=False)


def _extra(name: str) -> Finding:
    try:
        require(name, "it")
    except MissingExtraError as error:
        return Finding(f"extra {name}", f"not installed: {error}")
    _, package = EXTRAS[name]
    return Finding(f"extra {name}", f"{package} {version(package.partition('[')[0])}")


def _cores() -> str:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{usable} of {os.cpu_count()} usable, {torch.get_num_threads()} threads of torch"


def _memory() -> str:
    memory = psutil.virtual_memory()
    return f"{memory.available / 2**30:.1f} of {memory.total / 2**30:.1f} GiB free"


def _accelerator() -> str:
    if torch.cuda.is_available():
        return ", ".join(torch.cuda.get_device_name(place) for place in range(torch.cuda.device_count()))
    return "Apple's" if torch.backends.mps.is_available() else "none (scoring needs none)"


def _store(path: Path) -> Finding:
    if not path.exists():
        return Finding("store", f"{path}: none yet")
    try:
        found = store_info(path)
    except (FxScoreError, OSError) as error:
        return Finding("store", str(error), sound=False)
    networks = sum(context.networks for context in found.contexts)
    return Finding("store", f"{path}: {networks} networks, {found.size / 2**20:.1f} MiB")


def _self_test(scorer: str | None) -> Finding:
    """Score two networks in a worker and in this process: they differ, and each has one score."""
    begin = time.monotonic()
    try:
        used = load_scorer(scorer)
        ranking = rank(CELLS, scorer=scorer, workers=1, no_store=True)
        here = {cell: score(cell, scorer=scorer) for cell in CELLS}
    except FxScoreError as error:
        return Finding("self-test", str(error), sound=False)
    failed = [str(record.error) for record in ranking.failures]
    if failed:
        return Finding("self-test", f"a worker could not score: {failed[0]}", sound=False)
    there = {str(record.ref): record.score or 0.0 for record in ranking}
    scores = ", ".join(f"{there[cell]:.2g}" for cell in CELLS)
    what = f"two networks by {used.scorer_id}, scores {scores}"
    if any(abs(there[cell] - here[cell]) > _TOLERANCE * max(1.0, abs(here[cell])) for cell in CELLS):
        return Finding("self-test", f"{what}; here {', '.join(map(str, here.values()))}", sound=False)
    if there[CELLS[0]] == there[CELLS[1]]:
        return Finding("self-test", f"{what}: no difference", sound=False)
    return Finding(
        "self-test", f"{what}, the same in a worker and in this process ({time.monotonic() - begin:.0f} s)"
    )
