"""Scorer files: safetensors with settings, training record and a hash of the tensors; no pickle is ever read.

The header's metadata holds `format`, `kind`, `name`, `settings`, `record` (both JSON) and `sha256`, which covers names,
shapes, types and bytes of all tensors and the rest of the metadata: safetensors itself has no checksum.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from fxscore.errors import CheckpointError
from fxscore.scorer.file_header import check_header

FORMAT = "fxscore-1"
# What settings and tensors that do not fit each other make a scorer's class raise.
MISFITS = (
    *(AttributeError, TypeError, KeyError, IndexError, ValueError, OverflowError, RuntimeError),
    MemoryError,
)
_LONGEST_NAME = 200
_TABLES = ("plan", "seen", "tables")  # of a record: what `fxscore.evaluate.seen` reads


@dataclass(frozen=True)
class Checkpoint:
    """The contents of a scorer file.

    Attributes:
        kind: which class reads it (`ft-scorenet`, …).
        name: what records call the scorer.
        settings: the scorer's settings.
        record: how it was made: command, seed, data, date, versions, measured figures.
        tensors: learned values by name.
    """

    kind: str
    name: str
    settings: Mapping[str, Any]
    record: Mapping[str, Any]
    tensors: Mapping[str, Tensor]


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a scorer file; a crash leaves the old file or the new one, never half of one."""
    tensors = {
        name: tensor.detach().cpu().contiguous() for name, tensor in sorted(checkpoint.tensors.items())
    }
    metadata = {
        "format": FORMAT,
        "kind": checkpoint.kind,
        "name": _plain(checkpoint.name),
        "settings": json.dumps(checkpoint.settings, sort_keys=True),
        "record": json.dumps(checkpoint.record, sort_keys=True),
    }
    write_sealed(path, tensors, metadata)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a scorer file.

    Raises:
        CheckpointError: the file is missing, truncated, altered, not a scorer's or of a newer format.
    """
    if not path.is_file():
        raise CheckpointError(f"there is no scorer file {path}; `fxscore scorers` lists the shipped ones")
    try:
        metadata, tensors = read_unsealed(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(
            f"{path} is not a readable safetensors file ({error}); it is truncated or of another kind"
        ) from None
    return _checked(path, metadata, tensors)


def _checked(path: Path, metadata: Mapping[str, str], tensors: Mapping[str, Tensor]) -> Checkpoint:
    if metadata.get("format") != FORMAT:
        found = metadata.get("format", "no format mark")
        raise CheckpointError(
            f"{path} is not a scorer of this version of fxscore: it has {found}, expected {FORMAT}"
        )
    if not is_sealed(metadata, tensors):
        raise CheckpointError(
            f"{path} was altered: its contents do not match their sha256; fetch or train it again"
        )
    _refuse_infinite(path, tensors)
    try:
        settings, record = json.loads(metadata["settings"]), json.loads(metadata["record"])
        _check_metadata(metadata["name"], settings, record)
        return Checkpoint(metadata["kind"], metadata["name"], settings, record, tensors)
    except (KeyError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} has damaged metadata ({error}); fetch or train it again") from None


def _refuse_infinite(path: Path, tensors: Mapping[str, Tensor]) -> None:
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise CheckpointError(
                f"{path} cannot score: its tensor {name!r} holds numbers that are not finite"
            )


def _check_metadata(name: str, settings: Any, record: Any) -> None:
    """Raise `ValueError` where readers would stumble."""
    if not name.isprintable() or len(name) > _LONGEST_NAME:
        raise ValueError("its name is no name")
    if not isinstance(settings, dict):
        raise ValueError("its settings are no table")
    check_record(record)


def check_record(record: Any) -> None:
    """Raise `ValueError` where what readers of a record look up is not what they expect."""
    if not isinstance(record, dict) or not all(isinstance(record.get(name, {}), dict) for name in _TABLES):
        raise ValueError("its record is no table")


def _plain(name: str) -> str:
    """The name, what cannot be printed (a file's name may hold anything) escaped."""
    return name if name.isprintable() else name.encode("unicode_escape").decode()


def misfit(kind: str, name: str, error: BaseException) -> CheckpointError:
    """The error for one of `MISFITS`, on one line."""
    return CheckpointError(f"the {kind} {name!r} does not fit its settings: {' '.join(str(error).split())}")


def write_sealed(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write tensors and metadata with their hash, under another name first, then in place of what was there."""
    sealed = {**metadata, "sha256": _contents_sha256(tensors, metadata)}
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        save_file(dict(tensors), unfinished, sealed)
        unfinished.replace(path)
    except SafetensorError as error:  # how safetensors says that the disk is full
        raise OSError(f"{path} cannot be written: {error}") from None
    finally:
        unfinished.unlink(missing_ok=True)


def read_unsealed(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """(metadata, tensors) as they stand in the file; `is_sealed` tells whether they are what was written.

    Raises:
        ValueError: the header does not describe the file; nothing was allocated.
        SafetensorError, OSError: the file cannot be read.
    """
    check_header(path)
    with safe_open(path, framework="pt") as opened:
        metadata = opened.metadata() or {}
        return metadata, {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 (not a mapping)


def is_sealed(metadata: Mapping[str, str], tensors: Mapping[str, Tensor]) -> bool:
    """Whether the hash in the metadata is that of everything else."""
    rest = {name: text for name, text in metadata.items() if name != "sha256"}
    return metadata.get("sha256") == _contents_sha256(tensors, rest)


def _contents_sha256(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> str:
    contents = [tensors_sha256(tensors), dict(metadata)]
    return hashlib.sha256(json.dumps(contents, sort_keys=True).encode()).hexdigest()


def tensors_sha256(tensors: Mapping[str, Tensor]) -> str:
    """Hash of names, shapes, types and bytes."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype};".encode())
        if tensor.numel():  # the strides of an empty one may not be those that a view wants
            # As bytes first: numpy does not know every type, and a foreign file may hold any.
            flat = tensor.detach().cpu().contiguous().reshape(-1)
            digest.update(flat.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
