"""A back-end that answers at once, so that what the commands do with an answer can be tested alone."""

from __future__ import annotations

import sys
import types
from dataclasses import dataclass, field
from typing import Any

import pytest

import fxscore
from fxscore.errors import ModelRefError
from fxscore.types import ModelRef, Ranking, ScoreRecord


@dataclass
class FakeBackEnd:
    """Plays `fxscore.ranking` and `fxscore.sources`; names tell what happens to a network."""

    asked: dict[str, Any] = field(default_factory=dict)
    raises: BaseException | None = None

    def rank(self, models: list[ModelRef], *, watcher: Any = None, **options: Any) -> Ranking:
        self.asked = {"models": models, **options}
        records: list[ScoreRecord] = []
        for ref in models:
            if self.raises is not None and records:
                raise self.raises
            records.append(self.record(ref))
            if watcher is not None:
                watcher.working([ref])
                watcher.arrived(records[-1], False)
        return Ranking.of(records)

    def record(self, ref: ModelRef) -> ScoreRecord:
        if "bad" in ref.name:
            return ScoreRecord(ref, error="it is bad", seconds=0.1)
        return ScoreRecord(
            ref, score=float(len(ref.name)), params=1000, macs=2000, seconds=0.1, scorer_id="fake"
        )

    def expand_or_keep(self, pattern: str, *, pretrained_only: bool = False) -> list[ModelRef]:
        if "missing" in pattern and "*" in pattern:
            raise ModelRefError(f"{pattern} matches nothing")
        ref = ModelRef.parse(pattern)
        if "*" in pattern:
            return [ModelRef(ref.source, ref.name.replace("*", letter)) for letter in "abc"]
        return [ref]


@pytest.fixture
def back_end(monkeypatch: pytest.MonkeyPatch) -> FakeBackEnd:
    fake = FakeBackEnd()
    for name in ("ranking", "sources"):
        module: Any = types.ModuleType(f"fxscore.{name}")
        module.rank, module.expand_or_keep = fake.rank, fake.expand_or_keep
        module.__path__ = [f"{fxscore.__path__[0]}/{name}"]  # its modules are the real ones
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setattr(fxscore, name, module, raising=False)
    return fake
