"""The shipped scorers, from the training records in their files.

A training record is free-form JSON; these entries are shown in the table:
``trained_on`` (a sentence: tables, labels, number of networks) and ``measured``, a list of objects with ``on`` (a
sentence: which networks, which label), ``n``, ``spearman`` and its ``interval``, ``kendall``, and ``params_spearman``
and ``macs_spearman``, what the plain sizes reach on the same networks. Below it stand each scorer's ``scale``: what its
scores mean, and ``caution``: when not to trust it. Step by step histories and lists of networks are left to the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from fxscore.report import numbers
from fxscore.report.narrowing import NarrowingTable

if TYPE_CHECKING:
    from fxscore.scorer import ScorerInfo


_LONG = ("history", "seen")


def print_scorers(
    console: Console, scorers: Sequence[ScorerInfo], *, default: str, proxies: Sequence[str] = ()
) -> None:
    """Print one row for each measurement of each scorer, then the names of the handcrafted ones."""
    table = NarrowingTable("scorer")
    table.add_column("scorer", no_wrap=True)
    table.add_column("trained on", overflow="fold")
    table.add_column("measured on", overflow="fold")
    for name in ("n", "ρ", "95 % interval", "τ", "params ρ", "MACs ρ"):
        table.add_column(name, justify="right", no_wrap=True)
    for info in scorers:
        name = f"{info.name} (default)" if info.name == default else info.name
        for first, measured in _first(info.record.get("measured") or [{}]):
            own = (name, str(info.record.get("trained_on", numbers.MISSING))) if first else ("", "")
            table.add_row(*map(Text, (*own, *_measurement(measured))))
    console.print(table)
    for info in scorers:
        for name, begin in (("scale", "Its scores: "), ("caution", "")):
            if text := info.record.get(name):
                console.print(Text(f"{info.name}: {begin}{text}"), soft_wrap=True)
    if proxies:
        console.print(Text("Handcrafted, not trained: " + ", ".join(proxies)))


def print_record(console: Console, info: ScorerInfo) -> None:
    """Print what a scorer's file says about it."""
    console.print(Text(info.name, style="bold"))
    record = {name: value for name, value in info.record.items() if name not in _LONG}
    _print_tree(console, {"kind": info.kind, "settings": info.settings, **record}, indent=2)


def _first(items: Sequence[Mapping[str, Any]]) -> list[tuple[bool, Mapping[str, Any]]]:
    return [(position == 0, item) for position, item in enumerate(items)]


def _measurement(measured: Mapping[str, Any]) -> tuple[str, ...]:
    values = (measured.get(name) for name in ("spearman", "kendall", "params_spearman", "macs_spearman"))
    rho, *others = (numbers.MISSING if value is None else f"{value:.3f}" for value in values)
    on, count = str(measured.get("on", numbers.MISSING)), str(measured.get("n", numbers.MISSING))
    return on, count, rho, _interval(measured.get("interval")), *others


def _interval(ends: Sequence[float | None] | None) -> str:
    if not ends or None in ends:
        return numbers.MISSING
    return " to ".join(f"{end:.3f}" for end in ends)


def _print_tree(console: Console, value: Any, indent: int) -> None:
    entries = value.items() if isinstance(value, Mapping) else ((f"{i + 1}.", v) for i, v in enumerate(value))
    for name, entry in entries:
        if _is_branch(entry):
            console.print(Text(f"{'':{indent}}{name}"))
            _print_tree(console, entry, indent + 2)
        else:
            console.print(Text(f"{'':{indent}}{name}: {_leaf(entry)}"), soft_wrap=True)


def _is_branch(value: Any) -> bool:
    if isinstance(value, Mapping):
        return bool(value)
    return isinstance(value, (list, tuple)) and any(isinstance(item, (Mapping, list)) for item in value)


def _leaf(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
