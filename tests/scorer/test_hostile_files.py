"""Scorer files whose seal is right and whose contents are not: refused in one line, or they give finite scores."""

from __future__ import annotations

import os
import random
import stat
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from fxscore.errors import CheckpointError, FxScoreError
from fxscore.scorer import FTScoreNet, Hybrid, Settings, load_scorer
from fxscore.scorer.card import card_of
from fxscore.scorer.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from fxscore.scorer.ensemble import Ensemble
from fxscore.scorer.hybrid_learners import HeadLearning
from fxscore.scorer.percentiles import Percentiles
from fxscore.scorer.subject import Subject

SMALL = Settings(batch=3, input_shape=(3, 4, 4), n_in=2, n_out=2, kernel_size=2)
LEARNING = HeadLearning((("forest", 1.0), ("boosting", 1.0), ("radial", 1.0), ("linear", 1.0)), trees=3)
VALUES: list[Any] = [None, True, -1, 0, 10**30, 0.5, float("nan"), "", "x", [], [[]], {}, {"a": 1}]
_WHOLE = (torch.int16, torch.int32)
CHANGES: dict[str, Callable[[Tensor], Tensor]] = {
    "one row less": lambda tensor: tensor[:-1],
    "one row more": lambda tensor: torch.cat([tensor, tensor[-1:]]),
    "empty": lambda tensor: tensor[:0],
    "one more axis": lambda tensor: tensor[None],
    "flat": lambda tensor: tensor.reshape(-1),
    "a scalar": lambda tensor: tensor.reshape(-1)[0],
    "whole numbers": lambda tensor: tensor.int(),
    "half precision": lambda tensor: tensor.half(),
    "double precision": lambda tensor: tensor.double(),
    "not a number": lambda tensor: tensor.float() * float("nan"),
    "infinite": lambda tensor: tensor.float() + float("inf"),
    "huge": lambda tensor: torch.full_like(
        tensor, 30_000 if tensor.dtype in _WHOLE else torch.finfo(tensor.dtype).max
    ),
    "zero": torch.zeros_like,
    "negative": lambda tensor: -tensor.abs() - 1,
}


WELL = ["scored", "refused"]


def network(width: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * width, 2))


def subject() -> Subject:
    return Subject(network(5), (3, 4, 4))


def hybrid() -> Hybrid:
    first = Hybrid(FTScoreNet(SMALL), name="first")
    networks, labels = [network(width) for width in range(2, 12)], [float(width % 7) for width in range(10)]
    return first.fit(networks, labels, input_shape=(3, 4, 4), learning=LEARNING).fit(
        networks, labels[::-1], input_shape=(3, 4, 4), learning=LEARNING
    )


def scorenet() -> FTScoreNet:
    scorer = FTScoreNet(SMALL, seed=3, name="net")
    scorer.scale = Percentiles.of(np.arange(9.0))
    return scorer


def ensemble() -> Ensemble:
    numbers = torch.zeros(2), torch.ones(2), torch.ones(2)
    return Ensemble([hybrid(), FTScoreNet(SMALL, seed=1)], *numbers)


@pytest.fixture(scope="module", params=[hybrid, scorenet, ensemble], ids=lambda make: make.__name__)
def good(request: pytest.FixtureRequest) -> Checkpoint:
    checkpoint: Checkpoint = request.param().to_checkpoint({"plan": {"seed": 1}})
    return checkpoint


def verdict(path: Path, checkpoint: Checkpoint) -> str:
    """What became of a file: "scored" or "refused" where it is well; a raw error is raised."""
    save_checkpoint(path, checkpoint)
    load_scorer.__globals__["_read"].cache_clear()  # the file's time may be that of the one before
    try:
        score = load_scorer(path).score(subject())
    except FxScoreError as error:
        return "refused" if "\n" not in str(error) else f"refused in several lines: {error}"
    return "scored" if isfinite(score) else f"{score}"


def test_as_it_was_it_scores(good: Checkpoint, tmp_path: Path) -> None:
    assert verdict(tmp_path / "own.safetensors", good) == "scored"


