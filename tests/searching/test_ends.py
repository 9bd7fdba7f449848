"""How searches end: by their budget, by failures that are told, and with names that every command takes."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import fxscore
from fxscore.cli.app import run as run_command
from fxscore.errors import NetworkError, SearchError, SpaceError, UsageError
from fxscore.report.search.table import summary
from fxscore.searching import ALGORITHMS, HISTORY, sizes
from fxscore.spaces import Variable
from tests.searching.spaces import Taste, Tiny

SPACE = """
import fxscore
from torch import nn

class Sound(fxscore.SearchSpace):
    name = "sound"
    input_shape = (3, 9, 9)
    variables = (
        fxscore.Variable("width", (3, 5, 7, 9), ordered=True),
        fxscore.Variable("kind", ("a/b", "{c}", "d.py:e", "p,q=[r]", "s,kind=t")),
    )

    def build(self, genotype):
        width, kind = genotype
        return nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU(), nn.Flatten(), nn.Linear(width * 49, 2 + len(kind)))

class Raises(Sound):
    def build(self, genotype):
        raise KeyError("no such layer: quux")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deep er").mkdir()
    (tmp_path / "deep er" / "space.py").write_text(SPACE)
    return tmp_path


def scored(result: fxscore.SearchResult) -> int:
    return sum(each.attempted for generation in result.history for each in generation)


@pytest.mark.parametrize(
    ("given", "count"),
    [
        ({"budget": 29, "population": 8}, 29),
        ({"budget": 5, "population": 8}, 5),
        ({"generations": 3, "population": 9}, 27),
        ({"budget": 20, "generations": 4, "population": 9}, 20),
        ({"budget": 90, "generations": 4, "population": 9}, 36),
    ],
)
def test_regularised_evolution_ends_where_its_budget_says(given: dict[str, Any], count: int) -> None:
    class Local(Tiny):
        """Of this process alone, so that no worker is started."""

    result = fxscore.search(
        Local(), scorer=Taste(), algorithm="regularised-evolution", no_store=True, **given
    )
    assert scored(result) == count == sizes(algorithm="regularised-evolution", **given).budget


class Five(Tiny):
    """Five networks in all."""

    name = "five"
    variables = (
        Variable("depth", (1,), ordered=True),
        Variable("width", (2, 4, 6, 8, 10), ordered=True),
        Variable("kernel", (3,)),
        Variable("norm", ("none",)),
    )


def of_five(algorithm: str, **given: Any) -> fxscore.SearchResult:
    class Local(Five):
        """Of this process alone, so that no worker is started."""

    return fxscore.search(Local(), scorer=Taste(), algorithm=algorithm, no_store=True, **given)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
class TestASpaceOfFiveNetworks:
    def test_a_smaller_budget_ends_the_search(self, algorithm: str) -> None:
        result = of_five(algorithm, budget=4, population=4)
        assert (scored(result), result.ended) == (4, "budget")
        assert "nothing left" not in repr(result)

    @pytest.mark.parametrize("given", [{}, {"budget": 5_000}])
    def test_a_larger_one_ends_when_all_are_known_and_says_so(
        self, algorithm: str, given: dict[str, Any]
    ) -> None:
        result = of_five(algorithm, **given)
        assert len(result.evaluations) == 5
        assert scored(result) <= 30
        assert result.ended == "exhausted"
        assert "nothing left in the space" in repr(result)
        assert "nothing left in the space" in summary(result)

    def test_limits_that_few_keep_do_not_prolong_it(self, algorithm: str) -> None:
        result = of_five(algorithm, budget=40, population=4, max_params=250)
        assert result.ended == "exhausted"
        assert [each.text for each in result.evaluations if each.feasible]
        assert len(result.evaluations) == 5

    def test_limits_that_none_keeps_are_an_error(self, algorithm: str) -> None:
        with pytest.raises(SearchError, match="all 5 networks of the space were of no use: the limits"):
            of_five(algorithm, budget=4, population=4, max_params=10)


def test_generations_end_a_search_too() -> None:
    assert of_five("random", generations=1, population=2).ended == "generations"


def test_a_class_that_was_piped_into_an_interpreter_is_searched() -> None:
    code = f"""{SPACE}
result = fxscore.search(Sound(), scorer="params", budget=4, population=4, no_store=True)
print(len(result.evaluations))
"""
    words = [sys.executable, "-"]
    found = subprocess.run(words, input=code, capture_output=True, text=True, check=True, timeout=120)
    assert found.stdout == "4\n"


