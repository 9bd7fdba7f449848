"""Cards of scorers: trained on, judged on against the best fixed size, and when not to trust them."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from rich.console import Console

from fxscore.cli.app import run
from fxscore.report.scorers import best_size, features_of, print_record, print_scorers
from fxscore.scorer import DEFAULT_SCORER, ScorerInfo, list_scorers


def entry(task: str, n: int, rho: float, **sizes: float) -> dict[str, Any]:
    interval, how = [rho - 0.1, rho + 0.1], "everything of its origin"
    return {
        "on": f"{task}, left out",
        "task": task,
        "left_out": how,
        "n": n,
        "spearman": rho,
        "interval": interval,
        "kendall": rho / 2,
        "sizes": sizes,
    }


RECORD: dict[str, Any] = {
    "trained_on": "100 cells [of 10]",
    "scale": "percentile among 100 cells",
    "caution": "Not for birds.",
    "measured": [
        entry("table/a", 200, 0.9, params=0.2, MACs=0.7),
        entry("table/b", 150, 0.5, params=0.3, MACs=0.1),
        entry("other/a", 12, 0.4, params=0.9, MACs=0.7),
        {**entry("other/a", 12, 0.8, params=0.9, MACs=0.7), "left_out": "five folds of whole families"},
    ],
    "calibration": {"error": 0.0234, "bins": [{"pairs": 1500}, {"pairs": 500}], "origins": [{}, {}, {}]},
    "versions": {"torch": "2"},
    "seen": {"space": [1, 2]},
    "pairs": {"gaps": [1.0]},
    "history": [{"step": 1}],
}
FIRST = ScorerInfo("first", "hybrid", {"encoder": {"batch": 16}, "head": {"columns": ["depth"]}}, RECORD)


def printed(width: int = 80) -> Console:
    return Console(file=io.StringIO(), width=width)


def text_of(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_a_card_says_what_it_was_trained_and_judged_on_and_when_not_to_trust_it() -> None:
    console = printed()
    print_scorers(
        console, [FIRST, ScorerInfo("bare", "x", {}, {})], default="first", proxies=["params", "macs"]
    )
    text = text_of(console)
    assert text.startswith("first (default)\n")
    for said in (
        "100 cells [of 10]",
        "percentile among 100 cells",
        "Not for birds.",
        "2.3 points from what came true",
    ):
        assert said in text
    assert re.search(r"ρ of *\n.* params *\n", text)  # 0.575 on the mean; MACs 0.55
    assert ["table", "2", "150", "to", "200", "0.70", "0.25"] in rows(text)
    assert ["other", "1", "12", "0.40", "0.90"] in rows(text)
    assert ["other", "(folds", "of", "families)", "1", "12", "0.80", "0.90"] in rows(text)
    assert ["mean", "over", "tasks", "4", "0.65", "0.57"] in rows(text)
    assert "Handcrafted, not trained: params, macs" in text
    assert text.count("bare") == 1


def test_the_best_size_is_one_for_all_tasks_and_is_measured_on_all() -> None:
    assert best_size(RECORD["measured"]) == "params"
    old: list[dict[str, Any]] = [
        {"params_spearman": 0.1, "macs_spearman": 0.3},
        {"params_spearman": 0.2, "macs_spearman": None},
    ]
    assert best_size(old) == "params"
    assert best_size([{"n": 3}, *old]) is None
    assert best_size([]) is None


def test_figures_that_there_are_not_are_dashes() -> None:
    console = printed()
    record = {"measured": [{"on": "CIFAR-10", "n": 5}]}
    print_record(console, ScorerInfo("odd", "x", {}, record), "odd")
    assert ["CIFAR-10", "1", "5", "–"] in rows(text_of(console))
    assert ["CIFAR-10", "5", "–", "–", "–"] in rows(text_of(console))


def test_the_record_of_one_has_every_task_and_leaves_long_lists_to_the_file() -> None:
    console = printed(160)
    print_record(console, FIRST, "first")
    text = text_of(console)
    assert [
        "table/b,",
        "left",
        "out",
        "150",
        "0.500",
        "0.400",
        "to",
        "0.600",
        "0.250",
        "0.300",
        "0.100",
    ] in rows(text)
    assert "    torch: 2" in text
    for name in ("history", "space", "gaps", "columns"):
        assert name not in text


def test_the_shipped_cards_read_at_eighty_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run(["scorers"]) == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    assert "left out, for want of width" not in text
    for info in list_scorers():
        assert info.name in text
        assert str(info.record["trained_on"])[:20] in text
    assert text.count("do not trust") == text.count("mean over tasks") + 1 == 2
    assert "ρ of " in text


def test_features_are_listed_on_demand(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["scorers", DEFAULT_SCORER, "--features"]) == 0
    text = capsys.readouterr().out
    known = features_of(next(info for info in list_scorers() if info.name == DEFAULT_SCORER))
    assert len(known) > 200
    assert all(row["feature"] in text for row in known)
    assert run(["scorers", DEFAULT_SCORER, "--features", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == known
    assert run(["scorers", "nasbench201", "--features"]) == 0
    assert "reads no features" in capsys.readouterr().out
    assert run(["scorers", "--features"]) == 2
    assert "features of which scorer?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("fxscore scor", ["score", "scorers"]),
        ("fxscore scorers gen", ["general"]),
        ("fxscore rank --scorer na", ["nasbench201", "naswot"]),
        ("fxscore explain --aga", ["--against"]),
    ],
)
def test_a_shell_completes_commands_options_and_scorers(
    line: str, wanted: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = line.split()
    monkeypatch.setenv("_FXSCORE_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
    assert run([]) == 0
    assert capsys.readouterr().out.split() == wanted
