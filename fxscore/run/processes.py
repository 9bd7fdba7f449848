"""Process trees: how much memory they hold, how they end, and how they are made to end with their parent."""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path

import psutil

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PROC = Path("/proc/self/task").exists() and Path(f"/proc/self/task/{os.getpid()}/children").exists()
_KILL = getattr(
    signal, "SIGKILL", signal.SIGTERM
)  # Windows has only the latter, and it ends a process at once


def descendants(pid: int) -> list[int]:
    """Every living child of a process, and theirs; empty where the process is gone."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        below = _children(waiting.pop())
        found += below
        waiting += below
    return found


def _children(pid: int) -> list[int]:
    # psutil reads the whole process table for this; a supervisor asks twenty times a second.
    try:
        if not _PROC:
            return [child.pid for child in psutil.Process(pid).children()]
        texts = [(task / "children").read_text() for task in Path(f"/proc/{pid}/task").iterdir()]
    except (OSError, psutil.Error):
        return []
    return [int(word) for text in texts for word in text.split()]


def is_child(pid: int, parent: int) -> bool:
    """Whether a process lives and another one is its parent."""
    try:
        return int(psutil.Process(pid).ppid()) == parent
    except (psutil.Error, OverflowError, ValueError):  # the latter two: no number of a process
        return False


def tree_memory(pid: int) -> int:
    """Resident bytes of a process and its descendants; pages that they share are counted in each."""
    return sum(resident_memory(each) for each in (pid, *descendants(pid)))


def resident_memory(pid: int) -> int:
    """Resident bytes of a process; 0 where that cannot be known."""
    try:
        if not _PROC:
            return int(psutil.Process(pid).memory_info().rss)
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * mmap.PAGESIZE
    except (OSError, IndexError, psutil.Error):
        return 0


def kill_tree(pid: int) -> None:
    """`SIGKILL` to a process that leads a group, to its group, and to descendants that left the group."""
    below = descendants(pid)
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, _KILL)
    for each in (pid, *below):
        _kill(each)


def kill_children() -> None:
    """Kill and reap every child of this process, and those that a dying child leaves behind."""
    while True:
        for pid in descendants(os.getpid()):
            _kill(pid)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _kill(pid: int) -> None:
    with contextlib.suppress(OSError):  # gone by itself, or another user's by now
        os.kill(pid, _KILL)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent ends (Linux), so that `kill_children` finds them."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends (Linux), even a parent that was killed itself.

    The kernel means the parent's *thread* that started this process: see `outlive_parent_thread`.
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the kernel was asked
        os._exit(1)


def outlive_parent_thread() -> None:
    """Undo `die_with_parent`, before the parent's thread that started this process ends by itself."""
    _prctl(_PR_SET_PDEATHSIG, 0)


def volunteer_for_the_oom_killer() -> None:
    """When the machine runs out of memory, lose this process rather than its parents (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def can_fork() -> bool:
    """Whether a process that has loaded torch may fork: on Linux; on macOS its libraries may crash in the child."""
    return sys.platform == "linux" and hasattr(os, "fork")


def enlarge_pipe(descriptor: int) -> None:
    """Let a pipe hold a megabyte, where the system can (Linux)."""
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, 1 << 20)


def thread_count() -> int:
    """Threads of this process, those of libraries included."""
    return int(psutil.Process().num_threads())


def usable_cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def machine_memory(limits: Iterable[str] = ("/sys/fs/cgroup/memory.max",)) -> int:
    """Bytes of memory of the machine, or of the container where that is less."""
    total = int(psutil.virtual_memory().total)
    for limit in limits:
        path = Path(limit)
        text = path.read_text().strip() if path.exists() else ""
        total = min(total, int(text)) if text.isdigit() else total
    return total
