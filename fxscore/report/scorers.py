"""The shipped scorers, from the training records in their files: a card for each, and long lists on demand.

A training record is free-form JSON; of these entries the cards are made: ``trained_on`` (a sentence: tables, labels,
number of networks), ``scale`` (what its scores mean), ``caution`` (when not to trust it), ``calibration`` (how far its
probabilities came true, `fxscore.evaluate.calibration`), and ``measured``, a list of objects with ``on`` (a sentence:
which networks, which label), ``n`` and ``spearman``, perhaps ``interval`` and ``kendall``, and what plain sizes reach
on the same networks: ``sizes`` by name, or ``params_spearman`` and ``macs_spearman``. Objects with a ``task`` stand in
one line with the others of its table. Of all sizes the one that is best on the mean is shown: one fixed rule, as the
scorer is one. Step by step histories and lists of networks are left to the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from fxscore.report import numbers
from fxscore.report.narrowing import NarrowingTable

if TYPE_CHECKING:
    from fxscore.scorer import ScorerInfo


_LONG = ("history", "seen", "pairs", "measured", "calibration", "trained_on", "scale", "caution")
_WIDEST = 100  # of a card: longer lines are hard to read
_SIZES = {"params_spearman": "params", "macs_spearman": "MACs"}


def print_scorers(
    console: Console, scorers: Sequence[ScorerInfo], *, default: str, proxies: Sequence[str] = ()
) -> None:
    """Print a card for each scorer, then the names of the handcrafted ones."""
    for info in scorers:
        print_card(console, info, f"{info.name} (default)" if info.name == default else info.name)
        console.print()
    if proxies:
        _print(console, Text("Handcrafted, not trained: " + ", ".join(proxies)))


def print_card(console: Console, info: ScorerInfo, title: str) -> None:
    """Print on what a scorer was trained, on what it was judged, and when not to trust it."""
    record = info.record
    console.print(Text(title, style="bold"))
    lines = Table.grid(padding=(0, 2))
    lines.add_column(no_wrap=True)
    lines.add_column(overflow="fold")
    said = {
        "trained on": record.get("trained_on"),
        "its scores": record.get("scale"),
        "probabilities": _calibration(record.get("calibration")),
        "do not trust": record.get("caution"),
    }
    for name, text in said.items():
        if text:
            lines.add_row(Text(f"  {name}"), Text(str(text)))
    _print(console, lines)
    if measured := record.get("measured"):
        _print(console, judged_table(measured))


def judged_table(measured: Sequence[Mapping[str, Any]]) -> NarrowingTable:
    """One row for each table that the scorer was judged on, and the mean over all tasks."""
    best = best_size(measured)
    table = NarrowingTable("judged on, unseen")
    table.add_column("judged on, unseen", overflow="fold")
    beside = (f"ρ of\n{best}",) if best else ()  # in two lines: the names need the width
    for name in ("tasks", "n", "ρ", *beside):
        table.add_column(name, justify="right", no_wrap=True)
    for name, entries in _by_table(measured).items():
        table.add_row(*map(Text, (name, *_judged(entries, best))))
    if len(measured) > 1:
        tasks, _, *figures = _judged(measured, best)
        table.add_row(*map(Text, ("mean over tasks", tasks, "", *figures)))
    return table


def best_size(measured: Iterable[Mapping[str, Any]]) -> str | None:
    """The plain size that ranks best on the mean over all tasks; None where no size was measured on all."""
    known = [sizes_of(entry) for entry in measured]
    shared = [name for name in (known[0] if known else ()) if all(name in sizes for sizes in known)]
    return max(shared, key=lambda name: sum(sizes[name] for sizes in known), default=None)


def sizes_of(entry: Mapping[str, Any]) -> dict[str, float]:
    """What plain sizes reach, by name."""
    found = entry.get("sizes") or {name: entry.get(key) for key, name in _SIZES.items()}
    return {name: float(value) for name, value in found.items() if value is not None}


def _by_table(measured: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for entry in measured:
        name = str(entry.get("on", numbers.MISSING))
        if "task" in entry:
            folds = " (folds of families)" if "families" in str(entry.get("left_out", "")) else ""
            name = f"{str(entry['task']).partition('/')[0]}{folds}"
        found.setdefault(name, []).append(entry)
    return found


def _judged(entries: Sequence[Mapping[str, Any]], size: str | None) -> list[str]:
    """Tasks, networks, mean ρ, and that of the size."""
    counts = sorted({int(entry["n"]) for entry in entries if entry.get("n") is not None})
    shown = " to ".join(map(str, dict.fromkeys((counts[0], counts[-1])))) if counts else numbers.MISSING
    figures = [[entry.get("spearman") for entry in entries]]
    figures += [[sizes_of(entry).get(size) for entry in entries]] if size else []
    return [str(len(entries)), shown, *map(_mean, figures)]


def _mean(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{sum(known) / len(known):.2f}" if known else numbers.MISSING


def _calibration(found: Mapping[str, Any] | None) -> str:
    """How far the probabilities of the file are from what came true."""
    if not found:
        return ""
    pairs = sum(each["pairs"] for each in found["bins"])
    return (
        f"of pairs, {100 * found['error']:.1f} points from what came true on the mean ({numbers.count(pairs)} pairs of "
        f"{len(found['origins'])} origins, each by the others)"
    )


def print_record(console: Console, info: ScorerInfo, title: str) -> None:
    """Print a scorer's card, every task that it was judged on, and how it was made."""
    print_card(console, info, title)
    if measured := info.record.get("measured"):
        console.print(task_table(measured))
    record = {name: value for name, value in info.record.items() if name not in _LONG}
    encoder = info.settings.get("encoder", {} if "head" in info.settings else info.settings)
    _print_tree(console, {"kind": info.kind, "encoder": encoder, **record}, indent=2)


