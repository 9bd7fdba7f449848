"""Small patterns of operators, and whether a node matches one.

A pattern is written as the operators are called, `div(sub(X, mean(X, AXES)), sqrt(add(VARIANCE, EPS)))`, of variables
(`Value`, `Number`, `Setting`) that are bound to what they meet, and to the same thing wherever they recur.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import fx

Found = dict[str, Any]
DEPTH = 8  # how far down two values are compared


@dataclass(frozen=True)
class Value:
    """Any value of the graph."""

    name: str


@dataclass(frozen=True)
class Number:
    """Any number."""

    name: str


@dataclass(frozen=True)
class Setting:
    """Any argument that is no value: axes, a correction."""

    name: str


@dataclass(frozen=True)
class Either:
    """One of several patterns, tried in order."""

    patterns: tuple[Any, ...]


@dataclass(frozen=True)
class Call:
    """A call of `target` with exactly these arguments; of a sum or product in either order."""

    target: Any
    args: tuple[Any, ...]
    options: dict[str, Any] = field(default_factory=dict, hash=False)


def match(pattern: Any, node: Any) -> Found | None:
    """What the variables of `pattern` stand for in `node`; None where it does not match."""
    return next(_matches(pattern, node, {}), None)


def _matches(pattern: Any, value: Any, found: Found) -> Iterator[Found]:
    if isinstance(pattern, Either):
        for each in pattern.patterns:
            yield from _matches(each, value, found)
    elif isinstance(pattern, Call):
        yield from _matches_call(pattern, value, found)
    elif isinstance(pattern, (Value, Number, Setting)):
        if _admits(pattern, value):
            if pattern.name not in found:
                yield {**found, pattern.name: value}
            elif same(found[pattern.name], value):
                yield found
    elif not isinstance(value, fx.Node) and value == pattern:
        yield found


def _matches_call(pattern: Call, value: Any, found: Found) -> Iterator[Found]:
    if not isinstance(value, fx.Node) or value.target is not pattern.target:
        return
    if len(value.args) != len(pattern.args) or value.kwargs.keys() != pattern.options.keys():
        return
    given = [value.kwargs[name] for name in pattern.options]
    wanted = list(pattern.options.values())
    yield from _matches_all([*pattern.args, *wanted], [*value.args, *given], found)
    if pattern.target in (torch.add, torch.mul):
        yield from _matches_all([*pattern.args, *wanted], [*value.args[::-1], *given], found)


def _matches_all(patterns: list[Any], values: list[Any], found: Found) -> Iterator[Found]:
    if not patterns:
        yield found
        return
    for first in _matches(patterns[0], values[0], found):
        yield from _matches_all(patterns[1:], values[1:], first)


def _admits(variable: Value | Number | Setting, value: Any) -> bool:
    if isinstance(variable, Value):
        return isinstance(value, fx.Node)
    if isinstance(variable, Number):
        return is_number(value)
    return not isinstance(value, fx.Node)


def is_number(value: Any) -> bool:
    """Whether an argument is a number of Python's."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def same(first: Any, second: Any, depth: int = DEPTH) -> bool:
    """Whether two arguments are equal: one node, or the same operators on equal arguments."""
    if not isinstance(first, fx.Node) or not isinstance(second, fx.Node):
        if isinstance(first, (tuple, list)) and isinstance(second, (tuple, list)):
            pairs = zip(first, second, strict=False)
            return len(first) == len(second) and all(same(*pair, depth) for pair in pairs)
        return bool(first == second)
    if first is second:
        return True
    if depth == 0 or first.op not in ("call_function", "call_method") or first.target != second.target:
        return False
    return same(first.args, second.args, depth - 1) and same(
        tuple(sorted(first.kwargs.items())), tuple(sorted(second.kwargs.items())), depth - 1
    )


# -- operators as patterns --------------------------------------------------------------------------------------------


def mean(value: Any, axes: Any) -> Call:
    """A mean that keeps its axes."""
    return Call(torch.mean, (value, axes, True))


def total(value: Any, axes: Any) -> Call:
    """A sum over axes, which it keeps."""
    return Call(torch.sum, (value, axes, True))


def plus(first: Any, second: Any) -> Call:
    """A sum of two."""
    return Call(torch.add, (first, second))


def times(first: Any, second: Any) -> Call:
    """A product of two."""
    return Call(torch.mul, (first, second))


def square(value: Any) -> Either:
    """A value times itself, in the ways in which it is written."""
    return Either((Call(torch.pow, (value, 2)), Call(torch.square, (value,)), times(value, value)))


def root(value: Any) -> Either:
    """A square root."""
    return Either((Call(torch.sqrt, (value,)), Call(torch.pow, (value, 0.5))))


def over(numerator: Any, denominator: Any) -> Either:
    """A quotient."""
    inverse = Call(torch.reciprocal, (denominator,))
    return Either((Call(torch.div, (numerator, denominator)), times(numerator, inverse)))


def over_root(numerator: Any, radicand: Any) -> Either:
    """A quotient by a square root."""
    inverse = Either((Call(torch.rsqrt, (radicand,)), Call(torch.pow, (radicand, -0.5))))
    return Either((over(numerator, root(radicand)), times(numerator, inverse)))
