"""Networks of search spaces with features, for hybrids across spaces: one part per benchmark, each network once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.features import read_features
from benchmarks.shared.standardised import standardised
from fxscore.aligned import Aligned
from fxscore.evaluate import read_population
from fxscore.scorer.features import feature_names
from fxscore.scorer.hybrid_learners import targets_of

Floats = NDArray[np.float64]
MOST = 300  # networks of one space


@dataclass(frozen=True)
class Source:
    """A benchmark and the labels whose mean rank is learned; the last is reported."""

    space: str
    labels: tuple[str, ...]
    title: str


SOURCES = (
    Source("nasbench201", ("cifar10.test", "imagenet16-120.test", "cifar100.test"), "NAS-Bench-201"),
    Source("nasbench_macro", ("cifar10.test",), "NAS-Bench-Macro"),
    Source("nasbench101", ("cifar10.valid",), "NAS-Bench-101 (one run)"),
    Source("transnas_micro", ("class_scene.test", "class_object.test"), "TransNAS-Bench-101 micro"),
    Source("accel_nasbench", ("imagenet.valid",), "Accel-NASBench"),
    Source("darts", ("cifar10_surrogate.valid",), "NAS-Bench-301 (surrogate labels)"),
)


@dataclass(frozen=True, eq=False)
class Part(Aligned):
    """Networks of one benchmark, each once.

    Attributes:
        source: which.
        values: (n, features).
        labels: (n,) accuracies, as reported.
        targets: (n,) as learned.
        rows: (n,) places in the benchmark's population.
        fingerprints: (n,).
    """

    ALIGNED: ClassVar = ("values", "labels", "targets", "rows", "fingerprints")

    source: Source
    values: Floats
    labels: Floats
    targets: Floats
    rows: NDArray[np.intp]
    fingerprints: NDArray[np.str_]

    def column(self, name: str) -> Floats:
        """One feature."""
        return self.values[:, feature_names().index(name)]


def read_part(source: Source, data: Path, folder: Path) -> Part:
    """A benchmark's networks that have features; of equal ones the first, at most `MOST`, drawn with seed 0."""
    part = _everything(source, data, folder)
    first = np.unique(part.fingerprints, return_index=True)[1]
    return part.subset(np.sort(np.random.default_rng(0).permutation(first)[:MOST]))


def _everything(source: Source, data: Path, folder: Path) -> Part:
    population = read_population(source.space, data)
    found = read_features(population, folder / f"{source.space}.npz")
    labels = [found.population.label(name) for name in source.labels]
    targets = np.mean([np.clip(standardised(targets_of(each)), -3, 3) for each in labels], 0)
    places = {ref: row for row, ref in enumerate(population.refs)}
    rows = np.array([places[ref] for ref in found.population.refs])
    return Part(source, found.values, labels[-1], targets, rows, found.fingerprints)
