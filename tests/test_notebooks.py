"""The notebooks of the documentation run in a kernel of their own, and results show themselves there."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
SHOWN = {
    "rank": {"Ranking"},
    "compare": {"Comparison", "Explanation"},
    "search": {"SearchResult"},
    "fit": {"Fitted", "Ranking"},
}


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Kernels find this fxscore, and leave nothing behind in anybody's home."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", ""))))
    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    return tmp_path


def outputs(notebook: Any, kind: str) -> list[str]:
    """What its cells showed in one form."""
    return [
        output["data"][kind]
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if kind in output.get("data", {})
    ]


def test_each_kind_of_result_has_a_notebook() -> None:
    assert {path.stem for path in NOTEBOOKS} == set(SHOWN)
    assert len(set().union(*SHOWN.values())) == 5


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_its_results_show_themselves(path: Path, alone: Path) -> None:
    pytest.importorskip("pandas", reason="notebooks need fxscore[frames]")
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    assert not any(cell.get("outputs") for cell in notebook.cells)  # what is kept is the code alone
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(alone)}}).execute()
    words = outputs(notebook, "text/plain")
    names = {match[1] for text in words if (match := re.match(r"<(\w+): ", text))}
    assert names == SHOWN[path.stem]
    assert all(len(text.splitlines()) == 1 for text in words if text.startswith("<"))
    tables = [text for text in outputs(notebook, "text/html") if 'class="fxscore"' in text]
    assert len(tables) == len(SHOWN[path.stem])
    frames = [text for text in outputs(notebook, "text/html") if "dataframe" in text]
    assert len(frames) == len(SHOWN[path.stem] - ({"Ranking"} if path.stem == "fit" else set()))
    assert len(outputs(notebook, "image/png")) == len(frames)
    for text in tables:  # no colour but the notebook's own, in light and dark
        style = re.search(r"<style>(.*?)</style>", text)
        assert style is not None
        assert set(re.findall(r"(?:^|[;{])(?:color|background):(\w+)", style[1])) <= {"inherit", "none"}
