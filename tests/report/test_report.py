from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from fxscore.report import numbers
from fxscore.report.files import FIELDS, ranking_csv, ranking_json
from fxscore.report.rows import rows, why
from fxscore.report.table import print_ranking
from fxscore.types import ModelRef, Ranking, ScoreRecord


def record(name: str, score: float | None = None, **fields: object) -> ScoreRecord:
    error = None if score is not None else "ModelRefError: no such thing"
    return ScoreRecord(ModelRef("timm", name), score=score, error=error, **fields)  # type: ignore[arg-type]


@pytest.fixture
def ranking() -> Ranking:
    return Ranking.of(
        [
            record("small", 0.5, params=1_200_000, macs=300_000_000, seconds=0.25),
            record("broken", seconds=0.01),
            record(
                "big", 2.0, params=25_557_032, macs=4_089_184_256, seconds=1.5, fingerprint="f", scorer_id="s"
            ),
            record("twin[of]big", 2.0, params=25_000_000, seconds=1.0),
        ]
    )


def printed(ranking: Ranking, width: int = 120, sort: str = "score") -> str:
    console = Console(file=io.StringIO(), width=width)
    print_ranking(console, ranking, sort=sort)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_equal_scores_share_a_rank_and_failures_have_none(ranking: Ranking) -> None:
    assert [(row.rank, row.record.ref.name) for row in rows(ranking)] == [
        (1, "big"),
        (1, "twin[of]big"),
        (3, "small"),
        (None, "broken"),
    ]


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("params", ["small", "twin[of]big", "big", "broken"]),
        ("macs", ["small", "big", "twin[of]big", "broken"]),  # not known: after those that are
        ("seconds", ["small", "twin[of]big", "big", "broken"]),
        ("name", ["big", "small", "twin[of]big", "broken"]),
    ],
)
def test_sort_changes_the_order_but_no_rank(ranking: Ranking, sort: str, names: list[str]) -> None:
    shown = rows(ranking, sort)
    assert [row.record.ref.name for row in shown] == names
    assert dict.fromkeys(rows(ranking)) == dict.fromkeys(sorted(shown, key=lambda row: row.rank or 99))


def test_the_front_is_what_no_other_network_scores_as_high_as_with_less(ranking: Ranking) -> None:
    fronts = {row.record.ref.name: row.front for row in rows(ranking)}
    assert fronts == {
        "big": ("macs",),  # its twin scores as high with fewer parameters
        "twin[of]big": ("params",),
        "small": ("params", "macs"),
        "broken": (),
    }
    larger = Ranking.of([*ranking, record("worse", 1.0, params=30_000_000, macs=5_000_000_000)])
    assert {row.record.ref.name: row.front for row in rows(larger)}["worse"] == ()


def test_the_first_rows_are_of_the_order_shown(ranking: Ranking) -> None:
    assert [row.record.ref.name for row in rows(ranking, "params", top=1)] == ["small", "broken"]
    assert len(json.loads(ranking_json(ranking, top=2))) == 3


def test_networks_over_the_budget_are_counted(ranking: Ranking) -> None:
    over = Ranking.of(ranking, [ModelRef("timm", "huge")])
    assert printed(over).splitlines()[-1] == "3 networks ranked, 1 failed, 1 over the budget not scored"


def test_where_all_are_over_the_budget_there_is_no_table() -> None:
    text = printed(Ranking.of([], [ModelRef("timm", "large")]))
    assert text == "0 networks ranked, 1 over the budget not scored\n"


def test_unknown_sort_key_is_refused(ranking: Ranking) -> None:
    with pytest.raises(ValueError, match="'size'; choose one of score, params"):
        rows(ranking, "size")


def test_table_shows_every_field_in_human_units(ranking: Ranking) -> None:
    lines = printed(ranking).splitlines()
    big = next(line for line in lines if "timm:big" in line)
    assert big.split() == ["1", "timm:big", "2.0000", "25.6", "M", "4.09", "G", "•", "1.50", "s"]
    assert any("timm:twin[of]big" in line for line in lines)
    assert any("timm:broken" in line and "ModelRefError: no such thing" in line for line in lines)
    assert lines[-1] == "3 networks ranked, 1 failed"


def test_error_column_only_with_errors(ranking: Ranking) -> None:
    assert "error" in printed(ranking)
    assert "error" not in printed(Ranking(ranking.records[:3]))


def test_narrow_table_folds_and_loses_no_character_of_a_name() -> None:
    name = "a_very_long_name_" * 6
    text = printed(Ranking.of([record(name, 1.0)]), width=60)
    assert f"timm:{name}" in "".join(
        line.split("1.0000")[0].strip().removeprefix("1 ").strip() for line in text.split("\n")
    )


def test_a_note_has_a_column_where_there_is_one(ranking: Ranking) -> None:
    noted = Ranking.of([*ranking, record("detector", 1.0, note="score and MACs without [head]")])
    assert "without [head]" in printed(noted, width=200)
    assert "note" not in printed(ranking)
    assert json.loads(ranking_json(noted))[2]["note"] == "score and MACs without [head]"


