"""Searches from end to end: seeds, limits, errors, budgets, interruption, resumption."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import fxscore
from fxscore.errors import SearchError, SpaceError
from fxscore.run import export_rows
from fxscore.searching import ALGORITHMS, HISTORY, SearchResult, sizes
from fxscore.searching.inline import InlineExecutor
from fxscore.searching.job import SpaceJob, SpaceSession
from fxscore.searching.measuring import Bench
from tests.searching import search_process
from tests.searching.spaces import Brittle, Taste, Tiny, noted


def local_space() -> Tiny:
    """A space that no other process can import, so that searching it starts none."""

    class Local(Tiny):
        name = "local"

    return Local()


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Searches start no process, whatever the space."""

    def executor(bench: Bench, job: SpaceJob, workers: int | None) -> InlineExecutor:
        return InlineExecutor(SpaceSession(job))

    monkeypatch.setattr(Bench, "_executor", executor)


def run(space: Tiny | None = None, **chosen: Any) -> SearchResult:
    options: dict[str, Any] = {"scorer": Taste(), "budget": 60, "population": 20, "no_store": True}
    return fxscore.search(space or local_space(), **(options | chosen))


def texts(result: SearchResult) -> list[list[str]]:
    return [[evaluation.text for evaluation in generation] for generation in result.history]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
class TestEveryAlgorithm:
    def test_equal_seeds_give_equal_searches(self, algorithm: str) -> None:
        assert run(algorithm=algorithm).history == run(algorithm=algorithm).history

    def test_other_seeds_give_others(self, algorithm: str) -> None:
        assert texts(run(algorithm=algorithm)) != texts(run(algorithm=algorithm, seed=1))

    def test_spends_the_budget_and_no_more(self, algorithm: str) -> None:
        result = run(algorithm=algorithm, budget=47, max_params=20_000)
        assert sum(each.attempted for generation in result.history for each in generation) == 47

    def test_never_scores_what_passes_a_limit(self, algorithm: str, tmp_path: Path) -> None:
        log = tmp_path / "log"
        result = run(algorithm=algorithm, scorer=Taste(str(log)), max_params=5000)
        assert any(each.violation > 0 for each in result.evaluations)
        assert noted(log)
        assert max(noted(log)) <= 5000
        assert all(each.values["params"] <= 5000 for each in result.front)

    def test_resumes_to_the_same_history(self, algorithm: str, tmp_path: Path) -> None:
        whole = run(algorithm=algorithm, folder=tmp_path / "whole")
        run(algorithm=algorithm, folder=tmp_path / "parts", generations=1)
        log = tmp_path / "log"
        resumed = run(algorithm=algorithm, folder=tmp_path / "parts", scorer=Taste(str(log)), resume=True)
        assert resumed.history == whole.history
        assert (tmp_path / "parts" / HISTORY).read_bytes() == (tmp_path / "whole" / HISTORY).read_bytes()
        assert len(noted(log)) <= 40  # the first generation was not scored again

    def test_a_larger_budget_goes_on_from_a_generation_cut_short(
        self, algorithm: str, tmp_path: Path
    ) -> None:
        run(algorithm=algorithm, folder=tmp_path / "parts", budget=33)
        run(algorithm=algorithm, folder=tmp_path / "parts", resume=True)
        run(algorithm=algorithm, folder=tmp_path / "whole")
        assert (tmp_path / "parts" / HISTORY).read_bytes() == (tmp_path / "whole" / HISTORY).read_bytes()


def test_the_front_is_what_nothing_dominates() -> None:
    result = run(budget=120)
    points = [(each.values["score"], each.values["params"]) for each in result.evaluations if each.feasible]
    front = {(each.values["score"], each.values["params"]) for each in result.front}
    for score, params in points:
        dominated = any(s >= score and p <= params and (s, p) != (score, params) for s, p in points)
        assert dominated != ((score, params) in front)


