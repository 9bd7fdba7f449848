"""Plots of files that other commands wrote: what is read back is what was written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fxscore.cli.app import run
from fxscore.evaluate import Measures, Population, compare_scorers
from fxscore.evaluate.calibration import Bin, Calibration, OriginPairs
from fxscore.report.evaluation_files import comparison_json
from fxscore.report.files import ranking_json
from fxscore.report.learned import read_calibration, read_curve
from fxscore.report.recorded import PUBLISHED, read_front, read_scores
from fxscore.searching import Evaluation
from fxscore.searching.evaluation import UNBUILT
from fxscore.searching.journal import HISTORY, Journal
from fxscore.searching.kept import read_search
from fxscore.types import ModelRef, Ranking, ScoreRecord

REFS = tuple(ModelRef("timm", f"net{n}") for n in range(5))
SETTINGS = {
    "objectives": ["max:score", "min:params"],
    "limits": {"params": 9.0},
    "scorer": "general@01",
    "space": "tiny",
}


def ranked(path: Path, scorer: str = "general@01", sign: int = 1) -> Path:
    """A ranking with a failure, and a network that takes other inputs."""
    good = [
        ScoreRecord(
            ref,
            sign * float(n),
            params=10 * n + 1,
            macs=n + 1,
            scorer_id=scorer,
            group="images",
            published=70.0 + n,
        )
        for n, ref in enumerate(REFS)
    ]
    odd = replace(good[0], ref=ModelRef("timm", "words"), group="token ids", published=None)
    bad = ScoreRecord(ModelRef("timm", "bad"), error="broken", scorer_id=scorer)
    path.write_text(ranking_json(Ranking.of([*good, odd, bad])), encoding="utf-8")
    return path


def evaluated(path: Path) -> Path:
    population = Population("space", REFS, {"top1": np.arange(5.0)})
    records = {
        name: [ScoreRecord(ref, sign * float(n)) for n, ref in enumerate(REFS)]
        for name, sign in (("up", 1), ("down", -1))
    }
    path.write_text(
        comparison_json(compare_scorers(population, records, Measures(resamples=5))), encoding="utf-8"
    )
    return path


def fitted(path: Path) -> Path:
    rows = [
        {"network": f"n{n}", "accuracy": 60.0 + n, "unseen score": 0.1 * n, "error": None} for n in range(3)
    ]
    curve = [
        {"networks": n, "spearman": 0.1 * n, "spearman_interval": [0.0, 1.0], "draws": 3} for n in (4, 8)
    ]
    path.write_text(json.dumps({"scorer": "mine", "networks": rows, "curve": curve}), encoding="utf-8")
    return path


def searched(folder: Path) -> Path:
    journal = Journal(folder / HISTORY, SETTINGS, "nets.py:Tiny", resume=False)
    journal.write(
        0,
        [
            Evaluation("a=1", {"score": 1.0, "params": 5.0}),
            Evaluation("a=2", violation=UNBUILT, error="broken"),
        ],
    )
    journal.write(1, [Evaluation("a=3", {"score": 2.0, "params": 7.0})])
    journal.close()
    return folder


def test_an_evaluation_gives_back_its_scores_and_accuracies(tmp_path: Path) -> None:
    (found,) = read_scores([evaluated(tmp_path / "e.json")])
    assert found.name == "space"
    assert {name: list(values) for name, values in found.scores.items()} == {
        "up": [0, 1, 2, 3, 4],
        "down": [0, -1, -2, -3, -4],
    }
    assert list(found.labels["top1"]) == [0, 1, 2, 3, 4]


def test_rankings_of_the_same_networks_stand_beside_each_other_by_group(tmp_path: Path) -> None:
    files = [ranked(tmp_path / "a.json"), ranked(tmp_path / "b.json", "naswot@02", -1)]
    images, words = read_scores(files)
    assert (images.name, words.name) == ("images", "token ids")
    assert list(images.scores) == ["general", "naswot"]
    assert sorted(images.scores["general"]) == sorted(-images.scores["naswot"])
    assert set(images.labels[PUBLISHED]) == {70.0, 71.0, 72.0, 73.0, 74.0}
    assert words.labels == {}


def test_two_scorers_of_one_name_are_kept_apart(tmp_path: Path) -> None:
    files = [ranked(tmp_path / "a.json"), ranked(tmp_path / "b.json", "general@02")]
    assert list(read_scores(files)[0].scores) == ["general@01", "general@02"]


def test_only_networks_with_all_scores_and_the_accuracy_are_drawn(tmp_path: Path) -> None:
    other = json.loads(ranked(tmp_path / "b.json", "naswot@02").read_text())
    other[0]["published"] = None
    (tmp_path / "b.json").write_text(json.dumps(other[1:]))
    found = read_scores([ranked(tmp_path / "a.json"), tmp_path / "b.json"])[0].labelled()
    assert found is not None
    assert len(found.scores["general"]) == len(found.labels[PUBLISHED]) == 4


def test_a_front_is_of_the_largest_group(tmp_path: Path) -> None:
    record, others = read_front(ranked(tmp_path / "a.json"), "macs")
    assert (record.name, len(record.evaluations), others) == ("images", 5, 1)
    assert len(record.front) == 5  # the more MACs, the higher


def test_a_search_is_read_without_its_space_even_while_it_is_written(tmp_path: Path) -> None:
    folder = searched(tmp_path / "runs")
    with (folder / HISTORY).open("a") as file:
        file.write('[{"half')
    before = (folder / HISTORY).read_bytes()
    found = read_search(folder)
    assert (found.name, found.place) == ("Tiny", "nets.py:Tiny")
    assert [each.text for each in found.front] == ["a=3", "a=1"]
    assert list(found.best_so_far()) == [(1, 1.0), (2, 1.0), (3, 2.0)]
    assert (folder / HISTORY).read_bytes() == before


def test_curves_are_of_fits_and_of_trainings(tmp_path: Path) -> None:
    fit = read_curve(str(fitted(tmp_path / "fit.json")))
    assert (fit.name, fit.axis, [point.x for point in fit.points]) == ("fit", "networks learned from", [4, 8])
    trained = read_curve("nasbench201")
    assert trained.axis == "training step"
    assert len(trained.points) > 1


def test_calibration_comes_back_as_it_was_kept() -> None:
    kept = Calibration((Bin(0.6, 0.7, 0.5, 0.8, 10, 1.0),), 0.1, (OriginPairs("a", 0.6, 0.7, 10),))
    assert Calibration.from_dict(json.loads(json.dumps(kept.as_dict()))) == kept
    assert read_calibration("general").bins


COMMANDS = [
    "pareto runs",
    "pareto ranking.json --cost macs",
    "convergence runs runs",
    "scores ranking.json evaluation.json fit.json",
    "matrix evaluation.json",
    "matrix ranking.json other.json",
    "curve fit.json",
    "curve nasbench201",
    "calibration",
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what the other commands wrote."""
    monkeypatch.chdir(tmp_path)
    searched(tmp_path / "runs")
    ranked(tmp_path / "ranking.json")
    ranked(tmp_path / "other.json", "naswot@02", -1)
    evaluated(tmp_path / "evaluation.json")
    fitted(tmp_path / "fit.json")
    (tmp_path / "text.json").write_text("no JSON")
    (tmp_path / "list.json").write_text("[1, 2]")
    return tmp_path


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_draws(words: str, folder: Path) -> None:
    assert run(["plot", *words.split(), "-o", "picture.svg"]) == 0
    assert (folder / "picture.svg").read_text(encoding="utf-8").lstrip().startswith("<?xml")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("pareto nowhere", "there is no search in nowhere"),
        ("pareto fit.json", "is no ranking"),
        ("pareto text.json", "is no JSON"),
        ("convergence fit.json", "no history of a search"),
        ("scores missing.json", "cannot be read"),
        ("scores list.json", "holds no scores"),
        ("matrix fit.json", "give an evaluation of several scorers"),
        ("curve fit.json nasbench201", "draw those of one kind"),
        ("curve ranking.json", "is of no fit"),
        ("curve general", "has no learning curve"),
        ("calibration params", "is handcrafted"),
        ("calibration nasbench201", "does not say how far"),
        ("calibration -o picture.gif", "is no picture"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_a_line(
    words: str, said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["plot", *words.split()]) == 2
    error = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert said in error
    assert "Traceback" not in error
