"""`fxscore fit`: a file of results becomes a scorer that ranks, and what is wrong with a file is said by row."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import fxscore
from fxscore.cli.app import run
from fxscore.errors import ScorerError, TrainingError
from fxscore.scorer import FTScoreNet, Hybrid, Settings, load_scorer
from fxscore.scorer.ensemble import Ensemble
from fxscore.scorer.subject import Subject
from fxscore.train.fit import fit_both, fit_hybrid
from fxscore.train.fit.both import SCORENETS_SHARE
from fxscore.train.fit.parts import held_out
from fxscore.train.fit.scorenet import state_file
from fxscore.train.loop import Trainer
from fxscore.train.results import read_results

Captured = pytest.CaptureFixture[str]
NETS = """
import torch
from torch import nn
INPUT_SHAPE = (3, 16, 16)
def build(width=4, broken=False):
    layers = [nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(width + broken, 2))
"""


@pytest.fixture
def nets(tmp_path: Path) -> str:
    path = tmp_path / "nets.py"
    path.write_text(NETS)
    return str(path)


def table(folder: Path, rows: list[str]) -> Path:
    path = folder / "results.csv"
    path.write_text("\n".join(["model,accuracy", *rows]) + "\n")
    return path


def row(nets: str, width: int, accuracy: object, options: str = "") -> str:
    return f'"{nets}:build{{""width"": {width}{options}}}",{accuracy}'


def rows(nets: str, count: int = 12) -> list[str]:
    return [row(nets, width, 60 + width) for width in range(2, 2 + count)]


def test_a_fitted_file_ranks(nets: str, tmp_path: Path, capsys: Captured) -> None:
    out = tmp_path / "own.safetensors"
    assert run(["fit", str(table(tmp_path, rows(nets))), "--out", str(out)]) == 0
    told = capsys.readouterr().err
    assert "95 % interval" in told
    assert "The same networks are ranked by general" in told
    assert "orth it: ρ" in told
    scorer = load_scorer(out)
    assert isinstance(scorer, Hybrid)
    assert scorer.name == "own"
    assert scorer.record["measured"][0]["n"] == 12
    assert scorer.record["measured"][0]["spearman"] > 0.7
    assert scorer.record["measured"][0]["params_spearman"] == 1  # the wider, the better
    names = [f'{nets}:build{{"width": {width}}}' for width in (3, 12)]
    assert run(["rank", *names, "--scorer", str(out), "--no-store"]) == 0
    printed = capsys.readouterr().out
    assert printed.index('"width": 12') < printed.index('"width": 3')


def test_what_a_fit_is_worth_is_json_and_a_report(nets: str, tmp_path: Path, capsys: Captured) -> None:
    words = ["fit", str(table(tmp_path, [row(nets, 5, 50, ', ""broken"": 1'), *rows(nets)])), "--json"]
    words += ["--report", str(tmp_path / "fit.html"), "--out", str(tmp_path / "own.safetensors")]
    assert run(words) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["scorer"], told["n"], len(told["networks"])) == ("own", 12, 13)
    assert {each["name"]: each["known"] for each in told["rivals"]} == {"general": 0, "params": 0, "MACs": 0}
    assert "broken" in told["networks"][0]["network"]
    assert told["networks"][0]["error"]
    assert told["sentences"][0].startswith("ρ ")
    page = (tmp_path / "fit.html").read_text(encoding="utf-8")
    assert "Beside what learned from none of these" in page
    assert "Networks that were left out" in page


def test_networks_that_fail_are_listed_and_left_out(nets: str, tmp_path: Path, capsys: Captured) -> None:
    broken = row(nets, 5, 50, ', ""broken"": 1')
    path = table(tmp_path, [broken, *rows(nets)])
    assert run(["fit", str(path), "--out", str(tmp_path / "own.safetensors")]) == 1
    assert "left out, row 2:" in capsys.readouterr().err
    assert "12 networks" in load_scorer(tmp_path / "own.safetensors").record["trained_on"]  # type: ignore[attr-defined]


def test_too_few_networks_that_work(nets: str, tmp_path: Path, capsys: Captured) -> None:
    bad = [row(nets, width, 50 + width, ', ""broken"": 1') for width in range(3, 9)]
    assert run(["fit", str(table(tmp_path, bad + rows(nets, 4))), "--out", str(tmp_path / "own")]) == 2
    assert "only 4 networks can be used, and 6 failed; the first error" in capsys.readouterr().err
    assert not (tmp_path / "own").exists()


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("timm:no_such_network,70", "row 14: .*no_such_network"),
        ("no recipe,70", "row 14: .*no model reference"),
        ("timm:resnet18,nan", "row 14: the accuracy 'nan' is not a number"),
        ("timm:resnet18,", "row 14: the accuracy '' is not a number"),
        ("timm:resnet18", "row 14: 1 cells where the header has 2"),
        ("timm:resnet1*,70", "row 14: .* stands for .* networks; name one"),
    ],
)
def test_wrong_rows_are_named(nets: str, tmp_path: Path, bad: str, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        read_results(table(tmp_path, [*rows(nets), bad]))


def test_files_that_teach_nothing(nets: str, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="7 networks are too few"):
        read_results(table(tmp_path, rows(nets, 7)))
    with pytest.raises(TrainingError, match="all accuracies are 70"):
        read_results(table(tmp_path, [row(nets, width, 70) for width in range(2, 12)]))
    with pytest.raises(TrainingError, match="there is no file"):
        read_results(tmp_path / "none.csv")
    (tmp_path / "other.csv").write_text("name,top1\na,1\n")
    with pytest.raises(TrainingError, match="no column 'model'"):
        read_results(tmp_path / "other.csv")


def test_repeated_networks_count_once_with_their_mean(nets: str, tmp_path: Path) -> None:
    results = read_results(table(tmp_path, [*rows(nets), row(nets, 2, 72)]))
    assert len(results) == 12
    assert results[0].accuracy == 67
    assert results[0].rows == (2, 14)


class Leaves(nn.Conv2d):
    """Would end the process that runs it; on its way it changes what is global."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        torch.set_default_dtype(torch.float64)
        raise SystemExit("enough")


