"""Trains an FT-ScoreNet on one or several spaces: seeded, checkpointed, resumable after a kill at any moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from fxscore.errors import TrainingError
from fxscore.evaluate import spearman
from fxscore.extras import require
from fxscore.scorer.ft_scorenet import FTScoreNet
from fxscore.train.data import LabelledNetworks
from fxscore.train.listwise import accumulate_gradients
from fxscore.train.plan import TrainingPlan
from fxscore.train.state import TrainingState


@dataclass(frozen=True)
class StepReport:
    """What one step did: its number (from 1), the loss, and ρ on the validation part where it was measured."""

    step: int
    loss: float
    validation: float | None


class Trainer:
    """One training run.

    Args:
        plan: the run.
        training: one set of cells per space of the plan.
        validation: cells for the progress display; may be empty.
        state_path: where to checkpoint; an existing state of the same plan is resumed. None keeps nothing.
        every: steps between checkpoints.
        validate_every: steps between validations; as often as checkpoints by default.
    """

    def __init__(
        self,
        plan: TrainingPlan,
        training: Sequence[LabelledNetworks],
        validation: Sequence[LabelledNetworks] = (),
        state_path: Path | None = None,
        every: int = 10,
        validate_every: int | None = None,
    ) -> None:
        require("train", "training an FT-ScoreNet")
        if any(len(cells) < 2 for cells in training):
            raise TrainingError("a space has fewer than 2 training cells")
        self.plan = plan
        self.training = training
        self.validation = validation
        self.state_path = state_path
        self.every = every
        self.validate_every = validate_every or every
        self.scorer = FTScoreNet(plan.settings, seed=plan.seed)
        betas = (plan.beta1, plan.beta2)
        optimiser = torch.optim.Adam(self._learned(), lr=plan.learning_rate, betas=betas)
        self.state = TrainingState(self.scorer, optimiser, plan.averaging)
        if state_path is not None and state_path.exists():
            self.state.load(state_path, plan.as_dict())

    def run(self) -> Iterator[StepReport]:
        """Take the remaining steps, one report each."""
        while self.state.step < self.plan.steps:
            loss = self._step()
            validation = self.validate() if self._due(self.validate_every) and self.validation else None
            self._remember(loss, validation)
            if self._due(self.every) and self.state_path is not None:
                self.state.save(self.state_path, self.plan.as_dict())
            yield StepReport(self.state.step, loss, validation)

    def trained(self) -> FTScoreNet:
        """The scorer with the weights that the run stands for."""
        scorer = FTScoreNet(self.plan.settings, seed=self.plan.seed)
        scorer.load_state_dict(self.state.weights(), strict=True)
        return scorer

    def validate(self) -> float:
        """Mean Spearman correlation over the validation sets."""
        scorer = self.trained()
        values = [_agreement(score_cells(scorer, cells), cells.accuracies) for cells in self.validation]
        return sum(values) / len(values)

    def _due(self, every: int) -> bool:
        return self.state.step % every == 0 or self.state.step == self.plan.steps

    def _learned(self) -> list[nn.Parameter]:
        """The parameters that steps change."""
        named = self.scorer.named_parameters()
        return [parameter for name, parameter in named if name.partition(".")[0] not in self.plan.frozen]

    def _step(self) -> float:
        number = self.state.step
        # Drawn from (seed, step) alone, so that a resumed run takes the same samples.
        generator = torch.Generator().manual_seed((self.plan.seed + 1) * 1_000_003 + number)
        self.scorer.zero_grad()
        losses = []
        for cells in self._spaces_of(number):
            chosen = cells.sample(self.plan.samples, generator)
            cells = self._at_resolution(cells, number, generator)
            losses.append(
                accumulate_gradients(self.scorer, [cells[i] for i in chosen], cells.accuracies[chosen])
            )
        self._check_finite()
        self.state.optimiser.step()
        self.state.step += 1
        self.state.update_average()
        return sum(losses) / len(losses)

    def _spaces_of(self, number: int) -> Sequence[LabelledNetworks]:
        if self.plan.schedule == "accumulate":
            return self.training
        return [self.training[number % len(self.training)]]

    def _at_resolution(
        self, cells: LabelledNetworks, number: int, generator: torch.Generator
    ) -> LabelledNetworks:
        """The cells at a resolution drawn for this step, where the plan has several."""
        resolutions = self.plan.resolutions
        if not resolutions or number < self.plan.resolutions_from:
            return cells
        return cells.at(resolutions[int(torch.randint(len(resolutions), (), generator=generator))])

    def _check_finite(self) -> None:
        for name, parameter in self.scorer.named_parameters():
            if parameter.grad is not None and not bool(parameter.grad.isfinite().all()):
                raise TrainingError(
                    f"step {self.state.step + 1}: the gradient of {name} is not finite; lower the learning rate"
                )

    def _remember(self, loss: float, validation: float | None) -> None:
        row = {"step": float(self.state.step), "loss": round(loss, 5)}
        if validation is not None:
            row["validation"] = round(validation, 5)
        self.state.history.append(row)


def _agreement(scores: Tensor, accuracies: Tensor) -> float:
    """Spearman's ρ; 0 where all scores are equal."""
    return spearman(scores.double().numpy(), accuracies.double().numpy(), undefined=0.0)


@torch.no_grad()
def score_cells(scorer: FTScoreNet, cells: LabelledNetworks) -> Tensor:
    """The scores of all cells, (n,)."""
    weights = scorer.weights
    return torch.stack([scorer(cells[index], weights, scorer.observer()) for index in range(len(cells))])
