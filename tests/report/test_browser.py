"""Reports in a real browser: headless Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fxscore
from fxscore.cli.app import run
from fxscore.evaluate import Measures, Population, compare_scorers
from fxscore.report.html import Listing, Page, Panel
from fxscore.report.html.evaluation import evaluation_page
from fxscore.report.html.ranking import ranking_page
from fxscore.types import ModelRef, Ranking, ScoreRecord

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="needs fxscore[test]: pip install 'fxscore[test]'"
)
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH (Debian: apt-get install chromium)"),
]
MANY, PUBLISHED = 1371, 91
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><rect width="40" height="20"/></svg>'
SCORERS = ("general", "params")
NETS = """
from torch import nn
INPUT_SHAPE = (3, 16, 16)
def build(width=4):
    layers = [nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(width, 2))
"""


def networks(folder: Path, count: int = 3) -> list[str]:
    (folder / "nets.py").write_text(NETS)
    return [f'{folder / "nets.py"}:build{{"width": {width}}}' for width in range(3, 3 + count)]


def page_of(count: int) -> Page:
    names = [f"family{i % 7}_network{i}" for i in range(count)]
    good = [
        ScoreRecord(
            ModelRef("timm", name),
            float(i % 97) + i / count,
            params=1000 + 13 * i,
            macs=10**6 + i,
            seconds=0.5,
            published=70 + i / 10 if i < PUBLISHED else None,
        )
        for i, name in enumerate(names)
    ]
    bad = ScoreRecord(ModelRef("timm", "broken"), error="RuntimeError: spoilt <i>here</i>")
    lists = [Listing("Operators with weights", ("operator", "times"), [("conv2d", "3")])]
    return ranking_page(
        Ranking.of([*good, bad]),
        {"seed": 1},
        detail=lambda ref: Panel({}, lists, SVG, f"Drawing of {ref}"),
        details=2,
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        # Tests run as root in containers, where Chromium's sandbox cannot.
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    page_of(MANY).save(path)
    return path


@pytest.fixture
def said() -> list[str]:
    """Errors of the console, and requests to anywhere but the file."""
    return []


@pytest.fixture
def page(browser: Any, file: Path, said: list[str]) -> Iterator[Any]:
    opened = browser.new_page()
    opened.on(
        "console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None
    )
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("request", lambda request: said.append(request.url) if request.url.startswith("http") else None)
    opened.goto(file.as_uri())
    opened.wait_for_selector("#table-0 tbody tr")
    yield opened
    opened.close()
    assert said == []


def column(page: Any, place: int) -> list[str]:
    texts: list[str] = page.locator(f"#table-0 tbody tr td:nth-child({place})").all_inner_texts()
    return texts


def test_columns_sort_by_their_numbers(page: Any) -> None:
    assert column(page, 1)[:3] == ["1", "2", "3"]
    header = page.locator("#table-0 thead th", has_text="parameters")
    for first in ("1.00 k", "18.8 k"):  # "9.99 k" by letters
        header.click()
        sync_api.expect(page.locator("#table-0 tbody td:nth-child(4)").first).to_have_text(first)


def test_a_filter_among_1371_networks_takes_less_than_a_tenth_of_a_second(page: Any) -> None:
    took = page.evaluate(
        """() => {
            const table = new DataTable.Api("#table-0");
            return Math.min(...["family3", "network12", "family5_network1"].map((word) => {
                const start = performance.now();
                table.search(word).draw();
                document.body.offsetHeight;
                return performance.now() - start;
            }));
        }"""
    )
    assert took < 100
    page.get_by_role("searchbox").first.fill("network1370")
    sync_api.expect(page.locator("#table-0 tbody tr")).to_have_count(1)
    assert column(page, 2) == ["timm:family5_network1370"]


def test_a_panel_opens_and_closes_by_keyboard(page: Any) -> None:
    button = page.locator("#table-0 button.open").first
    button.focus()
    page.keyboard.press("Enter")
    dialog = page.locator("dialog")
    assert dialog.is_visible()
    assert page.locator("#panel-title").inner_text() == button.inner_text()
    assert "conv2d" in dialog.inner_text()
    assert page.locator("dialog img").get_attribute("alt").startswith("Drawing of timm:")
    assert page.evaluate("document.querySelector('dialog img').decode().then(() => true)")
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    assert page.evaluate("document.activeElement.className") == "open"


def test_a_point_says_its_name_when_it_is_hovered(page: Any) -> None:
    point = page.locator("#plot-0 [aria-label=dot] circle").nth(5)
    name = point.get_attribute("aria-label")
    point.hover(force=True)
    sync_api.expect(page.locator("#plot-0 [aria-label=tip]")).to_contain_text("score")
    shown = page.locator("#plot-0 [aria-label=tip]").text_content()
    assert "timm:" in shown
    assert name.startswith("timm:")


def test_the_axis_of_the_plot_can_be_chosen(page: Any) -> None:
    page.locator("#plot-0 select").select_option(index=1)
    assert "multiply-accumulates" in page.locator("#plot-0 .plot").get_attribute("aria-label")


def test_published_accuracy_is_an_axis_without_a_front(page: Any) -> None:
    line, shown = page.locator("#plot-0 [aria-label=line]"), page.locator("#plot-0 .plot")
    assert line.count() == 1
    page.locator("#plot-0 select").select_option(label="published ImageNet top-1 of its weights (%)")
    assert f"{PUBLISHED} points, score against published ImageNet" in shown.get_attribute("aria-label")
    assert line.count() == 0
    assert page.locator("#plot-0 [aria-label=dot] circle").count() == PUBLISHED


def test_rows_are_sorted_and_filtered_by_keyboard_alone(page: Any) -> None:
    header = page.locator("#table-0 thead th", has_text="published").get_by_role("button")
    for place, order in ((0, "ascending"), (1, "descending")):
        header.focus()
        page.keyboard.press("Enter")
        sync_api.expect(page.locator("#table-0 thead th", has_text="published")).to_have_attribute(
            "aria-sort", order
        )
        if place:
            sync_api.expect(page.locator("#table-0 tbody td:nth-child(7)").first).to_have_text("79.0")
    page.get_by_role("searchbox").first.focus()
    page.keyboard.type("network1369")
    sync_api.expect(page.locator("#table-0 tbody tr")).to_have_count(1)


def test_failures_have_their_reasons_as_text(page: Any) -> None:
    assert "RuntimeError: spoilt <i>here</i>" in page.locator("#table-1").inner_text()


def opened_panel(browser: Any, file: Path, said: list[str], name: str) -> str:
    """The words of the panel that this network's name opens."""
    page = browser.new_page()
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(file.as_uri())
    page.locator("button.open", has_text=name).first.click()
    assert page.locator("dialog img").get_attribute("alt").startswith("Drawing of ")
    assert page.evaluate("document.querySelector('dialog img').decode().then(() => true)")
    words: str = page.locator("dialog").inner_text()
    page.close()
    assert said == []
    return words


