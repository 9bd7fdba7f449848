"""What the weights that timm and torchvision publish reach on ImageNet: their own figures, beside the scores.

torchvision states it with its weights, the installed package holds it; timm's results are a table of its repository
(`fxscore data timm-results`). A figure belongs to weights, not to an architecture: it is the one of the weights that
the name alone loads, and none where options change the network.
"""

from __future__ import annotations

import gzip
from functools import lru_cache
from pathlib import Path

from fxscore.sources.timm_models import TIMM
from fxscore.sources.torchvision_models import TORCHVISION
from fxscore.spaces.files.csv_rows import read_header, read_rows
from fxscore.spaces.official import data_folder, local_path, official_file
from fxscore.types import ModelRef

TIMM_RESULTS = "timm-results"
_LABELS = ("top1", "imagenet_top1")  # timm's own word, and that of tables made from it


def published_accuracy(ref: ModelRef) -> float | None:
    """Top-1 accuracy on ImageNet-1k, in percent, of the published weights of a reference; None where there is none."""
    if ref.options:
        return None
    if ref.source == "torchvision":
        accuracy = TORCHVISION.fact_of(ref.name)
        return float(accuracy) if isinstance(accuracy, (int, float)) else None
    return _timm(ref.name) if ref.source == "timm" else None


def has_timm_results() -> bool:
    """Whether timm's results are in the data folder."""
    return local_path(official_file(TIMM_RESULTS)) is not None


def keep_timm_results(source: Path, folder: Path | None = None) -> Path:
    """Put a copy of a results table that is on this machine where `published_accuracy` finds it.

    Raises:
        SpaceError: it is no such table; says which column or row is wrong.
    """
    timm_results(source)
    place = (folder or data_folder()) / official_file(TIMM_RESULTS).file
    place.parent.mkdir(parents=True, exist_ok=True)
    data = source.read_bytes()
    place.write_bytes(gzip.decompress(data) if source.suffix == ".gz" else data)
    return place


def timm_results(path: Path) -> dict[str, float]:
    """Model with its pretrained tag (`resnet50.a1_in1k`) → top-1 accuracy in percent; raises `SpaceError`."""
    label = next((name for name in _LABELS if name in read_header(path)), _LABELS[0])
    return {row.cells["model"]: row.number(label, 0, 100) for row in read_rows(path, ("model", label))}


def _timm(name: str) -> float | None:
    path = local_path(official_file(TIMM_RESULTS))
    if path is None:
        return None
    results = _read(path, path.stat().st_mtime_ns)
    if "." in name:
        return results.get(name)
    tag = TIMM.fact_of(name)
    return None if tag is None else results.get(f"{name}.{tag}" if tag else name)


@lru_cache(maxsize=2)
def _read(path: Path, stamp: int) -> dict[str, float]:
    return timm_results(path)
