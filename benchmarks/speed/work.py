"""A job of real, single-threaded torch work, for the benchmarks of the engine: ``work:NAME{"steps": 100}``.

``work`` networks share a process, as networks of timm and of search spaces do; ``alone`` networks have one
each, as files of the user do. Each is a chain of convolutions and batch normalisations whose output is
summed.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional as F

from fxscore.run import Prepared
from fxscore.types import ModelRef

SHAPE = (16, 16, 32, 32)


@dataclass(frozen=True)
class WorkJob:
    """See the module."""

    settings: str = ""
    scorer_id: str = "work"

    def recipe_key(self, ref: ModelRef) -> str:
        return str(ref)

    def trusts(self, ref: ModelRef) -> bool:
        return ref.source == "work"

    def open(self) -> WorkSession:
        session = WorkSession()
        session.finish(session.prepare(ModelRef.of("work", "warm", {"steps": 1})))
        return session


class WorkSession:
    """See the module."""

    def prepare(self, ref: ModelRef) -> Prepared:
        return Prepared(str(ref), payload=ref.kwargs["steps"])

    def finish(self, prepared: Prepared) -> float:
        generator = torch.Generator().manual_seed(0)
        x = torch.randn(SHAPE, generator=generator)
        weight = torch.randn((16, 16, 3, 3), generator=generator)
        for _ in range(prepared.payload):
            x = F.batch_norm(F.conv2d(x, weight, padding=1), None, None, training=True).relu()
        return float(x.sum())
