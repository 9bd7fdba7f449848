"""Counts and sizes as people write them: 25M parameters, 5G multiply-accumulates, 512M bytes."""

from __future__ import annotations

import re

from fxscore.errors import UsageError

Quantity = int | float | str  # a number, or text such as "5G"
_TEXT = re.compile(
    r"(\d+(?:\.\d*)?(?:e[+-]?\d+)?)\s*([kmgtb]?)\s*(?:i?b|macs?|flops?|params?|parameters)?", re.IGNORECASE
)
_DECIMAL = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9, "t": 10**12}
_BINARY = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


def count_of(given: Quantity) -> float:
    """`5G`, `25M`, `1.5e6`: a count, in powers of 1000; raises `UsageError`."""
    return _number(given, _DECIMAL, "count; write 25M, 5G or a number")


def bytes_of(given: Quantity) -> int:
    """`4G`, `512M`, `1.5GiB`: bytes, in powers of 1024; raises `UsageError`."""
    return int(_number(given, _BINARY, "size; write 4G or 512M"))


def percentile_text(value: float) -> str:
    """Two significant digits, the most that scores are worth: ``12``, ``6.4``, ``0.83``; ``99.6`` near 100."""
    decimals = 1 if value > 99 else 0 if value >= 9.95 else 1 if value >= 0.995 else 2
    return f"{value:.{decimals}f}"


def _number(given: Quantity, units: dict[str, int], wanted: str) -> float:
    match = _TEXT.fullmatch(given.strip()) if isinstance(given, str) else None
    number = float(match[1]) * units[match[2].lower()] if match else 0.0
    if not isinstance(given, str):
        number = float(given)
    if not 0 < number < float("inf"):
        raise UsageError(f"{given!r} is no {wanted}")
    return number