def task_table(measured: Sequence[Mapping[str, Any]]) -> NarrowingTable:
    """One row for each task, with intervals."""
    table = NarrowingTable("judged on")
    table.add_column("judged on", overflow="fold")
    names = list(dict.fromkeys(name for entry in measured for name in sizes_of(entry)))
    for name in ("n", "ρ", "95 % interval", "τ", *(f"ρ of {name}" for name in names)):
        table.add_column(name, justify="right", no_wrap=True)
    for entry in measured:
        on, count = str(entry.get("on", numbers.MISSING)), str(entry.get("n", numbers.MISSING))
        rho, tau = (_three(entry.get(name)) for name in ("spearman", "kendall"))
        sizes = [_three(sizes_of(entry).get(name)) for name in names]
        table.add_row(*map(Text, (on, count, rho, _interval(entry.get("interval")), tau, *sizes)))
    return table


def feature_table(info: ScorerInfo) -> NarrowingTable | None:
    """Every feature that a scorer reads, with its group and meaning; None for one that reads none."""
    rows = features_of(info)
    if not rows:
        return None
    table = NarrowingTable("feature")
    for name in ("feature", "group", "meaning"):
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row.values()))
    return table


def features_of(info: ScorerInfo) -> list[dict[str, str]]:
    """Feature, group and meaning of all that a scorer reads."""
    from fxscore.scorer.contributions import group_of
    from fxscore.scorer.features import feature_meanings

    head = info.settings.get("head") or {}
    read = {*head.get("columns", ()), *head.get("prior_columns", ())}
    return [
        {"feature": name, "group": group_of(name), "meaning": meaning}
        for name, meaning in feature_meanings().items()
        if name in read
    ]


def _print(console: Console, shown: RenderableType) -> None:
    console.print(shown, width=min(console.width, _WIDEST))


def _three(value: float | None) -> str:
    return numbers.MISSING if value is None else f"{value:.3f}"


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
