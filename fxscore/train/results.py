"""A table of one's own trained networks: a CSV file with the columns `model` (a recipe) and `accuracy`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isfinite, nan
from pathlib import Path

from fxscore.errors import ModelRefError, TrainingError
from fxscore.scorer.fitting import LEAST
from fxscore.sources import expand
from fxscore.train.csv_table import read_table
from fxscore.types import ModelRef

_COLUMNS = ("model", "accuracy")
# What `float` takes beside these (60_7, ６０, inf) is more likely a slip.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class TrainedNetwork:
    """One trained network.

    Attributes:
        ref: its recipe.
        accuracy: more is better; the mean where the file has the network more than once.
        rows: the rows of the file that hold it, counted from 1, the header included.
    """

    ref: ModelRef
    accuracy: float
    rows: tuple[int, ...]


def read_results(path: Path) -> list[TrainedNetwork]:
    """The networks of a file, each once.

    Raises:
        TrainingError: a column is missing, a row is wrong (names it), or the file teaches nothing.
    """
    found: dict[ModelRef, list[tuple[int, float]]] = {}
    for number, row in read_table(path, _COLUMNS):
        ref = _ref(path, number, row["model"])
        found.setdefault(ref, []).append((number, _accuracy(path, number, row["accuracy"])))
    results = [
        TrainedNetwork(
            ref, sum(value for _, value in lines) / len(lines), tuple(number for number, _ in lines)
        )
        for ref, lines in found.items()
    ]
    check_results(path, results)
    return results


def check_results(path: Path, results: list[TrainedNetwork]) -> None:
    """Refuse too few networks, and accuracies without order."""
    if len(results) < LEAST:
        raise TrainingError(
            f"{path}: {len(results)} networks are too few to learn from; give {LEAST} at least, better 20 to 200"
        )
    if len({result.accuracy for result in results}) == 1:
        raise TrainingError(f"{path}: all accuracies are {results[0].accuracy:g}: there is no order to learn")


def _ref(path: Path, number: int, text: str) -> ModelRef:
    try:
        refs = expand(text)
    except ModelRefError as error:
        raise TrainingError(f"{path}, row {number}: {error}") from None
    if len(refs) != 1:
        raise TrainingError(f"{path}, row {number}: {text!r} stands for {len(refs)} networks; name one")
    return refs[0]


def _accuracy(path: Path, number: int, text: str) -> float:
    value = float(text) if _NUMBER.fullmatch(text) else nan
    if not isfinite(value):
        raise TrainingError(
            f"{path}, row {number}: the accuracy {text!r} is not a number such as 60.7; mend it or leave the row out"
        )
    return value
