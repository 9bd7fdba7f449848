"""A job that really runs networks, as sensitive to torch's global state as a scorer could be at worst."""

from __future__ import annotations

import hashlib
import runpy
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from fxscore.run.job import Prepared
from fxscore.types import ModelRef


@dataclass(frozen=True)
class ForwardJob:
    """Builds ``file:PATH:build`` (not trusted) or ``conv:WIDTH`` (trusted), and sums one forward pass."""

    settings: str = ""
    scorer_id: str = "forward"

    def recipe_key(self, ref: ModelRef) -> str:
        return str(ref)

    def trusts(self, ref: ModelRef) -> bool:
        return ref.source == "conv"

    def open(self) -> ForwardSession:
        return ForwardSession()


class ForwardSession:
    def prepare(self, ref: ModelRef) -> Prepared:
        if ref.source == "conv":
            module: nn.Module = nn.Sequential(nn.Conv2d(3, int(ref.name), 3), nn.BatchNorm2d(int(ref.name)))
        else:
            path, _, builder = ref.name.rpartition(":")
            module = runpy.run_path(path)[builder]()
        shapes = str([tuple(parameter.shape) for parameter in module.parameters()])
        fingerprint = hashlib.sha256(f"{module}{shapes}{Path(ref.name).stem}".encode()).hexdigest()
        return Prepared(fingerprint, payload=module)

    def finish(self, prepared: Prepared) -> float:
        # Default dtype, default device, random state, threads and torch.nn itself all have their say in this.
        module = prepared.payload
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.copy_(torch.rand(parameter.shape))
            return float(module(torch.rand(2, 3, 16, 16)).abs().sum())
