"""Scorer files, written from and read as tensors; `fxscore.scorer.file_contents` says what is in them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import save, save_file
from torch import Tensor

from fxscore.reading import is_stream
from fxscore.scorer.file_contents import FORMAT, Piece, pieces_sha256, read_contents, seal


@dataclass(frozen=True)
class Checkpoint:
    """The contents of a scorer file; attributes as `fxscore.scorer.file_contents.Contents`.

    Attributes:
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
    """Read a scorer file; raises `CheckpointError` as `read_contents`."""
    found = read_contents(path)
    return Checkpoint(found.kind, found.name, found.settings, found.record, as_tensors(found.arrays))


def as_tensors(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Tensor]:
    """The arrays of a file, which share their memory with these."""
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def _plain(name: str) -> str:
    """The name, what cannot be printed (a file's name may hold anything) escaped."""
    return name if name.isprintable() else name.encode("unicode_escape").decode()


def write_sealed(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write tensors and metadata with their hash, under another name first, then in place of what was there."""
    sealed = {**metadata, "sha256": seal(tensors_sha256(tensors), metadata)}
    if is_stream(path):  # a file in its place would be the end of, say, /dev/null
        path.write_bytes(save(dict(tensors), sealed))
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        save_file(dict(tensors), unfinished, sealed)
        unfinished.replace(path)
    except SafetensorError as error:  # how safetensors says that the disk is full
        raise OSError(f"{path} cannot be written: {error}") from None
    finally:
        unfinished.unlink(missing_ok=True)


def tensors_sha256(tensors: Mapping[str, Tensor]) -> str:
    """Hash of names, shapes, types and bytes."""
    return pieces_sha256(_piece(name, tensor) for name, tensor in sorted(tensors.items()))


def _piece(name: str, tensor: Tensor) -> Piece:
    content = b""
    if tensor.numel():  # the strides of an empty one may not be those that a view wants
        # As bytes first: numpy does not know every type that a scorer may be cast to.
        flat = tensor.detach().cpu().contiguous().reshape(-1)
        content = flat.view(torch.uint8).numpy().tobytes()
    return name, tuple(tensor.shape), str(tensor.dtype), content
