"""Reports: what the file holds, without a browser."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import pytest

from fxscore.cli.app import run
from fxscore.comparison import Comparison, Verdict
from fxscore.evaluate.estimates import Estimate
from fxscore.report.html import Axis, Cell, Page, Plot, Table
from fxscore.report.html.comparison import comparison_page
from fxscore.report.html.fitting import fit_page
from fxscore.report.html.page import versions
from fxscore.report.html.ranking import ranking_page, trust
from fxscore.scorer import Hybrid
from fxscore.train.fit import Fitted
from fxscore.types import ModelRef, Ranking, ScoreRecord

HOSTILE = "</script><img src=x onerror=alert(1)>&\"'"


def data_of(text: str) -> dict[str, list[dict[str, list[dict[str, object]]]]]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    loaded: dict[str, list[dict[str, list[dict[str, object]]]]] = json.loads(found[1])
    return loaded


class Elements(HTMLParser):
    """Counts what a browser would load from elsewhere, and the elements of the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.loaded += [str(value) for name, value in attrs if name in ("src", "href")]


def ranking() -> Ranking:
    good = [
        ScoreRecord(ModelRef("timm", f"net{i}"), 10.0 * i, params=1000 * i, macs=5 * i) for i in (1, 2, 3)
    ]
    return Ranking.of([*good, ScoreRecord(ModelRef("timm", HOSTILE), error="it breaks <b>here</b>")])


def test_a_ranking_has_its_rows_failures_settings_and_versions() -> None:
    record = {
        "scale": "a percentile",
        "caution": "small ones",
        "measured": [{"on": "x", "n": 9, "spearman": 0.9}],
    }
    page = ranking_page(ranking(), {"seed": 7}, scorer=record)
    text = page.html()
    networks, failed, judged = data_of(text)["tables"]
    assert [row["cells"][1][0] for row in networks["rows"]] == ["timm:net3", "timm:net2", "timm:net1"]  # type: ignore[index]
    assert [each["title"] for each in networks["columns"]] == [
        "rank", "network", "score", "parameters", "MACs", "seconds",
    ]  # fmt: skip
    assert "it breaks &lt;b&gt;" in failed["rows"][0]["cells"][1][1]  # type: ignore[index]
    for said in (
        "3 networks ranked",
        "1 failed",
        "a percentile",
        "small ones",
        "mean ρ 0.90 over 1 task,",
        "seed",
    ):
        assert said in text
    shown = [cell[1] for cell in judged["rows"][0]["cells"]]  # type: ignore[attr-defined]
    assert shown == ["x", "9", "0.90", "–"]
    assert all(f"<td>{number}</td>" in text for number in versions().values())


def test_a_panel_says_numbers_as_people_read_them() -> None:
    record = ScoreRecord(ModelRef("timm", "net"), 93.31628924, params=1073466, low=86.435551, high=100.0)
    facts = dict(ranking_page(Ranking.of([record]), {}).tables[0].panels[0].facts)
    assert (facts["score"], facts["params"]) == ("93.3163", "1.07 M")
    assert facts["cannot be told from"] == "86.4356 to 100.0000"


def test_a_panel_says_a_score_as_the_table_does() -> None:
    class Percentiles:
        bounds = (0.0, 100.0)

        def better(self, first: ScoreRecord, second: ScoreRecord) -> float | None:
            return None

    record = ScoreRecord(ModelRef("timm", "net"), 93.31628924, low=86.435551, high=100.0)
    table = ranking_page(Ranking.of([record], judge=Percentiles()), {}).tables[0]
    facts = dict(table.panels[0].facts)
    assert facts["score"] == table.rows[0][2].text == "93"
    assert facts["cannot be told from"] == "86 to 100.0"


def test_names_and_errors_end_no_element() -> None:
    text = ranking_page(ranking(), {"command": HOSTILE}).html()
    assert HOSTILE not in text
    elements = Elements(text)
    assert elements.names.count("script") == 2
    assert "img" not in elements.names