def test_every_name_that_a_search_writes_is_taken_back(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["search", "deep er/space.py:Sound", "--budget", "9", "--population", "9", "--out", "found/one"]
    assert run_command([*words, "--scorer", "params", "--workers", "1", "--no-store"]) == 0
    chosen = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("chosen: "))
    with Path("found/one/front.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    lines = Path("found/one", HISTORY).read_text().splitlines()[1:]
    history = {entry["name"]: entry for line in lines for entry in json.loads(line)}
    assert str(folder / chosen.partition("parameters, ")[2]) in history
    assert {row["name"] for row in rows} <= history.keys()
    ranking = fxscore.rank(list(history), scorer="params", workers=1, no_store=True)
    assert {str(record.ref): record.score for record in ranking} == {
        name: entry["values"]["score"] for name, entry in history.items()
    }
    relative = "deep er/space.py:Sound:" + rows[0]["genotype"]
    assert run_command(["score", relative, "--scorer", "params", "--no-store"]) == 0
    assert float(capsys.readouterr().out) == float(rows[0]["score"])
    Path("results.csv").write_text(
        "model,accuracy\n" + "".join(f'"{name}",{index}\n' for index, name in enumerate(history))
    )
    from fxscore.train.results import read_results

    assert [str(result.ref) for result in read_results(Path("results.csv"))] == list(history)


def test_a_search_in_which_every_build_raises_says_why(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["search", "deep er/space.py:Raises", "--budget", "6", "--population", "4", "--no-store"]
    assert run_command([*words, "--workers", "1"]) == 1
    err = capsys.readouterr().err
    assert "6 of 6 networks failed, the first with" in err
    assert "no such layer: quux" in err


def test_a_large_search_in_which_every_build_raises_ends_soon() -> None:
    class Local(Tiny):
        def build(self, genotype: Any) -> Any:
            raise KeyError("no such layer: quux")

    with pytest.raises(SearchError, match=r"200 networks in a row .* the first failed with .*quux"):
        fxscore.search(Local(), scorer=Taste(), budget=100_000, population=50, no_store=True)


FAULTS = {
    "exec": ("raise RuntimeError('half a\\nfile')", SpaceError, "RuntimeError: half a file"),
    "exit": ("raise SystemExit(4)", SpaceError, "SystemExit: 4"),
    "init": (SPACE + "    def __init__(self):\n        raise KeyError('no table')\n", SpaceError, "no table"),
    "sample": (
        SPACE + "    def sample(self, _):\n        raise KeyError('no dice')\n",
        NetworkError,
        "no dice",
    ),
    "format": (
        SPACE + "    def format(self, _):\n        raise KeyError('no text')\n",
        NetworkError,
        "no text",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_space_that_raises_is_one_line(fault: str, folder: Path) -> None:
    text, error, words = FAULTS[fault]
    Path(f"{fault}.py").write_text(text)
    with pytest.raises(error, match=words) as caught:
        fxscore.search(
            f"{fault}.py:Raises", budget=4, population=2, workers=1, no_store=True, scorer="params"
        )
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("scorer", ["params", "zen"])
def test_a_space_that_builds_no_network_says_what_it_built(
    scorer: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("none.py").write_text(
        SPACE + "\nclass Built(Sound):\n    def build(self, genotype):\n        return None\n"
    )
    words = ["search", "none.py:Built", "--budget", "2", "--population", "2", "--no-store", "--workers", "1"]
    assert run_command([*words, "--scorer", scorer]) == 1
    assert "build of the space returned NoneType, not an nn.Module" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["budget", "population", "generations"])
@pytest.mark.parametrize("value", [0, -1, 2.5, True, "8"])
def test_a_size_of_a_search_that_is_no_count_is_refused(name: str, value: Any) -> None:
    with pytest.raises(UsageError, match=f"{name}={value!r} is no whole number"):
        of_five("random", **{name: value})


def test_a_link_in_a_circle_is_no_space(folder: Path) -> None:
    Path("circle.py").symlink_to("circle.py")
    with pytest.raises(SpaceError, match="cannot be imported"):
        fxscore.search("circle.py:Sound", budget=4, population=2, workers=1, no_store=True, scorer="params")
