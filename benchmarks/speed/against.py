"""What scores, proxies and counts cost against an earlier commit and against other libraries, interleaved on one core.

    python -m benchmarks.speed.against                       # writes the section "against"
    python -m benchmarks.speed.against --networks 4 --rounds 2 --print-only

The earlier commit is checked out into a git worktree of its own, which is removed at the end. One process of either
does the same work in turn; CPU times, the least of the rounds, so that a machine that is not idle tells the same.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from benchmarks.results import command_line, table, write_section
from benchmarks.speed.score_time import cells
from fxscore.sources import expand_or_keep

COMMIT = "646140c"
ROOT = Path(__file__).resolve().parents[2]
PROXIES = ("naswot", "zen", "grad_norm", "snip")
LIBRARIES = ("fxscore", "ptflops", "thop", "torchinfo", "fvcore")
RESNET = "torchvision:resnet18"
Ask = tuple[str, str, str]


@contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """A folder with the sources of a commit."""
    with tempfile.TemporaryDirectory() as parent:
        place = Path(parent) / commit
        git = ("git", "-C", str(ROOT), "worktree")
        subprocess.run([*git, "add", "--quiet", "--detach", str(place), commit], check=True)
        try:
            yield place
        finally:
            subprocess.run([*git, "remove", "--force", str(place)], check=True)


class Worker:
    """A process that imports fxscore from one folder (`benchmarks.speed.timed`)."""

    def __init__(self, sources: Path) -> None:
        code = Path(__file__).with_name("timed.py").read_text(encoding="utf-8") + "\nmain()\n"
        settings = {**os.environ, "PYTHONPATH": str(sources), "OMP_NUM_THREADS": "1"}
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            [sys.executable, "-c", code], env=settings, stdin=pipe, stdout=pipe, text=True, cwd=sources
        )

    def milliseconds(self, ask: Ask) -> float | None:
        """CPU time of one piece of work; None where it failed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(ask), file=self._process.stdin, flush=True)
        answer: float | None = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def least(work: Sequence[tuple[Worker, Ask]], rounds: int) -> list[float | None]:
    """The least time of each piece of work, all in turn; the first round warms up."""
    times = [[worker.milliseconds(ask) for worker, ask in work] for _ in range(rounds + 1)][1:]
    return [None if None in column else min(filter(None, column)) for column in zip(*times, strict=True)]


def ratio_row(name: str, asks: Sequence[Ask], old: Worker, new: Worker, rounds: int) -> tuple[str, ...]:
    """Medians over the networks, and the median of their ratios."""
    pairs = [least([(old, ask), (new, ask)], rounds) for ask in asks]
    whole = [(before, after) for before, after in pairs if before and after]
    if not whole:
        return name, "0", "–", "–", "–"
    before, after = (median(column) for column in zip(*whole, strict=True))
    ratio = median(after / before for before, after in whole)
    return name, str(len(whole)), f"{before:.0f}", f"{after:.0f}", f"{ratio:.2f}"


def library_row(name: str, refs: Sequence[str], new: Worker, rounds: int) -> tuple[str, ...]:
    """How long another library counts, and fxscore's share of it."""
    pairs = [least([(new, ("count", ref, each)) for each in ("fxscore", name)], rounds) for ref in refs]
    whole = [(ours, theirs) for ours, theirs in pairs if ours and theirs]
    if not whole:
        return name, "0", "–", "–", "–"
    ours, theirs = (median(column) for column in zip(*whole, strict=True))
    return name, str(len(whole)), f"{theirs:.0f}", f"{ours:.0f}", f"{median(o / t for o, t in whole):.2f}"


def measured(old: Worker, new: Worker, networks: int, rounds: int) -> str:
    """The section's body."""
    drawn = random.Random(0).sample(sorted(str(ref) for ref in expand_or_keep("timm:*")), networks)
    asks = {
        "score of a timm network": [("score", ref, "general") for ref in drawn],
        "score of a NAS-Bench-201 cell": [("score", ref, "general") for ref in cells(networks, 0)],
        **{f"{name}, ResNet-18 at 64×3×32×32": [("proxy", RESNET, name)] for name in PROXIES},
    }
    rows = [ratio_row(name, each, old, new, rounds) for name, each in asks.items()]
    ours = table(("what", "networks", f"{COMMIT} (ms)", "now (ms)", "ratio"), rows)
    others = [library_row(name, drawn[:20], new, rounds) for name in LIBRARIES[1:]]
    theirs = table(("multiply-accumulates by", "networks", "its time (ms)", "fxscore (ms)", "ratio"), others)
    return f"Medians over the networks; the least CPU time of {rounds} rounds in turn.\n\n{ours}\n\n{theirs}"


def main() -> None:
    """Measure, print, and write the section."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--networks", type=int, default=40, help="of timm, and cells (40)")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (5)")
    parser.add_argument("--print-only", action="store_true", help="leave RESULTS.md alone")
    options = parser.parse_args()
    with ExitStack() as stack:
        old, new = (Worker(place) for place in (stack.enter_context(checked_out(COMMIT)), ROOT))
        for worker in (old, new):
            stack.callback(worker.close)
        text = measured(old, new, options.networks, options.rounds)
    print(text)
    if not options.print_only:
        write_section("against", f"Scores, proxies and counts against {COMMIT}", text, command_line())


if __name__ == "__main__":
    main()
