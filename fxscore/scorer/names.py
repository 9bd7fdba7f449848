"""What a name, a path or an object stands for as a scorer; loads no torch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fxscore.errors import ScorerError, UsageError
from fxscore.proxies import proxy_names
from fxscore.reading import is_file
from fxscore.scorer.file_contents import read_contents
from fxscore.texts import one_line

if TYPE_CHECKING:
    from fxscore.scorer.base import Scorer

DEFAULT_SCORER = "general"
SIZES = "sizes"  # the scorer's id in records of what counts and does not score
SUFFIX = ".safetensors"
WEIGHTS = Path(__file__).parent / "weights"


@dataclass(frozen=True)
class ScorerInfo:
    """A scorer that ships with fxscore: its name, settings and training record."""

    name: str
    kind: str
    settings: Mapping[str, Any]
    record: Mapping[str, Any]


@dataclass(frozen=True)
class ProxyName:
    """A handcrafted proxy, by a name that there is."""

    name: str


@dataclass(frozen=True)
class ScorerFile:
    """A scorer's file, which may be missing or foreign."""

    path: Path

    @property
    def stamp(self) -> tuple[Path, int, int]:
        """Another where the file is another one, or was written again."""
        if not is_file(self.path):
            return self.path.absolute(), 0, 0
        place = self.path.resolve()
        status = place.stat()
        return place, status.st_mtime_ns, status.st_size


def shipped_scorers() -> tuple[str, ...]:
    """Names of the shipped scorers; opens no file."""
    return tuple(path.stem for path in sorted(WEIGHTS.glob(f"*{SUFFIX}")))


def list_scorers() -> list[ScorerInfo]:
    """The shipped scorers, the default one first."""
    found = [read_contents(path) for path in sorted(WEIGHTS.glob(f"*{SUFFIX}"))]
    infos = [ScorerInfo(each.name, each.kind, each.settings, each.record) for each in found]
    return sorted(infos, key=lambda info: (info.name != DEFAULT_SCORER, info.name))


def find_scorer(scorer: str | Path | Scorer | None) -> ScorerFile | ProxyName | Scorer:
    """What is meant: a shipped scorer before a proxy, and a name before a file of that name.

    Raises:
        ScorerError: nothing has this name.
        UsageError: the object is no scorer.
    """
    if scorer is None:
        return _shipped(DEFAULT_SCORER)
    if not isinstance(scorer, (str, Path)):
        return _checked(scorer)
    if isinstance(scorer, str) and _is_shipped(scorer):
        return _shipped(scorer)
    if isinstance(scorer, str) and scorer in proxy_names():
        return ProxyName(scorer)
    if os.path.exists(scorer) or str(scorer).endswith(SUFFIX):
        return ScorerFile(Path(scorer))
    raise ScorerError(_unknown(str(scorer)))


def portable(scorer: str | Path | Scorer | None) -> str | Scorer | None:
    """The scorer as other processes load it: a path becomes absolute, since they may have another current folder."""
    if isinstance(scorer, str) and (_is_shipped(scorer) or scorer in proxy_names()):
        return scorer
    return str(Path(scorer).absolute()) if isinstance(scorer, (str, Path)) else scorer


def _shipped(name: str) -> ScorerFile:
    return ScorerFile(WEIGHTS / f"{name}{SUFFIX}")


def _is_shipped(name: str) -> bool:
    path = _shipped(name).path
    return path.parent == WEIGHTS and is_file(path)


def _checked(scorer: Scorer) -> Scorer:
    if isinstance(scorer, type) or not callable(getattr(scorer, "score", None)):
        raise UsageError(
            f"{one_line(repr(scorer), 80)} is no scorer; give a name such as 'general', the path of a file, or "
            "an object of fxscore.load_scorer"
        )
    return scorer


def _unknown(name: str) -> str:
    names = [*shipped_scorers(), *proxy_names()]
    close = get_close_matches(name, names)
    meant = (
        f"; did you mean {' or '.join(close)}?"
        if close
        else f"; there are {', '.join(names)}, and paths to scorer files"
    )
    return f"no scorer is called {name!r}{meant}"
