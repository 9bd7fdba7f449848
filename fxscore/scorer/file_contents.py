"""What is in a scorer's file, read without torch and without a pickle.

Safetensors with settings, training record and a hash: the header's metadata holds `format`, `kind`, `name`, `settings`,
`record` (both JSON) and `sha256`, which covers names, shapes, types and bytes of all tensors and the rest of the
metadata: safetensors itself has no checksum.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from fxscore.errors import CheckpointError
from fxscore.reading import is_file
from fxscore.scorer.file_header import check_header

FORMAT = "fxscore-1"
# What settings and tensors that do not fit each other make a scorer's class raise.
MISFITS = (
    *(AttributeError, TypeError, KeyError, IndexError, ValueError, OverflowError, RuntimeError),
    MemoryError,
)
Arrays = Mapping[str, NDArray[Any]]
Piece = tuple[str, tuple[int, ...], str, bytes]  # of a tensor: name, shape, torch's word for its type, bytes
_LONGEST_NAME = 200
_TABLES = ("plan", "seen", "tables")  # of a record: what `fxscore.evaluate.seen` reads


@dataclass(frozen=True)
class Contents:
    """What a scorer's file says.

    Attributes:
        kind: which class reads it (`ft-scorenet`, …).
        name: what records call the scorer.
        settings: the scorer's settings.
        record: how it was made: command, seed, data, date, versions, measured figures.
        arrays: learned values by name.
    """

    kind: str
    name: str
    settings: Mapping[str, Any]
    record: Mapping[str, Any]
    arrays: Arrays

    @property
    def scorer_id(self) -> str:
        """That of the scorer which was written to the file."""
        return id_of(self.name, self.settings, pieces_sha256(pieces(self.arrays)))


def read_contents(path: Path) -> Contents:
    """Read a scorer file.

    Raises:
        CheckpointError: the file is missing, truncated, altered, not a scorer's or of a newer format.
    """
    if not is_file(path):
        raise CheckpointError(f"there is no scorer file {path}; `fxscore scorers` lists the shipped ones")
    try:
        metadata, arrays = read_unsealed(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(
            f"{path} is not a readable safetensors file ({error}); it is truncated or of another kind"
        ) from None
    return _checked(path, metadata, arrays)


def _checked(path: Path, metadata: Mapping[str, str], arrays: Arrays) -> Contents:
    if metadata.get("format") != FORMAT:
        found = metadata.get("format", "no format mark")
        raise CheckpointError(
            f"{path} is not a scorer of this version of fxscore: it has {found}, expected {FORMAT}"
        )
    if not is_sealed(metadata, arrays):
        raise CheckpointError(
            f"{path} was altered: its contents do not match their sha256; fetch or train it again"
        )
    _refuse_infinite(path, arrays)
    try:
        settings, record = json.loads(metadata["settings"]), json.loads(metadata["record"])
        _check_metadata(metadata["name"], settings, record)
        return Contents(metadata["kind"], metadata["name"], settings, record, arrays)
    except (KeyError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} has damaged metadata ({error}); fetch or train it again") from None


def _refuse_infinite(path: Path, arrays: Arrays) -> None:
    for name, array in arrays.items():
        if not np.isfinite(array).all():
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


def misfit(kind: str, name: str, error: BaseException) -> CheckpointError:
    """The error for one of `MISFITS`, on one line."""
    return CheckpointError(f"the {kind} {name!r} does not fit its settings: {' '.join(str(error).split())}")


def read_unsealed(path: Path) -> tuple[dict[str, str], dict[str, NDArray[Any]]]:
    """(metadata, arrays) as they stand in the file; `is_sealed` tells whether they are what was written.

    Raises:
        ValueError: the header does not describe the file; nothing was allocated.
        SafetensorError, OSError: the file cannot be read.
    """
    check_header(path)
    with safe_open(path, framework="np") as opened:
        metadata = opened.metadata() or {}
        return metadata, {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 (not a mapping)


def is_sealed(metadata: Mapping[str, str], arrays: Arrays) -> bool:
    """Whether the hash in the metadata is that of everything else."""
    rest = {name: text for name, text in metadata.items() if name != "sha256"}
    return metadata.get("sha256") == seal(pieces_sha256(pieces(arrays)), rest)


def seal(tensors_sha256: str, metadata: Mapping[str, str]) -> str:
    """The hash of tensors and metadata together."""
    return hashlib.sha256(json.dumps([tensors_sha256, dict(metadata)], sort_keys=True).encode()).hexdigest()


def pieces(arrays: Arrays) -> Iterable[Piece]:
    """What is hashed of arrays, which NumPy and torch call by one name for each type."""
    return (
        (name, array.shape, f"torch.{array.dtype}", array.tobytes()) for name, array in sorted(arrays.items())
    )


def pieces_sha256(found: Iterable[Piece]) -> str:
    """Hash of names, shapes, types and bytes of tensors, sorted by name."""
    digest = hashlib.sha256()
    for name, shape, kind, content in found:
        digest.update(f"{name} {shape} {kind};".encode() + content)
    return digest.hexdigest()


def id_of(name: str, settings: Mapping[str, Any], tensors_sha256: str) -> str:
    """`name@hash` of settings and learned values: two scorers of one id give equal scores."""
    contents = f"{tensors_sha256} {json.dumps(settings, sort_keys=True)}"
    return f"{name}@{hashlib.sha256(contents.encode()).hexdigest()[:10]}"
