"""Who the networks of a training are, and what was measured of them: kept beside their points (`Neighbours`).

One network may stand in several tasks (one cell, trained for three data sets), and values of two tasks do not compare:
each is told with its task, and with its place among the training networks of that task.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fxscore.scorer.trees import require
from fxscore.texts import visible

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Result:
    """One measurement of one training network.

    Attributes:
        task: table and label, such as `nasbench201/cifar100.test`.
        value: an accuracy in percent, or another measure; more is better.
        percentile: of the task's other training networks, how many in a hundred were measured lower; ties count half.
    """

    task: str
    value: float
    percentile: float

    def words(self) -> str:
        """As people read it: value, task, place."""
        return f"{self.value:.4g} on {self.task}, better than {self.percentile:.0f} % there"


@dataclass(frozen=True, eq=False)
class Measured:
    """Measurements of some networks, each of one network in one task.

    Attributes:
        tasks: their names.
        networks, places: (k,) whose measurement it is, and in which of the tasks.
        values: (k,) more is better.
    """

    tasks: tuple[str, ...] = ()
    networks: Places = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    places: Places = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    values: Floats = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        """Raise `ValueError` where the parts do not fit each other."""
        count = (len(self.values),)
        require(self.arrays(), {"networks": count, "places": count, "values": count})
        if self.networks.dtype.kind != "i" or self.places.dtype.kind != "i":
            raise ValueError("networks and tasks of measurements are whole numbers")
        if not ((self.places >= 0) & (self.places < len(self.tasks)) & (self.networks >= 0)).all():
            raise ValueError("every measurement is of one of the tasks")

    @classmethod
    def of(cls, tasks: Mapping[str, tuple[Sequence[int], Sequence[float]]]) -> Measured:
        """From (networks, values) by task."""
        rows = [
            (network, place, value)
            for place, (networks, values) in enumerate(tasks.values())
            for network, value in zip(networks, values, strict=True)
        ]
        whose, places = (np.array([row[side] for row in rows], dtype=np.int64) for side in (0, 1))
        return cls(tuple(tasks), whose, places, np.array([row[2] for row in rows], dtype=float))

    def moved(self, places: Places, kept: NDArray[np.bool_]) -> Measured:
        """Those of the networks that are `kept`, (n,), which now stand at `places`, (n,)."""
        rows = kept[self.networks]
        return Measured(self.tasks, places[self.networks[rows]], self.places[rows], self.values[rows])

    def results(self, network: int) -> tuple[Result, ...]:
        """All of one network."""
        return tuple(self._result(row) for row in np.flatnonzero(self.networks == network).tolist())

    def _result(self, row: int) -> Result:
        value = float(self.values[row])
        others = np.delete(self.values, row)[np.delete(self.places, row) == self.places[row]]
        lower = ((others < value).mean() + (others <= value).mean()) / 2 if len(others) else 0.5
        return Result(self.tasks[self.places[row]], value, float(100 * lower))

    def arrays(self, prefix: str = "") -> dict[str, NDArray[Any]]:
        """All numbers by name."""
        return {f"{prefix}{name}": getattr(self, name) for name in ("networks", "places", "values")}


@dataclass(frozen=True, eq=False)
class Networks:
    """Who the networks of some rows are: `names` of each, or none at all, and what was measured of them."""

    names: tuple[str, ...] = ()
    measured: Measured = field(default_factory=Measured)

    def check(self, count: int) -> None:
        """Raise `ValueError` where they are not so many networks, or what was measured is of others."""
        if len(self.names) not in (0, count) or (self.measured.networks >= len(self.names)).any():
            raise ValueError("each network of training has a name, or none has and nothing was measured")

    def merged(self, first: NDArray[Any], place: NDArray[Any]) -> Networks:
        """Of rows that are equal, the first, and what was measured of networks of its name.

        Args:
            first: (points,) a row of each point.
            place: (rows,) the point of each row.
        """
        if not self.names:
            return Networks()
        names = tuple(self.names[row] for row in first)
        same = np.array([name == names[point] for name, point in zip(self.names, place, strict=True)])
        return Networks(names, self.measured.moved(place, same))

    def one(self, place: int) -> tuple[str, tuple[Result, ...]]:
        """(name, what was measured) of a network; ("", ()) where names are not known."""
        return (self.names[place], self.measured.results(place)) if self.names else ("", ())

    def describe(self) -> dict[str, list[str]]:
        """What `from_arrays` needs beside the arrays, JSON-ready."""
        return {"names": list(self.names), "tasks": list(self.measured.tasks)}

    @classmethod
    def from_arrays(
        cls, about: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], prefix: str
    ) -> Networks:
        """What `describe` and `Measured.arrays` were kept of; files from before networks had names have no tasks."""
        names, tasks = (tuple(map(visible, about.get(each, ()))) for each in ("names", "tasks"))
        parts = (arrays[f"{prefix}{name}"] for name in ("networks", "places", "values")) if tasks else ()
        return cls(names, Measured(tasks, *parts))
