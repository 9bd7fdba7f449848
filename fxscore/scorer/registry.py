"""Scorers by name: those that ship with fxscore, files, and handcrafted proxies."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from fxscore.errors import ScorerError
from fxscore.proxies import get_proxy
from fxscore.scorer.base import Scorer
from fxscore.scorer.checkpoint import Checkpoint, load_checkpoint
from fxscore.scorer.ensemble import Ensemble
from fxscore.scorer.ft_scorenet import FTScoreNet
from fxscore.scorer.hybrid import Hybrid
from fxscore.scorer.names import ProxyName, ScorerFile, find_scorer
from fxscore.scorer.proxy import ProxyScorer

_KINDS: dict[str, Callable[[Checkpoint], Scorer]] = {
    FTScoreNet.KIND: FTScoreNet.from_checkpoint,
    Hybrid.KIND: Hybrid.from_checkpoint,
    Ensemble.KIND: Ensemble.from_checkpoint,
}


def load_scorer(scorer: str | Path | Scorer | None = None) -> Scorer:
    """The scorer that a name, a path or an object stands for.

    Args:
        scorer: a shipped scorer's name, a handcrafted proxy's name, a path to a scorer file, or a scorer itself;
            None is the default scorer.

    Raises:
        ScorerError: nothing has this name.
        UsageError: the object is no scorer.
        CheckpointError: the file is missing, damaged or foreign.
    """
    found = find_scorer(scorer)
    if isinstance(found, ScorerFile):
        return _read(found.path, found.stamp)
    return ProxyScorer(get_proxy(found.name)) if isinstance(found, ProxyName) else found


@lru_cache(maxsize=8)
def _read(path: Path, stamp: tuple[Path, int, int]) -> Scorer:
    """Once for as long as the file stays as it is."""
    checkpoint = load_checkpoint(path)
    if checkpoint.kind not in _KINDS:
        raise ScorerError(f"{path} holds a scorer of kind {checkpoint.kind!r}, which this version cannot use")
    return _KINDS[checkpoint.kind](checkpoint)
