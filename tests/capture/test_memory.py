"""A network of a billion parameters is built and captured in the memory of its graph."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import threading
import psutil, torch, timm
torch.set_num_threads(1)
import fxscore
from fxscore.capture import capture
from fxscore.sources import build
from fxscore.types import ModelRef

process = psutil.Process()
small = build(ModelRef("timm", "test_vit"))
fxscore.construct(small.module, small.input_shape, owned=True)  # what is imported on first use
before = process.memory_info().rss
peak, done = [before], threading.Event()

def watch():
    while not done.wait(0.005):
        peak[0] = max(peak[0], process.memory_info().rss)

thread = threading.Thread(target=watch)
thread.start()
built = build(ModelRef("timm", "vit_giant_patch14_clip_224"))
captured = capture(built.module, built.input_shape, owned=True)
done.set()
thread.join()
print(sum(captured.meta["parameters"].values()), peak[0] - before)
"""


@pytest.mark.zoo
def test_a_billion_parameters_take_less_than_300_mib() -> None:
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=300, check=True
    )
    parameters, grown = map(int, run.stdout.split()[-2:])
    assert parameters > 1_000_000_000
    assert grown < 300 * 2**20
