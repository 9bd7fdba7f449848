"""A monotone scale on which values that explode can be read: ranks stay as they were.

`symlog(x) = sign(x)·ln(1 + |x|)`, the SymLog of METHOD.md section 3. It is 0 at 0, so a network without
gradient has a finite score, and nearly `ln x` for large x.
"""

from __future__ import annotations

import math


def symlog(value: float) -> float:
    """`sign(x)·ln(1 + |x|)`; infinities and NaN stay."""
    # The sum of zeros of both signs may be −0, which reads badly.
    return math.copysign(math.log1p(abs(value)), value) if value else 0.0
