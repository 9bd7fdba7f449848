"""The parent's end of one child: the process, its socket, its stderr, and the runner that takes the work.

`fxscore.run.child` is the other end, and holds the order of the messages.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import subprocess
import time

from fxscore.run.child import BOOT
from fxscore.run.failure import describe_death
from fxscore.run.messages import Channel, Message, NonsenseError
from fxscore.run.outcome import Limits, Task
from fxscore.run.parent_end import (
    LONGEST,
    STDERR_KEPT,
    TICK,
    KeeperGoneError,
    check_open,
    send_job,
    start_child,
)
from fxscore.run.processes import enlarge_pipe, is_child, kill_tree, tree_memory

_logger = logging.getLogger(__name__)


class ChildProcess:
    """A started child, where there is `fork`; see `fxscore.run.spawned_process` for the others.

    Args:
        payload: the pickled job.
        folder: that the child works in; by default this process's.

    Attributes:
        runner: the process that takes work; None until the keeper names one.
    """

    def __init__(self, payload: bytes, folder: str | None = None) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            handed = theirs.fileno()
            self._process = start_child(BOOT, handed, {}, pass_fds=[handed], cwd=folder)
        assert self._process.stderr is not None  # it is a pipe
        self._errors = self._process.stderr.fileno()
        os.set_blocking(self._errors, False)
        enlarge_pipe(self._errors)  # a talkative network waits less for the next look at its stderr
        self._channel = Channel(ours, LONGEST)
        self._tail = b""
        self._opened = False
        self.runner: int | None = None
        self._used = False
        send_job(self._channel, payload)

    def send(self, message: Message) -> None:
        self._channel.send(message)

    def receive(self, seconds: float) -> Message | None:
        try:
            return self._channel.receive(seconds)
        except EOFError:
            raise KeeperGoneError from None

    def wait_until_open(self, seconds: float) -> None:
        """Raise `WorkerError` where the job says why it cannot open, `KeeperGoneError` without a word."""
        try:
            message = self._receive_by(time.monotonic() + seconds)
        except KeeperGoneError:
            raise KeeperGoneError(describe_death(self._status(), self.stderr())) from None
        message = check_open(message, seconds)
        self._opened = True
        if message["threads"] > 1:
            _logger.warning(
                "the job left %d threads in its process, which make forks unsafe", message["threads"]
            )

    def _status(self) -> int:
        return self._process.wait(5)

    @property
    def pid(self) -> int:
        return self._process.pid

    def _receive_by(self, deadline: float) -> Message | None:
        while (left := deadline - time.monotonic()) > 0:
            with contextlib.suppress(NonsenseError):  # the last words of a network that is gone
                if (message := self.receive(min(TICK, left))) is not None:
                    return message
            self.drain_stderr()
        return None

    def make_room(self, task: Task, limits: Limits) -> None:
        """Have a fit runner: a fresh one where the task runs alone, or where the last one grew too large."""
        if self.runner is not None and self._ended_idle():
            self.runner = None
        if self.runner is not None and self._used and (task.alone or self.memory() > limits.memory / 2):
            _logger.debug("runner %d retires", self.runner)
            self.send({"retire": True})
            self.runner = None
        if self.runner is None:
            self._await_runner()
        self._used = True

    def _await_runner(self) -> None:
        deadline = time.monotonic() + 30
        while (message := self._receive_by(deadline)) is not None:
            runner = message.get("runner")
            if isinstance(runner, int) and is_child(runner, self.pid):  # not what a network wrote
                self.runner, self._used = runner, False
                return
        raise KeeperGoneError  # it hangs

    def _ended_idle(self) -> bool:
        """Whether the runner ended while it had nothing to do."""
        with contextlib.suppress(NonsenseError):
            while (message := self.receive(0)) is not None:
                if "ended" in message:
                    return True
        return False

    def kill_runner(self) -> None:
        """Kill the runner's tree, where it lives; the keeper replaces it."""
        if self.runner is not None and is_child(self.runner, self.pid):
            kill_tree(self.runner)
        self.runner = None

    def memory(self) -> int:
        return tree_memory(self.runner) if self.runner is not None else 0

    def forget_stderr(self) -> None:
        self.drain_stderr()
        self._tail = b""

    def stderr(self) -> str:
        """The last words since `forget_stderr`."""
        self.drain_stderr()
        return self._tail.decode(errors="replace")

    def drain_stderr(self) -> None:
        """Keep the tail of what came; so much at a time that a flood cannot hold up the supervisor."""
        for _ in range(64):
            try:
                data = os.read(self._errors, 1 << 16)
            except BlockingIOError:
                return
            if not data:
                return
            self._tail = (self._tail + data)[-STDERR_KEPT:]

    def abandon(self) -> None:
        """Hang up, so that the keeper cleans up and ends; one that still opens its job would not notice."""
        self._channel.shut()
        if not self._opened:
            self._kill()

    def end(self) -> None:
        """Have the child end, and wait until it is gone."""
        self.abandon()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._kill()
            self._process.wait()
        self._channel.close()
        assert self._process.stderr is not None
        self._process.stderr.close()

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
