"""The faults that are put in fit the sources, and what is said of them is counted right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.robustness.faults import FAULTS, Fault
from benchmarks.robustness.mutations import ROOT, Outcome, put_in, report


def test_there_are_forty_faults_each_with_tests_of_one_room() -> None:
    assert len(FAULTS) == len({(fault.file, fault.right, fault.wrong) for fault in FAULTS}) == 40
    for fault in FAULTS:
        assert len({test.partition("/")[0] for test in fault.tests}) == 1
        assert all((ROOT / "tests" / test).is_file() for test in fault.tests), fault.file


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.file)
def test_a_fault_fits_the_sources_and_is_python(fault: Fault) -> None:
    text = (ROOT / "fxscore" / fault.file).read_text(encoding="utf-8")
    assert text.count(fault.right) == 1
    compile(text.replace(fault.right, fault.wrong), fault.file, "exec")


def test_a_fault_is_taken_out_again(tmp_path: Path) -> None:
    file = tmp_path / "fxscore" / "a.py"
    file.parent.mkdir()
    file.write_text("x = 1 + 1\n")
    with put_in(Fault("a.py", "1 + 1", "1 - 1", ()), tmp_path):
        assert file.read_text() == "x = 1 - 1\n"
    assert file.read_text() == "x = 1 + 1\n"
    with (
        pytest.raises(ValueError, match=re.escape("a.py holds '1' 2 times")),
        put_in(Fault("a.py", "1", "2", ()), tmp_path),
    ):
        pass


def test_what_was_missed_is_named() -> None:
    first, second = Fault("a.py", "x", "y", ("run/t.py",)), Fault("b.py", "u", "", ("cli/t.py",))
    text = report([Outcome(first, True, 1.0), Outcome(second, False, 1.0)])
    assert "| all | 2 | 1 |" in text
    assert "- b.py: `u` as `nothing`" in text
    assert "a.py" not in text
