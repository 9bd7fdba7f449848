"""`wild`: small networks of many families for small grey images, good and bad choices alike.

No public table holds ordinary small networks of many kinds that one recipe trained, so fxscore trains its own
(`benchmarks.quality.wild_training`). Generator and recipe were fixed before any score of these networks was looked at.
"""

from __future__ import annotations

from fxscore.spaces.wild.space import Wild, WildNet

__all__ = ["Wild", "WildNet"]
