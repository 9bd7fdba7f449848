from __future__ import annotations

import json
import math
import pickle
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn

from fxscore.errors import CheckpointError, FxScoreError, ScorerError
from fxscore.scorer.checkpoint import Checkpoint, load_checkpoint, save_checkpoint, tensors_sha256
from fxscore.scorer.ft_scorenet import FTScoreNet, Settings
from fxscore.scorer.names import portable
from fxscore.scorer.percentiles import Percentiles
from fxscore.scorer.registry import load_scorer
from fxscore.scorer.subject import Subject

SMALL = Settings(batch=2, input_shape=(3, 4, 4), n_in=2, n_out=2, kernel_size=2)
RECORD = {"seed": 3, "data": "none", "rho": 0.5}


def small(name: str = "small", **changes: Any) -> FTScoreNet:
    return FTScoreNet(replace(SMALL, **changes), seed=3, name=name)


def subject() -> Subject:
    return Subject(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 5)), (3, 4, 4))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scorer") / "small.safetensors"
    save_checkpoint(path, small().to_checkpoint(RECORD))
    return path


@pytest.mark.parametrize("changes", [{}, {"v_norm": False}, {"batch": 5, "input_shape": (1, 6, 3)}])
def test_round_trip(changes: Mapping[str, Any], tmp_path: Path) -> None:
    scorer, path = small(**changes), tmp_path / "sub" / "s.safetensors"
    save_checkpoint(path, scorer.to_checkpoint(RECORD))
    found = FTScoreNet.from_checkpoint(load_checkpoint(path))
    assert (found.settings, found.name, found.record) == (scorer.settings, "small", RECORD)
    assert found.scorer_id == scorer.scorer_id
    if scorer.settings.input_shape[0] == 3:
        assert found.score(subject()) == scorer.score(subject())
    assert not any(parameter.requires_grad for parameter in found.parameters())
    assert [entry.name for entry in path.parent.iterdir()] == ["s.safetensors"]


def test_a_path_is_a_scorer(file: Path) -> None:
    assert load_scorer(file).scorer_id == load_scorer(str(file)).scorer_id == small().scorer_id


def test_a_file_that_was_written_again_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, seed in (("a", 0), ("b", 1)):
        (tmp_path / folder).mkdir()
        save_checkpoint(tmp_path / folder / "s.safetensors", FTScoreNet(SMALL, seed=seed).to_checkpoint({}))
    monkeypatch.chdir(tmp_path / "a")
    first = load_scorer("s.safetensors")
    assert load_scorer("s.safetensors") is first
    monkeypatch.chdir(tmp_path / "b")
    second = load_scorer("s.safetensors")
    assert second.scorer_id != first.scorer_id
    save_checkpoint(Path("s.safetensors"), FTScoreNet(SMALL, seed=2).to_checkpoint({}))
    assert load_scorer("s.safetensors").scorer_id not in (first.scorer_id, second.scorer_id)


def test_a_file_or_folder_takes_no_shipped_name_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("general", "naswot"):
        Path(name).mkdir()
        assert portable(name) == name
    assert portable(Path("mine.safetensors")) == str(tmp_path / "mine.safetensors")


def test_a_scale_makes_percentiles_of_raw_scores_and_travels(tmp_path: Path) -> None:
    scorer, plain = small(), small()
    subjects = [Subject(nn.Sequential(nn.Conv2d(3, n, 3), nn.ReLU()), (3, 8, 8)) for n in (2, 3, 5)]
    raw = [scorer.raw_score(subject) for subject in subjects]
    scorer.scale = Percentiles.of(np.array(raw))
    save_checkpoint(tmp_path / "s.safetensors", scorer.to_checkpoint(RECORD))
    again = load_scorer(tmp_path / "s.safetensors")
    assert isinstance(again, FTScoreNet)
    assert again.scorer_id == scorer.scorer_id != plain.scorer_id
    scores = [again.score(subject) for subject in subjects]
    assert scores == [scorer.score(subject) for subject in subjects]
    assert all(0 < score < 100 for score in scores)
    assert sorted(range(3), key=raw.__getitem__) == sorted(range(3), key=scores.__getitem__)
    assert [plain.score(subject) for subject in subjects] == raw


def test_the_id_follows_name_and_values() -> None:
    changed = small()
    with torch.no_grad():
        changed.readout.bias.add_(1)
    ids = {small().scorer_id, small("other").scorer_id, changed.scorer_id}
    assert len(ids) == 3
    assert small().scorer_id == small().scorer_id


