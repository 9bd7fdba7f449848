"""Equal parts in a row become one part with copies, where drawing one of them loses nothing.

They must hold equal operators of equal sizes; each takes the result of the one before it, beside what all take alike
(a mask, positions); and nothing outside sees what is between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from torch import fx

from fxscore.costs.shapes import first_shape
from fxscore.report.drawing.parts import Nodes, Part

_LONGEST = 4  # parts in one unit that is repeated, such as convolution and pool


def folded(part: Part, drawn: frozenset[fx.Node]) -> Part:
    """The part with the repeats in it, and in what it consists of, drawn once."""
    children = with_repeats([folded(child, drawn) for child in part.children], drawn)
    if len(children) == 1 and part.path:
        (only,) = children
        return replace(only, path=part.path if not only.copies else only.path or part.path)
    return replace(part, children=tuple(children))


def with_repeats(parts: Sequence[Part], drawn: frozenset[fx.Node]) -> list[Part]:
    """These parts, in which every run of equal ones is a single one with copies."""
    found: list[Part] = []
    place = 0
    while place < len(parts):
        period, times = _best_run(parts[place:], drawn)
        found.append(_once(parts[place : place + period * times], period) if times > 1 else parts[place])
        place += period * times
    return found


def _best_run(parts: Sequence[Part], drawn: frozenset[fx.Node]) -> tuple[int, int]:
    """(length of the unit, how often it stands here) of what saves the most; (1, 1) where nothing does."""
    runs = [(period, _times(parts, period, drawn)) for period in range(1, _LONGEST + 1)]
    return max(
        ((p, n) for p, n in runs if n > 1), key=lambda run: (run[0] * (run[1] - 1), -run[0]), default=(1, 1)
    )


def _times(parts: Sequence[Part], period: int, drawn: frozenset[fx.Node]) -> int:
    """How often the first `period` parts stand here one after the other."""
    units = [_nodes(parts[start : start + period]) for start in range(0, len(parts) - period + 1, period)]
    if len(units) < 2:
        return 1
    first, times = _looks(units[0], drawn), 1
    while times < len(units) and _looks(units[times], drawn) == first:
        times += 1
    while times > 1 and not _is_chain(units[:times], drawn):
        times -= 1
    return times


def _nodes(parts: Sequence[Part]) -> Nodes:
    return tuple(node for part in parts for node in part.every_node)


def _looks(nodes: Nodes, drawn: frozenset[fx.Node]) -> list[Any]:
    """Operators, sizes and connections within; equal for equal units."""
    places = {node: place for place, node in enumerate(nodes)}

    def seen(node: fx.Node) -> Any:
        return places.get(node, "outside" if node in drawn else ("constant", tuple(first_shape(node))))

    return [
        (node.target, first_shape(node), repr(fx.node.map_arg((node.args, node.kwargs), seen)))
        for node in nodes
    ]


def _is_chain(units: Sequence[Nodes], drawn: frozenset[fx.Node]) -> bool:
    """Whether each unit takes the result of the one before it, and nothing else sees that."""
    for before, after in pairwise(units):
        inside = {*before, *after}
        if any(user not in inside for node in before for user in node.users):
            return False
    return _carries(units, drawn)


def _carries(units: Sequence[Nodes], drawn: frozenset[fx.Node]) -> bool:
    """Whether what a unit does not share with all others comes from the same place in the unit before it."""
    places = [{node: place for place, node in enumerate(unit)} for unit in units]
    first_takes: dict[int, fx.Node] = {}
    for slot in zip(*(_sources(unit, drawn) for unit in units), strict=True):
        if len(set(slot)) == 1:
            continue
        carried = {places[i].get(source) for i, source in enumerate(slot[1:])}
        place = next(iter(carried))
        if len(carried) > 1 or place is None or first_takes.setdefault(place, slot[0]) is not slot[0]:
            return False
    return bool(first_takes)


def _sources(unit: Nodes, drawn: frozenset[fx.Node]) -> list[fx.Node]:
    """What a unit takes from outside, in the order in which it does."""
    inside = set(unit)
    return [
        source for node in unit for source in node.all_input_nodes if source not in inside and source in drawn
    ]


def _once(parts: Sequence[Part], period: int) -> Part:
    """The first `period` parts, with the others as their copies."""
    units = [_nodes(parts[start : start + period]) for start in range(0, len(parts), period)]
    last = parts[-1]
    if period == 1 and not parts[0].copies:
        first = parts[0]
        path = f"{first.path} … {last.path}" if first.path and first.path != last.path else first.path
        return replace(first, path=path, copies=tuple(units[1:]))
    return Part("", "", units[0], tuple(parts[:period]), tuple(units[1:]))
