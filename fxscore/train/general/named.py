"""Who the networks of the training are, for the scorer's file: their names, and what was measured of them."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

from fxscore.scorer.measured import Measured, Networks
from fxscore.train.general.learning import Pool
from fxscore.types import ModelRef


def networks_of(pools: Sequence[Pool]) -> Networks:
    """The networks of all pools, in the order of a head that they taught."""
    names: list[str] = []
    tasks: dict[str, tuple[list[int], list[float]]] = {}
    for pool in pools:
        rows = range(len(names), len(names) + len(pool.refs))
        for task, values in pool.labels.items():
            whose, measured = tasks.setdefault(task, ([], []))
            whose += rows
            measured += values.tolist()
        names += map(name_of, pool.refs)
    return Networks(tuple(names), Measured.of(tasks))


def name_of(ref: ModelRef) -> str:
    """The reference as text, without the folder of a file: where tables lie on this machine is nobody's business."""
    return str(
        ModelRef(ref.source, ref.name, tuple((key, _without_folder(text)) for key, text in ref.options))
    )


def _without_folder(text: str) -> str:
    value: Any = json.loads(text)
    return json.dumps(os.path.basename(value)) if isinstance(value, str) and os.path.isabs(value) else text
