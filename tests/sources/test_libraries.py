"""What is kept of a library from run to run, and when it is asked again."""

from __future__ import annotations

import sys
import types
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs
import pytest

from fxscore.sources.libraries import Library


@dataclass
class Asked:
    """A library that counts how often it is asked; to ask it loads nothing."""

    count: int = 0
    names: list[str] = field(default_factory=lambda: ["a", "b"])

    def list_names(self) -> list[str]:
        self.count += 1
        return self.names

    def library(self, loads: Library | None = None) -> Library:
        facts = {"a": 71.5}
        return Library("nosuchlibrary", self.list_names, lambda: ["a"], facts.get, loads)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda *_, **__: tmp_path / "cache")
    return tmp_path / "cache" / "libraries"


def answers(library: Library) -> tuple[object, ...]:
    return (
        library.names(),
        library.names(True),
        library.fact_of("a"),
        library.fact_of("b"),
        library.fact_of("c"),
    )


def test_it_is_asked_once() -> None:
    asked = Asked()
    for _ in range(2):
        assert answers(asked.library()) == (["a", "b"], ["a"], 71.5, None, None)
    assert asked.count == 1


def test_one_that_is_loaded_is_asked_itself_and_nothing_is_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked()
    asked.library().names()
    kept = [path.read_bytes() for path in folder.iterdir()]
    monkeypatch.setitem(sys.modules, "nosuchlibrary", types.ModuleType("nosuchlibrary"))
    asked.names = ["a", "b", "mine"]
    assert answers(asked.library()) == (["a", "b", "mine"], ["a"], 71.5, None, None)
    assert [path.read_bytes() for path in folder.iterdir()] == kept


def test_one_that_comes_with_another_is_kept_with_it() -> None:
    inner, outer = Asked(), Asked()
    library = Library("another", outer.list_names, list, lambda name: None, inner.library())
    library.names()
    assert (outer.count, inner.count) == (1, 1)
    inner.library().names()
    assert inner.count == 1


DAMAGE = (
    *("", "[", "[]", "3", '{"names": []}'),
    '{"names": [1], "pretrained": [], "facts": {}}',
    '{"names": [], "pretrained": [], "facts": {"a": []}}',
    '{"names": [], "pretrained": [], "facts": 3}',
)


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_asked_for_again(folder: Path, damage: str) -> None:
    asked = Asked()
    asked.library().names()
    (kept,) = folder.iterdir()
    kept.write_text(damage)
    assert answers(asked.library()) == (["a", "b"], ["a"], 71.5, None, None)


def test_without_a_folder_each_run_asks(folder: Path) -> None:
    folder.parent.write_text("no folder")
    asked = Asked()
    for _ in range(2):
        assert asked.library().names() == ["a", "b"]
    assert asked.count == 2
