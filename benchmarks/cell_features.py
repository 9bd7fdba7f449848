"""Graph and forward features of the NAS-Bench-201 cells of a table, computed once and kept in a local file.

``python -m benchmarks.cell_features --data ../shared/data`` fills ``runs/features_nb201.npz`` (twenty minutes on one
core); a stopped run goes on where it was, because finished parts lie beside the file. Cells that the benchmark's
own string form joins have one computation. The forward is that of an untrained FT-ScoreNet (seed 0) at 16 images of
3×16×16, or of the scorer in a file.
"""

from __future__ import annotations

import argparse
import hashlib
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from fxscore.capture.empty_weights import empty_weights
from fxscore.constructed import construct
from fxscore.graph_features import describe, forward_features, graph_features
from fxscore.ops import Observer
from fxscore.scorer import FTScoreNet
from fxscore.scorer.checkpoint import load_checkpoint
from fxscore.spaces import BenchmarkTable
from fxscore.spaces.nasbench201 import Cell, NASBench201

Floats = NDArray[np.float64]
CACHE = Path("runs/features_nb201.npz")
TABLE = "nas_bench_201.csv.gz"
PART = 250
_SPACE = NASBench201("cifar100")


@dataclass(frozen=True)
class CellFeatures:
    """Features of the rows of a table.

    Attributes:
        names: of the columns.
        values: (rows, columns).
        fingerprints: (rows,) equal ones have equal features.
    """

    names: tuple[str, ...]
    values: Floats
    fingerprints: NDArray[np.str_]

    def columns(self, names: Iterable[str]) -> Floats:
        """The named columns that are not constant over the rows."""
        chosen = self.values[:, [self.names.index(name) for name in names]]
        return chosen[:, np.ptp(chosen, axis=0) > 0]


def cell_features(
    table: BenchmarkTable[Cell], cache: Path = CACHE, processes: int = 2, scorer: Path | None = None
) -> CellFeatures:
    """The features of a table's cells, from the cache or computed into it."""
    keys = [_SPACE.isomorphism_key(cell) for cell in table.genotypes]
    cells = dict(zip(keys, map(str, table.genotypes), strict=True))
    known = _read(cache) or _compute(dict(sorted(cells.items())), cache, processes, scorer)
    missing = cells.keys() - known.keys()
    if missing:
        raise SystemExit(f"{cache} lacks {len(missing)} cells of the table; delete it to compute it again")
    rows = [known[key] for key in keys]
    values = np.stack([row[1] for row in rows])
    return CellFeatures(tuple(describe()), values, np.array([row[0] for row in rows]))


Known = dict[str, tuple[str, Floats]]


def _compute(cells: dict[str, str], cache: Path, processes: int, scorer: Path | None) -> Known:
    items = list(cells.items())
    folder = cache.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    parts = [items[start : start + PART] for start in range(0, len(items), PART)]
    known: Known = {}
    paths = [folder / f"{_digest(part)}.npz" for part in parts]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_be_modest) as pool:
        for number, done in enumerate(pool.map(_part, paths, parts, [scorer] * len(parts)), 1):
            known |= done
            print(f"{number} of {len(parts)} parts", flush=True)
    _write(cache, known)
    return known


def _be_modest() -> None:
    torch.set_num_threads(1)
    os.nice(10)


def _part(path: Path, part: Sequence[tuple[str, str]], scorer: Path | None) -> Known:
    known = _read(path)
    if known is None:
        encoder = _encoder(scorer)
        known = {key: _features(cell, encoder) for key, cell in part}
        _write(path, known)
    return known


def _encoder(path: Path | None) -> FTScoreNet:
    if path is None:
        return FTScoreNet().requires_grad_(False)
    return FTScoreNet.from_checkpoint(load_checkpoint(path))


@torch.no_grad()
def _features(text: str, encoder: FTScoreNet) -> tuple[str, Floats]:
    with empty_weights():
        module = _SPACE.build(_SPACE.parse(text))
    settings = encoder.settings
    constructed = construct(module.eval(), settings.input_shape, settings.batch, owned=True)
    observer = Observer(v_norm=settings.v_norm, keep_redundant=True, keep_patterns=True)
    encoding = constructed(encoder.input_like, encoder.weights, observer)
    columns = {**graph_features(constructed), **forward_features(encoding)}
    return constructed.fingerprint, np.array([columns[name] for name in describe()])


def _digest(part: Sequence[tuple[str, str]]) -> str:
    text = "\n".join([*describe(), *(key for key, _ in part)])
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _read(path: Path) -> Known | None:
    """What a file holds; None where there is none, or one of other columns."""
    if not path.is_file():
        return None
    with np.load(path) as data:
        if data["names"].tolist() != list(describe()):
            return None
        rows = zip(data["keys"].tolist(), data["fingerprints"].tolist(), data["values"], strict=True)
        return {key: (fingerprint, values) for key, fingerprint, values in rows}


def _write(path: Path, known: Known) -> None:
    unfinished = path.with_name(f".{path.stem}.{os.getpid()}.npz")
    np.savez_compressed(
        unfinished,
        names=np.array(list(describe())),
        keys=np.array(list(known)),
        fingerprints=np.array([fingerprint for fingerprint, _ in known.values()]),
        values=np.stack([values for _, values in known.values()]),
    )
    unfinished.replace(path)


def read_table(data: Path) -> BenchmarkTable[Cell]:
    """The table of NAS-Bench-201 in the folder `data`."""
    return _SPACE.read(data / TABLE)


def main() -> None:
    """Fill the cache."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the benchmark tables")
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--scorer", type=Path, help="a scorer file whose kernel and input to use")
    options = parser.parse_args()
    features = cell_features(read_table(options.data), options.cache, options.processes, options.scorer)
    print(
        f"{len(features.values)} cells, {len(set(features.fingerprints.tolist()))} fingerprints, {options.cache}"
    )


if __name__ == "__main__":
    main()
