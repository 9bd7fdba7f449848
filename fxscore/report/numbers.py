"""Numbers as people read them: counts with a unit prefix, durations, scores."""

from __future__ import annotations

from fxscore.quantities import percentile_text

MISSING = "–"
_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def count(value: float | None) -> str:
    """Three significant digits and an SI prefix: 25557032 is ``25.6 M``; None is a dash."""
    if value is None:
        return MISSING
    for size, prefix in _PREFIXES:
        # 999,950 would round to "1000 k": a value belongs to a prefix once it rounds up to it.
        if abs(value) >= size * 0.9995:
            return f"{_three_digits(value / size)} {prefix}"
    return f"{value:.0f}"


def seconds(value: float) -> str:
    """A duration: ``42 ms``, ``1.25 s``, ``2 min 05 s``, ``1 h 30 min``."""
    if value < 0.9995:
        return f"{value * 1e3:.0f} ms"
    if value < 59.95:
        return f"{_three_digits(value)} s"
    whole = round(value)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = round(value / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min"


def score(value: float | None) -> str:
    """Four decimals, or scientific form where they would hide the value or fill the line."""
    if value is None:
        return MISSING
    if value == 0 or 1e-3 <= abs(value) < 1e6:
        return f"{value:.4f}"
    return f"{value:.3e}"


def percentile(value: float | None) -> str:
    """Two significant digits (`fxscore.quantities.percentile_text`); None is a dash."""
    return MISSING if value is None else percentile_text(value)


def accuracy(value: float | None) -> str:
    """One decimal of percent."""
    return MISSING if value is None else f"{value:.1f}"


def probability(value: float | None) -> str:
    """Whole percents, never 0 or 100; None is a dash."""
    return MISSING if value is None else f"{min(99, max(1, round(100 * value)))} %"


def size(value: float | None) -> str:
    """Bytes in powers of 1024: ``44.6 MiB``."""
    if value is None:
        return MISSING
    for unit, prefix in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if value >= unit * 0.9995:
            return f"{_three_digits(value / unit)} {prefix}"
    return f"{value:.0f} B"


def _three_digits(value: float) -> str:
    """Three significant digits, trailing zeros kept so that columns align; whole numbers from 100 on."""
    size = abs(value)
    decimals = 2 if size < 9.995 else 1 if size < 99.95 else 0
    return f"{value:.{decimals}f}"
