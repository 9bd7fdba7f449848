"""Networks that do their worst, in one run with good ones, whose rows are those of a run without the bad."""

from __future__ import annotations

from pathlib import Path

import pytest

from fxscore.run import LocalExecutor, evaluate, in_order
from fxscore.types import ModelRef, ScoreRecord
from tests.run.forward_job import ForwardJob
from tests.run.processes_of_test import left_over, marked

SECONDS = 8.0
MEMORY = 1200 << 20

# name: (body of build(), how its error begins; None where the network still scores)
HOSTILE: dict[str, tuple[str, str | None]] = {
    "endless_loop": ("while True: pass", "passed the time limit of 8 s"),
    "endless_sleep": ("import time; time.sleep(1000)", "passed the time limit of 8 s"),
    "memory": (
        "held = []\n    while True: held.append(bytearray(16 << 20))",
        "passed the memory limit of 1.2 GiB",
    ),
    "memory_of_a_child": (
        "import subprocess, sys, time\n"
        "    subprocess.Popen([sys.executable, '-c', 'x = bytearray(1500 << 20); input()'], stdin=-1)\n"
        "    time.sleep(1000)",
        "passed the memory limit of 1.2 GiB",
    ),
    "segmentation_fault": (
        "import ctypes; ctypes.string_at(0)",
        "the process was killed by SIGSEGV (segmentation_fault.py:4)",
    ),
    "abort": ("import os; os.abort()", "the process was killed by SIGABRT (abort.py:4)"),
    "hard_exit": ("import os; os._exit(3)", "the process ended with exit code 3 before it had a score"),
    "exit": ("import sys; sys.exit('enough')", "SystemExit: enough (exit.py:4)"),
    "interrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt: (interrupt.py:4)"),
    "exception": ("raise ValueError('a\\nb')", "ValueError: a b (exception.py:4)"),
    "deep": ("return build()", "RecursionError: "),
    "closed_files": ("import os; os.closerange(0, 1000)", "the process ended with exit code 1"),
    "kills_its_parent": (
        "import os, signal, time; os.kill(os.getppid(), signal.SIGKILL); time.sleep(1000)",
        "the worker process was killed from outside",
    ),
    "floods_stdout": ("print('x' * 50_000_000)", None),
    "floods_stderr": ("import sys\n    for _ in range(200): sys.stderr.write('y' * 100_000)", None),
    "endless_thread": (
        "import threading, time; threading.Thread(target=time.sleep, args=(1000,)).start()",
        None,
    ),
    "left_child": ("import subprocess; subprocess.Popen(['sleep', '1000'])", None),
    "left_daemon": ("import subprocess; subprocess.Popen(['sleep', '1000'], start_new_session=True)", None),
    "left_orphan": ("import os; os.system('setsid setsid sleep 1000 &')", None),
    "dtype": ("torch.set_default_dtype(torch.float64)", None),
    "device": ("torch.set_default_device('meta')", ""),
    "threads_and_seed": ("torch.set_num_threads(2); torch.manual_seed(1)", None),
    "grad_mode": ("torch._C._set_grad_enabled(False)", None),
    "patched_conv": ("nn.Conv2d.forward = lambda self, x: x * 0", None),
    "patched_parameters": ("nn.Module.parameters = lambda self: iter(())", None),
    "patched_exit": ("import os; os._exit = lambda code: None", None),
    "words_of_no_one": (
        "import os, stat\n"
        "    for fd in map(int, os.listdir('/proc/self/fd')):\n"
        "        try:\n"
        "            if stat.S_ISSOCK(os.fstat(fd).st_mode):\n"
        '                os.write(fd, b\'\\n\\xff{\\n[[1\\n{"score": 7}\\n{"runner": 1}\\n{"prepared": {}}\\n\')\n'
        "        except OSError: pass",
        None,
    ),
    "a_false_end": (
        "import os, stat, time\n"
        "    for fd in map(int, os.listdir('/proc/self/fd')):\n"
        "        if os.path.exists(f'/proc/self/fd/{fd}') and stat.S_ISSOCK(os.fstat(fd).st_mode):\n"
        "            os.write(fd, b'\\n{\"ended\": [1]}\\n')\n"
        "    time.sleep(1000)",
        "its code wrote to its worker's channel",
    ),
    "a_line_without_end": (
        "import os, stat\n"
        "    for fd in map(int, os.listdir('/proc/self/fd')):\n"
        "        if os.path.exists(f'/proc/self/fd/{fd}') and stat.S_ISSOCK(os.fstat(fd).st_mode):\n"
        "            while True: os.write(fd, b'x' * 65536)",
        "its code wrote to its worker's channel",
    ),
    "changes_folder_and_fails": (
        "import os; os.chdir('/'); raise ValueError('\\x1b[31m\\ud800')",
        "ValueError: \\x1b[31m\\ud800",
    ),
    "message_that_raises": (
        "class Odd(Exception):\n        def __str__(self): raise self\n    raise Odd",
        "Odd: (its message cannot be read)",
    ),
    "folder_and_path": ("import os, sys; os.chdir('/'); sys.path.clear(); sys.modules.clear()", ""),
}
GOOD = "import torch\nfrom torch import nn\ndef build():\n    {}\n    return nn.Conv2d(3, {}, 3)\n"


def write(folder: Path, name: str, body: str = "pass", width: int = 4) -> ModelRef:
    path = folder / f"{name}.py"
    path.write_text(GOOD.format(body, width))
    return ModelRef.of("file", f"{path}:build")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> list[ModelRef]:
    """Trusted and untrusted in turn, so that whatever stays behind meets both."""
    folder = tmp_path_factory.mktemp("good")
    files = [write(folder, f"good{width}", width=width) for width in range(1, len(HOSTILE) + 1)]
    library = [ModelRef.of("conv", str(width)) for width in range(1, len(HOSTILE) + 1)]
    return [ref for pair in zip(files, library, strict=True) for ref in pair]


def scores(records: list[ScoreRecord]) -> list[tuple[str, float | None, str | None]]:
    return [(record.ref.name, record.score, record.error) for record in records]


@pytest.mark.slow
def test_the_good_rows_are_those_of_a_run_without_the_bad(good: list[ModelRef], tmp_path: Path) -> None:
    bad = {name: write(tmp_path, name, body) for name, (body, _) in HOSTILE.items()}
    mixed = [
        ref for index, each in enumerate(bad.values()) for ref in (*good[2 * index : 2 * index + 2], each)
    ]
    with marked() as mark, LocalExecutor(2, SECONDS, MEMORY) as executor:
        alone = in_order(good, evaluate(good, ForwardJob(), executor))
        together = in_order(mixed, evaluate(mixed, ForwardJob(), executor))
        executor.close()
        assert left_over(mark) == []
    assert all(record.score for record in alone)
    assert scores([record for record in together if record.ref not in bad.values()]) == scores(alone)
    by_ref = {record.ref: record for record in together}
    for name, (_, says) in HOSTILE.items():
        record = by_ref[bad[name]]
        assert (record.error is None) == (says is None), f"{name}: {record}"
        assert (record.error or "").startswith(says or ""), f"{name}: {record}"
