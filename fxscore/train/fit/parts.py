"""Which networks a fit can use, and how they are parted into what teaches and what judges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from fxscore.errors import FxScoreError, ScorerError
from fxscore.evaluate import Measures, agreement
from fxscore.evaluate.estimates import Estimate
from fxscore.run.failure import own_errors_only
from fxscore.run.guard import unchanged_globals
from fxscore.scorer.fitting import LEAST
from fxscore.scorer.given import Model
from fxscore.scorer.hybrid_head import Floats
from fxscore.scorer.pair_table import LeftOut, PairTable
from fxscore.texts import first_line
from fxscore.train.looking import Records, Watch
from fxscore.types import ModelRef

FOLDS = 5
Mask = NDArray[np.bool_]
T = TypeVar("T")


@dataclass(frozen=True)
class Usable(Generic[T]):
    """The networks that can be learned from.

    Attributes:
        places: in what was given.
        seen: what was seen of each.
        labels: their accuracies.
        failed: place → error of those that cannot be used.
    """

    places: tuple[int, ...]
    seen: list[T]
    labels: Floats
    failed: dict[int, str]


def usable_networks(
    models: Sequence[Model],
    accuracies: Sequence[float],
    look: Callable[[Model], T],
    watch: Watch,
    strict: bool = False,
) -> Usable[T]:
    """Look at every network; `strict` raises the first error instead of leaving the network out."""
    seen: dict[int, T] = {}
    failed: dict[int, str] = {}
    for place, model in enumerate(models):
        try:
            with own_errors_only(), unchanged_globals():
                seen[place] = look(model)
        except FxScoreError as error:
            if strict:
                raise type(error)(f"network {place}: {error}") from None
            failed[place] = first_line(error)
        watch(place + 1)
    labels = np.array([float(accuracies[place]) for place in seen])
    _check_left(labels, failed)
    return Usable(tuple(seen), list(seen.values()), labels, failed)


def _check_left(labels: Floats, failed: dict[int, str]) -> None:
    """Refuse to go on with too few networks; the first error says why."""
    if len(labels) < LEAST:
        first = f"; the first error: {next(iter(failed.values()))}" if failed else ""
        raise ScorerError(f"only {len(labels)} networks can be used, and {len(failed)} failed{first}")
    if len(np.unique(labels.astype(np.float32))) == 1:
        raise ScorerError(f"all networks that can be used have the accuracy {labels[0]:g}")


def folds(fingerprints: Sequence[str], seed: int) -> np.ndarray:
    """The fold of each network; networks of one fingerprint share it."""
    return np.asarray(turns(fingerprints, seed) % FOLDS)


def turns(fingerprints: Sequence[str], seed: int) -> np.ndarray:
    """A drawn turn for each network; networks of one fingerprint share it."""
    names, place = np.unique(np.asarray(fingerprints), return_inverse=True)
    return np.asarray(np.random.default_rng(seed).permutation(len(names))[place])


def held_out(
    fingerprints: Sequence[str], labels: Floats, share: float, seed: int
) -> tuple[list[int], list[int]]:
    """(places that are measured on, places that are learned from); networks of one fingerprint stay together.

    Where what is learned from would have one label only, none is held out: there is no figure, but a scorer.
    """
    turn = turns(fingerprints, seed)
    order = np.argsort(turn, kind="stable").tolist()
    count = round(share * len(order))
    held = [place for place in order if turn[place] <= turn[order[count - 1]]] if count else []
    seen = order[len(held) :]
    if len(set(labels[seen])) < 2:
        return [], order
    return held, seen


def told_after(records: Records, watch: Watch) -> Watch:
    """Who is told of networks that are looked at in this process: nobody, where workers did, and told."""
    return (lambda done: None) if records else watch


def measured_on(scores: Floats, labels: Floats, seed: int) -> Estimate:
    """Spearman's ρ with its interval; undefined on fewer than two networks."""
    if len(labels) < 2:
        return Estimate(None)
    return agreement(scores, labels, Measures(seed=seed)).figures["spearman"]


def pairs_of(scores: Floats, labels: Floats, distances: Floats | None = None) -> PairTable | None:
    """How often pairs of networks that a fit did not see were ordered rightly; None where nothing tells them apart.

    Args:
        scores: (n,).
        labels: (n,) accuracies.
        distances: (n,) from what the fit saw; without, all count as inside.
    """
    if len(scores) < 2 or not np.ptp(scores):
        return None
    return PairTable.of([LeftOut(scores, labels, np.zeros(len(scores)) if distances is None else distances)])


def named(model: Model, place: int) -> str:
    """What people know a network by: its reference, or its class and its place."""
    return str(model) if isinstance(model, (str, ModelRef)) else f"{type(model).__name__} {place}"
