"""Numbers of operators along the paths from input to output, by dynamic programming over the flow.

A path is a way from the input to the encoded value, one operand at a time; where a value is multiplied by a smaller
one (a gate), the way goes through the larger. For every group of operators the least, greatest and mean number over all
paths, their deviation, and the mean weighted by signal: each path counts by the share of variance that it brings to
every sum, with operators that are normalised or unitised at variance one. With N_v paths to operator v, c_v its own
count and p its operands,

    min_v = c_v + min_p min_p,   N_v = Σ_p N_p,   mean_v = c_v + Σ_p (N_p / N_v) · mean_p.

N is kept as a logarithm: a ResNet-152 has 2⁵⁰ paths, a DenseNet far more. Source: METHOD.md section 5; in the spirit
of GRAF (Kadlecová et al., ICML 2024), for any graph instead of a cell.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from fxscore.graph_features.flow import Floats, Flow, Operator
from fxscore.graph_features.kinds import ACTIVATIONS, NORMS, POOLS, WEIGHTED, elements, window

_POINTWISE = ("conv_pointwise", "linear")
_SPATIAL = ("conv_spatial", "conv_large", "conv_grouped", "conv_depthwise")
GROUPS: dict[str, tuple[str, ...]] = {
    "weighted": (*WEIGHTED, "recurrent"),
    "pointwise": _POINTWISE,
    "spatial": _SPATIAL,
    "large": ("conv_large",),
    "separable": ("conv_grouped", "conv_depthwise"),
    "attention": ("attention",),
    "pool": POOLS,
    "pointwise_or_pool": (*_POINTWISE, *POOLS),
    "spatial_or_pool": (*_SPATIAL, *POOLS),
    "weighted_or_pool": (*WEIGHTED, "recurrent", *POOLS),
    "norm": NORMS,
    "activation": ACTIVATIONS,
    "sum": ("sum",),
}
_EXTRA = {
    "strided": "convolutions and pools with a stride",
    "skip": "shortcuts: terms of sums that have other uses too",
    "reach": "positions of the input, by which windows widen the receptive field",
}
_STATISTICS = {
    "min": "least number on a path",
    "max": "greatest number on a path",
    "mean": "mean number over all paths",
    "std": "standard deviation over all paths",
    "signal": "mean number over paths weighted by signal",
}
_MEANING = {
    **{group: f"operators of {', '.join(kinds)}" for group, kinds in GROUPS.items()},
    **_EXTRA,
}
COLUMNS: dict[str, str] = {
    "path_log_number": "natural logarithm of the number of paths from input to output",
    **{
        f"path_{statistic}_{group}": f"{how}: {what}"
        for group, what in _MEANING.items()
        for statistic, how in _STATISTICS.items()
    },
}
_RESET = {*WEIGHTED, *NORMS}


@dataclass
class _State:
    """What is known of the paths to one operator; arrays have one entry per group."""

    log_number: float
    signal: float
    least: Floats
    most: Floats
    mean: Floats
    variance: Floats
    signal_mean: Floats


def path_features(flow: Flow) -> dict[str, float]:
    """The columns of `COLUMNS`; zeros for an empty flow."""
    if not flow.operators:
        return dict.fromkeys(COLUMNS, 0.0)
    uses = Counter(source for operator in flow.operators for source in set(operator.sources))
    side = _side(flow)
    states: list[_State] = []
    for operator in flow.operators:
        states.append(_step(operator, _own_counts(operator, flow, side), states, uses))
    return _columns(states[flow.output])


def _step(operator: Operator, own: Floats, states: list[_State], uses: Counter[int]) -> _State:
    if not operator.sources:
        zero = np.zeros(len(_MEANING))
        return _State(0.0, 1.0, zero, zero, zero, zero, zero)
    places = _carriers(operator, states)
    before = [states[place] for place in places]
    if len(before) == 1:
        return _extend(before[0], own, operator.kind)
    edges = own + _shortcuts(operator, places, uses)
    return _join(operator, before, edges)


def _carriers(operator: Operator, states: list[_State]) -> tuple[int, ...]:
    """The operands that a path may come from."""
    if operator.kind != "multiply":
        return operator.sources
    sizes = [elements(source, 1) for source in operator.node.all_input_nodes]
    whole = elements(operator.node, 1)
    if all(size == whole for size in sizes) or len(sizes) != len(operator.sources):
        return operator.sources
    carriers = tuple(place for place, size in zip(operator.sources, sizes, strict=True) if size == whole)
    return carriers or operator.sources


def _extend(before: _State, own: Floats, kind: str) -> _State:
    signal = 1.0 if kind in _RESET else before.signal
    return _State(
        before.log_number, signal, before.least + own, before.most + own, before.mean + own, before.variance,
        before.signal_mean + own,
    )  # fmt: skip


def _join(operator: Operator, before: list[_State], edges: Floats) -> _State:
    """Operands meet; `edges` (operands, groups) holds what each adds, the operator's own counts included."""
    logs = np.array([state.log_number for state in before])
    shares = np.exp(logs - logs.max())
    log_number = float(logs.max() + np.log(shares.sum()))
    shares /= shares.sum()
    signals = np.array([state.signal for state in before])
    means = np.stack([state.mean for state in before]) + edges
    mean = shares @ means
    variances = np.stack([state.variance for state in before])
    total = float(signals.sum()) if operator.kind == "sum" else float(signals.mean())
    return _State(
        log_number,
        1.0 if operator.kind in _RESET else total,
        (np.stack([state.least for state in before]) + edges).min(0),
        (np.stack([state.most for state in before]) + edges).max(0),
        mean,
        shares @ (variances + (means - mean) ** 2),
        (signals / signals.sum()) @ (np.stack([state.signal_mean for state in before]) + edges),
    )


