"""What a hybrid scorer reads of a network: its canonical graph, one constructed forward, and its own input size.

Nothing else enters, so that networks of one graph and one input shape have equal features, whatever their weights,
spelling or dead branches. Along the depth, features are means over quarters of the operators in execution order.
Source: METHOD.md section 5.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fxscore.constructed import ConstructedArchitecture, Encoding
from fxscore.errors import ScorerError
from fxscore.graph_features import describe, forward_features, graph_features
from fxscore.graph_features.flow import trace_flow
from fxscore.graph_features.forward import COLUMNS as FORWARD_COLUMNS
from fxscore.graph_features.layers import COLUMNS as LAYERS
from fxscore.graph_features.layers import SCALED, layer_features, scaled_features
from fxscore.input_like import resample
from fxscore.ops import EPSILON, Observer, standard_deviation
from fxscore.scorer.ft_scorenet import FTScoreNet, Settings
from fxscore.scorer.subject import Subject
from fxscore.types import Shape

Floats = NDArray[np.float64]
QUARTERS = 4
ENCODER = Settings(batch=16, input_shape=(3, 64, 64), kernel_size=7)
_PER_QUARTER = {
    "factors": "mean logarithm of the unitisation factors",
    "factors_std": "their standard deviation",
    "signal": "mean logarithm of the share of variance between images, of what is unitised (no batch-axis norm)",
    "log_det": "logarithm of the determinant of the agreement of activation patterns, per image",
    "agreement": "mean agreement of different images' activation patterns",
}
DEPTH = {
    f"forward{quarter}_{name}": f"quarter {quarter} of the forward: {meaning}"
    for quarter in range(QUARTERS)
    for name, meaning in _PER_QUARTER.items()
}
FORWARD = (*FORWARD_COLUMNS, *DEPTH, "ft_score")  # the columns that need the forward
_EPSILON = 1e-4


@dataclass(frozen=True)
class NetworkFeatures:
    """Features of one network.

    Attributes:
        names: of the columns, always the same.
        values: (columns,) float64, finite.
        fingerprint: of the canonical graph and the own input shape; equal ones have equal values.
    """

    names: tuple[str, ...]
    values: Floats
    fingerprint: str


@cache
def feature_meanings() -> dict[str, str]:
    """Every column's name → meaning, in order."""
    head = {"ft_score": "score of the encoder as an FT-ScoreNet"}
    return {**describe(), **LAYERS, **SCALED, **DEPTH, **head}


def feature_names() -> tuple[str, ...]:
    """The columns of `network_features`."""
    return tuple(feature_meanings())


@cache
def default_encoder() -> FTScoreNet:
    """The untrained encoder: kernel maps of 7 × 7, seed 0."""
    return FTScoreNet(ENCODER, seed=0, name="encoder").requires_grad_(False)


def network_features(
    subject: Subject, encoder: FTScoreNet | None = None, *, forward: bool = True
) -> NetworkFeatures:
    """The features of a network, from one construction and one constructed forward.

    Args:
        subject: the network.
        encoder: whose input-like tensor and kernel are used, and at whose size; by default the untrained one.
        forward: False saves the forward; the columns of `FORWARD` are then 0.

    Raises:
        ScorerError: a feature is not finite.
    """
    encoder = encoder or default_encoder()
    constructed = subject.construct(encoder.batch, encoder.shape_for(subject.input_shape))
    flow = trace_flow(constructed)
    values = {
        **graph_features(flow),
        **layer_features(flow),
        **scaled_features(flow, subject.input_shape or (1,)),  # () of token ids
        **(_forward(constructed, encoder) if forward else dict.fromkeys(FORWARD, 0.0)),
    }
    _refuse_infinite(values)
    ordered = np.array([values[name] for name in feature_names()])
    return NetworkFeatures(feature_names(), ordered, fingerprint_of(constructed, subject.input_shape))


