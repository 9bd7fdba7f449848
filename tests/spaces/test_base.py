from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from fxscore.errors import SpaceError
from fxscore.spaces import BenchmarkTable, SearchSpace, Value, Variable, get_space, space_names

Genotype = tuple[Value, ...]


class Plain(SearchSpace[Genotype]):
    name = "plain"
    input_shape = (3, 8, 8)
    variables: tuple[Variable, ...] = (
        Variable("width", (8, 16, 32), ordered=True),
        Variable("norm", ("batch", "none")),
    )

    def build(self, genotype: Genotype) -> nn.Module:
        return nn.Conv2d(3, int(genotype[0]), 3)


class Even(Plain):
    """A space that rules vectors out."""

    name = "even"
    variables = tuple(Variable(f"bit_{i}", (0, 1)) for i in range(4))

    def from_values(self, values: tuple[Value, ...]) -> Genotype:
        if sum(map(int, values)) % 2:
            raise SpaceError("even: an odd number of ones")
        return values


def table() -> BenchmarkTable[Genotype]:
    return BenchmarkTable(
        "plain",
        ((8, "batch"), (32, "none"), (8, "batch")),
        {"cifar10.valid": np.array([90.1, 80.2, 91.3]), "cifar10.test": np.array([1 / 3, 2, 3])},
        group=("a", "b", "a"),
        params=np.array([1.0, 2.0, 1.0]),
        proxies={"synflow": np.array([-3.5, 1e30, 0.0])},
        caution="made up",
    )


def test_defaults_carry_a_space() -> None:
    space = Plain()
    assert space.size == 6
    assert space.format((16, "none")) == "width=16,norm=none"
    assert space.parse("width=16,norm=none") == (16, "none")
    assert space.encode((16, "none")) == [1, 1]
    assert list(space.neighbours((8, "none"))) == [(16, "none"), (8, "batch")]
    assert space.isomorphism_key((8, "batch")) == "width=8,norm=batch"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("width=9,norm=none", "width = '9' is not one of 8, 16, 32"),
        ("width=8", "must read width=…,norm=…"),
        ("norm=none,width=8", "must read width=…,norm=…"),
    ],
)
def test_wrong_text_is_named(text: str, why: str) -> None:
    with pytest.raises(SpaceError, match=why):
        Plain().parse(text)


def test_ruled_out_vectors_are_neither_drawn_nor_near() -> None:
    space, generator = Even(), torch.Generator().manual_seed(0)
    drawn = [space.sample(generator) for _ in range(50)]
    assert all(sum(map(int, bits)) % 2 == 0 for bits in drawn)
    assert len(set(drawn)) > 4
    assert list(space.neighbours(drawn[0])) == []


def test_samples_are_spread_evenly() -> None:
    generator = torch.Generator().manual_seed(0)
    widths = [Plain().sample(generator)[0] for _ in range(600)]
    assert all(160 < widths.count(width) < 240 for width in (8, 16, 32))


def test_a_space_can_be_named_by_its_class() -> None:
    assert get_space("fxscore.spaces.macro:NASBenchMacro").name == "nasbench_macro"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("nasbench999", "no search space 'nasbench999'; there are .*nasbench201"),
        (
            "fxscore.spaces.macro:Nothing",
            "is no SearchSpace class; in fxscore.spaces.macro there are NASBenchMacro",
        ),
        ("nets.py", "nets.py is a file; name the space's class in it, nets.py:Class"),
        ("fxscore.nowhere:Space", "cannot be imported"),
        ("nowhere.py:Space", "cannot be imported"),
        ("fxscore.spaces.macro:Chain", "is no SearchSpace class"),
    ],
)
def test_unknown_spaces_are_refused(name: str, why: str) -> None:
    with pytest.raises(SpaceError, match=why):
        get_space(name)


def test_wrong_options_are_refused() -> None:
    with pytest.raises(SpaceError, match=r"'nasbench201'.*colour"):
        get_space("nasbench201", colour="red")


def test_a_broken_file_is_not_half_imported(tmp_path: Path) -> None:
    file = tmp_path / "space.py"
    file.write_text("from tests_nowhere import nothing\n")
    for _ in range(2):
        with pytest.raises(SpaceError, match="tests_nowhere"):
            get_space(f"{file}:Space")


def test_names_are_sorted_and_new() -> None:
    names = space_names()
    assert list(names) == sorted(set(names))
    assert {"nasbench201", "nasbench101", "nasbench_macro", "darts", "nds_pnas_in"} <= set(names)


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_a_table_is_written_and_read_back(suffix: str, tmp_path: Path) -> None:
    first, file = table(), tmp_path / f"t{suffix}"
    Plain().write(first, file)
    again = Plain().read(file)
    assert again.genotypes == first.genotypes
    assert again.group == first.group
    assert again.caution == "made up"
    assert again.flops is None
    for name in first.columns:
        np.testing.assert_array_equal(again.labels(name), first.labels(name))
    np.testing.assert_array_equal(again.proxies["synflow"], first.proxies["synflow"])


def test_a_table_of_another_space_is_refused(tmp_path: Path) -> None:
    Plain().write(table(), tmp_path / "t.csv")
    with pytest.raises(SpaceError, match=r"t\.csv, line 2, column space: 'plain' is not 'even'"):
        Even().read(tmp_path / "t.csv")


def test_a_wrong_genotype_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('space,genotype,cifar10.test\nplain,"width=8,norm=soft",1\n')
    with pytest.raises(SpaceError, match=r"t\.csv, line 2, column genotype: norm = 'soft'"):
        Plain().read(tmp_path / "t.csv")


def test_a_ragged_table_is_refused() -> None:
    with pytest.raises(SpaceError, match=r"column cifar10\.test has 2 rows, not 1"):
        BenchmarkTable("plain", ((8, "batch"),), {"cifar10.test": np.zeros(2)})


def test_labels_are_named() -> None:
    with pytest.raises(SpaceError, match=r"no label 'imagenet'; the table has cifar10\.valid, cifar10\.test"):
        table().labels("imagenet")


def test_subsets_keep_everything() -> None:
    part = table().subset(np.array([2, 1]))
    assert part.group == ("a", "b")
    assert part.labels("cifar10.valid").tolist() == [91.3, 80.2]
    assert part.params is not None
    assert part.params.tolist() == [1.0, 2.0]
    assert part.proxies["synflow"].tolist() == [0.0, 1e30]
    assert part.caution == "made up"


@pytest.mark.parametrize("place", [-1, 3])
def test_a_vector_outside_its_variables_is_refused(place: int) -> None:
    assert Plain().decode((2, 0)) == (32, "batch")
    with pytest.raises(SpaceError, match=f"plain: width takes positions 0 to 2, not {place}"):
        Plain().decode((place, 0))
