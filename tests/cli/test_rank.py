from __future__ import annotations

import csv
import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from fxscore.cli.app import run
from fxscore.errors import CheckpointError, WorkerError
from tests.cli.conftest import FakeBackEnd

Captured = pytest.CaptureFixture[str]


def test_table_on_stdout_and_zero(back_end: FakeBackEnd, capsys: Captured) -> None:
    assert run(["rank", "timm:resnet18", "zoo/vit.py"]) == 0
    out, err = capsys.readouterr()
    assert [line.split()[:2] for line in out.splitlines() if "timm:" in line or "zoo/" in line] == [
        ["1", "zoo/vit.py"],
        ["2", "timm:resnet18"],
    ]
    assert out.splitlines()[-1] == "2 networks ranked"
    assert err == ""


def test_a_failure_is_a_row_and_exit_code_one(back_end: FakeBackEnd, capsys: Captured) -> None:
    assert run(["rank", "zoo/bad.py", "zoo/vit.py"]) == 1
    out = capsys.readouterr().out
    assert "it is bad" in out
    assert out.splitlines()[-1] == "1 network ranked, 1 failed"


def test_patterns_expand_in_order_and_each_network_once(back_end: FakeBackEnd, capsys: Captured) -> None:
    assert run(["rank", "timm:net_b", "timm:net_*"]) == 0
    assert [ref.name for ref in back_end.asked["models"]] == ["net_b", "net_a", "net_c"]


def test_a_pattern_without_a_match_ends_all(back_end: FakeBackEnd, capsys: Captured) -> None:
    assert run(["rank", "timm:resnet18", "zoo/missing*.py"]) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", "fxscore: zoo/missing*.py matches nothing\n")


def test_a_name_without_a_match_is_left_to_its_row(back_end: FakeBackEnd, capsys: Captured) -> None:
    assert run(["rank", "timm:missing_bad", "zoo/vit.py"]) == 1
    assert "timm:missing_bad" in capsys.readouterr().out


def test_no_reference_at_all_is_wrong_usage(back_end: FakeBackEnd, capsys: Captured) -> None:
    assert run(["rank", "missing"]) == 2
    assert capsys.readouterr().err.startswith("fxscore: 'missing' is no model reference; write SOURCE:NAME")


@pytest.mark.parametrize("option", ["--json", "--json=-", "--json -"])
def test_json_alone_takes_stdout(back_end: FakeBackEnd, capsys: Captured, option: str) -> None:
    assert run(["rank", *option.split(), "zoo/vit.py", "zoo/bad.py"]) == 1
    rows = json.loads(capsys.readouterr().out)
    assert [(row["name"], row["rank"], row["score"], row["error"]) for row in rows] == [
        ("zoo/vit.py", 1, 16.0, None),
        ("zoo/bad.py", None, None, "it is bad"),
    ]
    assert {"params", "macs", "seconds"} <= rows[0].keys()


def test_files_leave_the_table_on_stdout(back_end: FakeBackEnd, capsys: Captured, tmp_path: Path) -> None:
    json_file, csv_file = tmp_path / "out.json", tmp_path / "out.csv"
    assert run(["rank", "zoo/vit.py", "--json", str(json_file), "--csv", str(csv_file)]) == 0
    assert "zoo/vit.py" in capsys.readouterr().out
    assert json.loads(json_file.read_text())[0]["name"] == "zoo/vit.py"
    with csv_file.open(newline="") as lines:
        assert next(csv.DictReader(lines))["params"] == "1000"


