from __future__ import annotations

import gzip
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fxscore.errors import SpaceError
from fxscore.evaluate import Population, family_folds, read_population, refs_of, score_refs, table_path
from fxscore.spaces import BenchmarkTable, get_space
from fxscore.types import ModelRef
from tests.evaluate.executor import InProcess

TIMM = (
    "architecture,pretrained_tag,family,imagenet_top1,imagenet_top5,params_millions,gmacs,"
    "tag_looks_in1k_from_scratch"
)
CELL = "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|none~2|"


def timm_file(folder: Path, *lines: str) -> Path:
    path = folder / "timm_imagenet.csv.gz"
    with gzip.open(path, "wt") as file:
        file.write("\n".join([TIMM, *lines]) + "\n")
    return path


def test_rows_of_one_group_are_one_network_with_their_mean_label() -> None:
    table = BenchmarkTable(
        "timm", ("a", "b", "a"), {"x.test": np.array([1.0, 5.0, 3.0])}, group=("one", "two", "one")
    )
    population = Population.of_table(table)
    assert [ref.name for ref in population.refs] == ["a", "b"]
    assert population.labels["x.test"].tolist() == [2.0, 5.0]


def test_references_of_a_space_build_its_cells() -> None:
    space = get_space("nasbench201")
    table = BenchmarkTable("nasbench201", (space.parse(CELL),), {"x": np.array([1.0])})
    assert refs_of(table) == [ModelRef("nasbench201", CELL)]


def test_a_draw_is_seeded_ordered_and_without_repeats() -> None:
    refs = tuple(ModelRef("timm", f"net{i:03}") for i in range(100))
    population = Population("p", refs, {"x": np.arange(100.0)}, tuple("ab" * 50))
    one, same, other = (population.draw(10, seed) for seed in (1, 1, 2))
    assert one.refs == same.refs != other.refs
    assert sorted(set(one.refs)) == list(one.refs)
    assert [refs[int(x)] for x in one.labels["x"]] == list(one.refs)
    assert one.families == tuple("ab"[int(x) % 2] for x in one.labels["x"])
    assert len(population.draw(0, 1)) == len(population.draw(1000, 1)) == 100


def test_networks_left_out_are_gone() -> None:
    population = Population("p", tuple(ModelRef("timm", n) for n in "abc"), {"x": np.arange(3.0)})
    assert [ref.name for ref in population.without(frozenset({1})).refs] == ["a", "c"]


def test_labels_of_a_test_set_are_the_default() -> None:
    values = np.zeros(0)
    assert Population("p", (), {"a.valid": values, "a.test": values}).test_labels == ("a.test",)
    assert Population("p", (), {"a.valid": values}).test_labels == ("a.valid",)
    with pytest.raises(SpaceError, match=r"no label 'b'; there are a\.valid"):
        Population("p", (), {"a.valid": values}).label("b")


def test_timm_keeps_the_best_weights_trained_on_imagenet_alone(tmp_path: Path) -> None:
    path = timm_file(
        tmp_path,
        "resnet18,a1_in1k,resnet,71,90,11.7,1.8,True",
        "resnet18,tv_in1k,resnet,70,89,11.7,1.8,True",
        "resnet18,fb_swsl,resnet,73,91,11.7,1.8,False",
        "vgg11,tv_in1k,vgg,69,88,132.9,7.6,True",
    )
    population = read_population("timm", path)
    assert population.refs == (ModelRef("timm", "resnet18"), ModelRef("timm", "vgg11"))
    assert population.labels["imagenet.top1"].tolist() == [71, 69]
    assert population.families == ("resnet", "vgg")
    assert "recipes" in population.caution


@pytest.mark.parametrize(
    ("accuracy", "flag", "why"),
    [
        ("good", "True", "line 2, column imagenet_top1: 'good' is no number"),
        ("70", "yes", "line 2, column tag_looks_in1k_from_scratch: 'yes' is neither True nor False"),
        ("70", "False", "column tag_looks_in1k_from_scratch: no row is True"),
    ],
)
def test_a_wrong_timm_table_is_named(accuracy: str, flag: str, why: str, tmp_path: Path) -> None:
    path = timm_file(tmp_path, f"resnet18,a1_in1k,resnet,{accuracy},90,11.7,1.8,{flag}")
    with pytest.raises(SpaceError, match=why):
        read_population("timm", path)


@pytest.mark.zoo
def test_torchvisions_own_accuracies_need_no_file() -> None:
    population = read_population("torchvision", None)
    names = [ref.name for ref in population.refs]
    assert population.labels["imagenet.top1"][names.index("resnet50")] == pytest.approx(76.13, abs=0.01)
    assert population.families is not None
    assert population.families[names.index("resnet50")] == "resnet"
    assert len(names) == len(set(names)) >= 70


def test_tables_are_found_by_name_or_given_as_files(make_table: Callable[[int], Path]) -> None:
    folder = make_table(3)
    path = folder / "nas_bench_201.csv.gz"
    assert table_path("nasbench201", folder) == table_path("nasbench201", path) == path
    assert len(read_population("nasbench201", folder)) == 3


@pytest.mark.parametrize(
    ("space", "place", "message"),
    [
        ("nasbench201", "nowhere", "there is no .*nowhere"),
        ("nasbench101", "", "no table of nasbench101 that is known by its name"),
        ("nosuch", "", "no search space 'nosuch'.*timm and torchvision"),
        ("nasbench_macro", "nas_bench_201.csv.gz", "foreign table"),
    ],
)
def test_what_is_not_there_is_said(
    make_table: Callable[[int], Path], space: str, place: str, message: str
) -> None:
    with pytest.raises(SpaceError, match=message):
        read_population(space, make_table(3) / place)
    with pytest.raises(SpaceError, match="where is the benchmark table"):
        read_population("nasbench201", None)


def test_folds_keep_families_whole_and_are_about_equal() -> None:
    families = [
        name for name, size in zip("abcdefgh", (9, 7, 5, 5, 4, 3, 2, 1), strict=True) for _ in range(size)
    ]
    folds = family_folds(families, 4, seed=0)
    assert sorted(i for fold in folds for i in fold) == list(range(36))
    where = Counter((families[i], number) for number, fold in enumerate(folds) for i in fold)
    assert len(where) == 8
    assert {len(fold) for fold in folds} == {9}
    assert family_folds(families, 4, seed=0) == folds
    with pytest.raises(ValueError, match="2 families"):
        family_folds(["a", "b"], 3, seed=0)


def test_a_space_of_ones_own_is_evaluated_like_any_other(
    in_process: type[InProcess], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Path(__file__).parents[1] / "spaces" / "own_space.py"
    (tmp_path / "my_spaces.py").write_text(own.read_text())
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "my_spaces", raising=False)
    space = get_space(f"{own}:Plain")
    cells = tuple((width, "batch") for width in (8, 16, 32))
    space.write(BenchmarkTable("plain", cells, {"mine.test": np.arange(3.0)}), tmp_path / "table.csv")
    population = read_population("my_spaces:Plain", tmp_path / "table.csv")
    records = score_refs(population.refs, "params", executor=in_process(), store=None)
    assert [record.params for record in records] == [3 * 9 * w + w + 2 * w + 10 * w + 10 for w in (8, 16, 32)]