def test_a_network_that_would_end_the_process_that_fits_is_left_out() -> None:
    start = Hybrid()
    networks = [nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU()) for width in range(2, 11)]
    models, accuracies = [Leaves(3, 4, 3), *networks], [50.0, *range(60, 69)]
    fitted = fit_hybrid(start, models, accuracies, input_shape=(3, 8, 8))
    assert list(fitted.failed) == [0]
    assert "SystemExit: enough" in fitted.failed[0]
    assert torch.get_default_dtype() == torch.float32


def test_an_ft_scorenet_is_trained_further(nets: str, tmp_path: Path, capsys: Captured) -> None:
    out = tmp_path / "own.safetensors"
    words = ["fit", str(table(tmp_path, rows(nets))), "--kind", "ft", "--steps", "2", "--samples", "4"]
    assert run([*words, "--out", str(out)]) == 0
    told = capsys.readouterr().err
    assert "on 2 networks that were held out" in told
    assert "The same networks are ranked by nasbench201" in told
    assert isinstance(load_scorer(out), FTScoreNet)
    assert run([*words[:2], "--start", str(out), "--out", str(out)]) == 2
    assert "no scorer of the kind hybrid" in capsys.readouterr().err


def test_a_hybrid_and_ft_scorenets_are_one_scorer(nets: str, tmp_path: Path, capsys: Captured) -> None:
    out = tmp_path / "own.safetensors"
    words = ["fit", str(table(tmp_path, rows(nets))), "--kind", "both", "--members", "2", "--steps", "3"]
    assert run([*words, "--samples", "4", "--out", str(out)]) == 0
    assert "on 2 networks that were held out" in capsys.readouterr().err
    scorer = load_scorer(out)
    assert isinstance(scorer, Ensemble)
    assert [type(member) for member in scorer.members] == [Hybrid, FTScoreNet, FTScoreNet]
    assert scorer.weights.tolist() == [1.0, SCORENETS_SHARE / 2, SCORENETS_SHARE / 2]
    assert not torch.equal(scorer.scorenets[0].input_like, scorer.scorenets[1].input_like)
    assert run(["rank", f'{nets}:build{{"width": 3}}', "--scorer", str(out), "--no-store"]) == 0
    assert run([*words, "--start", "nasbench201", "--out", str(out)]) == 2
    assert "no scorer of the kind both" in capsys.readouterr().err


