"""The id of a scorer: its name with a hash of everything learned, worked out again only where something changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from fxscore.capture.torch_private import version_of
from fxscore.scorer.checkpoint import tensors_sha256
from fxscore.scorer.file_contents import id_of

Stamp = tuple[tuple[str, int, int], ...]


class Identity:
    """Remembers the hash of a scorer's tensors; a copy or a pickle of it is empty."""

    def __init__(self) -> None:
        self._hashed: Mapping[str, Tensor] = {}  # kept, so that no other tensor takes the place of one
        self._stamp: Stamp | None = None
        self._hash = ""

    def of(self, name: str, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> str:
        """`name@hash` of settings and learned values: two scorers of one id give equal scores."""
        stamp = _stamp(tensors)
        if stamp != self._stamp:
            self._hashed, self._stamp, self._hash = tensors, stamp, tensors_sha256(tensors)
        return id_of(name, settings, self._hash)

    def __reduce__(self) -> tuple[type[Identity], tuple[()]]:
        return Identity, ()


def _stamp(tensors: Mapping[str, Tensor]) -> Stamp:
    """Changes where a tensor is another, or PyTorch wrote to it (which raises its version)."""
    return tuple((name, tensor.data_ptr(), version_of(tensor)) for name, tensor in tensors.items())
