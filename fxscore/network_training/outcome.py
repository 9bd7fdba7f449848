"""What a training run leaves in its folder: `result.json`, and the weights in `weights.pt`, a plain state dict."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from fxscore.errors import TrainingError
from fxscore.network_training.trainer import ClassifierTrainer
from fxscore.provenance import provenance

STATE, RESULT, WEIGHTS = "state.pt", "result.json", "weights.pt"
_PACKAGES = ("fxscore", "torch", "torchvision", "timm")


def write_outcome(trainer: ClassifierTrainer, folder: Path) -> dict[str, Any]:
    """Write a finished run, and remove the state from which it would have gone on.

    `final` is the accuracy after the last epoch. `best` is the highest that was measured: chosen on the test images, it
    flatters, and is there for comparison with figures that were chosen so.
    """
    folder.mkdir(parents=True, exist_ok=True)
    measured = [report for report in trainer.history if report.accuracy is not None]
    best = max(measured, key=lambda report: report.accuracy or 0.0)
    result = {
        "run": trainer.about,
        "params": trainer.network.params,
        "training_images": len(trainer.training),
        "test_images": len(trainer.test),
        "final": measured[-1].accuracy,
        "best": best.accuracy,
        "best_epoch": best.epoch,
        "seconds": round(sum(report.seconds for report in trainer.history), 2),
        "device": str(trainer.device),
        **provenance(_PACKAGES),
        "epochs": [asdict(report) for report in trainer.history],
    }
    torch.save(trainer.trained.state_dict(), folder / WEIGHTS)
    (folder / RESULT).write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / STATE).unlink(missing_ok=True)
    return result


def read_outcome(folder: Path, about: Mapping[str, Any]) -> dict[str, Any] | None:
    """The result of the same run, if it has been finished in this folder.

    Raises:
        TrainingError: the folder holds another run's result, or one that cannot be read.
    """
    path = folder / RESULT
    if not path.exists():
        return None
    try:
        result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        known = result["run"]
    except (ValueError, KeyError, TypeError):
        raise TrainingError(f"{path} is no result of a training run; name another folder") from None
    if known != json.loads(json.dumps(about)):
        raise TrainingError(f"{path} is the result of another run; name another folder, or delete it")
    return result
