"""Official pickles read as data: containers, numbers and texts, and nothing that could run code.

`.pth` files go through `torch.load(weights_only=True)`. A plain pickle goes through an unpickler that knows
ordered dictionaries and NumPy scalars and refuses every other name (Python's documentation of `pickle`,
"Restricting Globals"), so that no object of the file's choosing is ever made.
"""

from __future__ import annotations

import bz2
import gzip
import pickle
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fxscore.errors import SpaceError
from fxscore.spaces.files.entries import Entry
from fxscore.texts import first_line

_SCALAR = np.float64(0).__reduce__()[0]  # NumPy's maker of scalars, wherever this version keeps it
_KNOWN: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "scalar"): _SCALAR,
    ("numpy._core.multiarray", "scalar"): _SCALAR,
}
_OPENERS: dict[str, Callable[..., Any]] = {".pbz2": bz2.open, ".bz2": bz2.open, ".gz": gzip.open}


class _DataUnpickler(pickle.Unpickler):
    """Makes containers, numbers and texts only."""

    def find_class(self, module_name: str, global_name: str) -> Any:
        if (module_name, global_name) not in _KNOWN:
            raise pickle.UnpicklingError(f"it asks for {module_name}.{global_name}, which is no plain data")
        return _KNOWN[module_name, global_name]


def read_pickle(path: str | Path) -> Entry:
    """The data of a plain pickle, compressed or not.

    Raises:
        SpaceError: the file is missing, damaged, no pickle, or holds more than data.
    """
    path = Path(path)
    try:
        with _OPENERS.get(path.suffix, open)(path, "rb") as stream:
            return Entry(path.name, _DataUnpickler(stream).load())
    except FileNotFoundError:
        raise SpaceError(f"{path} cannot be read: no such file") from None
    except _DAMAGE as error:
        raise SpaceError(f"{path.name} is no pickle of plain data, or damaged: {error}") from None


def read_pth(path: str | Path) -> Entry:
    """The data of a file that `torch.save` wrote, loaded with `weights_only=True`.

    Raises:
        SpaceError: the file is missing, damaged, or holds more than data.
    """
    path = Path(path)
    try:
        with torch.serialization.safe_globals([np.dtype, _SCALAR, type(np.dtype(np.float64))]):
            return Entry(path.name, torch.load(path, map_location="cpu", weights_only=True))
    except FileNotFoundError:
        raise SpaceError(f"{path} cannot be read: no such file") from None
    except (*_DAMAGE, RuntimeError) as error:
        reason = first_line(error)
        raise SpaceError(
            f"{path.name} is no file of plain data by torch.save, or damaged: {reason}"
        ) from None


# What Python's and PyTorch's unpicklers raise for bytes that are no pickle, or one cut short.
_DAMAGE = (
    pickle.UnpicklingError,
    AttributeError,
    EOFError,
    ImportError,
    IndexError,
    KeyError,
    OSError,
    TypeError,
    ValueError,
)
