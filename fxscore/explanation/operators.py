"""Operators with weights by what became of them, and how those of two networks differ."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fxscore.constructed import ConstructedArchitecture
from fxscore.passes.represent_operators import Represented


@dataclass(frozen=True)
class OperatorSummary:
    """Operators of one kind with one form of representation.

    Attributes:
        operator: the captured operator's name.
        form: what its weights became: `synthesised`, `one`, `zero`, `head` (replaced by the scorer), …
        count: number of weights so represented.
        params: learnable numbers that they hold.
        paths: where they are.
    """

    operator: str
    form: str
    count: int
    params: int
    paths: tuple[str, ...]


@dataclass(frozen=True)
class OperatorDifference:
    """Operators of one kind in two networks.

    Attributes:
        operator: the captured operator's name.
        count, other_count: operators with weights, of the network and of the other.
        params, other_params: learnable numbers that they hold.
        macs, other_macs: multiply-accumulates of one image, those without weights too.
    """

    operator: str
    count: int
    other_count: int
    params: int
    other_params: int
    macs: int
    other_macs: int


def summaries_of(constructed: ConstructedArchitecture, sizes: dict[str, int]) -> tuple[OperatorSummary, ...]:
    """All kinds of operators with weights, most parameters first."""
    groups: dict[tuple[str, str], list[Represented]] = defaultdict(list)
    for line in constructed.coverage:
        groups[line.operator, line.form].append(line)
    summaries = []
    for (operator, form), lines in groups.items():
        parameters = {parameter for line in lines for parameter in line.parameters}
        params = sum(sizes.get(parameter, 0) for parameter in parameters)
        summaries.append(
            OperatorSummary(operator, form, len(lines), params, tuple(line.path for line in lines))
        )
    return tuple(sorted(summaries, key=lambda summary: -summary.params))


Sizes = tuple[int, int, int]  # operators, parameters, MACs


def differences(first: Mapping[str, Sizes], other: Mapping[str, Sizes]) -> tuple[OperatorDifference, ...]:
    """Those of which the networks have not the same, the greatest difference in MACs first."""
    found = []
    for name in dict.fromkeys((*first, *other)):
        own, theirs = first.get(name, (0, 0, 0)), other.get(name, (0, 0, 0))
        if own != theirs:
            pairs = (number for both in zip(own, theirs, strict=True) for number in both)
            found.append(OperatorDifference(name, *pairs))
    return tuple(sorted(found, key=lambda each: -abs(each.macs - each.other_macs)))


def sizes_by_operator(operators: Iterable[OperatorSummary], macs: Mapping[str, int]) -> dict[str, Sizes]:
    """Operators, parameters and MACs of each kind; one operator has several weights, such as a bias."""
    places: dict[str, set[str]] = defaultdict(set)
    params: dict[str, int] = defaultdict(int)
    for each in operators:
        places[each.operator].update(each.paths)
        params[each.operator] += each.params
    names = dict.fromkeys((*macs, *places))
    return {name: (len(places[name]), params[name], macs.get(name, 0)) for name in names}
