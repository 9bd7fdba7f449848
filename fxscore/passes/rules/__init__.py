"""Rules that know an operator by the steps in which it is written, one operator a file.

They see canonical spellings (`fxscore.represent`): axes counted from the front, reductions that keep their axes, one
`reshape`, one `permute`. Source: METHOD.md section 1, design principle.
"""

from __future__ import annotations

from fxscore.passes.rules import (
    attention,
    averages,
    folded_rows,
    gated_linear_unit,
    heads,
    normalisation,
    parts,
    pixel_shuffle,
    softmax,
    unit_length,
)
from fxscore.passes.rules.registry import RULES

__all__ = [
    "RULES",
    "attention",
    "averages",
    "folded_rows",
    "gated_linear_unit",
    "heads",
    "normalisation",
    "parts",
    "pixel_shuffle",
    "softmax",
    "unit_length",
]