def refused(path: Path, data: bytes, why: str) -> None:
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=why) as caught:
        load_checkpoint(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@settings(max_examples=25)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_truncated_file_is_refused(share: float, file: Path) -> None:
    data = file.read_bytes()
    refused(file.with_name("cut.safetensors"), data[: int(share * len(data))], "truncated or of another kind")


@settings(max_examples=80)
@given(place=st.integers(0, 10**6), change=st.integers(1, 255), header=st.booleans())
def test_one_altered_byte_anywhere_is_refused(place: int, change: int, header: bool, file: Path) -> None:
    data = bytearray(file.read_bytes())
    place %= 8 + int.from_bytes(data[:8], "little") if header else len(data)
    data[place] ^= change
    altered = file.with_name("altered.safetensors")
    altered.write_bytes(data)
    if chr(data[place] ^ change) == " " and chr(data[place]).isspace():
        return  # white space that pads the header
    with pytest.raises(CheckpointError, match=r"altered\.safetensors"):
        load_checkpoint(altered)


def header(entries: object) -> bytes:
    text = json.dumps(entries).encode()
    return len(text).to_bytes(8, "little") + text


def claim(shape: list[int]) -> dict[str, Any]:
    """The entry of a tensor that is said to be in the file."""
    return {"dtype": "F32", "shape": shape, "data_offsets": [0, 4 * math.prod(shape)]}


def sparse(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.truncate(size)


FOREIGN: dict[str, tuple[Callable[[Path], object], str]] = {
    "another safetensors": (
        lambda path: save_file({"w": torch.ones(3)}, path),
        "not a scorer of this version",
    ),
    "a newer format": (
        lambda path: save_file({"w": torch.ones(3)}, path, {"format": "fxscore-9"}),
        "fxscore-9, expected fxscore-1",
    ),
    "half precision without a hash": (
        lambda path: save_file({"w": torch.ones(3).half()}, path, {"format": "fxscore-1"}),
        "altered",
    ),
    "a type that no scorer has": (
        lambda path: save_file({"w": torch.ones(3).bfloat16()}, path, {"format": "fxscore-1"}),
        "no type that a scorer has",
    ),
    "a header nested deeply": (
        lambda path: path.write_bytes((100_000).to_bytes(8, "little") + b"[" * 100_000),
        "nested too deeply",
    ),
    "a header of petabytes": (lambda path: path.write_bytes(b"\xff" * 7 + b"\0{}"), "cut short or too long"),
    "a header that is a list": (lambda path: path.write_bytes(header([])), "no table of tensors"),
    "more tensors than bytes": (lambda path: path.write_bytes(header({"w": claim([1 << 40])})), "describes"),
    "another shape than bytes": (
        lambda path: path.write_bytes(header({"w": {**claim([3]), "shape": [1 << 62, 4]}})),
        "asks for",
    ),
    "a negative shape": (
        lambda path: path.write_bytes(header({"w": {**claim([3]), "shape": [-3]}})),
        "has no shape",
    ),
    "a sparse file of gigabytes": (lambda path: sparse(path, 3 << 30), "more than any scorer"),
    "a pickle": (lambda path: torch.save({"w": torch.ones(3)}, path), "another kind"),
    "a plain pickle": (lambda path: path.write_bytes(pickle.dumps({"w": 1})), "another kind"),
    "a text": (lambda path: path.write_text("accuracy = 97 %\n" * 9), "another kind"),
    "nothing": (lambda path: path.write_bytes(b""), "another kind"),
    "random bytes": (lambda path: path.write_bytes(random.Random(0).randbytes(999)), "another kind"),
    "a folder": (lambda path: path.mkdir(), "no scorer file"),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_file_is_refused(kind: str, tmp_path: Path) -> None:
    make, why = FOREIGN[kind]
    path = tmp_path / "f.safetensors"
    make(path)
    with pytest.raises(CheckpointError, match=why) as caught:
        load_scorer(path)
    assert "\n" not in str(caught.value)


def test_no_pickle_is_ever_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    path = tmp_path / "trap.safetensors"
    torch.save(Trap(), path)
    with pytest.raises(CheckpointError):
        load_scorer(path)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"settings": {**SMALL.as_dict(), "batch": 3}},
        {"settings": {**SMALL.as_dict(), "colour": 3}},
        {"settings": {"batch": 2}},
        {"settings": []},
        {"tensors": {"w": torch.ones(2)}},
    ],
)
def test_tensors_that_do_not_fit_their_settings_are_refused(changes: Any) -> None:
    checkpoint: Checkpoint = replace(small().to_checkpoint(RECORD), **changes)
    with pytest.raises(CheckpointError, match=r"'small' does not fit its settings"):
        FTScoreNet.from_checkpoint(checkpoint)


def test_a_scorer_of_another_kind_is_named(tmp_path: Path) -> None:
    path = tmp_path / "s.safetensors"
    save_checkpoint(path, replace(small().to_checkpoint(RECORD), kind="oracle"))
    with pytest.raises(ScorerError, match=r"kind 'oracle'"):
        load_scorer(path)


@pytest.mark.parametrize("name", ["nasbench2001", "no/such.safetensors", "nothing.safetensors"])
def test_unknown_names_and_paths_are_named(name: str) -> None:
    with pytest.raises(FxScoreError, match=name):
        load_scorer(name)


def test_a_crash_while_writing_leaves_the_old_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = file.with_name("kept.safetensors")
    save_checkpoint(path, small().to_checkpoint(RECORD))
    before = path.read_bytes()

    def crash(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", crash)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(path, small("other").to_checkpoint(RECORD))
    assert path.read_bytes() == before


def test_settings_and_record_are_readable_without_fxscore(file: Path) -> None:
    length = int.from_bytes(file.read_bytes()[:8], "little")
    metadata = json.loads(file.read_bytes()[8 : 8 + length])["__metadata__"]
    assert json.loads(metadata["record"]) == RECORD
    assert json.loads(metadata["settings"])["batch"] == 2


def test_the_hash_of_tensors_tells_names_shapes_types_and_bytes_apart() -> None:
    zeros = torch.zeros(2, 6)
    others = [
        {"a": zeros},
        {"b": zeros},
        {"a": zeros.reshape(3, 4)},
        {"a": zeros.reshape(-1)},
        {"a": zeros.int()},
        {"a": zeros.half().repeat(1, 2)},
        {"a": zeros[:, :3].double()},
        {"a": zeros + 1},
        {"a": zeros[:1], "b": zeros[:1]},
        {"a": zeros[:0]},
        {"a": zeros[:0].int()},
    ]
    assert len({tensors_sha256(each) for each in others}) == len(others)
    assert tensors_sha256({"a": zeros.T.contiguous().T}) == tensors_sha256({"a": zeros})
