"""What people look at after a search: files, plots, the drawing, the network's own Python file, the command."""

from __future__ import annotations

import csv
import importlib
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from fxscore.cli.app import run as run_command
from fxscore.constructed import construct
from fxscore.errors import SearchError
from fxscore.report import numbers
from fxscore.report.html.searched import search_page
from fxscore.report.search.drawing import draw_network
from fxscore.report.search.files import front_csv, front_json, write_search
from fxscore.report.search.source import network_source
from fxscore.searching import Evaluation, Objective, SearchResult
from fxscore.searching.handle import AnySpace
from fxscore.spaces import get_space
from tests.searching.spaces import Tiny

SETTINGS = {"limits": {"params": 1e6}, "scorer": "taste", "algorithm": "nsga2-de", "seed": 0}


def evaluated(space: AnySpace, genotype: Any, score: float = 0.5) -> Evaluation:
    params = sum(parameter.numel() for parameter in space.build(genotype).parameters())
    return Evaluation(space.format(genotype), {"params": float(params), "score": score})


def result_of(space: AnySpace, count: int = 4) -> SearchResult:
    generator = torch.Generator().manual_seed(0)
    found = [evaluated(space, space.sample(generator), number / 10) for number in range(count)]
    objectives = (Objective.parse("score"), Objective.parse("params"))
    beyond = Evaluation("beyond", {"params": 9e9}, violation=5.0)
    return SearchResult(space.name, objectives, (tuple(found[:2]), (*found[2:], beyond)), SETTINGS, space)


@pytest.fixture(params=["zen_resnet", "nasbench201", "nasbench_macro", "darts", "tiny"])
def result(request: pytest.FixtureRequest) -> SearchResult:
    return result_of(Tiny() if request.param == "tiny" else get_space(request.param))


def built(source: str, **options: Any) -> nn.Module:
    namespace: dict[str, Any] = {"__name__": "found"}
    exec(compile(source, "network.py", "exec"), namespace)
    module: nn.Module = namespace["build"](**options)
    return module


class TestSource:
    def test_the_file_computes_what_the_network_does(self, result: SearchResult) -> None:
        """Equal weights, in the order of use, give equal outputs."""
        for evaluation in result.history[0]:
            wanted = result.build(evaluation).eval()
            found = built(network_source(result, evaluation)).eval()
            copy_weights(wanted, found, result.space.input_shape)
            images = torch.randn(2, *result.space.input_shape, generator=torch.Generator().manual_seed(1))
            with torch.no_grad():
                torch.testing.assert_close(found(images), wanted(images), rtol=1e-4, atol=1e-5)

    def test_the_file_is_the_same_architecture(self, result: SearchResult) -> None:
        evaluation = result.history[0][0]
        modules = (built(network_source(result, evaluation)), result.build(evaluation))
        prints = {construct(module, result.space.input_shape, 4).fingerprint for module in modules}
        assert len(prints) == 1

    def test_the_number_of_classes_is_an_option(self, result: SearchResult) -> None:
        """`fxscore train-network` asks for it by timm's name."""
        network = built(network_source(result, result.history[0][0]), num_classes=7).eval()
        with torch.no_grad():
            assert network(torch.zeros(2, *result.space.input_shape)).shape == (2, 7)

    def test_the_network_of_a_file_is_saved_and_loaded(
        self, result: SearchResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "found_by_search.py").write_text(network_source(result, result.history[0][0]))
        monkeypatch.syspath_prepend(tmp_path)
        network = importlib.import_module("found_by_search").build()
        torch.save(network, tmp_path / "network.pt")
        again = torch.load(tmp_path / "network.pt", weights_only=False)
        assert [*again.state_dict()] == [*network.state_dict()]
        sys.modules.pop("found_by_search")

    def test_the_file_stands_alone(self, result: SearchResult) -> None:
        source = network_source(result, result.history[0][0])
        imports = {
            line.split()[1].split(".")[0] for line in source.splitlines() if line[:6] in ("import", "from t")
        }
        assert imports == {"torch"}
        assert "import fxscore" not in source
        assert f"INPUT_SHAPE = {result.space.input_shape}" in source
        assert max(map(len, source.splitlines())) <= 200

    def test_a_network_that_no_trace_can_say_is_refused(self) -> None:
        class Local(Tiny):
            def build(self, genotype: Any) -> nn.Module:
                return Asking()

        space = Local()
        evaluation = Evaluation(space.format((1, 2, 3, "none")), {"params": 0.0, "score": 0.0})
        with pytest.raises(SearchError, match="cannot be traced"):
            network_source(SearchResult("x", (), (), SETTINGS, space), evaluation)


