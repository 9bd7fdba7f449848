"""The child process of a supervisor: it loads the scorer once, and lends itself, by ``fork``, to networks.

::

    supervisor (a thread of the parent)
        └─ keeper     interpreter with the scorer loaded; runs no network; forks, reaps, and cleans up
             └─ runner    one network that is not trusted, or many that are

A network that is not trusted (a file of the user) has a runner of its own, so whatever it does to torch's
globals, to modules, threads or file descriptors ends with it. Trusted networks (timm, search spaces) share a
runner and its warm caches, inside `unchanged_globals`. A runner that dies is replaced by a fork, without a
second import of torch. A fork is safe because the keeper has a single thread: OpenMP, MKL and OpenBLAS are
held to one (`fxscore.run.runner`).

The keeper ends when the socket to the supervisor closes, even where the parent was killed, and takes with it
the runner, its process group, and whatever the network left behind (adopted as the sub-reaper; Linux). A
runner ends with its keeper by the kernel's parent-death signal (Linux).

Messages, in this order, all as `fxscore.run.messages`::

    supervisor → keeper   {"job", "path"}          the pickled job, once
    keeper → supervisor   {"opened"} or {"broken"} the job is open, or why it is not
    keeper → supervisor   {"runner": pid}          a runner waits for work
    supervisor → runner   {"run", "alone", "number"}  a network; alone: the runner ends after it
    runner → supervisor   {"prepared"}             fingerprint, params, macs, note; this and the next with the number
    supervisor → runner   {"finish": bool}         whether a score is wanted
    runner → supervisor   {"score"} or {"error", "lasting"}
    supervisor → runner   {"retire"}               the runner ends: it grew large, or the next must run alone
    keeper → supervisor   {"ended": code}          the runner's exit code, or its signal, negative
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import select
import signal
import socket
from os import _exit  # bound here, where no network can replace it
from typing import NoReturn

from fxscore.run.failure import describe_exception
from fxscore.run.job import JobSession
from fxscore.run.messages import Channel
from fxscore.run.processes import (
    adopt_orphans,
    die_with_parent,
    kill_children,
    kill_tree,
    outlive_parent_thread,
    thread_count,
    volunteer_for_the_oom_killer,
)
from fxscore.run.runner import open_job, serve

BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from fxscore.run.child import main; main(int(sys.argv[2]), int(sys.argv[3]))"
)


def main(descriptor: int, parent: int) -> None:
    """Open the job that the supervisor sends, then keep a runner until the supervisor is gone.

    Args:
        descriptor: the socket to the supervisor.
        parent: the supervisor's process.
    """
    die_with_parent(parent)
    channel = Channel(socket.socket(fileno=descriptor))
    faulthandler.enable()  # a segmentation fault names its line on stderr
    try:
        session = open_job(channel)
    except EOFError:
        return
    except Exception as error:  # noqa: BLE001  the worker boundary: the parent reports whatever fails here
        channel.send({"broken": describe_exception(error)})
        return
    channel.send({"opened": os.getpid(), "threads": thread_count()})
    with contextlib.suppress(OSError):  # the supervisor is gone
        outlive_parent_thread()
        _Keeper(channel, session, parent).keep()


class _Keeper:
    """Keeps one runner at a time, and notices when the supervisor goes away."""

    def __init__(self, channel: Channel, session: JobSession, parent: int) -> None:
        self._channel = channel
        self._session = session
        self._parent = parent
        self._wake, wake_write = os.pipe()
        os.set_blocking(wake_write, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # without a handler, no byte is written to the pipe
        adopt_orphans()

    def keep(self) -> None:
        """Fork runners, one after the other, until the supervisor is gone."""
        while True:
            keeper, pid = os.getpid(), os.fork()
            if pid == 0:
                _serve(self._channel, self._session, keeper)
            self._channel.send({"runner": pid})
            status = self._wait(pid)
            kill_children()
            if status is None:
                return
            self._channel.send({"ended": os.waitstatus_to_exitcode(status)})

    def _wait(self, pid: int) -> int | None:
        """The runner's wait status, or None once the supervisor is gone (and the runner with it)."""
        while True:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                return status
            if self._supervisor_is_gone():
                kill_tree(pid)
                return None

    def _supervisor_is_gone(self) -> bool:
        """Sleep until the runner ends or the supervisor goes."""
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        poll.register(self._channel, 0)  # the end of the conversation only: its messages are the runner's
        # the parent is looked at each second, for the end of the socket does not show while
        # another process holds a copy of the parent's file descriptors
        events = dict(poll.poll(1000))
        if self._wake in events:
            os.read(self._wake, 4096)
        return self._channel.fileno() in events or os.getppid() != self._parent


def _serve(channel: Channel, session: JobSession, keeper: int) -> NoReturn:
    """Be a runner: answer until told to end; never returns into the keeper's code."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()  # a group of its own: the network's own children can be killed with it
        die_with_parent(keeper)
        volunteer_for_the_oom_killer()
        serve(channel, session)
        code = 0
    finally:
        _exit(code)  # neither threads nor exit handlers of the network hold it up
