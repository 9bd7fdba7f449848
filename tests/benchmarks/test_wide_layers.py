"""Wide layers against truth: which networks of searches are chosen, and what the table says of their trainings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.quality.wild_training import LABEL, table_rows
from benchmarks.search import wide_layers
from benchmarks.search.wide_layers import CHOICE, COLUMNS, choose, gather, looked_at, report
from benchmarks.shared.rows import keep_rows
from fxscore.evaluate import read_population
from fxscore.searching import HISTORY
from fxscore.spaces.zen_resnet import ZenResNet


def row(genotype: str, score: float, step: float) -> dict[str, object]:
    return {"genotype": genotype, "score": score, "params": 950_000, "step": step}


def test_found_best_narrow_and_random_networks_are_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = {
        "bold": [row("a", 99, 200), row("b", 90, 40), row("c", 80, 8)],
        "general": [row("d", 98, 60), row("e", 97, 16), row("c", 80, 8)],
    }
    monkeypatch.setattr(wide_layers, "looked_at", lambda path: looked[path.name])
    found = choose([Path("bold"), Path("general")], random=2, seed=0)
    assert [(each["by"], each["genotype"]) for each in found[:3]] == [
        ("bold", "a"),
        ("general", "d"),
        ("bold, general: best, step ≤ 16", "e"),
    ]
    narrow, wide = (
        [each["genotype"] for each in found[3:] if each["by"] == f"random, step {kind} 16"] for kind in "≤>"
    )
    assert narrow == ["e", "c"]
    assert len(set(wide) & {"a", "b", "d"}) == 2


def test_a_search_gives_its_large_networks_with_their_widest_step(tmp_path: Path) -> None:
    text = "SuperConvK3BNRELU(3,8,1,1)SuperResK1K3K1(8,400,1,8,1)SuperConvK1BNRELU(400,64,1,1)"
    values = [{"score": 1.234, "params": 950_000.0}, {"params": 950_000.0}, {"score": 9.0, "params": 1_000.0}]
    generation = [{"text": text if n == 0 else f"{n}", "values": each} for n, each in enumerate(values)]
    (tmp_path / HISTORY).write_text("{}\n" + json.dumps(generation) + "\n", encoding="utf-8")
    assert looked_at(tmp_path) == [{"genotype": text, "score": 1.23, "params": 950_000, "step": 50.0}]


def test_the_table_has_a_line_for_each_kind_and_says_what_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = ["random, step ≤ 16", "random, step ≤ 16", "random, step > 16", "general"]
    chosen = [{**row(name, 90 - n, 8 * 3**n), "by": kinds[n]} for n, name in enumerate("abcd")]
    rows = [
        {**dict.fromkeys(COLUMNS, ""), "genotype": name, "seed": str(seed), LABEL: str(80 - 5 * n + seed)}
        for n, name in enumerate("abc")
        for seed in (0, 1)
    ]
    monkeypatch.setattr(wide_layers, "CHOSEN", tmp_path / "chosen.csv")
    keep_rows(tmp_path / "chosen.csv", CHOICE, chosen)
    keep_rows(tmp_path / "trained.csv", COLUMNS, rows)
    text = report(tmp_path / "trained.csv")
    assert "| random, step > 16 | 1 | 72 | 950,000 | 88 | 70.50 |" in text
    assert "| general |" not in text  # it was not trained
    assert "score 1.00, widest step -1.00" in text


def test_trainings_join_the_table_of_the_space_once(tmp_path: Path) -> None:
    text = "SuperConvK3BNRELU(3,8,1,1)SuperResK1K3K1(8,400,1,8,1)SuperConvK1BNRELU(400,64,1,1)"
    table = tmp_path / "zen_resnet.csv.gz"
    rows = [
        {
            **dict.fromkeys(COLUMNS, ""),
            "genotype": text,
            "seed": str(seed),
            LABEL: str(80 + seed),
            "device": "cuda",
        }
        for seed in (0, 1)
    ]
    for count in (1, 2, 2):
        gather(rows[:count], table)
        assert [row["device"] for row in table_rows(table)] == ["cuda, half precision"] * count
    population = read_population("zen_resnet", table)
    assert population.label(LABEL).tolist() == [80.5]
    assert float(table_rows(table)[0]["params"]) == ZenResNet(classes=10).count_parameters(
        ZenResNet().parse(text)
    )
