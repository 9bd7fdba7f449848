from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fxscore.cli.app import run
from fxscore.errors import ScorerError
from fxscore.run import Prepared
from fxscore.run.job import Found
from fxscore.score_session import ScoreSession
from fxscore.spaces import BenchmarkTable, get_space
from tests.evaluate.executor import InProcess

Captured = pytest.CaptureFixture[str]
SCORERS = ["--scorer", "params", "--scorer", "macs"]


def words(data: Path, *more: str) -> list[str]:
    given = ["evaluate", "nasbench201", "--data", str(data), "--resamples", "20"]
    return [*given, *SCORERS, "--store", str(data / "store"), *more]


def test_evaluate_prints_scorers_beside_each_other_and_is_instant_again(
    in_process: type[InProcess], make_table: Callable[[int], Path], capsys: Captured
) -> None:
    data = make_table(8)
    assert run(words(data, "--n", "6")) == 0
    out = capsys.readouterr().out
    assert (
        "nasbench201: n = 6; 95 % percentile intervals from 20 bootstrap resamples of networks (seed 0)"
        in out
    )
    assert "cifar10.test" in out
    assert "cifar100.test" in out
    assert "cifar100.valid" not in out
    assert out.count("params") == out.count("macs") == 2
    done = len(in_process.scored)
    assert run(words(data, "--n", "6", "--label", "cifar100.valid")) == 0
    assert len(in_process.scored) == done > 0
    assert "cifar100.valid" in capsys.readouterr().out


def test_json_csv_and_plots(
    in_process: type[InProcess], make_table: Callable[[int], Path], tmp_path: Path, capsys: Captured
) -> None:
    data = make_table(6)
    picture, table = tmp_path / "a.svg", tmp_path / "a.csv"
    assert run(words(data, "--json", "--csv", str(table), "--plot", str(picture))) == 0
    content = json.loads(capsys.readouterr().out)
    assert (content["n"], content["seed"], content["failures"]) == (6, 0, [])
    first = content["evaluations"][0]
    assert {"spearman", "spearman_low", "kendall", "weighted", "precision", "regret"} <= first.keys()
    assert (first["scorer"], first["label"], first["tied_labels"]) == ("params", "cifar10.test", 0)
    rows = list(csv.DictReader(io.StringIO(table.read_text())))
    assert [(row["scorer"], row["label"]) for row in rows] == [
        (e["scorer"], e["label"]) for e in content["evaluations"]
    ]
    assert "<svg" in picture.read_text()
    assert "<svg" in (tmp_path / "a-scorers.svg").read_text()


def test_failures_are_said_and_change_the_exit_code(
    in_process: type[InProcess],
    make_table: Callable[[int], Path],
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = make_table(6)
    whole, calls = ScoreSession.finish, []

    def finish(self: ScoreSession, prepared: Prepared) -> float | Found:
        calls.append(prepared)
        if len(calls) == 1:
            raise ScorerError("it overflows")
        return whole(self, prepared)

    monkeypatch.setattr(ScoreSession, "finish", finish)
    assert run(words(data)) == 1
    out = capsys.readouterr().out
    assert "n = 5 of 6 drawn, those that all scored" in out
    assert "params failed on 1 of 6 networks" in out
    assert "it overflows" in out


def test_several_spaces_give_the_matrices(
    in_process: type[InProcess], make_table: Callable[[int], Path], tmp_path: Path, capsys: Captured
) -> None:
    data, picture = make_table(6), tmp_path / "matrix.svg"
    macro = get_space("nasbench_macro")
    cells = [macro.parse(text) for text in ("00000000", "11111111", "22222222")]
    table = BenchmarkTable(macro.name, tuple(cells), {"cifar10.test": np.array([80.0, 90.0, 91.0])})
    macro.write(table, data / "nas_bench_macro.csv.gz")
    both = ["evaluate", "nasbench201", "nasbench_macro", *words(data)[2:], "--label", "cifar100.test"]
    assert run([*both, "--plot", str(picture)]) == 0
    out = capsys.readouterr().out
    assert "nasbench201: n = 6" in out
    assert "nasbench_macro: n = 3" in out
    row = next(line for line in out.splitlines() if line.split()[:2] == ["nasbench_macro", "1.000"])
    assert row.split() == ["nasbench_macro", "1.000", "1.000"]
    assert "mean over nasbench201, nasbench_macro" in out
    for name in (
        picture.name,
        *(f"{picture.stem}-{each}.svg" for each in ("nasbench201", "nasbench_macro", "scorers")),
    ):
        assert "<svg" in picture.with_name(name).read_text()
    assert run([*both, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert [(each["population"], each["evaluations"][0]["label"]) for each in content] == [
        ("nasbench201", "cifar100.test"),
        ("nasbench_macro", "cifar10.test"),
    ]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--label", "nosuch"], "no label 'nosuch'; there are cifar10.test"),
        (["--scorer", "nosuch"], "no scorer is called 'nosuch'"),
        (["--data", "nowhere"], "there is no nowhere"),
    ],
)
def test_bad_input_is_one_line(
    make_table: Callable[[int], Path], capsys: Captured, more: list[str], message: str
) -> None:
    assert run(words(make_table(3), *more)) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1


def test_a_damaged_table_is_one_line(make_table: Callable[[int], Path], capsys: Captured) -> None:
    data = make_table(5)
    path = data / "nas_bench_201.csv.gz"
    path.write_bytes(path.read_bytes()[:-20])
    assert run(words(data)) == 2
    error = capsys.readouterr().err
    assert "cut short or damaged" in error
    assert len(error.splitlines()) == 1


def test_an_unknown_picture_format_is_refused_before_any_work(
    make_table: Callable[[int], Path], capsys: Captured
) -> None:
    assert run(words(make_table(3), "--plot", "a.gif")) == 2
    assert "end its name with .png, .svg, .pdf" in capsys.readouterr().err


def test_help_teaches(capsys: Captured) -> None:
    assert run(["evaluate", "--help"]) == 0
    text = capsys.readouterr().out
    assert "fxscore evaluate torchvision --scorer activations" in text
    assert "--with-seen" in text
