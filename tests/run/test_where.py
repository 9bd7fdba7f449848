"""Where networks are worked on: what is no number of workers, seconds or bytes is refused before anything waits."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from typing import Any, get_type_hints

import numpy as np
import pytest

import fxscore
from fxscore.errors import UsageError
from fxscore.run import Where
from fxscore.types import Place


@pytest.mark.parametrize(
    "given",
    [
        {"workers": 0},
        {"workers": -1},
        {"workers": "2"},
        {"workers": 1.5},
        {"workers": True},
        {"time_limit": -1},
        {"time_limit": "long"},
        {"time_limit": float("nan")},
        {"memory_limit": 0},
        {"memory_limit": "4G"},
        {"memory_limit": 1e9},
        {"worker_wait": -1},
        {"store": 5},
        {"cluster": 5},
    ],
)
def test_what_is_out_of_range_is_one_line_that_names_it(given: dict[str, Any]) -> None:
    (name,) = given
    with pytest.raises(UsageError, match=rf"^{name}=.* is no ") as caught:
        fxscore.rank("no_such_file.py", scorer="params", **given)
    assert "\n" not in str(caught.value)


def test_numbers_of_numpy_are_numbers() -> None:
    assert Where(workers=np.int64(2), time_limit=np.float32(3), memory_limit=np.int64(1 << 30)).workers == 2


@pytest.mark.parametrize("function", [fxscore.rank, fxscore.compare, fxscore.search, fxscore.fit])
def test_help_shows_every_keyword_of_where(function: Callable[..., Any]) -> None:
    shown = inspect.signature(function).parameters
    assert {field.name: field.default for field in fields(Where)} == {
        name: shown[name].default for name in get_type_hints(Place)
    }
    assert not [each for each in shown.values() if each.kind is inspect.Parameter.VAR_KEYWORD]


def test_a_keyword_that_there_is_not_is_named() -> None:
    with pytest.raises(TypeError, match="wokers"):
        fxscore.rank("no_such_file.py", scorer="params", wokers=2)  # type: ignore[call-arg]
