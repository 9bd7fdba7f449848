"""Columns on one scale."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def standardised(values: Floats) -> Floats:
    """Mean zero and deviation one, of (n,) values or of each column of (n, columns); what is constant becomes zero."""
    return np.asarray((values - values.mean(0)) / (values.std(0) + 1e-9))