class Asking(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x if x.sum() > 0 else -x


def copy_weights(source: nn.Module, target: nn.Module, shape: tuple[int, ...]) -> None:
    """Copy by the order in which the layers run, for the names differ."""
    orders = []
    for module in (source, target):
        order: list[nn.Module] = []
        leaves = [leaf for leaf in module.modules() if not list(leaf.children())]
        hooks = [
            leaf.register_forward_hook(lambda leaf, *_, order=order: order.append(leaf)) for leaf in leaves
        ]
        with torch.no_grad():
            module(torch.zeros(1, *shape))
        for hook in hooks:
            hook.remove()
        orders.append([leaf for leaf in dict.fromkeys(order) if leaf.state_dict()])
    for one, other in zip(*orders, strict=True):
        other.load_state_dict(one.state_dict())


def test_all_files_of_a_folder_are_written(result: SearchResult, tmp_path: Path) -> None:
    pytest.importorskip("grandalf", reason="the drawing needs fxscore[draw]")
    chosen = result.best()
    files = write_search(result, chosen, tmp_path, picture="svg")
    assert {path.name for path in files} == {
        *("front.json", "front.csv", "pareto.svg", "convergence.svg", "network.svg", "network.py")
    }
    assert "chosen" in (tmp_path / "pareto.svg").read_text()
    assert all(path.stat().st_size > 60 for path in files)


def test_the_drawing_is_of_the_chosen_network(tmp_path: Path) -> None:
    pytest.importorskip("grandalf", reason="the drawing needs fxscore[draw]")
    result = result_of(get_space("zen_resnet"))
    draw_network(result, result.best(), tmp_path / "network.svg")
    text = (tmp_path / "network.svg").read_text()
    assert f"{numbers.count(result.best().values['params'])} parameters" in text
    assert "3×32×32" in text  # the shapes on its edges


def test_without_grandalf_only_the_drawing_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "grandalf", None)
    result = result_of(Tiny())
    files = write_search(result, result.best(), tmp_path)
    assert {path.name for path in files} >= {"pareto.png", "network.py"}
    assert not (tmp_path / "network.png").exists()
    assert "no network.png" in caplog.text


def test_a_search_that_found_nothing_writes_its_empty_front(tmp_path: Path) -> None:
    empty = SearchResult("tiny", (Objective.parse("score"),), (), SETTINGS, Tiny())
    assert [path.name for path in write_search(empty, None, tmp_path)] == ["front.json", "front.csv"]
    assert json.loads((tmp_path / "front.json").read_text())["front"] == []


def test_front_files_agree_and_lead_back_to_the_networks(result: SearchResult) -> None:
    rows = list(csv.DictReader(io.StringIO(front_csv(result))))
    objects = json.loads(front_json(result))["front"]
    assert [row["genotype"] for row in rows] == [each["genotype"] for each in objects]
    assert [float(row["score"]) for row in rows] == [each["score"] for each in objects]
    for row, evaluation in zip(rows, result.front, strict=True):
        assert row["name"] == f"{result.space.name}:{row['genotype']}"
        assert result.space.parse(row["genotype"]) == result.space.parse(evaluation.text)


@pytest.mark.slow
def test_the_command_from_search_to_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = "search nasbench201 --scorer params --budget 6 --population 3 --out out --no-store --workers 1".split()
    assert run_command([*words, "--max-params", "5e5", "--seed", "3"]) == 0
    shown = capsys.readouterr()
    assert "chosen: score" in shown.out
    assert "6 networks scored" in shown.out
    assert (tmp_path / "out" / "network.py").is_file()
    assert run_command([*words, "--max-params", "5e5", "--seed", "3"]) == 2
    assert "holds a search already" in capsys.readouterr().err
    again = [*words, "--max-params", "5e5", "--seed", "3", "--resume", "--picture", "svg"]
    assert run_command(again) == 0
    assert capsys.readouterr().out == shown.out
    assert "random search" not in (tmp_path / "out" / "convergence.svg").read_text()
    assert run_command([*again, "--baseline"]) == 0
    assert "random search" in (tmp_path / "out" / "convergence.svg").read_text()


def test_the_report_has_the_best_first_and_what_was_held_back_only_where_something_was() -> None:
    space, generator = Tiny(), torch.Generator().manual_seed(0)
    for held, names in ((0.0, ["params", "score"]), (2.0, ["held_back", "params", "score"])):
        found = [evaluated(space, space.sample(generator), score) for score in (0.1, 0.9, 0.5)]
        found = [Evaluation(each.text, {"held_back": held, **each.values}) for each in found]
        objectives = (Objective.parse("score"), Objective.parse("params"))
        page = search_page(SearchResult(space.name, objectives, (tuple(found),), SETTINGS, space), {})
        table = page.tables[0]
        assert list(table.columns) == [*names, "on the front", "genotype"]
        assert [row[len(names) - 1].text for row in table.rows] == ["0.9000", "0.5000", "0.1000"]
