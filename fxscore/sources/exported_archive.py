"""The archive of an exported program, looked at before torch opens it: pickles that could run code are refused.

`torch.export.load` reads sample inputs, and some weights and constants, with `torch.load`, at last without
`weights_only` (seen in torch 2.14): a pickle of more than tensors may run code of its maker.
What remains is code too, a graph of torch's operators, so workers run a program as they run a Python file.
"""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path

from fxscore.errors import ModelRefError


def refuse_pickles(path: Path) -> None:
    """Raise `ModelRefError` where an archive holds a pickle of more than plain tensors.

    An archive that cannot be read at all is left to torch, which says so.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if len(set(names)) < len(names):
                raise ModelRefError(f"{path} holds a file twice, as no program of torch.export.save does")
            for name in _pickled(archive):
                _check(path, name, archive.read(name))
    except (zipfile.BadZipFile, OSError):
        return
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError, NotImplementedError) as error:
        raise ModelRefError(f"{path} is not a program that torch.export.save wrote ({error!r})") from error


def _pickled(archive: zipfile.ZipFile) -> Iterator[str]:
    """The members that are read by `torch.load`."""
    for name in archive.namelist():
        if name.endswith(".pt"):
            yield name
        elif name.endswith("_config.json"):
            folder = name.rpartition("/")[0]
            for payload in json.loads(archive.read(name))["config"].values():
                if payload.get("use_pickle"):
                    yield f"{folder}/{payload['path_name']}"


def _check(path: Path, name: str, content: bytes) -> None:
    import torch

    if not content:
        return
    try:
        torch.load(io.BytesIO(content), weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, TypeError) as error:
        raise ModelRefError(
            f"{path} holds {name.partition('/')[2]}, which is no plain tensor and could run code; "
            "export the network again, with plain tensors as its inputs"
        ) from error
