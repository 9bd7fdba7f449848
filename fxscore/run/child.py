"""The child process of a supervisor: it loads the scorer once, and lends itself, by ``fork``, to networks.

::

    supervisor (a thread of the parent)
        └─ keeper     interpreter with the scorer loaded; runs no network; forks, reaps, and cleans up
             └─ runner    one network that is not trusted, or many that are

A network that is not trusted (a file of the user) has a runner of its own, so whatever it does to torch's
globals, to modules, threads or file descriptors ends with it. Trusted networks (timm, search spaces) share a
runner and its warm caches, inside `unchanged_globals`. A runner that dies is replaced by a fork, without a
second import of torch. A fork is safe because the keeper has a single thread: OpenMP, MKL and OpenBLAS are
held to one (`CHILD_ENVIRONMENT`).

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

import base64
import contextlib
import faulthandler
import gc
import os
import pickle
import select
import signal
import socket
from os import _exit  # bound here, where no network can replace it
from typing import NoReturn

from fxscore.run.failure import describe_exception, is_lasting
from fxscore.run.guard import seed_everything, unchanged_globals
from fxscore.run.job import Found, Job, JobSession
from fxscore.run.messages import Channel, Message
from fxscore.run.processes import (
    adopt_orphans,
    die_with_parent,
    kill_children,
    kill_tree,
    outlive_parent_thread,
    thread_count,
    volunteer_for_the_oom_killer,
)
from fxscore.types import ModelRef

# One thread: the parallelism is over networks, and a process may only fork while it has a single thread.
CHILD_ENVIRONMENT = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
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
        session = _open_job(channel)
    except EOFError:
        return
    except Exception as error:  # noqa: BLE001  the worker boundary: the parent reports whatever fails here
        channel.send({"broken": describe_exception(error)})
        return
    channel.send({"opened": os.getpid(), "threads": thread_count()})
    with contextlib.suppress(OSError):  # the supervisor is gone
        outlive_parent_thread()
        _Keeper(channel, session, parent).keep()


def _open_job(channel: Channel) -> JobSession:
    message = channel.receive()
    assert message is not None  # waits without a limit
    job: Job = pickle.loads(base64.b64decode(message["job"]))  # noqa: S301  the parent's own
    session = job.open()
    seed_everything(0)  # a network that draws its weights or its shape draws the same in whatever process
    gc.collect()
    gc.freeze()  # a collection in a runner need not touch, and so copy, the pages of what is loaded
    return session


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
        while (request := channel.receive()) is not None and "run" in request:
            _answer(channel, session, request)
            if request["alone"]:
                break
        code = 0
    finally:
        _exit(code)  # neither threads nor exit handlers of the network hold it up


def _answer(channel: Channel, session: JobSession, request: Message) -> None:
    guard = contextlib.nullcontext() if request["alone"] else unchanged_globals()
    source, name, options = request["run"]
    ref = ModelRef(source, name, tuple((key, value) for key, value in options))
    try:
        with guard:
            reply = _work(channel, session, ref, request["number"])
    except BaseException as error:  # noqa: BLE001  the worker boundary, for sys.exit() in a network's file, too
        reply = {"error": describe_exception(error), "lasting": is_lasting(error)}
    if reply is not None:
        channel.send({"number": request["number"], **reply})


def _work(channel: Channel, session: JobSession, ref: ModelRef, number: int) -> Message | None:
    prepared = session.prepare(ref)
    facts = {name: getattr(prepared, name) for name in ("fingerprint", "params", "macs", "note")}
    channel.send({"number": number, "prepared": facts})
    wanted = channel.receive()
    if wanted is None or not wanted["finish"]:
        return None
    found = Found.of(session.finish(prepared))
    return {"score": found.score, "values": found.values}