def test_evolution_beats_random_search_at_equal_budget() -> None:
    def best(algorithm: str) -> float:
        results = [
            run(algorithm=algorithm, budget=80, population=16, seed=seed, objectives=("score",))
            for seed in range(3)
        ]
        return sum(result.best().values["score"] for result in results) / 3

    drawn = best("random")
    assert best("nsga2-de") > drawn
    assert best("regularised-evolution") > drawn


def test_layers_and_macs_are_limits_too() -> None:
    result = run(max_layers=3, max_macs=100_000, budget=20, population=10)
    assert result.front
    assert all(each.values["layers"] <= 3 and each.values["macs"] <= 100_000 for each in result.front)
    assert any(each.violation > 0 for each in result.evaluations)


def test_any_proxy_and_the_latency_are_objectives() -> None:
    result = run(budget=12, population=6, objectives=("score", "activations", "latency", "max:naswot"))
    for evaluation in result.front:
        assert evaluation.values["latency"] > 0
        assert evaluation.values["activations"] >= 2 * 144
        assert {"naswot", "params"} <= evaluation.values.keys()


def test_best_lies_within_the_bounds_asked_for() -> None:
    result = run()
    small, large = result.best(max_params=2000), result.best(min_params=20_000)
    assert small.values["params"] <= 2000
    assert large.values["params"] >= 20_000
    fitting = [e.values["score"] for e in result.evaluations if e.values["params"] >= 20_000]
    assert large.values["score"] == max(fitting)
    with pytest.raises(SearchError, match="no feasible network with 1e\\+09"):
        result.best(min_params=1e9)


def test_networks_that_do_not_build_are_infeasible_and_the_search_goes_on() -> None:
    result = run(Brittle(), budget=16, population=8, workers=1)  # in workers: one genotype ends its process
    errors = {each.error for each in result.failures}
    assert any("no kernel of five" in str(error) and "spaces.py" in str(error) for error in errors)
    assert all(not each.feasible for each in result.failures)
    assert any(each.error is None and each.feasible for each in result.history[-1])


def test_a_larger_budget_keeps_the_population_that_the_search_was_begun_with(tmp_path: Path) -> None:
    few = run(budget=70, population=None, folder=tmp_path)
    more = run(budget=140, population=None, folder=tmp_path, resume=True)
    assert few.settings["population"] == more.settings["population"] == 4
    assert len(more.evaluations) > len(few.evaluations)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_sizes_that_cannot_be_counted_make_a_network_infeasible(algorithm: str, here: None) -> None:
    class Local(Tiny):
        def count_layers(self, genotype: Any) -> int:
            if genotype[0] == 1:
                raise KeyError("no depth of one")
            return int(genotype[0])

    result = run(Local(), budget=16, population=8, algorithm=algorithm, max_layers=6)
    assert any("no depth of one" in str(each.error) for each in result.failures)
    assert any(each.feasible for each in result.evaluations)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, (51_200, 512, 100)),
        ({"generations": 3}, (1536, 512, 3)),
        ({"population": 20}, (2000, 20, 100)),
        ({"budget": 500}, (500, 31, None)),
        ({"budget": 20_000, "generations": 9}, (20_000, 512, 9)),
        ({"budget": 24, "population": 8}, (24, 8, None)),
    ],
)
def test_what_is_not_said_of_its_size_is_the_papers(
    given: dict[str, Any], expected: tuple[int | None, ...]
) -> None:
    assert sizes(**given) == expected


def test_a_builder_that_raises_is_an_error_in_this_process_too() -> None:
    class Local(Tiny):
        def build(self, genotype: Any) -> Any:
            raise KeyError("nothing here")

    with pytest.raises(SearchError, match="KeyError: 'nothing here'"):
        run(Local(), population=2, budget=1000)


def test_limits_that_nothing_keeps_end_the_search() -> None:
    with pytest.raises(
        SearchError, match=r"too tight: the network that comes nearest to them has \d+ params$"
    ):
        run(max_params=1, population=2)


