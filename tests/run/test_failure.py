from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fxscore.errors import CaptureError, FxScoreError, ModelRefError, WorkerError
from fxscore.run.failure import describe_death, describe_exception, gibibytes, is_lasting, is_outside_kill

SEGFAULT = """Fatal Python error: Segmentation fault

Current thread 0x00007f (most recent call first):
  File "{library}/ctypes/__init__.py", line 519 in string_at
  File "/home/me/zoo/bad.py", line 7 in build
  File "/home/me/zoo/other.py", line 9 in main
"""


def raised(code: str, filename: str) -> BaseException:
    try:
        exec(compile(code, filename, "exec"), {})
    except BaseException as error:  # noqa: BLE001
        return error
    raise AssertionError(code)


def test_own_errors_speak_for_themselves_on_one_line() -> None:
    assert describe_exception(CaptureError("a loop\n  at x.py:3")) == "a loop at x.py:3"
    assert describe_exception(FxScoreError()) == "FxScoreError"


def test_foreign_errors_name_type_and_place() -> None:
    assert (
        describe_exception(raised("\n1 / 0", "/x/net.py")) == "ZeroDivisionError: division by zero (net.py:2)"
    )
    assert describe_exception(raised("import sys; sys.exit(3)", "/x/net.py")) == "SystemExit: 3 (net.py:1)"


def test_the_place_is_the_users_line_not_a_librarys() -> None:
    error = raised("\n\nimport json\njson.loads('{')", "/x/net.py")
    assert describe_exception(error).endswith("(net.py:4)")


def test_a_syntax_error_names_the_file_that_has_it() -> None:
    assert (
        describe_exception(raised("\nx = (", "/x/net.py")) == "SyntaxError: '(' was never closed (net.py:2)"
    )


def test_long_messages_are_cut() -> None:
    assert len(describe_exception(ValueError("x " * 5000))) < 600


@pytest.mark.parametrize(
    ("error", "lasting"),
    [
        (CaptureError(""), True),
        (ModelRefError(""), False),
        (WorkerError(""), False),
        (ValueError(""), False),
        (MemoryError(), False),
    ],
)
def test_lasting_errors(error: Exception, lasting: bool) -> None:
    assert is_lasting(error) == lasting


def died(code: str) -> int:
    """The exit code of a Python process, or its signal, negative."""
    pid = os.posix_spawn(sys.executable, [sys.executable, "-c", code], os.environ)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_deaths_are_named() -> None:
    exited = died("import os; os._exit(3)")
    killed = died("import os; os.kill(os.getpid(), 9)")
    crashed = died("import os; os.kill(os.getpid(), 11)")
    assert describe_death(exited, "") == "the process ended with exit code 3 before it had a score"
    assert describe_death(killed, "noise\nlast words\n\n") == "the process was killed by SIGKILL (last words)"
    assert (is_outside_kill(exited), is_outside_kill(killed), is_outside_kill(crashed)) == (
        False,
        True,
        False,
    )
    stderr = SEGFAULT.format(library=Path(os.__file__).parent)
    assert describe_death(crashed, stderr) == "the process was killed by SIGSEGV (bad.py:7)"


def test_sizes() -> None:
    assert [gibibytes(300 << 20), gibibytes(3 << 30)] == ["300 MiB", "3.0 GiB"]


def test_the_engine_does_not_import_torch() -> None:
    """A child starts in a fraction of the time that torch needs, and the job imports what it wants."""
    code = "import sys, fxscore.run, fxscore.run.child; print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