@pytest.mark.parametrize("change", CHANGES)
def test_an_altered_tensor_gives_no_raw_error_and_no_nan(
    good: Checkpoint, change: str, tmp_path: Path
) -> None:
    names = random.Random(change).sample(sorted(good.tensors), min(12, len(good.tensors)))
    for name in names:
        altered = CHANGES[change](good.tensors[name].clone()).contiguous()
        found = verdict(tmp_path / "own.safetensors", replace(good, tensors={**good.tensors, name: altered}))
        assert found in (["refused"] if change in ("not a number", "infinite") else WELL), name


def test_a_missing_tensor_is_named(good: Checkpoint, tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    for name in good.tensors:
        rest = {key: tensor for key, tensor in good.tensors.items() if key != name}
        if name.startswith(("scale.", "0.scale.")):
            continue  # half of a scale is refused, none of it is a scorer of raw scores
        assert verdict(path, replace(good, tensors=rest)) == "refused", name


def leaves(settings: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Places in nested settings."""
    entries = settings.items() if isinstance(settings, dict) else enumerate(settings)
    for key, value in entries:
        yield (*path, key)
        if isinstance(value, (dict, list)):
            yield from leaves(value, (*path, key))


def with_value(settings: Mapping[str, Any], place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    copy: Any = deepcopy(dict(settings))
    at = copy
    for key in place[:-1]:
        at = at[key]
    at[place[-1]] = value
    return dict(copy)


def test_altered_settings_give_no_raw_error_and_no_nan(good: Checkpoint, tmp_path: Path) -> None:
    good = load_checkpoint(saved(good, tmp_path))  # tuples become lists
    draw = random.Random(0)
    places = sorted(leaves(good.settings), key=str)
    columns = [place for place in places if "columns" in place]
    chosen = [place for place in places if place not in columns] + draw.sample(columns, min(4, len(columns)))
    for place in chosen:
        for value in draw.sample(VALUES, 5):
            altered = with_value(good.settings, place, value)
            found = verdict(tmp_path / "own.safetensors", replace(good, settings=altered))
            assert found in WELL, (place, value)


def saved(checkpoint: Checkpoint, folder: Path) -> Path:
    save_checkpoint(folder / "first.safetensors", checkpoint)
    return folder / "first.safetensors"


@pytest.mark.parametrize("record", [[1], 3, "x", {"plan": []}, {"plan": "x"}, {"seen": [1]}, {"tables": 3}])
def test_a_record_that_readers_stumble_over_is_refused(record: Any, tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    save_checkpoint(path, replace(scorenet().to_checkpoint(), record=record))
    with pytest.raises(CheckpointError, match="record is no table"):
        load_checkpoint(path)


@pytest.mark.parametrize("name", ["two\nlines", "\x1b[31mred", "caf\udce9"])
def test_a_name_that_cannot_be_printed_is_escaped(name: str, tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    save_checkpoint(path, replace(scorenet().to_checkpoint(), name=name))
    found = load_checkpoint(path).name
    assert found.isprintable()
    assert "\\" in found


def test_a_name_of_no_file_is_refused(tmp_path: Path) -> None:
    circle = tmp_path / "circle.safetensors"
    circle.symlink_to(circle.name)
    for name in (circle, tmp_path / f"{'x' * 300}.safetensors", "nul\0.safetensors", tmp_path):
        for read in (load_scorer, card_of):
            with pytest.raises(CheckpointError, match="there is no scorer file"):
                read(name)


def test_a_pipe_is_written_to_and_never_replaced(tmp_path: Path) -> None:
    """As a device is: a file in the place of /dev/null would harm every program of the machine."""
    pipe, file = tmp_path / "pipe", tmp_path / "file.safetensors"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as reader:
        content = reader.submit(pipe.read_bytes)
        save_checkpoint(pipe, scorenet().to_checkpoint())
        file.write_bytes(content.result(60))
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert load_scorer(file).scorer_id == scorenet().scorer_id
