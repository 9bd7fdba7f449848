"""The state of a training run on disk: written whole or not at all, and read as tensors and plain values only."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any

import torch

from fxscore.errors import TrainingError
from fxscore.texts import first_line


def write_state(path: Path, state: dict[str, Any], about: dict[str, Any]) -> None:
    """Write a state.

    Args:
        path: the file; replaced in one step.
        state: state dicts and plain values.
        about: what must be equal for a run to go on from it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        torch.save({"about": _text(about), **state}, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def read_state(path: Path, about: dict[str, Any], device: torch.device) -> dict[str, Any]:
    """Read a state; raises `TrainingError` where it is damaged or belongs to another run."""
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        known = json.loads(state.pop("about"))
    except (OSError, RuntimeError, pickle.UnpicklingError, EOFError, ValueError, KeyError) as error:
        reason = first_line(error)
        raise TrainingError(
            f"{path} is damaged, or no state of a training run ({reason}); delete it to start again"
        ) from None
    if different := _differences(known, json.loads(_text(about))):
        raise TrainingError(
            f"{path} belongs to another run ({'; '.join(different)}); name another folder, or delete it"
        )
    return state


def _text(about: dict[str, Any]) -> str:
    return json.dumps(about, sort_keys=True)


def _differences(known: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    names = sorted(known.keys() | wanted.keys())
    return [
        f"{name}: {known.get(name)} then, {wanted.get(name)} now"
        for name in names
        if known.get(name) != wanted.get(name)
    ]