def test_an_interruption_ends_with_the_front_so_far(tmp_path: Path) -> None:
    scorer = Taste(str(tmp_path / "log"), interrupt_after=30)
    result = run(scorer=scorer, folder=tmp_path / "parts")
    assert result.interrupted
    assert [len(generation) for generation in result.history] == [20, 9]  # the 30th had no score yet
    assert result.front
    resumed = run(folder=tmp_path / "parts", resume=True)
    assert not resumed.interrupted
    assert resumed.history == run().history


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_a_kill_in_mid_generation_is_resumed_to_the_same_bytes(tmp_path: Path) -> None:
    log, folder = tmp_path / "killed.log", tmp_path / "killed"
    command = [sys.executable, "-m", "tests.searching.search_process", str(folder), str(log)]
    killed = subprocess.Popen(command)
    wait_for(lambda: 20 < len(noted(log)) < 40, killed)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert len((folder / HISTORY).read_bytes().splitlines()) == 2  # settings and one generation
    stored = sum(row["score"] is not None for row in export_rows(folder / "store.db"))
    assert stored >= 20
    before = len(noted(log))
    search_process.main(str(folder), str(log))
    search_process.main(str(tmp_path / "whole"), str(tmp_path / "whole.log"))
    assert (folder / HISTORY).read_bytes() == (tmp_path / "whole" / HISTORY).read_bytes()
    # what was stored was not scored twice
    assert len(noted(log)) - before == len(noted(tmp_path / "whole.log")) - stored


def wait_for(condition: Any, process: subprocess.Popen[bytes], seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "the search ended before it could be killed"
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_history_cut_in_the_middle_of_a_line_is_mended(tmp_path: Path) -> None:
    whole = run(folder=tmp_path)
    path = tmp_path / HISTORY
    before = path.read_bytes()
    path.write_bytes(before[:-100])
    assert run(folder=tmp_path, resume=True).history == whole.history
    assert path.read_bytes() == before


def test_a_folder_is_not_overwritten_nor_mixed(tmp_path: Path) -> None:
    run(folder=tmp_path)
    with pytest.raises(SearchError, match=r"holds a search already; resume it \(--resume\)"):
        run(folder=tmp_path)
    with pytest.raises(SearchError, match="with seed 0, not 1"):
        run(folder=tmp_path, resume=True, seed=1)


HOLD = """
import sys
from filelock import FileLock
with FileLock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_two_processes_do_not_write_one_history(tmp_path: Path) -> None:
    whole = run(folder=tmp_path)
    command = [sys.executable, "-c", HOLD, str(tmp_path / f"{HISTORY}.lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(SearchError, match="written by another search"):
            run(folder=tmp_path, resume=True)
        other.communicate()
    assert run(folder=tmp_path, resume=True).history == whole.history


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"objectives": ("score", "beauty")}, "no objective is called 'beauty'"),
        ({"objectives": ("up:score",)}, "no objective"),
        ({"algorithm": "annealing"}, "no algorithm is called 'annealing'"),
    ],
)
def test_wrong_words_say_what_there_is(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(SearchError, match=message):
        run(**wrong)


def test_unknown_spaces_say_which_there_are() -> None:
    with pytest.raises(SpaceError, match="zen_resnet"):
        fxscore.search("zen_resnets")


def test_a_space_of_a_file_is_searched_by_workers(tmp_path: Path) -> None:
    file = tmp_path / "nets.py"
    file.write_text("from tests.searching.spaces import Tiny\nclass Mine(Tiny):\n    name = 'mine'\n")
    result = fxscore.search(
        f"{file}:Mine", scorer="params", budget=3, population=3, store=tmp_path / "store.db", workers=1
    )
    assert result.best().values["score"] == result.best().values["params"]
    stored = list(export_rows(tmp_path / "store.db"))
    assert len(stored) == 3
    assert all(row["score"] is not None for row in stored)
