"""FT-ScoreNet: the paper's scorer over constructed architectures.

Head (paper III-C, METHOD.md section 3): L1 (C → 100, synthesised 1×1) · division by its standard deviation (v-norm)
· SymLog(x) = sign(x)·ln(|x| + 1) · L2 (100 → 1) · transpose to (1, B) · MLP_b (B → 64 → 64 → 64 → 1, ReLU).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fxscore.constructed import ConstructedArchitecture, Encoding
from fxscore.errors import ScorerError
from fxscore.input_like import resample
from fxscore.kernel import FourierKernel, WeightCache
from fxscore.ops import Observer
from fxscore.scorer.checkpoint import Checkpoint, save_checkpoint
from fxscore.scorer.file_contents import MISFITS, misfit
from fxscore.scorer.identity import Identity
from fxscore.scorer.percentiles import Percentiles
from fxscore.scorer.seen_size import seen_shape
from fxscore.scorer.subject import Subject
from fxscore.types import ModelRef, Shape

HIDDEN = 100
_SCALE = "scale."  # begins the names of the scale's arrays in a file


@dataclass(frozen=True)
class Settings:
    """What a scorer is, apart from its learned values.

    Attributes:
        batch: B, images in the input-like tensor; MLP_b is as wide.
        input_shape: (C, H, W) in which the input-like tensor is stored; it is resampled to what a network takes.
        n_in, n_out: the kernel stores n_in·n_out maps and n_out biases.
        kernel_size: k of the maps.
        small_inputs: networks are seen at the size that `fxscore.scorer.seen_size` names, in training and after; else
            at their own.
        v_norm: variance unitisation by measured factors; else Kaiming scale.
    """

    batch: int = 16
    input_shape: Shape = (3, 16, 16)
    n_in: int = 64
    n_out: int = 64
    kernel_size: int = 3
    v_norm: bool = True
    small_inputs: bool = True

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Settings:
        """Read the form that `as_dict` writes; raises `TypeError` or `ValueError` where it is not that."""
        shape = {"input_shape": tuple(values["input_shape"])} if "input_shape" in values else {}
        settings = cls(**{**values, **shape})
        sizes = (settings.batch, settings.n_in, settings.n_out, settings.kernel_size, *settings.input_shape)
        if not settings.input_shape or not all(type(size) is int and size > 0 for size in sizes):
            raise ValueError(f"{sizes} are not all sizes")
        if not all(type(option) is bool for option in (settings.v_norm, settings.small_inputs)):
            raise ValueError("v_norm and small_inputs are true or false")
        return settings


class FTScoreNet(nn.Module):
    """Scores constructed architectures; learned: input-like tensor, kernel, L2 and MLP_b.

    With `scale` set, scores are percentiles of a reference population; they rank as the raw ones do.

    Args:
        settings: sizes and options.
        seed: of the initial values.
        name: what records call this scorer.
    """

    KIND = "ft-scorenet"
    needs_weights = False

    def __init__(self, settings: Settings | None = None, *, seed: int = 0, name: str = "untrained") -> None:
        super().__init__()
        self.settings = settings = settings or Settings()
        self.name = name
        self.record: Mapping[str, Any] = {}
        self._identity = Identity()
        self.scale: Percentiles | None = None
        generator = torch.Generator().manual_seed(seed)
        self.input_like = nn.Parameter(
            torch.randn(settings.batch, *settings.input_shape, generator=generator)
        )
        self.kernel = FourierKernel(settings.n_in, settings.n_out, settings.kernel_size, generator)
        with torch.random.fork_rng(devices=[]):  # nn.Linear draws from the global generator
            torch.manual_seed(seed)
            self.readout = nn.Linear(HIDDEN, 1)
            self.mlp = _mlp(settings.batch)
        self.weights = WeightCache(self.kernel, kaiming=not settings.v_norm)

    @property
    def batch(self) -> int:
        """Images in the input-like tensor, at which networks are constructed."""
        return self.settings.batch

    @property
    def scorer_id(self) -> str:
        """Name and hash of settings, learned values and scale: two scorers of one id give equal scores."""
        return self._identity.of(self.name, self.settings.as_dict(), self._tensors())

    def shape_for(self, input_shape: Shape) -> Shape:
        """The input shape at which a network of this input shape is constructed, if it takes it."""
        return seen_shape(input_shape) if self.settings.small_inputs else input_shape

    def save(self, path: str | Path, record: Mapping[str, Any] | None = None) -> None:
        """Write the scorer to a file that `load_scorer` and `fxscore rank --scorer` take."""
        save_checkpoint(Path(path), self.to_checkpoint(record))

    def to_checkpoint(self, record: Mapping[str, Any] | None = None) -> Checkpoint:
        """The scorer as the contents of a file."""
        return Checkpoint(
            self.KIND, self.name, self.settings.as_dict(), record or self.record, self._tensors()
        )

    def _tensors(self) -> dict[str, Tensor]:
        """Learned values, and the points of the scale where there is one."""
        points = {} if self.scale is None else self.scale.arrays()
        return self.state_dict() | {
            f"{_SCALE}{name}": torch.from_numpy(array) for name, array in points.items()
        }

    @classmethod
    def from_checkpoint(cls, checkpoint: Checkpoint) -> FTScoreNet:
        """The scorer in a file; raises `CheckpointError` where tensors and settings do not fit each other."""
        try:
            tensors = dict(checkpoint.tensors)
            points = {
                name: tensors.pop(name).numpy() for name in checkpoint.tensors if name.startswith(_SCALE)
            }
            scorer = cls.of_tensors(checkpoint.settings, tensors, checkpoint.name)
            if points:
                scorer.scale = Percentiles(
                    **{name.removeprefix(_SCALE): array for name, array in points.items()}
                )
        except MISFITS as error:
            raise misfit("scorer", checkpoint.name, error) from None
        scorer.record = checkpoint.record
        return scorer

    @classmethod
    def of_tensors(cls, settings: Mapping[str, Any], tensors: Mapping[str, Tensor], name: str) -> FTScoreNet:
        """The scorer of these settings and learned values, which are looked at first; raises one of `MISFITS`."""
        read = Settings.from_dict(settings)
        wanted = {
            "input_like": (read.batch, *read.input_shape),
            "kernel.maps": (read.n_in * read.n_out, read.kernel_size, read.kernel_size),
            "kernel.biases": (read.n_out,),
        }
        for key, shape in wanted.items():  # with these, nothing is allocated that is larger than the file
            if tuple(tensors[key].shape) != shape:
                raise ValueError(f"{key} has the shape {tuple(tensors[key].shape)}, where {shape} is wanted")
        if wrong := [key for key, tensor in tensors.items() if tensor.dtype != torch.float32]:
            raise ValueError(f"{wrong[0]} is not in single precision")
        scorer = cls(read, name=name)
        scorer.load_state_dict(dict(tensors), strict=True)
        return scorer.requires_grad_(False)

    def fit(
        self,
        models: Sequence[nn.Module | ModelRef | str],
        accuracies: Sequence[float],
        *,
        input_shape: Shape | None = None,
        steps: int = 100,
        samples: int = 32,
        seed: int = 0,
    ) -> FTScoreNet:
        """A copy of this scorer, trained on networks that somebody trained (paper III-D; METHOD.md section 4).

        Args:
            models: modules (their weights are not read) or references such as `timm:resnet50`.
            accuracies: one number each, more is better, all of one data set.
            input_shape: (C, H, W) of all networks; by default the references' own, and 3×224×224 for modules.
            steps: of Adam.
            samples: networks in one step.
            seed: of the samples.

        Raises:
            ScorerError: accuracies that teach nothing, or too few networks.
            FxScoreError: a network cannot be built or captured; names it.
        """
        from fxscore.train.fit import fit_ft_scorenet  # training lies above scorers; scoring never gets here

        fitted = fit_ft_scorenet(
            self,
            models,
            accuracies,
            input_shape=input_shape,
            steps=steps,
            samples=samples,
            strict=True,
            seed=seed,
        )
        assert isinstance(fitted.scorer, FTScoreNet)
        return fitted.scorer

    def score(self, subject: Subject) -> float:
        """The score of a network, a percentile of the reference population where there is one.

        Raises:
            ScorerError: the score is not finite.
        """
        raw = self.raw_score(subject)
        return raw if self.scale is None else self.scale(raw)

    @torch.no_grad()
    def raw_score(self, subject: Subject) -> float:
        """What the loss ranked in training; one constructed forward. Raises as `score`."""
        constructed = subject.construct(self.batch, self.shape_for(subject.input_shape))
        score = float(self(constructed, self.weights, self.observer()))
        if score != score or score in (float("inf"), float("-inf")):
            raise ScorerError(
                f"the score is {score}: the constructed forward overflows or divides by zero; please report it"
            )
        return score

    def observer(self, factors: list[Tensor] | None = None) -> Observer:
        """An observer with this scorer's kind of unitisation."""
        return Observer(v_norm=self.settings.v_norm, factors=factors)

    def forward(
        self, constructed: ConstructedArchitecture, weights: Mapping[Shape, Tensor], observer: Observer
    ) -> Tensor:
        """The score as a scalar tensor; `observer` decides whether factors are measured or given."""
        input_like = resample(self.input_like, constructed.input_shape)
        encoding = constructed(input_like, weights, observer)
        return self.head(encoding, weights, observer)

    def head(self, encoding: Encoding, weights: Mapping[Shape, Tensor], observer: Observer) -> Tensor:
        """From an encoding (B, C) to the score."""
        score: Tensor = self.mlp(self._vector(encoding, weights, observer)[None])
        return score.squeeze()

    def vector(
        self, constructed: ConstructedArchitecture, weights: Mapping[Shape, Tensor], observer: Observer
    ) -> Tensor:
        """(B,) what the MLP sees of a network, whatever the channels of its encoding."""
        encoding = constructed(resample(self.input_like, constructed.input_shape), weights, observer)
        return self._vector(encoding, weights, observer)

    def _vector(self, encoding: Encoding, weights: Mapping[Shape, Tensor], observer: Observer) -> Tensor:
        channels = encoding.features.shape[1]
        projected = encoding.features @ weights[(HIDDEN, channels, 1, 1)].reshape(HIDDEN, channels).T
        projected = observer.unitise(projected)
        squashed = projected.sign() * projected.abs().log1p()
        vector: Tensor = self.readout(squashed).squeeze(1)
        return vector


def _mlp(batch: int) -> nn.Sequential:
    widths = (batch, 64, 64, 64)
    layers: list[nn.Module] = []
    for wide, narrow in pairwise(widths):
        layers += [nn.Linear(wide, narrow), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], 1))
