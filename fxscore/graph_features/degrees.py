"""Fan-in and fan-out: what meets at sums, and what values are used for.

Norms and activations are looked through here, so that ReLU-conv-BN is one edge of the kind of its convolution.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from fxscore.graph_features.flow import Flow
from fxscore.graph_features.kinds import ACTIVATIONS, NORMS, POOLS, WEIGHTED

_CLASSES: dict[str, tuple[str, ...]] = {
    "pointwise": ("conv_pointwise", "linear"),
    "spatial": ("conv_spatial", "conv_large", "conv_grouped", "conv_depthwise"),
    "pool": POOLS,
    "shortcut": (),
}
COLUMNS: dict[str, str] = {
    "fan_in_mean": "mean number of terms of sums and concatenations",
    "fan_in_max": "greatest number of terms",
    "fan_in_std": "standard deviation of the number of terms",
    **{f"fan_in_{name}": f"mean number of terms that come from: {name}" for name in _CLASSES},
    **{
        f"fan_in_any_{name}": f"share of sums and concatenations with a term from: {name}"
        for name in _CLASSES
    },
    "fan_out_mean": "mean number of uses of values that are used",
    "fan_out_max": "greatest number of uses",
    "fan_out_shared": "share of values that are used more than once",
    **{f"fan_out_{name}": f"mean number of uses of shared values by: {name}" for name in _CLASSES},
    "depth": "operators on the longest path, norms and activations included",
    "breadth": "greatest number of operators at one distance from the input",
}
_PASSIVE = {*NORMS, *ACTIVATIONS}
_CLASS_OF = {kind: name for name, kinds in _CLASSES.items() for kind in kinds}
_OPERATOR = {*WEIGHTED, *POOLS}


@dataclass(frozen=True)
class _Edges:
    """Edges (source, target) of the flow without passive operators, and how often each value is used."""

    pairs: list[tuple[int, int]]
    uses: Counter[int]


def degree_features(flow: Flow) -> dict[str, float]:
    """The columns of `COLUMNS`; zeros for an empty flow."""
    if not flow.operators:
        return dict.fromkeys(COLUMNS, 0.0)
    edges = _edges(flow)
    values = {**_fan_in(flow, edges), **_fan_out(flow, edges), **_layout(flow)}
    return {name: values[name] for name in COLUMNS}


def _edges(flow: Flow) -> _Edges:
    behind: list[int] = []
    for place, operator in enumerate(flow.operators):
        behind.append(behind[operator.sources[0]] if operator.kind in _PASSIVE else place)
    pairs = [
        (behind[source], place)
        for place, operator in enumerate(flow.operators)
        if operator.kind not in _PASSIVE
        for source in operator.sources
    ]
    return _Edges(pairs, Counter(source for source, _ in pairs))


def _fan_in(flow: Flow, edges: _Edges) -> dict[str, float]:
    terms: dict[int, list[str]] = {
        place: [] for place, operator in enumerate(flow.operators) if operator.kind in ("sum", "cat")
    }
    for source, target in edges.pairs:
        if target in terms:
            terms[target].append(_class_of_term(flow, edges, source))
    numbers = np.array([float(len(names)) for names in terms.values()] or [0.0])
    counts = {name: [names.count(name) for names in terms.values()] or [0] for name in _CLASSES}
    return {
        "fan_in_mean": float(numbers.mean()),
        "fan_in_max": float(numbers.max()),
        "fan_in_std": float(numbers.std()),
        **{f"fan_in_{name}": float(np.mean(counts[name])) for name in _CLASSES},
        **{f"fan_in_any_{name}": float(np.mean(np.array(counts[name]) > 0)) for name in _CLASSES},
    }


def _class_of_term(flow: Flow, edges: _Edges, source: int) -> str:
    kind = flow.operators[source].kind
    if edges.uses[source] > 1 or kind in ("sum", "input"):
        return "shortcut"
    return _CLASS_OF.get(kind, "other")


def _fan_out(flow: Flow, edges: _Edges) -> dict[str, float]:
    shared = {source for source, number in edges.uses.items() if number > 1}
    numbers = list(edges.uses.values()) or [0]
    by_class: Counter[str] = Counter()
    for source, target in edges.pairs:
        if source in shared:
            kind = flow.operators[target].kind
            by_class["shortcut" if kind in ("sum", "cat") else _CLASS_OF.get(kind, "other")] += 1
    return {
        "fan_out_mean": float(np.mean(numbers)),
        "fan_out_max": float(max(numbers)),
        "fan_out_shared": len(shared) / max(len(edges.uses), 1),
        **{f"fan_out_{name}": by_class[name] / max(len(shared), 1) for name in _CLASSES},
    }


def _layout(flow: Flow) -> dict[str, float]:
    distances: list[int] = []
    for operator in flow.operators:
        distances.append(1 + max((distances[source] for source in operator.sources), default=-1))
    return {"depth": float(distances[flow.output]), "breadth": float(max(Counter(distances).values()))}