_NAMES = list(_MEANING)
_MEMBERS = {
    kind: np.array([float(kind in GROUPS.get(name, ())) for name in _NAMES])
    for kind in {kind for kinds in GROUPS.values() for kind in kinds}
}
_NOTHING = np.zeros(len(_NAMES))
_STRIDED, _SKIP, _REACH = (_NAMES.index(name) for name in _EXTRA)


def _own_counts(operator: Operator, flow: Flow, side: float) -> Floats:
    counts: Floats = _MEMBERS.get(operator.kind, _NOTHING)
    span, stride = window(operator.node)
    if span == 1 and stride == 1:
        return counts
    counts = counts.copy()
    counts[_STRIDED] = float(stride > 1)
    counts[_REACH] = (span - 1) * _spacing(operator, flow, side)
    return counts


def _spacing(operator: Operator, flow: Flow, side: float) -> float:
    """Positions of the input between neighbouring positions of the operator's operand, along the last axis."""
    value = flow.operators[operator.sources[0]].node.meta.get("val")
    if isinstance(value, (list, tuple)):  # the parts of a split, which are alike
        value = value[0]
    return side / max(int(value.shape[-1]), 1) if value is not None and value.dim() > 2 else 1.0


def _side(flow: Flow) -> float:
    return float(flow.input_shape[-1])


def _shortcuts(operator: Operator, places: tuple[int, ...], uses: Counter[int]) -> Floats:
    marks = np.zeros((len(places), len(_NAMES)))
    if operator.kind == "sum":
        marks[:, _SKIP] = [float(uses[place] > 1) for place in places]
    return marks


def _columns(state: _State) -> dict[str, float]:
    statistics = np.stack(
        [state.least, state.most, state.mean, np.sqrt(np.maximum(state.variance, 0.0)), state.signal_mean], 1
    )
    values = [state.log_number, *statistics.reshape(-1).tolist()]
    return dict(zip(COLUMNS, values, strict=True))