def test_the_file_loads_nothing_and_forbids_it() -> None:
    elements = Elements(ranking_page(ranking(), {}).html())
    assert elements.loaded == []
    assert "link" not in elements.names
    assert "default-src 'none'" in ranking_page(ranking(), {}).html()


def test_the_licences_are_in_the_file() -> None:
    text = Page("empty", ["nothing"]).html()
    for said in (
        "Mike Bostock",
        "Observable",
        "SpryMedia",
        "Permission is hereby granted",
        "Permission to use, copy",
    ):
        assert said in text
    for path in files("fxscore.report.html").joinpath("vendor").iterdir():
        assert path.name == "LICENSES.txt" or path.name in files("fxscore.report.html").joinpath(
            "vendor/LICENSES.txt"
        ).read_text(encoding="utf-8")


def test_cells_sort_by_numbers_and_show_them_as_people_read_them() -> None:
    assert Cell.of(25557032, "count") == Cell(25557032, "25.6 M")
    assert Cell.of(None) == Cell.of(float("nan")) == Cell(None, "–")
    table = Table("t", ("a", "b"), [[Cell.of("x"), Cell.of(2.0)]])
    shown = data_of(
        Page("p", [], [Plot("q", [Axis("x", "x")], "y", [{"name": "n", "x": 1, "y": 2}])], [table]).html()
    )
    assert [column["number"] for column in shown["tables"][0]["columns"]] == [False, True]


def test_a_scorer_that_says_nothing_is_trusted_with_nothing() -> None:
    assert trust({}) == []


def test_a_fit_shows_only_scores_of_networks_not_seen() -> None:
    known = {0: ("a", 50.0), 1: ("b", 60.0), 2: ("c", 70.0)}
    measured = Estimate(0.5, 0.1, 0.8)
    fitted = Fitted(Hybrid(), (0, 1), {2: "broken"}, measured, 1, unseen={0: 0.1}, networks=known)
    page = fit_page(fitted, {})
    assert page.lead[0].startswith("ρ 0.500")
    assert [point["name"] for point in page.plots[0].points] == ["a"]
    assert [table.title for table in page.tables] == [
        "Networks that were fitted to",
        "Networks that were left out",
    ]
    assert [[cell.text for cell in row] for row in page.tables[0].rows] == [
        ["b", "60.0000", "–"],
        ["a", "50.0000", "0.1000"],
    ]
    assert [cell.text for cell in page.tables[1].rows[0]] == ["c", "broken"]
    assert not fit_page(Fitted(Hybrid(), (1,), {}, measured, 1, networks=known), {}).plots


def test_a_comparison_has_its_verdicts_and_advice_before_the_ranking() -> None:
    ref = [ModelRef("timm", name) for name in ("net3", "net1")]
    verdict = Verdict(ref[0], ref[1], 0.9, compares=True)
    page = comparison_page(Comparison((), (verdict,), ("train both",), ranking()), {})
    assert list(page.lead[:2]) == [verdict.sentence, "train both"]
    assert "net3" in verdict.sentence
    assert [table.title for table in page.tables][:2] == ["Networks", "Networks that failed"]


def test_the_command_writes_a_report_with_operators(tmp_path: Path) -> None:
    out = tmp_path / "new" / "rank.html"
    (tmp_path / "bad.py").write_text("raise ValueError('spoilt')")
    words = [
        "rank",
        "zoo/squeezenet.py",
        "zoo/resnet.py",
        str(tmp_path / "bad.py"),
        "--scorer",
        "params",
        "--no-store",
    ]
    assert run([*words, "--report", str(out), "--drawn", "1", "--workers", "1"]) == 1
    networks, failed = data_of(out.read_text())["tables"]
    first, second = networks["rows"]
    assert "Operators with weights" in str(first["panel"])
    assert "Operators with weights" not in str(second["panel"])
    assert "spoilt" in str(failed["rows"])


def test_a_report_that_cannot_be_written_is_said_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert run(["rank", "zoo/vit.py", "--report", str(tmp_path / "file" / "x.html")]) == 2
    assert "cannot be written" in capsys.readouterr().err
