"""What it takes to rank all architectures of timm: time and memory of the whole command, without a store.

    python -m benchmarks.speed.whole_library                     # writes its section of benchmarks/speed/RESULTS.md
    python -m benchmarks.speed.whole_library "timm:resnet*" --print-only

Memory is that of the command and all that it starts; a page that several processes share counts once. It is looked at
every second, so a short peak may be missed. Needs Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.results import command_line, table, write_section

_GIB = 2**30


def memory(pid: int) -> int:
    """Proportional set size, bytes, of a process and its descendants."""
    return sum(map(_own, (pid, *(child.pid for child in psutil.Process(pid).children(recursive=True)))))


def _own(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_full_info().pss)
    except psutil.Error:  # it has ended
        return 0


def ranked(pattern: str, out: Path) -> tuple[float, float, int]:
    """(seconds, CPU seconds, most bytes) of a ranking that is written to `out`."""
    command = [sys.executable, "-m", "fxscore", "rank", pattern, "--no-store", "--json", str(out)]
    before, begin, most = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter(), 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            most = max(most, memory(process.pid))
            time.sleep(1)
    duration, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode not in (0, 1):  # 1: some have no score
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return duration, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, most


def main() -> None:
    """Measure, print, and write the section."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pattern", nargs="?", default="timm:*", help="of references (timm:*)")
    parser.add_argument("--print-only", action="store_true", help="leave RESULTS.md alone")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "ranking.json"
        duration, processor, most = ranked(options.pattern, out)
        rows = json.loads(out.read_text(encoding="utf-8"))
    scored = sum(row["score"] is not None for row in rows)
    columns = ("networks", "scored", "cores", "minutes", "CPU minutes", "most memory, GiB")
    figures = (f"{duration / 60:.1f}", f"{processor / 60:.1f}", f"{most / _GIB:.2f}")
    text = f"`fxscore rank '{options.pattern}' --no-store`\n\n"
    text += table(columns, [(len(rows), scored, os.cpu_count(), *figures)])
    print(text)
    if not options.print_only:
        write_section("whole-library", "All of timm", text, command_line())


if __name__ == "__main__":
    main()