def test_progress_counts_networks_and_then_steps() -> None:
    networks = [nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU()) for width in range(2, 12)]
    told: list[int] = []
    shape = (3, 8, 8)
    fit_both(
        Hybrid(), networks, range(10), input_shape=shape, members=2, steps=3, samples=4, watch=told.append
    )
    assert told == list(range(1, 10 + 2 * 3 + 1))


def test_what_is_held_out_teaches_no_ft_scorenet() -> None:
    widths = [*range(2, 12), 2]  # the last is the first again
    networks = [nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU()) for width in widths]
    accuracies = [50.0 + width for width in widths]
    settings = {"input_shape": (3, 8, 8), "members": 1, "steps": 2, "samples": 4, "validation": 0.3}

    def fitted(changed: float) -> tuple[int, list[str]]:
        found = fit_both(Hybrid(), networks, [*accuracies[:-1], changed], **settings)  # type: ignore[arg-type]
        assert isinstance(found.scorer, Ensemble)
        return found.held_out, [member.scorer_id for member in found.scorer.members]

    results = [fitted(accuracy) for accuracy in (52.0, 51.0)]
    assert all(3 <= held <= 4 for held, _ in results)
    (_, (first, net)), (_, (second, other)) = results
    assert first != second  # the hybrid learns from all
    assert (net == other) == _held_again(networks)


def _held_again(networks: list[nn.Sequential]) -> bool:
    """Whether the twins are in the part that is measured on; they are never parted."""
    prints = [fxscore.construct(network, (3, 8, 8)).fingerprint for network in networks]
    held, seen = held_out(prints, np.arange(float(len(prints))), 0.3, 0)
    assert (0 in held) == (10 in held)
    assert sorted(held + seen) == list(range(11))
    return 10 in held


@pytest.mark.parametrize("labels", [[50] * 6 + [51] * 6, [50] * 11 + [51], [10, 20, 30] * 4])
def test_few_distinct_accuracies_make_a_file(nets: str, tmp_path: Path, labels: list[int]) -> None:
    out = tmp_path / "own.safetensors"
    lines = [row(nets, width, label) for width, label in enumerate(labels, 2)]
    assert run(["fit", str(table(tmp_path, lines)), "--out", str(out)]) == 0
    scorer = load_scorer(out)
    figure = scorer.record["measured"][0]["spearman"]  # type: ignore[attr-defined]
    assert (figure is None) == (labels.count(51) == 1)  # the fold of the only 51 would learn from 50 alone
    assert np.isfinite(fxscore.score(f"{nets}:build", scorer=scorer))


def test_one_network_alone_of_its_accuracy_is_not_held_out() -> None:
    labels = np.array([1.0] + [0.0] * 11)
    for seed in range(12):  # in some of them the first is drawn
        held, seen = held_out(list("abcdefghijkl"), labels, 0.25, seed)
        assert 0 in seen
        assert len(held) in (0, 3)
        assert sorted(held + seen) == list(range(12))


def test_equal_networks_teach_nothing() -> None:
    networks = [nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()) for _ in range(9)]
    with pytest.raises(ScorerError, match="all networks have the same features"):
        Hybrid().fit(networks, range(9), input_shape=(3, 8, 8))


NOTED = """
    import time
    open(__file__ + ".log", "a").write(f"{width}\\n")
    time.sleep(99 * (width == 77))
"""
COUNTED = NETS.replace("broken=False):\n", f"broken=False):{NOTED}")


@pytest.fixture
def counted(tmp_path: Path) -> str:
    """A file of networks that notes each that is built."""
    path = tmp_path / "counted.py"
    path.write_text(COUNTED)
    return str(path)


def builds(nets: str) -> int:
    return len(Path(f"{nets}.log").read_text().splitlines())


