"""What a network does to its process is its own result, and costs no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.shared.apart import each
from fxscore.run import Where

FUNCTIONS = """
import os, time

def measure(name):
    if name.endswith("raises"):
        raise ValueError("no number\\nand more")
    if name.endswith("ends"):
        os._exit(3)
    if name.endswith("sleeps"):
        time.sleep(60)
    return {"name": name, "sizes": [1, 2.5]}
"""


def test_answers_errors_deaths_and_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "measured_apart.py").write_text(FUNCTIONS)
    monkeypatch.syspath_prepend(str(tmp_path))
    names = [f"nets:{what}" for what in ("one", "raises", "ends", "sleeps", "two")]
    found = {
        name: (answer, error) for name, answer, error in each("measured_apart:measure", names, Where(1, 5.0))
    }
    assert sorted(found) == sorted(names)
    for name in ("nets:one", "nets:two"):
        assert found[name] == ({"name": name, "sizes": [1, 2.5]}, None)
    assert found["nets:raises"] == (None, "ValueError: no number")
    assert "exit code 3" in str(found["nets:ends"][1])
    assert "time limit of 5 s" in str(found["nets:sleeps"][1])
