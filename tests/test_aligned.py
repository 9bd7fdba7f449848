"""Whatever holds one value for each network is taken together, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from benchmarks.paper.parts import SOURCES, Part
from benchmarks.quality.features import FeatureTable
from fxscore.aligned import Aligned
from fxscore.evaluate import Population
from fxscore.spaces import BenchmarkTable
from fxscore.train.general.learning import Pool
from fxscore.train.general.lessons import Lesson
from fxscore.types import ModelRef

N = 5
REFS = tuple(ModelRef("timm", f"net{place}") for place in range(N))
WORDS = tuple("abcde")
NUMBERS = np.arange(float(N))
LABELS = {"cifar10.test": NUMBERS, "cifar10.valid": -NUMBERS}
VALUES = np.arange(2.0 * N).reshape(N, 2)
POPULATION = Population("some", REFS, LABELS, WORDS, "beware")
KINDS: dict[str, Callable[[], Aligned]] = {
    "table": lambda: BenchmarkTable(
        "timm", WORDS, LABELS, WORDS, NUMBERS, NUMBERS, {"zen": NUMBERS}, "beware"
    ),
    "population": lambda: POPULATION,
    "lesson": lambda: Lesson("a/b", "a", True, REFS, VALUES, NUMBERS, np.array(WORDS), WORDS),
    "pool": lambda: Pool("a", "a", VALUES, NUMBERS, REFS, LABELS, np.array(WORDS)),
    "feature table": lambda: FeatureTable(POPULATION, ("x", "y"), VALUES, np.array(WORDS)),
    "part": lambda: Part(SOURCES[0], VALUES, NUMBERS, -NUMBERS, np.arange(N), np.array(WORDS)),
}


def flat(value: Any) -> Any:
    """As plain Python, to compare."""
    if isinstance(value, Aligned):
        return {name: flat(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, np.ndarray):
        return value.tolist()
    return {key: flat(each) for key, each in value.items()} if hasattr(value, "items") else value


@pytest.mark.parametrize("kind", KINDS)
def test_some_networks_are_taken_from_every_field_in_step(kind: str) -> None:
    whole = KINDS[kind]()
    some = whole.subset([3, 0])
    assert type(some) is type(whole)
    assert (len(whole), len(some)) == (N, 2)
    for name in whole.__dataclass_fields__:
        before, after = flat(getattr(whole, name)), flat(getattr(some, name))
        if name not in whole.ALIGNED:
            assert after == before, name
        elif isinstance(before, dict):
            assert flat(some)[name] == flat(KINDS[kind]().subset(np.array([3, 0])))[name]
        else:
            assert list(after) == [before[3], before[0]], name


@dataclass(frozen=True, eq=False)
class Odd(Aligned):
    ALIGNED: ClassVar = ("names", "marks", "inner", "absent")

    names: tuple[str, ...]
    marks: dict[str, Any]
    inner: Population
    absent: None = None


def test_mappings_and_what_is_aligned_itself_are_taken_inside() -> None:
    some = Odd(WORDS, {"a": NUMBERS, "b": WORDS}, POPULATION).subset([4, 1])
    assert some.names == ("e", "b")
    assert flat(some.marks) == {"a": [4.0, 1.0], "b": ("e", "b")}
    assert some.inner.refs == (REFS[4], REFS[1])
    assert some.inner.caution == "beware"
    assert some.absent is None


def test_no_networks_and_all_networks() -> None:
    assert len(POPULATION.subset([])) == 0
    assert POPULATION.subset([]).families == ()
    assert flat(POPULATION.subset(range(N))) == flat(POPULATION)
