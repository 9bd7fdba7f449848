"""The part of setup.sh that is easy to get wrong, without a set-up."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
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


FAKE_CLANG = """#!/usr/bin/env bash
for word in "$@"; do
    case $word in -fopenmp | -Xpreprocessor) echo "unsupported option" >&2; exit 1 ;; esac
done
exec g++ "$@"
"""


def found_compiler(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """What `find_compiler` of setup.sh sets, and the name of the wrapper around a compiler without OpenMP."""
    names = ("fail", "compiles", "find_compiler", "compiler_without_openmp")
    script = "set -euo pipefail\n" + "".join(map(function, names))
    script += (
        f'find_compiler {sys.executable}\necho "$compiler,$openmp"\ncompiler_without_openmp {tmp_path}\n'
    )
    return subprocess.run(
        ["bash", "-c", script], env={**os.environ, **environment}, capture_output=True, text=True
    )


def test_a_compiler_without_openmp_builds_too(tmp_path: Path) -> None:
    clang = tmp_path / "clang++"
    clang.write_text(FAKE_CLANG)
    clang.chmod(0o755)
    found = found_compiler(tmp_path, CXX=str(clang))
    compiler, wrapper = found.stdout.splitlines()
    assert compiler == f"{clang},"
    (tmp_path / "x.cpp").write_text("int main() { return 0; }\n")
    options = [
        "-Xpreprocessor",
        "-fopenmp",
        "-ffast-math",
        str(tmp_path / "x.cpp"),
        "-o",
        str(tmp_path / "a b"),
    ]
    assert subprocess.run([clang, *options], capture_output=True).returncode != 0
    subprocess.run([wrapper, *options], check=True)
    assert (tmp_path / "a b").exists()


def test_a_compiler_with_openmp_is_used_as_it_is(tmp_path: Path) -> None:
    assert found_compiler(tmp_path).stdout.splitlines()[0] == "g++,yes"


def test_no_compiler_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "bash").symlink_to(shutil.which("bash") or "")
    found = found_compiler(tmp_path, PATH=str(tmp_path), CXX="none")
    assert found.returncode == 1
    assert "apt-get install g++ python3-dev; macOS: xcode-select --install" in found.stderr
