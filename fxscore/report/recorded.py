"""What commands wrote to files, read back to be drawn: scores of `rank`, `evaluate` and `fit` (`--json`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fxscore.errors import UsageError
from fxscore.evaluate.coefficients import Floats
from fxscore.reading import file_bytes
from fxscore.report.figure import scorer_name
from fxscore.searching.evaluation import Evaluation
from fxscore.searching.goals import SCORE, Objective
from fxscore.searching.result import SearchRecord

PUBLISHED = "published ImageNet top-1 (%)"
_KINDS = "give what `fxscore rank`, `evaluate` or `fit` wrote with --json FILE"
MISSHAPEN = (
    AttributeError,
    IndexError,
    KeyError,
    TypeError,
    ValueError,
)  # what reading a file of another form raises


@dataclass(frozen=True, eq=False)
class ScoredPopulation:
    """Networks with their scores and accuracies.

    Attributes:
        name: what plots call it.
        scores: (n,) by scorer; NaN where there is none.
        labels: (n,) by label; NaN where there is none.
    """

    name: str
    scores: Mapping[str, Floats]
    labels: Mapping[str, Floats]

    def labelled(self) -> ScoredPopulation | None:
        """The networks that every scorer scored and whose first label is known; None of fewer than two."""
        if not self.labels:
            return None
        label, values = next(iter(self.labels.items()))
        known = np.isfinite([values, *self.scores.values()]).all(0)
        scores = {name: each[known] for name, each in self.scores.items()}
        return ScoredPopulation(self.name, scores, {label: values[known]}) if known.sum() > 1 else None


@dataclass
class _Numbers:
    """Of one population: by scorer and by label, the numbers of networks by name."""

    scores: dict[str, dict[str, float]] = field(default_factory=dict)
    labels: dict[str, dict[str, float]] = field(default_factory=dict)

    def take(
        self, network: str, scores: Mapping[str, float | None], labels: Mapping[str, float | None]
    ) -> None:
        for kept, given in ((self.scores, scores), (self.labels, labels)):
            for name, value in given.items():
                if value is not None:
                    kept.setdefault(name, {})[network] = float(value)


def read_scores(paths: Sequence[Path]) -> list[ScoredPopulation]:
    """The networks of all files together, one population for each kind of network and each benchmark.

    Raises:
        UsageError: a file cannot be read, or holds no scores.
    """
    found: dict[str, _Numbers] = {}
    for path in paths:
        try:
            for population, network, scores, labels in _networks(_content(path), path.stem):
                found.setdefault(population, _Numbers()).take(network, scores, labels)
        except MISSHAPEN as error:
            raise UsageError(f"{path} holds no scores of networks ({error!r}); {_KINDS}") from None
    scored = {name: numbers for name, numbers in found.items() if numbers.scores}
    if not scored:
        raise UsageError(f"{', '.join(map(str, paths))}: no network has a score; {_KINDS}")
    return [_population(name, numbers) for name, numbers in scored.items()]


def read_front(path: Path, cost: str) -> tuple[SearchRecord, int]:
    """The networks of a ranking as one generation, those of its largest group; and how many are of other groups.

    Args:
        path: what `fxscore rank --json` wrote.
        cost: `params` or `macs`.

    Raises:
        UsageError: it is no ranking, or no network has a score and this size.
    """
    groups: dict[str, list[Evaluation]] = {}
    try:
        rows = [row for row in _content(path) if None not in (row["score"], row[cost])]
        for row in rows:
            values = {SCORE: float(row["score"]), cost: float(row[cost])}
            groups.setdefault(row["group"] or "networks", []).append(Evaluation(row["name"], values))
    except MISSHAPEN as error:
        raise UsageError(
            f"{path} is no ranking ({error!r}); give what `fxscore rank` wrote with --json FILE"
        ) from None
    if not rows:
        raise UsageError(f"{path}: no network has a score and {cost}; rank networks that can be scored")
    group, largest = max(groups.items(), key=lambda each: len(each[1]))
    objectives = (Objective.parse(SCORE), Objective.parse(cost))
    settings = {"limits": {}, "scorer": str(rows[0]["scorer"])}
    return SearchRecord(group, objectives, (tuple(largest),), settings), len(rows) - len(largest)


def read_fit(path: Path) -> dict[str, Any]:
    """What `fxscore fit --json` wrote; raises `UsageError` where the file is something else."""
    found = _content(path)
    if not isinstance(found, dict) or "curve" not in found:
        raise UsageError(f"{path} is of no fit; give what `fxscore fit` wrote with --json FILE")
    return found


def _content(path: Path) -> Any:
    try:
        return json.loads(file_bytes(path))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}; {_KINDS}") from None
    except (ValueError, RecursionError):
        raise UsageError(f"{path} is no JSON; {_KINDS}") from None


def _networks(content: Any, stem: str) -> Iterator[tuple[str, str, Mapping[str, Any], Mapping[str, Any]]]:
    """(population, network, scores, labels) of each network in a file."""
    if isinstance(content, Mapping) and "curve" in content:
        for row in content["networks"]:
            yield (
                stem,
                row["network"],
                {content["scorer"]: row["unseen score"]},
                {"accuracy": row["accuracy"]},
            )
        return
    for entry in [content] if isinstance(content, Mapping) else content:
        if "population" in entry:
            for row in entry["networks"]:
                yield entry["population"], row["name"], row["scores"], row["labels"]
        else:
            scores, labels = {entry["scorer"]: entry["score"]}, {PUBLISHED: entry["published"]}
            yield entry["group"] or stem, entry["name"], scores, labels


def _population(name: str, numbers: _Numbers) -> ScoredPopulation:
    networks = list(dict.fromkeys(network for each in numbers.scores.values() for network in each))
    scores, labels = (
        {key: np.array([each.get(network, np.nan) for network in networks]) for key, each in kept.items()}
        for kept in (numbers.scores, numbers.labels)
    )
    return ScoredPopulation(name, dict(zip(_short(list(scores)), scores.values(), strict=True)), labels)


def _short(scorers: Sequence[str]) -> list[str]:
    """Names without their digests, where that leaves them apart."""
    names = list(map(scorer_name, scorers))
    return [name if names.count(name) == 1 else full for name, full in zip(names, scorers, strict=True)]
