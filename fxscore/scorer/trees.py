"""Regression trees as plain arrays: read from a file and evaluated without the library that grew them.

A tree is a range of nodes; a node sends a row left where `row[feature] <= threshold`, in single precision, until a leaf
(feature −1) gives its value. The prediction is an offset plus the sum of the leaves' values, into which the number of
trees of a forest or the learning rate of a boosting is multiplied beforehand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LEAF = -1
_ROWS = 512  # evaluated at once, so that memory stays small


@dataclass(frozen=True, eq=False)
class Trees:
    """Trees that are summed.

    Attributes:
        feature: (nodes,) column that a node looks at, or `LEAF`.
        threshold: (nodes,) in single precision.
        left, right: (nodes,) the next node; a leaf's own.
        value: (nodes,) what a leaf adds.
        roots: (trees,) first node of each tree.
        offset: (1,) what is added to the sum.
    """

    feature: NDArray[np.int16]
    threshold: NDArray[np.float32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: NDArray[np.float32]
    roots: NDArray[np.int32]
    offset: NDArray[np.float64]

    def predict(self, rows: Floats) -> Floats:
        """(n,) predictions for rows (n, columns)."""
        parts = [self._predict(rows[start : start + _ROWS]) for start in range(0, len(rows), _ROWS)]
        return np.concatenate(parts) if parts else np.zeros(0)

    def _predict(self, rows: Floats) -> Floats:
        single = rows.astype(np.float32)
        place = np.arange(len(rows))[:, None]
        node = np.broadcast_to(self.roots, (len(rows), len(self.roots)))
        feature = self.feature[node]
        while (feature != LEAF).any():
            smaller = single[place, feature] <= self.threshold[node]
            node = np.where(smaller, self.left[node], self.right[node])
            feature = self.feature[node]
        return np.asarray(self.value[node].sum(1, dtype=np.float64) + self.offset[0])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Trees:
        """Trees from what `arrays` gave; raises `ValueError` where sizes differ or a node leads nowhere."""
        trees = cls(**arrays)
        nodes = len(trees.feature)
        require(arrays, dict.fromkeys(("feature", "threshold", "left", "right", "value"), (nodes,)))
        require(arrays, {"roots": (len(trees.roots),), "offset": (1,)})
        for links in (trees.left, trees.right, trees.roots):
            if links.dtype.kind != "i":
                raise ValueError("a tree's nodes are not whole numbers")
            if len(links) and not (links.min() >= 0 and links.max() < nodes):
                raise ValueError("a tree's node leads to a node that is not there")
        inner = trees.feature != LEAF
        own = np.arange(nodes)
        if ((trees.left <= own) & inner).any() or ((trees.right <= own) & inner).any():
            raise ValueError("a tree's node leads back")
        return trees

    def check(self, columns: int) -> None:
        """Raise `ValueError` where a node looks at a column that rows of so many columns do not have."""
        if self.feature.dtype.kind != "i" or (
            len(self.feature) and not LEAF <= self.feature.min() <= self.feature.max() < columns
        ):
            raise ValueError("a tree looks at a feature that is not there")

    @classmethod
    def of_sklearn(cls, estimators: Sequence[Any], scale: float, offset: float) -> Trees:
        """The sum of fitted scikit-learn trees.

        Args:
            estimators: `DecisionTreeRegressor`s or their like.
            scale: every value is multiplied by this.
            offset: added to the sum.
        """
        trees = [estimator.tree_ for estimator in estimators]
        starts = np.cumsum([0, *(tree.node_count for tree in trees)])
        own = [start + np.arange(tree.node_count) for start, tree in zip(starts, trees, strict=False)]
        leaves = [tree.children_left < 0 for tree in trees]
        return cls(
            _joined(
                [np.where(leaf, LEAF, t.feature) for t, leaf in zip(trees, leaves, strict=True)], np.int16
            ),
            _rounded_down(np.concatenate([tree.threshold for tree in trees])),
            _links([tree.children_left for tree in trees], leaves, own),
            _links([tree.children_right for tree in trees], leaves, own),
            _joined([scale * tree.value[:, 0, 0] for tree in trees], np.float32),
            starts[:-1].astype(np.int32),
            np.array([offset]),
        )


def require(arrays: Mapping[str, NDArray[Any]], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise `ValueError` at the first array of another shape."""
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise ValueError(f"{name} has the shape {arrays[name].shape}, where {shape} is wanted")


def _joined(parts: Sequence[NDArray[Any]], kind: type[np.generic]) -> NDArray[Any]:
    return np.concatenate(parts).astype(kind)


def _links(
    children: Sequence[NDArray[Any]], leaves: Sequence[NDArray[Any]], own: Sequence[NDArray[Any]]
) -> NDArray[np.int32]:
    """Children counted from the first node of the first tree; leaves lead to themselves."""
    parts = [
        np.where(leaf, place, child + place[0])
        for child, leaf, place in zip(children, leaves, own, strict=True)
    ]
    return _joined(parts, np.int32)


def _rounded_down(thresholds: Floats) -> NDArray[np.float32]:
    """Single precision without changing any decision on rows in single precision."""
    single = thresholds.astype(np.float32)
    return np.where(single > thresholds, np.nextafter(single, np.float32(-np.inf)), single)
