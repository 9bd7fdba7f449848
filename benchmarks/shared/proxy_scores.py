"""Scores of handcrafted proxies, all of one network at once, kept where every later table finds them.

A network is built once and measured by every proxy that is wanted of it (`fxscore.proxies.together`). Each value, or
the error in its place, is a record of the store, under the proxy's identity, the version of torch, and a digest of
what it depends on: the proxies and the spaces' networks, not the rest of fxscore.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from torch import nn

import fxscore
from fxscore.errors import FxScoreError, ScorerError
from fxscore.proxies.base import BaseProxy
from fxscore.proxies.together import Values, measure_together
from fxscore.run import Executor, Prepared, Store, evaluate
from fxscore.sources import Built, build, recipe_key
from fxscore.types import ModelRef, ScoreRecord, Shape

_BUILDERS = ("spaces", "published")
_logger = logging.getLogger(__name__)


@cache
def package() -> str:
    """A digest of the sources that decide a proxy's value."""
    root, digest = Path(fxscore.__file__).parent, hashlib.sha256()
    builders = [path for room in _BUILDERS for path in sorted((root / room).rglob("*.py"))]
    for path in (*sorted((root / "proxies").glob("*.py")), *builders):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return f"proxies+{digest.hexdigest()[:12]}"


def settings(resolution: int | None) -> str:
    """What else changes a value."""
    seen = "own" if resolution is None else f"{resolution} or the nearest that the network takes"
    return f"resolution={seen} torch={torch.__version__}"


@dataclass(frozen=True)
class ProxyJob:
    """Measures proxies of one network, writes them into the store, and gives the engine how many have a value.

    Attributes:
        store: the path of its file.
        proxies: the structural ones at the network's own resolution.
        resolution: of those that run the network; None takes its own.
    """

    store: str
    proxies: tuple[BaseProxy, ...]
    resolution: int | None = None

    @property
    def scorer_id(self) -> str:
        return "values of " + " ".join(proxy.scorer_id for proxy in self.proxies)

    @property
    def settings(self) -> str:
        return settings(self.resolution)

    def recipe_key(self, ref: ModelRef) -> str:
        return recipe_key(ref)

    def trusts(self, ref: ModelRef) -> bool:
        return True

    def open(self) -> ProxySession:
        return ProxySession(self)


class ProxySession:
    """The job at work in one process."""

    def __init__(self, job: ProxyJob) -> None:
        self.job = job

    def prepare(self, ref: ModelRef) -> Prepared:
        built = build(ref, weights=any(proxy.needs_weights for proxy in self.job.proxies))
        return Prepared(_fingerprint(ref), payload=(ref, built))

    def finish(self, prepared: Prepared) -> float:
        ref, built = prepared.payload
        structural = [proxy for proxy in self.job.proxies if not proxy.needs_weights]
        weighted = [proxy for proxy in self.job.proxies if proxy.needs_weights]
        values = measure_together(structural, built.module, built.input_shape)
        values |= _at_resolution(weighted, built, self.job.resolution)
        with Store(self.job.store) as store:
            for scorer_id, value in values.items():
                _write(store, self.job, ref, scorer_id, value)
        return float(sum(isinstance(value, float) for value in values.values()))


def _at_resolution(proxies: Sequence[BaseProxy], built: Built, resolution: int | None) -> Values:
    """Values at the first size at which the network runs."""
    values: Values = {}
    for module, shape in _sizes(built, resolution) if proxies else ():
        values = measure_together(proxies, module, shape)
        if any(isinstance(value, (float, ScorerError)) for value in values.values()):
            return values
    return values


def _sizes(built: Built, resolution: int | None) -> Iterator[tuple[nn.Module, Shape]]:
    own = built.input_shape
    if resolution is not None and resolution < own[-1]:
        for side in (resolution, 2 * resolution):
            if side < own[-1]:
                yield built.module, (*own[:-2], side, side)
        if hasattr(built.module, "set_input_size"):
            other = build(built.ref, weights=True).module
            other.set_input_size(img_size=(resolution, resolution))  # type: ignore[operator]
            yield other, (*own[:-2], resolution, resolution)
    yield built.module, own


def _write(store: Store, job: ProxyJob, ref: ModelRef, scorer_id: str, value: float | Exception) -> None:
    score = value if isinstance(value, float) else None
    error = None if score is not None else f"{type(value).__name__}: {value}"
    record = ScoreRecord(ref, score, error, fingerprint=_fingerprint(ref), scorer_id=scorer_id)
    context = store.context(scorer_id, job.settings, package())
    store.write(context, recipe_key(ref), record, lasting=isinstance(value, FxScoreError))


def _fingerprint(ref: ModelRef) -> str:
    return "recipe-" + hashlib.sha256(recipe_key(ref).encode()).hexdigest()[:24]


def known_records(
    refs: Sequence[ModelRef], proxy: BaseProxy, resolution: int | None, store: Store
) -> dict[ModelRef, ScoreRecord]:
    """What the store holds of one proxy."""
    context = store.context(proxy.scorer_id, settings(resolution), package())
    found = {ref: store.find(context, recipe_key(ref), ref, proxy.scorer_id) for ref in refs}
    return {ref: answer[0] for ref, answer in found.items() if answer is not None}


def measure(
    wanted: Mapping[ModelRef, Sequence[BaseProxy]],
    resolution: int | None,
    executor: Executor,
    store: Store,
) -> None:
    """See to it that the store holds a record of every network's every proxy.

    Args:
        wanted: the proxies of each network.
        resolution: of those that run the network.
        executor: where.
        store: a file, which the workers write into.
    """
    for proxies, refs in _missing(wanted, resolution, store).items():
        job = ProxyJob(str(store.path), proxies, resolution)
        _logger.info("%d networks, %s", len(refs), job.scorer_id)
        for record in evaluate(refs, job, executor):
            if record.error is not None:  # it was ended, or did not build: that is every proxy's error
                for proxy in proxies:
                    _write(store, job, record.ref, proxy.scorer_id, ScorerError(record.error))


def _missing(
    wanted: Mapping[ModelRef, Sequence[BaseProxy]], resolution: int | None, store: Store
) -> dict[tuple[BaseProxy, ...], list[ModelRef]]:
    """Networks by the proxies that they lack; a network that runs out of memory still has what needs no run."""
    every = dict.fromkeys(proxy for proxies in wanted.values() for proxy in proxies)
    known = {proxy: known_records(list(wanted), proxy, resolution, store) for proxy in every}
    lacking: dict[tuple[BaseProxy, ...], list[ModelRef]] = {}
    for ref, proxies in wanted.items():
        for runs in (False, True):
            if missing := tuple(p for p in proxies if p.needs_weights == runs and ref not in known[p]):
                lacking.setdefault(missing, []).append(ref)
    return lacking