def test_a_fit_that_was_interrupted_goes_on_from_its_features(
    counted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    twin = f'"{counted}:build{{""broken"": 0, ""width"": 3}}",64'  # the second again, under another name
    words = ["fit", str(table(tmp_path, [*rows(counted, 10), twin])), "--store", str(tmp_path / "store")]
    words += ["--out", str(tmp_path / "own.safetensors")]
    with monkeypatch.context() as patch:
        patch.setattr(Hybrid, "fit_features", _interrupt)
        assert run(words) == 130
    assert "the same command goes on" in capsys.readouterr().err
    done = builds(counted)
    assert run(words) == 0
    assert builds(counted) == done
    assert "on 11 networks" in capsys.readouterr().err
    assert run([*words, "--no-store"]) == 0
    assert builds(counted) > done


def _interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("kind", ["hybrid", "ft"])
def test_a_network_that_takes_too_long_is_left_out(
    kind: str, counted: str, tmp_path: Path, capsys: Captured
) -> None:
    path = table(tmp_path, [*rows(counted, 9), row(counted, 77, 50)])
    words = ["fit", str(path), "--kind", kind, "--time-limit", "12", "--no-store"]
    more = [] if kind == "hybrid" else ["--steps", "1", "--samples", "2"]
    assert run([*words, *more, "--out", str(tmp_path / "own")]) == 1
    assert "left out, row 11: passed the time limit of 12 s" in capsys.readouterr().err


def test_a_training_that_was_interrupted_goes_on(
    nets: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["fit", str(table(tmp_path, rows(nets))), "--kind", "ft", "--steps", "14", "--samples", "4"]
    words += ["--store", str(tmp_path / "store"), "--out"]
    steps: list[int] = []
    step = Trainer._step

    def counted_step(trainer: Trainer) -> float:
        steps.append(trainer.state.step)
        return _interrupt() if len(steps) == 13 else step(trainer)  # type: ignore[func-returns-value, return-value]

    monkeypatch.setattr(Trainer, "_step", counted_step)
    assert run([*words, str(tmp_path / "own.safetensors")]) == 130
    assert len(list(tmp_path.glob("own.safetensors.*.state"))) == 1
    assert run([*words, str(tmp_path / "own.safetensors")]) == 0
    assert steps[13:] == [10, 11, 12, 13]
    assert not list(tmp_path.glob("*.state"))
    assert run([*words, str(tmp_path / "whole" / "own.safetensors")]) == 0
    first, second = (load_scorer(tmp_path / place / "own.safetensors") for place in (".", "whole"))
    assert first.scorer_id == second.scorer_id


def test_another_table_begins_anew(tmp_path: Path) -> None:
    place = tmp_path / "own.safetensors"
    files = {state_file(place, prints, np.array(labels), plan) for prints, labels, plan in STATES}
    assert len(files) == len(STATES)
    assert state_file(None, "ab", np.array([1.0, 2.0]), "plan") is None


STATES = [
    ("ab", [1.0, 2.0], "plan"),
    ("ac", [1.0, 2.0], "plan"),
    ("ab", [1.0, 3.0], "plan"),
    ("ab", [1.0, 2.0], "p"),
]


@pytest.mark.parametrize(
    "words", [["--members", "2"], ["--steps", "3"], ["--curve"], ["--kind", "ft", "--members", "2"]]
)
def test_options_of_another_kind_are_refused(nets: str, tmp_path: Path, words: list[str]) -> None:
    assert run(["fit", str(table(tmp_path, rows(nets))), *words]) == 2


def test_an_ensemble_needs_a_member() -> None:
    networks = [nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU()) for width in range(2, 12)]
    with pytest.raises(ScorerError, match="0 FT-ScoreNets"):
        fit_both(Hybrid(), networks, range(10), members=0)


def test_fitting_from_python_leaves_the_start_as_it_is() -> None:
    start = FTScoreNet(Settings(batch=4, input_shape=(3, 8, 8)))
    before = start.scorer_id
    networks = [nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU()) for width in range(2, 12)]
    fitted = start.fit(networks, range(10), input_shape=(3, 8, 8), steps=3, samples=4)
    assert start.scorer_id == before != fitted.scorer_id
    assert all(parameter.requires_grad for parameter in start.parameters())
    subject = Subject(networks[0], (3, 8, 8))
    assert fitted.score(subject) == fitted.score(subject)
    assert not torch.equal(fitted.input_like, start.input_like)
