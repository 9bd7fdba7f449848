"""The state of a training run on disk: written whole or not at all, so that a kill at any moment loses one interval."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from fxscore.errors import TrainingError
from fxscore.scorer.checkpoint import as_tensors, write_sealed
from fxscore.scorer.file_contents import is_sealed, read_unsealed


class TrainingState:
    """Scorer, optimiser and running average of one run, after `step` steps."""

    def __init__(self, scorer: nn.Module, optimiser: torch.optim.Adam, averaging: float) -> None:
        self.scorer = scorer
        self.optimiser = optimiser
        self.averaging = averaging
        self.step = 0
        self.history: list[dict[str, float]] = []
        self.average = (
            {name: p.detach().clone() for name, p in scorer.named_parameters()} if averaging else {}
        )

    def update_average(self) -> None:
        """Move the running average; at the start it follows faster, so that the initial values are forgotten."""
        decay = min(self.averaging, self.step / (self.step + 10))
        for name, parameter in self.scorer.named_parameters():
            if name in self.average:
                self.average[name].lerp_(parameter.detach(), 1 - decay)

    def weights(self) -> dict[str, Tensor]:
        """The weights that the run stands for: the running average, or the last ones without it."""
        return self.average or {name: p.detach() for name, p in self.scorer.named_parameters()}

    def save(self, path: Path, plan: dict[str, Any]) -> None:
        """Write the state."""
        tensors = {f"scorer.{name}": p.detach().clone() for name, p in self.scorer.named_parameters()}
        tensors |= {f"average.{name}": tensor for name, tensor in self.average.items()}
        for name, parameter in self.scorer.named_parameters():
            for key, value in self.optimiser.state[parameter].items():
                tensors[f"adam.{key}.{name}"] = torch.as_tensor(value).clone()
        metadata = {
            "plan": json.dumps(plan, sort_keys=True),
            "step": str(self.step),
            "history": json.dumps(self.history),
        }
        write_sealed(path, {name: tensor.contiguous() for name, tensor in tensors.items()}, metadata)

    def load(self, path: Path, plan: dict[str, Any]) -> None:
        """Go on from a saved state; raises `TrainingError` where it is damaged or belongs to another plan."""
        try:
            metadata, arrays = read_unsealed(path)
        except (SafetensorError, OSError, ValueError) as error:
            raise TrainingError(f"{path} is damaged ({error}); delete it to start again") from None
        if "plan" not in metadata or not is_sealed(metadata, arrays):
            raise TrainingError(
                f"{path} is damaged, or no training state at all: its contents do not match their hash; "
                "delete it to start again"
            )
        if json.loads(metadata["plan"]) != json.loads(json.dumps(plan)):
            raise TrainingError(
                f"{path} belongs to a run with another plan; delete it, or name another folder"
            )
        self.step = int(metadata["step"])
        self.history = json.loads(metadata["history"])
        tensors = as_tensors(arrays)
        with torch.no_grad():
            for name, parameter in self.scorer.named_parameters():
                parameter.copy_(tensors[f"scorer.{name}"])
                if name in self.average:
                    self.average[name].copy_(tensors[f"average.{name}"])
                self._load_optimiser(name, parameter, tensors)

    def _load_optimiser(self, name: str, parameter: nn.Parameter, tensors: dict[str, Tensor]) -> None:
        state = {
            key.split(".")[1]: value
            for key, value in tensors.items()
            if key.startswith("adam.") and _ends(key, name)
        }
        if state:
            self.optimiser.state[parameter] = state


def _ends(key: str, name: str) -> bool:
    return key.split(".", 2)[2] == name
