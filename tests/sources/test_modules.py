"""Where importable modules lie, without importing them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fxscore.sources.modules import module_file
from fxscore.types import ModelRef


@pytest.mark.parametrize("marked", [True, False], ids=["packages", "folders without __init__.py"])
def test_a_module_deep_in_packages_is_found_unimported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, marked: bool
) -> None:
    folder = tmp_path / "outer_rooms" / "inner" / "deep"
    folder.mkdir(parents=True)
    (folder / "nets.py").write_text("raise RuntimeError('imported')")
    for each in (folder, folder.parent, folder.parent.parent) if marked else ():
        (each / "__init__.py").write_text("")
    monkeypatch.chdir(tmp_path)
    place = "outer_rooms.inner.deep.nets"
    assert module_file(ModelRef("python", f"{place}:build"), place) == folder / "nets.py"
    assert "outer_rooms" not in sys.modules
