"""The header of a safetensors file, looked at before anything of its size is allocated.

A file is 8 bytes with the length of the header, the header (JSON: name → type, shape, place of the bytes), and the
bytes of all tensors (https://huggingface.co/docs/safetensors).
"""

from __future__ import annotations

import json
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, TypeGuard

LARGEST = 1 << 30  # bytes of a file; the shipped scorers have 7 MB at most
_LARGEST_HEADER = 16 << 20
_BYTES = {"F16": 2, "F32": 4, "F64": 8, "I16": 2, "I32": 4, "I64": 8}


def check_header(path: Path) -> None:
    """Refuse a file whose header does not describe it; raises `ValueError` or `OSError`."""
    size = path.stat().st_size
    if size > LARGEST:
        raise ValueError(f"it has {size} bytes, more than any scorer ({LARGEST})")
    with path.open("rb") as file:
        header, length = _read(file, size)
    if not isinstance(header, dict):
        raise ValueError("its header is no table of tensors")
    described = sum(_bytes(name, entry) for name, entry in header.items() if name != "__metadata__")
    if 8 + length + described != size:
        raise ValueError(f"it has {size} bytes, and its header describes {8 + length + described}")


def _read(file: BinaryIO, size: int) -> tuple[Any, int]:
    """(header, its length)."""
    length = int.from_bytes(file.read(8), "little")
    if not 2 <= length <= min(size - 8, _LARGEST_HEADER):
        raise ValueError("its header is cut short or too long")
    try:
        return json.loads(file.read(length)), length
    except RecursionError:
        raise ValueError("its header is nested too deeply") from None


def _bytes(name: str, entry: Any) -> int:
    """The bytes of one tensor."""
    if not isinstance(entry, dict) or entry.get("dtype") not in _BYTES:
        raise ValueError(f"the tensor {name!r} is of no type that a scorer has")
    shape, place = entry.get("shape"), entry.get("data_offsets")
    if not (_are_sizes(shape) and _are_sizes(place) and len(place) == 2):
        raise ValueError(f"the tensor {name!r} has no shape")
    found = prod(shape) * _BYTES[entry["dtype"]]
    if found != place[1] - place[0]:
        raise ValueError(
            f"the tensor {name!r} has {place[1] - place[0]} bytes, and its shape {shape} asks for {found}"
        )
    return found


def _are_sizes(values: Any) -> TypeGuard[list[int]]:
    return isinstance(values, list) and all(type(value) is int and value >= 0 for value in values)
