"""Which of forty faults the tests find: each is put into a copy of the sources, and its room's tests are run.

``python -m benchmarks.robustness.mutations --write`` prints those that no test finds, and exits with 1 where these are
more than one in twenty. Tests that fail without a fault find nothing, so all are run once without any. ``--only TEXT``
takes faults whose file holds a text; outcomes are kept in ``runs/mutations.jsonl``, and a stopped run goes on where the
fault, its file and its tests are as they were. Tests that do not end have found the fault, too.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.results import command_line, table, write_section
from benchmarks.robustness.faults import FAULTS, Fault

ROOT = Path(__file__).parents[2]
WORK = Path("runs/mutations.jsonl")
LEAST = 0.95
LONGEST = 400.0  # seconds that the tests of a file may take: some faults are waited for without an end
# What tests import first, and what never changes: a fork need not import it again.
_HEAVY = (
    "torch",
    "torch.fx",
    "torch.export",
    "torchvision",
    "scipy.stats",
    "sklearn.ensemble",
    "hypothesis",
    "pytest",
)


@dataclass(frozen=True)
class Outcome:
    """What the tests said of one fault."""

    fault: Fault
    found: bool
    seconds: float


def main() -> int:
    """Put the faults in; print, keep and judge what was found."""
    options = _arguments()
    faults = [fault for fault in FAULTS if options.only in fault.file]
    os.environ |= {"PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    sys.dont_write_bytecode = True  # a file of equal size and second would be taken for the old one
    for name in _HEAVY:
        importlib.import_module(name)
    with copied() as copy:
        if failing := _failing(copy, sorted({test for fault in faults for test in fault.tests})):
            print(f"these tests fail without a fault: {', '.join(failing)}")
            return 2
        outcomes = list(_tried(copy, faults, options.work))
    missed = [outcome.fault for outcome in outcomes if not outcome.found]
    body = report(outcomes)
    print(f"\n{body}")
    if options.write and not options.only:
        write_section("mutations", "Faults that the tests find", body, command_line())
    return int(len(missed) > (1 - LEAST) * len(outcomes))


@contextmanager
def copied() -> Iterator[Path]:
    """A copy of the project that faults are put into."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in ("fxscore", "tests", "benchmarks", "zoo", "docs"):
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        for file in filter(Path.is_file, ROOT.iterdir()):
            shutil.copy(file, copy)
        yield copy


@contextmanager
def put_in(fault: Fault, copy: Path) -> Iterator[None]:
    """Within this context the copy has the fault.

    Raises:
        ValueError: what the fault replaces does not stand in the file exactly once.
    """
    file = copy / "fxscore" / fault.file
    text = file.read_text(encoding="utf-8")
    if text.count(fault.right) != 1:
        raise ValueError(f"{fault.file} holds {fault.right!r} {text.count(fault.right)} times, not once")
    file.write_text(text.replace(fault.right, fault.wrong), encoding="utf-8")
    try:
        yield
    finally:
        file.write_text(text, encoding="utf-8")


def report(outcomes: Sequence[Outcome]) -> str:
    """The section of RESULTS.md."""
    rooms: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        rooms.setdefault(outcome.fault.tests[0].partition("/")[0], []).append(outcome)
    rows = [(room, len(found), sum(each.found for each in found)) for room, found in sorted(rooms.items())]
    rows.append(("all", len(outcomes), sum(outcome.found for outcome in outcomes)))
    missed = [
        f"- {each.fault.file}: `{each.fault.right.strip()}` as `{each.fault.wrong.strip() or 'nothing'}`"
        for each in outcomes
        if not each.found
    ]
    listed = "\n".join(["Not found:", "", *(missed or ["- none"])])
    return f"{table(('tests of the room', 'faults', 'found'), rows)}\n\n{listed}"


def _tried(copy: Path, faults: Sequence[Fault], work: Path) -> Iterator[Outcome]:
    known = _known(work)
    work.parent.mkdir(parents=True, exist_ok=True)
    for number, fault in enumerate(faults, start=1):
        key, start = _key(fault), time.monotonic()
        if key not in known:
            with put_in(fault, copy):
                known[key] = bool(_failing(copy, fault.tests))
            with work.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"key": key, "found": known[key]}) + "\n")
        outcome = Outcome(fault, known[key], time.monotonic() - start)
        says = "found" if outcome.found else "NOT FOUND"
        print(f"{number}/{len(faults)} {outcome.seconds:.0f} s {fault.file}: {says}", flush=True)
        yield outcome


def _failing(copy: Path, tests: Sequence[str]) -> list[str]:
    """The first of these test files that fails, alone in a list; each runs in a fork of this process."""
    return next(([test] for test in tests if _fails(copy, test)), [])


def _fails(copy: Path, test: str) -> bool:
    child = os.fork()
    if not child:
        os.setpgid(0, 0)  # so that what the tests start ends with them
        os._exit(_run(copy, test))
    end = time.monotonic() + LONGEST
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() > end:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return True
        time.sleep(0.1)
    return os.waitstatus_to_exitcode(ended[1]) != 0


def _run(copy: Path, test: str) -> int:
    """In the fork: the package is that of the copy, whatever this process has imported of it."""
    for name in [
        name for name in sys.modules if name.partition(".")[0] in ("fxscore", "benchmarks", "tests")
    ]:
        del sys.modules[name]
    os.chdir(copy)
    sys.path[:] = [str(copy), *(place for place in sys.path if place not in ("", str(ROOT)))]
    os.environ["PYTHONPATH"] = str(copy)
    with open(os.devnull, "w") as nowhere:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(nowhere.fileno(), stream.fileno())
    import pytest

    return int(pytest.main(["-x", "-q", "-n0", "-p", "no:cacheprovider", f"tests/{test}"]))


def _key(fault: Fault) -> str:
    """Changes with the fault, its file and its tests."""
    parts = [fault.right, fault.wrong, (ROOT / "fxscore" / fault.file).read_text(encoding="utf-8")]
    parts += [(ROOT / "tests" / test).read_text(encoding="utf-8") for test in fault.tests]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _known(work: Path) -> dict[str, bool]:
    lines = work.read_text(encoding="utf-8").splitlines() if work.exists() else []
    return {row["key"]: row["found"] for row in map(json.loads, lines)}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", metavar="TEXT", help="faults whose file holds this text")
    parser.add_argument("--work", type=Path, default=WORK, help="file of outcomes")
    parser.add_argument("--write", action="store_true", help="keep the figures in RESULTS.md")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
