"""Fields in step: tuples and arrays with one value for each network, of which some networks are taken together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

_A = TypeVar("_A", bound="Aligned")


@dataclass(frozen=True, eq=False)
class Aligned:
    """Base of frozen dataclasses about some networks.

    Attributes:
        ALIGNED: names of the fields that hold one value for each: a tuple, an array, a mapping of such, None, or
            another `Aligned`. The first is never None.
    """

    ALIGNED: ClassVar[tuple[str, ...]]

    def __len__(self) -> int:
        return len(getattr(self, self.ALIGNED[0]))

    def subset(self: _A, indices: Sequence[int] | NDArray[np.integer[Any]]) -> _A:
        """The networks at `indices`, in that order."""
        places = np.asarray(indices, dtype=np.intp)
        return replace(self, **{name: _taken(getattr(self, name), places) for name in self.ALIGNED})


def _taken(values: Any, places: NDArray[np.intp]) -> Any:
    if values is None:
        return None
    if isinstance(values, Mapping):
        return {name: _taken(each, places) for name, each in values.items()}
    if isinstance(values, np.ndarray):
        return values[places]
    if isinstance(values, Aligned):
        return values.subset(places)
    return tuple(values[place] for place in places.tolist())
