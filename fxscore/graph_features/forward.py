"""Features of one constructed forward: statistics of the encoding, unitisation factors, activation patterns.

    encoding = constructed(input_like, weights, Observer(keep_redundant=True, keep_patterns=True))

Patterns: K_ij is the number of activation units on which images i and j are active or inactive together, over U units
in all. With A = K / U (ones on the diagonal) the features are ln det(A + εI), ε = 1e-4, per image (NASWOT, Mellor et
al., ICML 2021, whose kernel is K), and the mean agreement of different images. Source: METHOD.md section 5.
"""

from __future__ import annotations

import numpy as np
from torch import Tensor

from fxscore.constructed import Encoding
from fxscore.graph_features.flow import Floats

EPSILON = 1e-4
_TINY = 1e-12
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
DEPTHS = (0.0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0)
_QUANTILE_NAMES = tuple(f"encoding_q{int(100 * q):02d}" for q in QUANTILES)
_DEPTH_NAMES = tuple(f"factors_d{int(1000 * d):04d}" for d in DEPTHS)
COLUMNS: dict[str, str] = {
    "encoding_mean": "mean of the encoding over images and channels",
    "encoding_log_std": "logarithm of its standard deviation",
    "encoding_skew": "its third standardised moment",
    "encoding_kurtosis": "its fourth standardised moment",
    **{name: f"its {q} quantile" for name, q in zip(_QUANTILE_NAMES, QUANTILES, strict=True)},
    "encoding_log_image_std": "mean over channels of the logarithm of the deviation over images",
    "encoding_log_channel_std": "mean over images of the logarithm of the deviation over channels",
    "encoding_similarity": "mean cosine similarity of different images' encodings, centred over images",
    "encoding_raw_similarity": "the same, not centred",
    "encoding_rank": "participation ratio of the covariance's eigenvalues, per image",
    "factors_number": "number of unitisation factors",
    "factors_mean": "mean logarithm of the unitisation factors",
    "factors_std": "its standard deviation",
    "factors_slope": "change of the logarithm over the whole depth, by least squares",
    "factors_sum": "sum of the logarithms",
    **{
        name: f"logarithm at {d} of the depth, interpolated"
        for name, d in zip(_DEPTH_NAMES, DEPTHS, strict=True)
    },
    "patterns_log_units": "logarithm of 1 + the number of activation units per image",
    "patterns_log_det": "logarithm of the determinant of agreement, per image",
    "patterns_agreement": "mean agreement of different images' patterns",
    "patterns_agreement_std": "its standard deviation",
    "patterns_log_eigen_min": "logarithm of the least eigenvalue of agreement, regularised",
    "patterns_rank": "participation ratio of its eigenvalues, per image",
}


def forward_features(encoding: Encoding) -> dict[str, float]:
    """The columns of `COLUMNS`, in their order; finite also for a network that returns zeros.

    Args:
        encoding: of a forward whose observer kept redundant factors and patterns; without them their columns are
            those of a network that has no factors and no activations.
    """
    features = _float64(encoding.features)
    patterns = encoding.taps.get("patterns")
    images = len(features)
    agreement = np.ones((images, images)) if patterns is None else _float64(patterns)
    values = {**_encoding(features), **_factors(_float64(encoding.log_factors)), **_patterns(agreement)}
    return {name: values[name] for name in COLUMNS}


def _float64(tensor: Tensor) -> Floats:
    array: Floats = tensor.detach().cpu().double().numpy()
    return array


def _encoding(features: Floats) -> dict[str, float]:
    deviation = float(features.std())
    standardised = (features - features.mean()) / (deviation + _TINY)
    centred = features - features.mean(0)
    return {
        "encoding_mean": float(features.mean()),
        "encoding_log_std": _log(deviation),
        "encoding_skew": float((standardised**3).mean()),
        "encoding_kurtosis": float((standardised**4).mean()),
        **dict(zip(_QUANTILE_NAMES, np.quantile(features, QUANTILES).tolist(), strict=True)),
        "encoding_log_image_std": float(np.log(features.std(0) + _TINY**0.5).mean()),
        "encoding_log_channel_std": float(np.log(features.std(1) + _TINY**0.5).mean()),
        "encoding_similarity": _similarity(centred),
        "encoding_raw_similarity": _similarity(features),
        "encoding_rank": _participation(centred @ centred.T),
    }


def _factors(logs: Floats) -> dict[str, float]:
    if not len(logs):
        logs = np.zeros(1)
        number = 0.0
    else:
        number = float(len(logs))
    depth = np.linspace(0.0, 1.0, len(logs)) if len(logs) > 1 else np.zeros(1)
    spread = float(((depth - depth.mean()) ** 2).sum())
    slope = float(((depth - depth.mean()) * logs).sum()) / spread if spread else 0.0
    return {
        "factors_number": number,
        "factors_mean": float(logs.mean()),
        "factors_std": float(logs.std()),
        "factors_slope": slope,
        "factors_sum": float(logs.sum()),
        **dict(zip(_DEPTH_NAMES, np.interp(DEPTHS, depth, logs).tolist(), strict=True)),
    }


def _patterns(counts: Floats) -> dict[str, float]:
    images = len(counts)
    units = float(counts[0, 0])
    agreement = counts / units if units else np.ones_like(counts)
    eigenvalues = np.linalg.eigvalsh(agreement + EPSILON * np.eye(images))
    others = agreement[~np.eye(images, dtype=bool)] if images > 1 else np.ones(1)
    return {
        "patterns_log_units": float(np.log1p(units)),
        "patterns_log_det": float(np.log(np.maximum(eigenvalues, EPSILON / 10)).mean()),
        "patterns_agreement": float(others.mean()),
        "patterns_agreement_std": float(others.std()),
        "patterns_log_eigen_min": float(np.log(max(eigenvalues[0], EPSILON / 10))),
        "patterns_rank": _participation(agreement),
    }


def _log(value: float) -> float:
    return float(np.log(value + _TINY**0.5))


def _similarity(rows: Floats) -> float:
    images = len(rows)
    if images < 2:
        return 1.0
    unit = rows / (np.linalg.norm(rows, axis=1, keepdims=True) + _TINY)
    products = unit @ unit.T
    return float((products.sum() - np.trace(products)) / (images * (images - 1)))


def _participation(gram: Floats) -> float:
    """(Σλ)² / Σλ² of a symmetric matrix, divided by its size."""
    squares = float((gram**2).sum())
    return float(np.trace(gram)) ** 2 / squares / len(gram) if squares else 0.0
