"""What other systems than Linux lack is not needed: it is taken away, and networks are scored all the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What fxscore builds upon is loaded first, for it is made for each system; then what is Linux's own goes.
PROGRAM = """
import os, select, signal, sys
import numpy, psutil, scipy.stats, torch, torch.export, torchvision, timm, sklearn.ensemble, typer, rich.table, dask
before = set(sys.modules)
for module, names in {
    os: "fork forkpty sysconf killpg setsid getpgid waitstatus_to_exitcode wait4 WIFSIGNALED set_blocking".split(),
    select: ["poll", "epoll"],
    signal: "SIGKILL SIGCHLD set_wakeup_fd SIGALRM".split(),
}.items():
    for name in names:
        if hasattr(module, name):
            delattr(module, name)
for name in ("fcntl", "resource", "termios", "pwd", "grp"):
    sys.modules[name] = None

def main():
    import fxscore.cli.app, fxscore.api, fxscore.ranking, fxscore.train.fit, fxscore.cli.fit_progress, fxscore.searching
    from fxscore.run import LocalExecutor, evaluate, in_order
    from fxscore.types import ModelRef
    from tests.run.jobs import ToyJob, toy
    bodies = ("return 4", "import os; os._exit(3)", "while True: pass", "raise ValueError('no')",
              "import ctypes; ctypes.string_at(0)")
    refs = [toy("a", value=1), toy("b", value=2)]
    for number, body in enumerate(bodies):
        with open(f"net{number}.py", "w") as stream:
            stream.write(f"def build():\\n    {body}\\n")
        refs.append(ModelRef.of("file", f"net{number}.py:build"))
    with LocalExecutor(1, 2.0) as executor:
        for record in in_order(refs, evaluate(refs, ToyJob(), executor)):
            print(record.score if record.error is None else record.error)

if __name__ == "__main__":
    main()
"""


@pytest.mark.slow
def test_networks_are_ranked_without_fork_and_its_kin(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "program.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "1.0",
        "2.0",
        "4.0",
        "the process ended with exit code 3 before it had a score",
        "passed the time limit of 2 s",
        "ValueError: no (net3.py:2)",
        "the process was killed by SIGSEGV (net4.py:2)",
    ]
