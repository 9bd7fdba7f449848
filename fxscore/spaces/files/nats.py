"""The official files of NAS-Bench-201 and NATS-Bench, which share one form.

A file (`NAS-Bench-201-v1_*.pth`, `NATS-*.pickle.pbz2`) holds `meta_archs`, the text of every network, and
`arch2infos`: index → recipe → state. A folder (`NATS-*-simple`) holds `meta.pickle.pbz2` and one file per
index with its recipes. Recipes are named by their epochs (`full` is 200 in NAS-Bench-201). A state holds
`dataset_seed` and, under `all_results` at (data set, seed), `eval_acc1es` by `set@epoch`, `epochs`, and
`params` and `flop` in millions. A label is the mean over seeds at the last epoch.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from fxscore.errors import SpaceError
from fxscore.spaces.files.entries import Entry
from fxscore.spaces.files.pickles import read_pickle, read_pth
from fxscore.spaces.table import BenchmarkTable

G = TypeVar("G", bound=Hashable)

# Label → the benchmark's data set and evaluation set (nats_bench's mapping of names).
_SETS = {
    "cifar10.valid": ("cifar10-valid", "x-valid"),
    "cifar10.test": ("cifar10", "ori-test"),
    "cifar100.valid": ("cifar100", "x-valid"),
    "cifar100.test": ("cifar100", "x-test"),
    "imagenet16-120.valid": ("ImageNet16-120", "x-valid"),
    "imagenet16-120.test": ("ImageNet16-120", "x-test"),
}


def is_nats(path: str | Path) -> bool:
    """Whether the name is one of these files' or folders'."""
    return Path(path).is_dir() or Path(path).suffix in (".pth", ".pbz2")


def read_nats(
    space: str, path: str | Path, parse: Callable[[str], G], recipes: Sequence[str]
) -> BenchmarkTable[G]:
    """Every network that the file holds results of, trained by the first of `recipes` that it has.

    Raises:
        SpaceError: it is no such file, or a network lacks a result that the first one has.
    """
    genotypes, states = [], []
    for text, results in _networks(Path(path)):
        genotypes.append(results.parse(text, parse))
        states.append(_recipe(results, recipes))
    if not states:
        raise SpaceError(f"{Path(path).name}: it holds results of no network")
    sets = {label: where for label, where in _SETS.items() if where[0] in states[0]["dataset_seed"]}
    labels = {
        label: np.array([_accuracy(state, *where) for state in states]) for label, where in sets.items()
    }
    params, flops = (np.round(1e6 * np.array([_cost(s, key) for s in states])) for key in ("params", "flop"))
    return BenchmarkTable(space, tuple(genotypes), labels, params=params, flops=flops)


def _networks(path: Path) -> Iterator[tuple[str, Entry]]:
    """The text of each network and its results by recipe."""
    if path.is_dir():
        yield from _folder(path)
        return
    data = read_pth(path) if path.suffix == ".pth" else read_pickle(path)
    texts, results = data["meta_archs"].elements(), data["arch2infos"].items()
    for index, entry in results:
        if not isinstance(index, int) or not 0 <= index < len(texts):
            raise entry.fail(f"index {index!r} has no entry in meta_archs")
        yield texts[index].text(), entry


def _folder(path: Path) -> Iterator[tuple[str, Entry]]:
    texts = read_pickle(path / "meta.pickle.pbz2")["meta_archs"].elements()
    for index, text in enumerate(texts):
        if (file := path / f"{index:06d}.pickle.pbz2").exists():
            yield text.text(), read_pickle(file)


def _recipe(results: Entry, recipes: Sequence[str]) -> Entry:
    for recipe in recipes:
        if recipe in results:
            return results[recipe]
    raise results.fail(f"no key {' or '.join(map(repr, recipes))}")


def _accuracy(state: Entry, dataset: str, evaluation: str) -> float:
    return float(np.mean([_last(run, evaluation) for run in _runs(state, dataset)]))


def _last(run: Entry, evaluation: str) -> float:
    epoch = int(run["epochs"].number(1)) - 1
    return run["eval_acc1es"][f"{evaluation}@{epoch}"].number(0, 100)


def _runs(state: Entry, dataset: str) -> list[Entry]:
    seeds = state["dataset_seed"][dataset].elements()
    return [state["all_results"][dataset, seed.value] for seed in seeds]


def _cost(state: Entry, key: str) -> float:
    """Millions of parameters or multiply-accumulates on the first data set."""
    dataset, _ = state["dataset_seed"].items()[0]
    return _runs(state, dataset)[0][key].number(0)
