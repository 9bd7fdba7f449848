"""A space of tiny networks, a plan that trains on it in a moment, and a process that does so until it is killed."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import torch
from torch import nn

from fxscore.scorer.ft_scorenet import Settings
from fxscore.spaces import SearchSpace, Value, Variable
from fxscore.train.data import CellSet
from fxscore.train.loop import Trainer
from fxscore.train.plan import TrainingPlan

SETTINGS = Settings(batch=4, input_shape=(3, 5, 5), n_in=3, n_out=3, kernel_size=3)


class Tiny(SearchSpace[tuple[Value, ...]]):
    """Two convolutions: their width, kernel and norm."""

    name = "tiny"
    input_shape = (3, 5, 5)
    variables = (
        Variable("width", (2, 3, 5), ordered=True),
        Variable("kernel", (1, 3), ordered=True),
        Variable("norm", ("batch", "none")),
    )

    def build(self, genotype: tuple[Value, ...]) -> nn.Module:
        width, kernel, norm = int(genotype[0]), int(genotype[1]), genotype[2]
        layers: list[nn.Module] = [nn.Conv2d(3, width, kernel, padding="same")]
        layers += [nn.BatchNorm2d(width)] if norm == "batch" else []
        layers += [nn.ReLU(), nn.Conv2d(width, width, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        return nn.Sequential(*layers, nn.Linear(width, 10))


class Other(Tiny):
    """The same networks as a second space."""

    name = "other"


def cells(space: Tiny | None = None) -> CellSet:
    """All twelve networks, with labels that follow width and kernel."""
    space = space or Tiny()
    genotypes = [
        space.from_values(values) for values in itertools.product(*(v.values for v in space.variables))
    ]
    accuracies = torch.tensor([float(g[0]) * 3 + float(g[1]) + (g[2] == "batch") for g in genotypes])
    return CellSet(space, genotypes, accuracies, SETTINGS)


def plan(**changes: object) -> TrainingPlan:
    """Eight steps over five networks each."""
    values: dict[str, object] = {
        "spaces": ("tiny",),
        "samples": 5,
        "steps": 8,
        "settings": SETTINGS,
        **changes,
    }
    return TrainingPlan(**values)  # type: ignore[arg-type]


def trainer(state: Path | None = None, *, every: int = 2, **changes: object) -> Trainer:
    """A run over one space, or two where the plan names two."""
    chosen = plan(**changes)
    spaces = [cells(), cells(Other())][: len(chosen.spaces)]
    return Trainer(chosen, spaces, spaces[:1], state, every)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for report in trainer(Path(sys.argv[1]), steps=int(sys.argv[2])).run():
        sys.stdout.write(f"{report.step}\n")
        sys.stdout.flush()
