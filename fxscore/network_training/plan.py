"""Everything that decides how a network is trained; equal plans on equal data end with equal weights on a CPU."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from fxscore.errors import TrainingError

Augmentation = Literal["standard", "timm", "none"]


@dataclass(frozen=True)
class ClassifierPlan:
    """One training run of one network.

    Attributes:
        epochs: passes over the training images.
        batch: images of one step; an incomplete last batch is left out.
        learning_rate: the highest, reached after the warm-up.
        warmup: epochs in which the learning rate rises from a hundredth of the highest; part of `epochs`.
        optimiser: a name that `timm.optim` knows; `sgd` has Nesterov momentum.
        momentum: of the optimiser, where it has one.
        weight_decay: of weights with two axes or more; biases and normalisation are not decayed.
        schedule: a name that `timm.scheduler` knows.
        label_smoothing: share of the target that is spread over all classes.
        augmentation: `standard` is random crop and flip (on digits a shift by one pixel), `timm` adds RandAugment and
            random erasing.
        averaging: decay of the running average of weights, which is then what is measured and kept; 0 has none.
        clip: largest norm of the gradient; 0 clips nothing.
        mixed_precision: half precision where the device has it; a CPU computes in full precision all the same.
        channels_last: lay maps out with their channels last, which many convolutions compute faster; not on several
            threads of a processor, where that layout is left out.
        training_images: take so many of the training images, drawn by a fixed shuffle; 0 takes all.
        seed: of the initial weights, the order of images, the augmentation and dropout.
    """

    epochs: int = 200
    batch: int = 128
    learning_rate: float = 0.1
    warmup: int = 5
    optimiser: str = "sgd"
    momentum: float = 0.9
    weight_decay: float = 5e-4
    schedule: str = "cosine"
    label_smoothing: float = 0.0
    augmentation: Augmentation = "standard"
    averaging: float = 0.0
    clip: float = 0.0
    mixed_precision: bool = True
    channels_last: bool = False
    training_images: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch < 1 or self.learning_rate <= 0:
            raise TrainingError("epochs, batch and learning rate must be positive")
        if not 0 <= self.warmup < self.epochs:
            raise TrainingError(
                f"a warm-up of {self.warmup} epochs does not fit into {self.epochs}; give it fewer than all"
            )
        if not 0 <= self.averaging < 1 or not 0 <= self.label_smoothing < 1:
            raise TrainingError("averaging and label smoothing lie from 0 up to, but not including, 1")
        if self.augmentation not in get_args(Augmentation):
            raise TrainingError(f"augmentation is one of {', '.join(get_args(Augmentation))}")

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return asdict(self)