def test_json_and_csv_hold_the_same(ranking: Ranking) -> None:
    objects = json.loads(ranking_json(ranking, sort="params"))
    lines = list(csv.DictReader(io.StringIO(ranking_csv(ranking, sort="params"))))
    assert [list(item) for item in objects] == [list(FIELDS)] * 4
    assert [[("" if value is None else str(value)) for value in item.values()] for item in objects] == [
        list(line.values()) for line in lines
    ]
    assert objects[2]["name"] == "timm:big"
    assert objects[2]["macs"] == 4_089_184_256
    assert objects[3]["score"] is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0"),
        (999, "999"),
        (1000, "1.00 k"),
        (999_400, "999 k"),
        (999_949, "1.00 M"),
        (25_557_032, "25.6 M"),
        (4_089_184_256, "4.09 G"),
        (2.5e12, "2.50 T"),
    ],
)
def test_count(value: float | None, text: str) -> None:
    assert numbers.count(value) == text


@given(st.integers(1, 10**14))
def test_count_is_within_half_a_percent(value: int) -> None:
    number, _, prefix = numbers.count(value).partition(" ")
    size = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}[prefix]
    assert float(number) * size == pytest.approx(value, rel=5.1e-3)
    assert len(number) <= 4 or prefix == "T"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0 ms"),
        (0.0424, "42 ms"),
        (0.9999, "1.00 s"),
        (59.96, "1 min 00 s"),
        (125, "2 min 05 s"),
        (5400, "1 h 30 min"),
    ],
)
def test_seconds(value: float, text: str) -> None:
    assert numbers.seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0.0, "0.0000"), (-1.23456, "-1.2346"), (1e61, "1.000e+61"), (-2e-7, "-2.000e-07")],
)
def test_score(value: float | None, text: str) -> None:
    assert numbers.score(value) == text


class Sure:
    """Knows that a point apart is one chance in twenty more, up to certainty."""

    bounds = (0.0, 100.0)

    def better(self, first: ScoreRecord, second: ScoreRecord) -> float | None:
        if first.score is None or second.score is None or first.group != second.group:
            return None
        return min(0.99, max(0.01, 0.5 + (first.score - second.score) / 20))


def judged(*records: ScoreRecord) -> Ranking:
    return Ranking.of(records, judge=Sure())


def test_networks_that_cannot_be_told_apart_share_a_band() -> None:
    ranking = judged(*(record(f"n{score}", score) for score in (50.0, 48.0, 46.0, 40.0, 39.0, 10.0)))
    assert [row.place for row in rows(ranking)] == ["1–2", "1–2", "3", "4–5", "4–5", "6"]
    assert [item["band"] for item in json.loads(ranking_json(ranking))][:2] == ["1-2", "1-2"]
    assert "ranks such as 1–2: " in printed(ranking)
    assert [row.place for row in rows(Ranking.of(ranking))] == ["1", "2", "3", "4", "5", "6"]


def test_scores_that_are_percentiles_have_two_digits_and_a_mark_of_their_support() -> None:
    ranking = judged(
        record("sure", 81.234, support="inside"),
        record("near", 12.345, support="near"),
        record("far", 0.8321, support="outside"),
    )
    text = printed(ranking)
    lines = {
        name: next(line for line in text.splitlines() if f":{name}" in line).split()
        for name in ("near", "far")
    }
    assert lines["near"][2:4] == ["12", "~"]
    assert lines["far"][2:4] == ["0.83", "?"]
    assert "~ near what" in text
    assert "? outside what" in text
    assert "no probabilities" not in text


def test_without_probabilities_the_table_says_so() -> None:
    class Unsure(Sure):
        def better(self, first: ScoreRecord, second: ScoreRecord) -> float | None:
            return None

    known, unknown = (
        printed(Ranking.of([record("a", 40.0, support=support), record("b", 3.0)], judge=Unsure()))
        for support in ("inside", None)
    )
    assert "the scorer's file has no probabilities" in known
    assert "no probabilities" not in unknown  # of a size, say, nobody asks for them


def test_networks_that_do_not_compare_stand_in_tables_of_their_own() -> None:
    ranking = judged(
        record("text", 90.0, group="token ids"),
        record("small", 50.0, group="images", params=3, macs=3),
        record("large", 70.0, group="images", params=9, macs=9),
        record("broken"),
    )
    assert [(row.record.ref.name, row.rank) for row in rows(ranking)] == [
        ("large", 1),
        ("small", 2),
        ("text", 1),
        ("broken", None),
    ]
    text = printed(ranking)
    assert text.index("images") < text.index("timm:large") < text.index("token ids") < text.index("timm:text")
    assert text.count("rank ") == 2
    assert text.splitlines()[-1] == "3 networks ranked, 1 failed"


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (84.4, "84"), (9.96, "10"), (6.43, "6.4"), (0.834, "0.83"), (99.62, "99.6")],
)
def test_percentile(value: float | None, text: str) -> None:
    assert numbers.percentile(value) == text


def test_an_error_does_not_name_its_network_twice() -> None:
    """Many errors begin with the network's name, which the table and the lines below it show already."""
    named = ScoreRecord(ModelRef("timm", "odd"), error="timm:odd: it takes no width")
    assert why(named) == "it takes no width"
    for width in (120, 30):
        text = printed(Ranking.of([record("a", 1.0), named]), width)
        assert text.count("timm:odd:") == (width == 30)
        assert "width" in text
