from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from fxscore.errors import SpaceError
from fxscore.evaluate.task import TaskTable
from fxscore.evaluate.tasks import all_tasks, table_names, task_tables
from fxscore.published.tables import TABLES
from fxscore.types import ModelRef

HEADER = "architecture,builder,dataset,metric,accuracy,recipe,params_stated,params_measured,epochs"


def write(folder: Path, name: str, *lines: str) -> None:
    with gzip.open(folder / f"{name}.csv.gz", "wt") as file:
        file.write("\n".join([HEADER, *lines]) + "\n")


def read(folder: Path, name: str) -> TaskTable:
    (table,) = task_tables([folder], [name])
    return table


def giung(folder: Path, *extra: str) -> TaskTable:
    depths = (20, 26, 32, 38, 44, 50, 56, 62, 68, 74)
    rows = [f"R{depth}-BN-ReLU,,CIFAR-10,top-1,{80 + i},one GPU,,," for i, depth in enumerate(depths)]
    write(folder, "giung_cifar", *rows, *extra)
    return read(folder, "giung_cifar")


def test_ten_networks_of_one_recipe_are_a_task(tmp_path: Path) -> None:
    table = giung(tmp_path)
    (task,) = table.tasks
    assert (task.name, task.origin, len(task)) == ("giung_cifar/cifar10", "cifar_networks", 10)
    assert task.population.refs[0] == ModelRef.of(
        "fxscore.published.cifar", "resnet", {"depth": 20, "width": 1, "classes": 10}
    )
    assert task.values.tolist() == list(range(80, 90))
    assert task.may_train
    assert task.input_shape == (3, 32, 32)


def test_two_trainings_of_a_network_are_its_mean(tmp_path: Path) -> None:
    (task,) = giung(tmp_path, "R20-BN-ReLU,,CIFAR-10,top-1,82,two GPUs,,,").tasks
    assert len(task) == 10
    assert task.values[0] == 81


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    table = giung(
        tmp_path,
        "R20-BN-ReLU,,CIFAR-100,top-1,60,one GPU,,,",
        "R20-BN-ReLU,,CIFAR-10,top-1,82,a TPU,,,",
        "Mystery,,CIFAR-10,top-1,82,one GPU,,,",
    )
    assert len(table.tasks) == 1
    assert len(table.networks) == 11
    assert table.left_out == {
        "fewer than ten networks of one recipe": 1,
        "a recipe of its own for other hardware": 1,
        "a network whose builder is not known": 1,
    }


def test_measures_are_not_mixed(tmp_path: Path) -> None:
    with pytest.raises(SpaceError, match=r"line 12, column metric: 'top-5' does not rank against 'top-1'"):
        giung(tmp_path, "R80-BN-ReLU,,CIFAR-10,top-5,99,one GPU,,,")


@pytest.mark.parametrize(
    ("stated", "measured", "count"),
    [("0.27M", "272474", 272474), ("28.150 M", "", 28.15e6), ("62K", "", 62e3), ("6.06", "6.109", 6.06e6)],
)
def test_published_counts_are_read(stated: str, measured: str, count: float, tmp_path: Path) -> None:
    write(tmp_path, "mmpretrain_cifar", f"resnet18,,CIFAR-10,top-1,95,r,{stated},{measured},")
    assert list(read(tmp_path, "mmpretrain_cifar").published_params.values()) == [count]


def test_counts_stated_for_ten_classes_say_nothing_of_a_hundred(tmp_path: Path) -> None:
    write(tmp_path, "mmpretrain_cifar", "resnet18,,CIFAR-100,top-1,95,r,11.2M,,")
    assert read(tmp_path, "mmpretrain_cifar").published_params == {}


def test_epochs_of_one_network_are_tasks_of_their_own(tmp_path: Path) -> None:
    rows = [
        f"FractalNet-{i},,CIFAR-10,after {epochs},{60 + i},r,,,{epochs}"
        for i in range(10)
        for epochs in (1, 4, 5)
    ]
    write(tmp_path, "lemur_cifar10_one_recipe", *rows)
    table = read(tmp_path, "lemur_cifar10_one_recipe")
    assert [task.label for task in table.tasks] == ["cifar10_epoch_4.accuracy", "cifar10_epoch_5.accuracy"]
    assert sum(table.left_out.values()) == 10


def test_widths_and_image_sides_are_networks(tmp_path: Path) -> None:
    rows = [
        f"MobileNetV{version} width {width} input {side},,ImageNet-1k,top-1,{side / 4},r,,,"
        for version in (1, 2)
        for width in (0.5, 1.0)
        for side in (96, 128, 160, 192, 224)
    ]
    write(tmp_path, "tfslim_mobilenet_imagenet", *rows)
    first, second = read(tmp_path, "tfslim_mobilenet_imagenet").tasks
    assert first.population.refs[0] == ModelRef("mobilenet_slim", "version=1,width=0.5,side=96")
    assert first.input_shape is second.input_shape is None
    assert len(second) == 10


def test_a_space_gives_a_task_a_label(tmp_path: Path) -> None:
    text, names = (
        "8-16-1-1-8-1-1-1-16-24-1-1-1-1-8-8-8-1-1-1-1-1-8-8-8-8-",
        ("Cityscapes", "Cityscapes 4x down"),
    )
    rows = [
        f"{text}{last},{name},50,0.5,0.1"
        for name in names
        for last in (8, 16, 24, 32, 40, 48, 56, 64, 80, 96)
    ]
    with gzip.open(tmp_path / "nas_bench_mr.csv.gz", "wt") as file:
        file.write("\n".join(["architecture,dataset,accuracy,params_M,flops_G", *rows]))
    tasks = all_tasks([tmp_path], ["nasbench_mr_segment"])
    assert [task.input_shape for task in tasks] == [None, (3, 128, 256)]
    assert not any(task.may_train for task in tasks)


def test_the_first_folder_that_has_a_table_counts(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder, accuracy in ((one, 90), (two, 70)):
        folder.mkdir()
        write(
            folder, "giung_cifar", *[f"R{8 + 6 * i}-BN-ReLU,,CIFAR-10,t,{accuracy},r,,," for i in range(10)]
        )
    (task,) = all_tasks([one, two], ["giung_cifar"])
    assert set(task.values) == {90}


def test_an_unknown_table_or_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpaceError, match="no table imagenet22k; there are nasbench201"):
        all_tasks([tmp_path], ["imagenet22k"])
    with pytest.raises(SpaceError, match=r"there is no folder .*nowhere"):
        all_tasks([tmp_path / "nowhere"])


def test_names_are_distinct() -> None:
    assert len(set(table_names())) == len(table_names())
    assert all(table.file == f"{table.name}.csv.gz" for table in TABLES)
