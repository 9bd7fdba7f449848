"""What a training run is: everything that decides its result, so that a shipped scorer is one command away."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fxscore.errors import TrainingError
from fxscore.reading import file_bytes
from fxscore.scorer.ft_scorenet import Settings

_LARGEST = 1 << 24  # bytes of a plan
_PARTS = ("input_like", "kernel", "readout", "mlp")


@dataclass(frozen=True)
class TrainingPlan:
    """A training run.

    Attributes:
        spaces: search spaces to train on.
        labels: label column by space; the space's default where it is not named.
        cells: number of architectures drawn from each table for training and validation (0: all but a tenth, which
            is at most 1,000).
        validation: share of them that is never trained on, for the progress display and the choice of weights.
        samples: s, architectures per listwise step.
        steps: optimiser steps.
        schedule: `iterate` takes one space per step in turn, `accumulate` all spaces in every step (paper III-D2).
        learning_rate, beta1, beta2: Adam's settings (paper IV).
        averaging: decay of the running average of the weights that is kept; 0 keeps the last weights.
        resolutions: heights and widths that steps are taken at, one drawn for each; empty keeps the settings' own.
        resolutions_from: the first step (from 0) for which `resolutions` holds.
        without_families: families that are neither trained nor validated on, in spaces that have them.
        frozen: what keeps its initial values, for ablations: `input_like`, `kernel`, `readout` (L2), `mlp`.
        seed: of the split, the samples and the initial values.
        settings: of the scorer.
    """

    spaces: tuple[str, ...] = ("nasbench201",)
    labels: Mapping[str, str] = field(default_factory=dict)
    cells: int = 0
    validation: float = 0.05
    samples: int = 64
    steps: int = 496
    schedule: str = "iterate"
    learning_rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.95
    averaging: float = 0.0
    resolutions: tuple[int, ...] = ()
    resolutions_from: int = 0
    without_families: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()
    seed: int = 0
    settings: Settings = field(default_factory=Settings)

    def __post_init__(self) -> None:
        if self.schedule not in ("iterate", "accumulate"):
            raise TrainingError(f"schedule {self.schedule!r} is neither 'iterate' nor 'accumulate'")
        if self.samples < 2 or self.steps < 1:
            raise TrainingError("a ranking loss needs at least 2 samples a step, and a run at least 1 step")
        if unknown := set(self.frozen) - set(_PARTS):
            raise TrainingError(
                f"a scorer has no part {sorted(unknown)[0]!r} to freeze; there are {', '.join(_PARTS)}"
            )

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TrainingPlan:
        """Read the form that `as_dict` writes; unknown names are refused."""
        try:
            settings = Settings.from_dict(values.get("settings", {}))
            rest = {
                **values,
                "spaces": tuple(values["spaces"]),
                "resolutions": tuple(values.get("resolutions", ())),
                "without_families": tuple(values.get("without_families", ())),
                "frozen": tuple(values.get("frozen", ())),
                "settings": settings,
            }
            return cls(**rest)
        except (AttributeError, TypeError, ValueError, KeyError) as error:
            raise TrainingError(f"this is no training plan: {error}") from None

    @classmethod
    def read(cls, path: Path) -> TrainingPlan:
        """Read a plan from a JSON file."""
        try:
            return cls.from_dict(json.loads(file_bytes(path, _LARGEST)))
        except OSError as error:
            raise TrainingError(f"{path} cannot be read: {error.strerror or error}") from None
        except (ValueError, RecursionError) as error:
            raise TrainingError(f"cannot read the training plan {path}: {error}") from None
