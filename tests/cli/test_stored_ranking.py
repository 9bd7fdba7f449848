"""A ranking of which the store knows everything costs little: no torch is loaded, neither here nor in a worker."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

NETWORK = """
from torch import nn

INPUT_SHAPE = (3, 16, 16)


def build(width: int = 4) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 2))
"""
CELL = "nasbench201:|nor_conv_3x3~0|+|skip_connect~0|none~1|+|none~0|none~1|nor_conv_1x1~2|"
# Runs the command line, and says on stderr what of torch was loaded, and whether a process was started for it.
RUN = """
import subprocess, sys
from fxscore.cli.app import run

started = []
begin = subprocess.Popen.__init__
subprocess.Popen.__init__ = lambda self, *args, **options: (started.append(1), begin(self, *args, **options))[1]
code = run(sys.argv[1:])
loaded = {"torch", "timm", "torchvision"} & set(sys.modules)
print("loaded:", *sorted(loaded), "started:", len(started), file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize("scorer", ["general", "params"])
def test_the_second_ranking_loads_no_torch(scorer: str, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(NETWORK)
    words = ["rank", "net.py", 'net.py{"width": 8}', CELL, "timm:mobilenetv3_small_05*", "--scorer", scorer]
    words += ["--max-params", "50M", "--input-shape", "3,32,32", "--store", "store.sqlite", "--workers", "1"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}

    def ranked() -> tuple[str, str]:
        command = [sys.executable, "-c", RUN, *words]
        found = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        )
        return found.stdout, found.stderr

    first, second = ranked(), ranked()
    assert "4 networks ranked" in first[0]
    assert second[0] == first[0]
    assert second[1] == "loaded: started: 0\n"
    assert first[1] != second[1]