def fingerprint_of(constructed: ConstructedArchitecture, own: Shape) -> str:
    """Fingerprint of a network; one that is seen at another size than its own is told apart by its own, too."""
    if own == constructed.input_shape:
        return constructed.fingerprint
    return f"{constructed.fingerprint}-{'x'.join(map(str, own))}"


class DepthObserver(Observer):
    """Notes beside the factors what the forward shows of signal and patterns at every depth."""

    def __init__(self, v_norm: bool) -> None:
        super().__init__(v_norm=v_norm, keep_redundant=True, keep_patterns=True)
        self.signals: list[Tensor] = []
        self.cumulative: list[Tensor] = []

    def note_activation(self, value: Tensor) -> Tensor:
        """Keep the agreement up to here."""
        super().note_activation(value)
        if self.patterns is not None:
            self.cumulative.append(self.patterns)
        return value

    def unitise(self, value: Tensor) -> Tensor:
        """Keep the share of variance between images; a batch-axis norm leaves no other, so it is not measured there."""
        if not value.numel():
            return value
        shared, whole = value.detach().mean(0).std(correction=0), standard_deviation(value)
        self.signals.append((1 - (shared / (whole + EPSILON)) ** 2).clamp_min(_EPSILON).log())
        return super().unitise(value)


@torch.no_grad()
def _forward(constructed: ConstructedArchitecture, encoder: FTScoreNet) -> dict[str, float]:
    observer = DepthObserver(encoder.settings.v_norm)
    encoding = constructed(resample(encoder.input_like, constructed.input_shape), encoder.weights, observer)
    score = float(encoder.head(encoding, encoder.weights, encoder.observer()))
    return {**forward_features(encoding), **_depth_features(encoding, observer), "ft_score": score}


def _depth_features(encoding: Encoding, observer: DepthObserver) -> dict[str, float]:
    factors = _quarters(encoding.log_factors.double().tolist())
    signals = _quarters([float(signal) for signal in observer.signals])
    values: dict[str, float] = {}
    for quarter, agreement in enumerate(_agreements(observer.cumulative, len(encoding.features))):
        found = {
            "factors": _mean(factors[quarter]),
            "factors_std": float(np.std(factors[quarter] or [0.0])),
            "signal": _mean(signals[quarter]),
            "log_det": float(np.linalg.slogdet(agreement + _EPSILON * np.eye(len(agreement)))[1])
            / len(agreement),
            "agreement": float(agreement[~np.eye(len(agreement), dtype=bool)].mean())
            if len(agreement) > 1
            else 1.0,
        }
        values |= {f"forward{quarter}_{name}": found[name] for name in _PER_QUARTER}
    return values


def _agreements(cumulative: Sequence[Tensor], images: int) -> list[Floats]:
    """The share of units on which images agree, (B, B), in each quarter of the activations."""
    sums = [np.zeros((images, images)), *(each.double().numpy() for each in cumulative)]
    found = []
    for quarter in range(QUARTERS):
        start, end = (len(cumulative) * edge // QUARTERS for edge in (quarter, quarter + 1))
        counts = sums[max(end, 1 if cumulative else 0)] - sums[min(start, max(end - 1, 0))]
        units = counts[0, 0]
        found.append(counts / units if units else np.ones((images, images)))
    return found


def _quarters(values: Sequence[float]) -> list[list[float]]:
    """The values of each quarter; with fewer than four, neighbours share."""
    edges = [len(values) * edge // QUARTERS for edge in range(QUARTERS + 1)]
    return [list(values[min(start, max(end - 1, 0)) : max(end, 1)]) for start, end in pairwise(edges)]


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed) if listed else 0.0


def _refuse_infinite(values: dict[str, float]) -> None:
    wrong = [name for name, value in values.items() if not np.isfinite(value)]
    if wrong:
        raise ScorerError(
            f"the features {', '.join(wrong[:3])} are not finite: the constructed forward overflows, divides by "
            "zero, or reads memory that the network never wrote; if none is the network's own doing, please report it"
        )