def test_a_file_that_cannot_be_written_is_one_line(
    back_end: FakeBackEnd, capsys: Captured, tmp_path: Path
) -> None:
    assert run(["rank", "zoo/vit.py", "--csv", str(tmp_path / "no" / "such.csv")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_options_reach_the_back_end(back_end: FakeBackEnd, capsys: Captured) -> None:
    options = "--scorer naswot --input-shape 3,64,64 --workers 3 --time-limit 30 --memory-limit 2G --no-store"
    budget = "--max-params 25M --max-macs 5G --max-memory 512M"
    words = ["rank", "zoo/vit.py", *options.split(), *budget.split(), "--cluster", "local"]
    assert run(words) == 0
    asked = {name: value for name, value in back_end.asked.items() if name != "models"}
    assert asked == {
        "scorer": "naswot",
        "input_shape": (3, 64, 64),
        "workers": 3,
        "time_limit": 30.0,
        "memory_limit": 2 << 30,
        "store": None,
        "no_store": True,
        "cluster": "local",
        "worker_wait": None,
        "max_params": 25e6,
        "max_macs": 5e9,
        "max_memory": 512 << 20,
    }


@pytest.mark.parametrize(
    "words",
    [
        "rank",
        "rank zoo/vit.py --sort size",
        "rank zoo/vit.py --max-macs 5X",
        "rank zoo/vit.py --input-shape 3,x",
        "rank zoo/vit.py --workers 0",
        "rnk",
    ],
)
def test_wrong_usage_is_two(back_end: FakeBackEnd, capsys: Captured, words: str) -> None:
    assert run(words.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err


def test_interrupted_shows_what_is_done(back_end: FakeBackEnd, capsys: Captured) -> None:
    back_end.raises = KeyboardInterrupt()
    assert run(["rank", "zoo/vit.py", "zoo/vgg.py"]) == 130
    out, err = capsys.readouterr()
    assert "zoo/vit.py" in out
    assert "zoo/vgg.py" not in out
    assert err == "fxscore: interrupted, 1 of 2 networks done; the same command goes on from there\n"


def test_the_end_of_all_workers_shows_what_is_done(back_end: FakeBackEnd, capsys: Captured) -> None:
    back_end.raises = WorkerError("the scheduler is lost")
    assert run(["rank", "--no-store", "zoo/vit.py", "zoo/vgg.py"]) == 1
    out, err = capsys.readouterr()
    assert "zoo/vit.py" in out
    assert err == "fxscore: the scheduler is lost, 1 of 2 networks done\n"


def test_an_error_is_one_line_and_its_traceback_comes_with_v(
    back_end: FakeBackEnd, capsys: Captured, tmp_path: Path
) -> None:
    back_end.raises = CheckpointError("the file x is truncated;\n  fetch it again")
    words = ["rank", "zoo/vit.py", "zoo/vgg.py"]
    assert run(words) == 2
    assert capsys.readouterr() == ("", "fxscore: the file x is truncated; fetch it again\n")
    assert run([*words, "-v"]) == 2
    assert "Traceback" in capsys.readouterr().err
    log = tmp_path / "log"
    assert run([*words, "--log-file", str(log)]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert "Traceback" in log.read_text()


@pytest.fixture(autouse=True)
def quiet_logger() -> None:
    for handler in list(logging.getLogger("fxscore").handlers):
        logging.getLogger("fxscore").removeHandler(handler)


def test_score_prints_the_number_alone(back_end: FakeBackEnd, capsys: Captured) -> None:
    assert run(["score", "zoo/vit.py"]) == 0
    assert capsys.readouterr() == ("16.0\n", "")
    assert run(["score", "zoo/bad.py"]) == 1
    assert capsys.readouterr() == ("", "fxscore: zoo/bad.py: it is bad\n")


def test_score_gives_the_whole_record_as_json(
    back_end: FakeBackEnd, capsys: Captured, tmp_path: Path
) -> None:
    assert run(["score", "zoo/vit.py", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["name"], record["score"], record["macs"]) == ("zoo/vit.py", 16.0, 2000)
    assert run(["score", "zoo/bad.py", "--json", str(tmp_path / "bad.json")]) == 1
    assert json.loads((tmp_path / "bad.json").read_text())["error"] == "it is bad"


def test_completion_can_be_installed(capsys: Captured) -> None:
    assert run(["--help"]) == 0
    assert "--install-completion" in capsys.readouterr().out


def test_models_lists_what_a_pattern_means(back_end: FakeBackEnd, capsys: Captured) -> None:
    assert run(["models", "timm:net_*", "zoo/vit.py"]) == 0
    assert capsys.readouterr().out.splitlines() == ["timm:net_a", "timm:net_b", "timm:net_c", "zoo/vit.py"]
    assert run(["models", "zoo/vit.py", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == ["zoo/vit.py"]


@pytest.mark.parametrize(
    "command", ["", "rank", "score", "explain", "models", "scorers", "store", "store prune", "train", "data"]
)
def test_help_teaches_by_example(capsys: Captured, command: str) -> None:
    assert run([*command.split(), "--help"]) == 0
    out = capsys.readouterr().out
    assert "Examples:" in out
    assert f"fxscore {command}" in out


def test_help_loads_nothing_heavy() -> None:
    """Torch alone takes a second and more; a limit in seconds would fail on a busy machine."""
    heavy = "{'torch', 'torchvision', 'timm', 'numpy', 'scipy', 'sklearn', 'matplotlib', 'rich', 'sqlite3'}"
    script = f"import sys; from fxscore.cli.app import run; run(['rank', '--help']); print({heavy} & {{*sys.modules}})"
    shown = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert shown.splitlines()[-1] == "set()"


def test_version(capsys: Captured) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.count(".") == 2
