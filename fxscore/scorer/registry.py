"""Scorers by name: those that ship with fxscore, files, and handcrafted proxies."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

from fxscore.errors import ScorerError, UsageError
from fxscore.scorer.base import Scorer
from fxscore.scorer.checkpoint import Checkpoint, load_checkpoint
from fxscore.scorer.ensemble import Ensemble
from fxscore.scorer.ft_scorenet import FTScoreNet
from fxscore.scorer.hybrid import Hybrid
from fxscore.scorer.proxy import find_proxy, proxy_names
from fxscore.texts import one_line

DEFAULT_SCORER = "general"
SUFFIX = ".safetensors"
WEIGHTS = Path(__file__).parent / "weights"


@dataclass(frozen=True)
class ScorerInfo:
    """A scorer that ships with fxscore: its name, settings and training record."""

    name: str
    kind: str
    settings: Mapping[str, Any]
    record: Mapping[str, Any]


def shipped_scorers() -> tuple[str, ...]:
    """Names of the shipped scorers; opens no file."""
    return tuple(path.stem for path in sorted(WEIGHTS.glob(f"*{SUFFIX}")))


def list_scorers() -> list[ScorerInfo]:
    """The shipped scorers, the default one first."""
    checkpoints = [load_checkpoint(path) for path in sorted(WEIGHTS.glob(f"*{SUFFIX}"))]
    infos = [ScorerInfo(c.name, c.kind, c.settings, c.record) for c in checkpoints]
    return sorted(infos, key=lambda info: (info.name != DEFAULT_SCORER, info.name))


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
    if scorer is None:
        return _load_file(WEIGHTS / f"{DEFAULT_SCORER}{SUFFIX}")
    if not isinstance(scorer, (str, Path)):
        return _checked(scorer)
    if isinstance(scorer, str) and _is_shipped(scorer):
        return _load_file(WEIGHTS / f"{scorer}{SUFFIX}")
    if isinstance(scorer, str) and (proxy := find_proxy(scorer)) is not None:
        return proxy
    if os.path.exists(scorer) or str(scorer).endswith(SUFFIX):
        return _load_file(Path(scorer))
    raise ScorerError(_unknown(str(scorer)))


def _checked(scorer: Scorer) -> Scorer:
    if isinstance(scorer, type) or not callable(getattr(scorer, "score", None)):
        raise UsageError(
            f"{one_line(repr(scorer), 80)} is no scorer; give a name such as 'general', the path of a file, or "
            "an object of fxscore.load_scorer"
        )
    return scorer


def portable(scorer: str | Path | Scorer | None) -> str | Scorer | None:
    """The scorer as other processes load it: a path becomes absolute, since they may have another current folder."""
    if isinstance(scorer, str) and (_is_shipped(scorer) or find_proxy(scorer) is not None):
        return scorer
    return str(Path(scorer).resolve()) if isinstance(scorer, (str, Path)) else scorer


def _is_shipped(name: str) -> bool:
    path = WEIGHTS / f"{name}{SUFFIX}"
    return path.parent == WEIGHTS and os.path.isfile(path)  # which takes a name of any length


_KINDS: dict[str, Callable[[Checkpoint], Scorer]] = {
    FTScoreNet.KIND: FTScoreNet.from_checkpoint,
    Hybrid.KIND: Hybrid.from_checkpoint,
    Ensemble.KIND: Ensemble.from_checkpoint,
}


def _load_file(path: Path) -> Scorer:
    """Read once for as long as the file stays as it is."""
    place = path.resolve()
    stamp = (place.stat().st_mtime_ns, place.stat().st_size) if place.is_file() else (0, 0)
    return _read(path, place, stamp)


@lru_cache(maxsize=8)
def _read(path: Path, place: Path, stamp: tuple[int, int]) -> Scorer:
    checkpoint = load_checkpoint(path)
    if checkpoint.kind not in _KINDS:
        raise ScorerError(f"{path} holds a scorer of kind {checkpoint.kind!r}, which this version cannot use")
    return _KINDS[checkpoint.kind](checkpoint)


def _unknown(name: str) -> str:
    names = [*shipped_scorers(), *proxy_names()]
    close = get_close_matches(name, names)
    meant = (
        f"; did you mean {' or '.join(close)}?"
        if close
        else f"; there are {', '.join(names)}, and paths to scorer files"
    )
    return f"no scorer is called {name!r}{meant}"
