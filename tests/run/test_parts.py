"""The small parts: messages, sharing, process trees, the version."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from fxscore.run.messages import Channel, NonsenseError
from fxscore.run.outcome import Facts, Outcome, Task
from fxscore.run.processes import descendants, kill_tree, machine_memory, tree_memory
from fxscore.run.replies import read_outcome
from fxscore.run.sharing import Sharing
from fxscore.run.version import package_version, source_digest
from tests.run.jobs import toy
from tests.run.processes_of_test import left_over, marked

FACTS = Facts("one")
WAITS = Outcome(facts=FACTS)


def task(number: int) -> Task:
    return Task(number, toy(str(number)), str(number), alone=False)


class TestChannel:
    def test_messages_arrive_whole_and_in_order(self) -> None:
        ours, theirs = map(Channel, socket.socketpair())
        messages = [{"number": number, "text": "ü\n" * number} for number in range(50)]
        for message in messages:
            ours.send(message)
        assert [theirs.receive() for _ in messages] == messages

    def test_a_line_cut_short_spoils_itself_alone(self) -> None:
        left, right = socket.socketpair()
        left.sendall(b'\n{"score": 0.7')
        Channel(left).send({"ended": 9})
        assert Channel(right).receive() == {"ended": 9}

    def test_garbage_is_passed_over(self) -> None:
        left, right = socket.socketpair()
        left.sendall(b"hello\n[1]\n\xff\xfe\n" + b"[" * 50_000 + b"\n")
        Channel(left).send({"a": 1})
        assert Channel(right).receive() == {"a": 1}

    def test_a_line_without_an_end_is_an_error_and_spoils_itself_alone(self) -> None:
        left, right = socket.socketpair()
        channel = Channel(right, longest=1000)
        left.sendall(b"x" * 2000)
        with pytest.raises(NonsenseError):
            channel.receive()
        Channel(left).send({"a": 1})
        assert channel.receive() == {"a": 1}

    def test_a_flood_of_nonsense_does_not_hold_up_the_reader(self) -> None:
        left, right = socket.socketpair()
        ended = threading.Event()

        def flood() -> None:
            while not ended.is_set():
                left.sendall(b"nonsense\n" * 10_000)

        writer = threading.Thread(target=flood)
        writer.start()
        channel, begin = Channel(right, longest=1000), time.monotonic()
        assert [channel.receive(0.05) for _ in range(4)] == [None] * 4
        assert time.monotonic() - begin < 10
        ended.set()
        while writer.is_alive():  # which may still wait for room
            channel.receive(0.01)

    def test_waiting_ends(self) -> None:
        left, right = socket.socketpair()
        assert Channel(right).receive(0.01) is None
        left.close()
        with pytest.raises(EOFError):
            Channel(right).receive()


class TestReplies:
    def test_numbers_beside_a_score_are_read(self) -> None:
        facts = Facts("f")
        found = read_outcome({"score": 2.0, "values": [1.0, -3.5]}, facts)
        assert found == Outcome(2.0, None, facts, values=(1.0, -3.5))
        assert read_outcome({"score": 2.0}, None) == Outcome(2.0)

    @pytest.mark.parametrize(
        "values", [3, "12", {"a": 1.0}, [1], [None], [[1.0]], [float("nan")], [0.0] * 10_001]
    )
    def test_what_are_no_numbers_is_nonsense(self, values: object) -> None:
        with pytest.raises(NonsenseError):
            read_outcome({"score": 2.0, "values": values}, None)


class TestSharing:
    def test_the_first_leads_also_at_a_second_attempt(self) -> None:
        sharing = Sharing()
        assert [sharing.is_leader(task(number), FACTS) for number in (0, 1, 0)] == [True, False, True]

    @pytest.mark.parametrize("early", [0, 1, 2])
    def test_followers_get_the_leaders_outcome_whenever_they_arrive(self, early: int) -> None:
        sharing = Sharing()
        assert [sharing.is_leader(task(number), FACTS) for number in range(3)] == [True, False, False]
        assert [sharing.join(task(number), WAITS) for number in range(1, 1 + early)] == [None] * early
        done = Outcome(score=1.0, facts=FACTS)
        assert [each.number for each, _ in sharing.settle(task(0), done)] == list(range(1, 1 + early))
        assert [sharing.join(task(number), WAITS) for number in range(1 + early, 3)] == [done] * (2 - early)
        assert sharing.is_leader(task(9), FACTS), "nothing is kept when all have arrived"

    def test_a_task_that_leads_nothing_settles_nothing(self) -> None:
        assert Sharing().settle(task(0), Outcome(error="no")) == []

    def test_nobody_to_join(self) -> None:
        with pytest.raises(KeyError):
            Sharing().join(task(0), WAITS)


FAMILY = """
import os, subprocess, sys, time
os.setsid()
held = bytearray(int(sys.argv[1]) << 20)
if len(sys.argv) > 2:
    subprocess.Popen([sys.executable, __file__, *sys.argv[2:]])
print("up", flush=True)
time.sleep(60)
"""


class TestProcessTrees:
    def test_a_tree_is_seen_whole_and_killed_whole(self, tmp_path: Path) -> None:
        program = tmp_path / "family.py"
        program.write_text(FAMILY)
        with marked() as mark:
            parent = subprocess.Popen(
                [sys.executable, program, "50", "60", "70"], stdout=subprocess.PIPE, text=True
            )
            assert parent.stdout is not None
            assert [parent.stdout.readline() for _ in range(3)] == ["up\n"] * 3
            assert len(descendants(parent.pid)) == 2
            assert 180 << 20 < tree_memory(parent.pid) < 400 << 20
            kill_tree(parent.pid)
            assert parent.wait(5) == -9
            parent.stdout.close()
            assert left_over(mark) == []
        assert descendants(parent.pid) == []
        assert tree_memory(parent.pid) == 0

    def test_a_containers_limit_counts(self, tmp_path: Path) -> None:
        limit = tmp_path / "memory.max"
        limit.write_text("max\n")
        assert machine_memory([str(limit)]) == machine_memory([])
        limit.write_text("1048576\n")
        assert machine_memory([str(limit)]) == 1 << 20
        assert machine_memory([str(tmp_path / "none")]) == machine_memory([])


class TestVersion:
    def test_a_checkout_is_keyed_by_its_sources(self, tmp_path: Path) -> None:
        (tmp_path / "passes").mkdir()
        (tmp_path / "report").mkdir()
        (tmp_path / "passes" / "a.py").write_text("1")
        before = source_digest(tmp_path)
        (tmp_path / "report" / "a.py").write_text("2")
        assert source_digest(tmp_path) == before
        (tmp_path / "passes" / "a.py").write_text("3")
        assert source_digest(tmp_path) != before

    def test_it_is_cheap(self) -> None:
        begin = time.perf_counter()
        assert package_version()
        assert time.perf_counter() - begin < 1
