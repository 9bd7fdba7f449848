"""The part of setup.sh that is easy to get wrong, without a set-up."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def function(name: str) -> str:
    match = re.search(rf"^{name}\(\) {{\n.*?^}}\n", (ROOT / "setup.sh").read_text(), re.MULTILINE | re.DOTALL)
    assert match is not None
    return match[0]


def program(folder: Path, name: str, says: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\necho {says}\n")
    (folder / name).chmod(0o755)


def test_nvcc_is_hidden_and_its_neighbours_are_not(tmp_path: Path) -> None:
    """nvcc may share a folder with the compiler, and may be a dangling link or occur twice."""
    first, second, plain = tmp_path / "a b", tmp_path / "c", tmp_path / "d"
    program(first, "nvcc", "cuda")
    program(first, "g++", "first")
    program(second, "g++", "second")
    program(plain, "other", "plain")
    (second / "nvcc").symlink_to(tmp_path / "gone")
    path = os.pathsep.join(map(str, (first, second, plain, "/usr/bin", "/bin")))

    script = "set -eu\n" + function("path_without_nvcc") + f'path_without_nvcc "{tmp_path / "shadow"}"'
    hidden = subprocess.run(
        ["bash", "-c", script], env={"PATH": path}, capture_output=True, text=True, check=True
    ).stdout

    assert shutil.which("nvcc", path=path) is not None
    assert shutil.which("nvcc", path=hidden) is None
    assert len(hidden.split(":")) == len(path.split(":"))
    for name, says in (("g++", "first"), ("other", "plain")):
        found = shutil.which(name, path=hidden)
        assert found is not None
        assert subprocess.run([found], capture_output=True, text=True).stdout == f"{says}\n"


def test_ci_runs_the_very_command_of_the_readme() -> None:
    """The expression by which .ci/run finds the command finds one; two commands are the first screen."""
    pattern = re.search(r"grep -m1 -E '([^']+)' README.md", (ROOT / ".ci" / "run").read_text())
    assert pattern is not None
    lines = (ROOT / "README.md").read_text().splitlines()
    assert [line for line in lines if re.search(pattern[1], line)] == [
        "bash setup.sh && .venv/bin/pytest -n 2"
    ]
    commands = [line for line in lines[:40] if line.startswith("bash setup.sh")]
    assert len(commands) == 2
    assert commands[0].endswith("fxscore rank zoo/*.py")