def test_an_evaluation_has_the_panels_of_a_ranking(browser: Any, tmp_path: Path, said: list[str]) -> None:
    refs = tuple(map(ModelRef.parse, networks(tmp_path)))
    names = list(map(str, refs))
    records = {each: fxscore.rank(names, scorer=each, no_store=True, workers=1).records for each in SCORERS}
    found = compare_scorers(
        Population("mine", refs, {"accuracy": np.arange(len(refs), dtype=float)}),
        {name: sorted(each, key=lambda record: refs.index(record.ref)) for name, each in records.items()},
        Measures(resamples=0),
    )
    page = evaluation_page([found], {name: name for name in SCORERS}, {})
    (table,) = (each for each in page.tables if each.panels)
    best = records["general"][0]
    assert table.rows[0][0].text == str(best.ref)
    assert [panel.svg is not None for panel in table.panels] == [True] * len(refs)
    page.save(tmp_path / "evaluation.html")
    words = opened_panel(browser, tmp_path / "evaluation.html", said, str(best.ref))
    for part in ("accuracy", "Looks most like", "by member of the scorer", "Operators with weights"):
        assert part in words


def test_a_fit_has_the_panels_of_a_ranking(browser: Any, tmp_path: Path, said: list[str]) -> None:
    refs, file = networks(tmp_path, 12), tmp_path / "fit.html"
    rows = [f'"{ref.replace(chr(34), chr(34) * 2)}",{60 + place}' for place, ref in enumerate(refs)]
    (tmp_path / "results.csv").write_text("\n".join(["model,accuracy", *rows]) + "\n")
    words = ["fit", str(tmp_path / "results.csv"), "--out", str(tmp_path / "own.safetensors")]
    assert run([*words, "--report", str(file), "--workers", "1", "--store", str(tmp_path / "store")]) == 0
    shown = opened_panel(browser, file, said, str(ModelRef.parse(refs[-1])))
    for part in (
        "score, not seen",
        "score by the fitted scorer",
        "Looks most like",
        "Operators with weights",
    ):
        assert part in shown


def test_print_shows_every_row(page: Any, tmp_path: Path) -> None:
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#table-0 tbody tr").count() == MANY
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("#table-0 tbody tr").count() == 25
    page.pdf(path=tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(page: Any, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs fxscore[test]")
    page.emulate_media(color_scheme=scheme)
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (scheme == "light")
    for prepare in (lambda: None, lambda: page.locator("#table-0 button.open").first.click()):
        prepare()
        results = axe.Axe().run(page)
        assert [(v["id"], v["nodes"][0]["html"]) for v in results.response["violations"]] == []
