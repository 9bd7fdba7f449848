"""Features of a benchmark's networks, computed once and kept in a local file per space.

``python -m benchmarks.quality.features --data ../shared/data nasbench201 nasbench_macro=800`` fills
``runs/features/*.npz``: of each space all networks, or so many drawn with seed 0. A stopped run goes on where it was; a
further run adds what is missing. Networks that the benchmark itself calls equal have one computation. Networks that
fail are listed and left out.

A file holds ``names`` (columns), ``keys`` (networks), ``fingerprints`` and ``values`` (networks, columns).
"""

from __future__ import annotations

import argparse
import hashlib
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from numpy.typing import NDArray

from fxscore.aligned import Aligned
from fxscore.costs import macs_of
from fxscore.errors import FxScoreError
from fxscore.evaluate import Population, read_population
from fxscore.evaluate.population import LIBRARIES
from fxscore.scorer import FTScoreNet
from fxscore.scorer.checkpoint import load_checkpoint
from fxscore.scorer.features import NetworkFeatures, default_encoder, feature_names, network_features
from fxscore.scorer.subject import subject_of
from fxscore.spaces import get_space
from fxscore.types import ModelRef

Floats = NDArray[np.float64]
FOLDER = Path("runs/features")
PART = 25
Known = dict[str, tuple[str, Floats]]


@dataclass(frozen=True, eq=False)
class FeatureTable(Aligned):
    """Networks with their labels and features.

    Attributes:
        population: the networks that have features.
        names: of the columns.
        values: (networks, columns).
        fingerprints: (networks,); equal ones have equal features.
    """

    ALIGNED: ClassVar = ("population", "values", "fingerprints")

    population: Population
    names: tuple[str, ...]
    values: Floats
    fingerprints: NDArray[np.str_]

    def columns(self, names: Iterable[str]) -> Floats:
        """The named columns."""
        places = {name: place for place, name in enumerate(self.names)}
        return self.values[:, [places[name] for name in names]]


def network_key(ref: ModelRef) -> str:
    """Equal for references that the benchmark itself calls one network."""
    if ref.source in LIBRARIES:
        return str(ref)
    space = get_space(ref.source)
    return space.isomorphism_key(space.parse(ref.name))


def read_features(population: Population, file: Path) -> FeatureTable:
    """The networks of a population whose features a file holds, in the population's order."""
    known = read_known(file)
    keys = [network_key(ref) for ref in population.refs]
    rows = [row for row, key in enumerate(keys) if key in known]
    if not rows:
        raise SystemExit(
            f"{file} has no features of {population.name}; run python -m benchmarks.quality.features"
        )
    found = [known[keys[row]] for row in rows]
    return FeatureTable(
        population.subset(rows),
        feature_names(),
        np.stack([values for _, values in found]),
        np.array([fingerprint for fingerprint, _ in found]),
    )


def read_whole(population: Population, file: Path) -> FeatureTable:
    """`read_features` of a file that must hold every network of the population."""
    found = read_features(population, file)
    if len(found.population) < len(population):
        raise SystemExit(
            f"{file} has features of {len(found.population)} of the {len(population)} networks of {population.name}; "
            "run python -m benchmarks.quality.features again"
        )
    return found


def compute(
    population: Population, file: Path, encoder: FTScoreNet | None = None, most: float = float("inf")
) -> Known:
    """Add to a file the features of a population's networks that it lacks, those of at most so many MACs as seen."""
    known = read_known(file)
    wanted = {network_key(ref): ref for ref in population.refs}
    missing = sorted((key for key in wanted if key not in known), key=_shuffled)
    for start in range(0, len(missing), PART):
        begin = time.monotonic()
        found = {key: _features(wanted[key], encoder, most) for key in missing[start : start + PART]}
        known = read_known(file) | {
            key: (each.fingerprint, each.values) for key, each in found.items() if each is not None
        }
        write_known(file, known)
        done = min(start + PART, len(missing))
        print(f"{file.stem}: {done} of {len(missing)}, {time.monotonic() - begin:.0f} s", flush=True)
    return known


def _shuffled(key: str) -> str:
    """A place in an order that has nothing to do with names: what a stopped run did is a fair sample."""
    return hashlib.blake2b(key.encode(), digest_size=8).hexdigest()


def _features(ref: ModelRef, encoder: FTScoreNet | None, most: float) -> NetworkFeatures | None:
    encoder = encoder or default_encoder()
    try:
        subject = subject_of(ref)
        constructed = subject.construct(encoder.batch, encoder.shape_for(subject.input_shape))
        macs = sum(map(macs_of, constructed.graph_module.graph.nodes)) // constructed.batch
        if macs <= most:
            return network_features(subject, encoder)
        print(f"{ref}: {macs:.3g} multiply-accumulates as seen; left for later", flush=True)
        return None
    except FxScoreError as error:
        print(f"{ref}: {str(error).splitlines()[0]}", flush=True)
        return None


def read_known(path: Path) -> Known:
    """What a file holds; nothing where there is none, or one of other columns."""
    if not path.is_file():
        return {}
    with np.load(path) as data:
        if data["names"].tolist() != list(feature_names()):
            return {}
        rows = zip(data["keys"].tolist(), data["fingerprints"].tolist(), data["values"], strict=True)
        return {key: (fingerprint, values) for key, fingerprint, values in rows}


def write_known(path: Path, known: Known) -> None:
    """Write a file of features; a crash leaves the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.stem}.{os.getpid()}.npz")
    np.savez_compressed(
        unfinished,
        names=np.array(feature_names()),
        keys=np.array(list(known)),
        fingerprints=np.array([fingerprint for fingerprint, _ in known.values()]),
        values=np.array([values for _, values in known.values()]).reshape(-1, len(feature_names())),
    )
    unfinished.replace(path)


def main(arguments: Sequence[str] | None = None) -> None:
    """Fill the files."""
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("spaces", nargs="+", help="SPACE, or SPACE=COUNT for so many of its networks")
    parser.add_argument("--data", type=Path, required=True, help="folder of the benchmark tables")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--encoder", type=Path, help="a scorer file whose kernel and input to use")
    parser.add_argument(
        "--most-macs", type=float, default=float("inf"), help="leave larger networks for later"
    )
    options = parser.parse_args(arguments)
    encoder = options.encoder and FTScoreNet.from_checkpoint(load_checkpoint(options.encoder))
    for text in options.spaces:
        space, _, count = text.partition("=")
        population = read_population(space, options.data).draw(int(count or 0), seed=0)
        known = compute(population, options.folder / f"{space}.npz", encoder, options.most_macs)
        print(f"{space}: {len(known)} networks")


if __name__ == "__main__":
    main()
