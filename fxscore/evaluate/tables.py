"""Which file of a folder holds a space's benchmark, and the population in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fxscore.errors import SpaceError
from fxscore.evaluate.accuracy_tables import read_timm, torchvision_population
from fxscore.evaluate.population import Population
from fxscore.sources.modules import working_directory_first
from fxscore.spaces import BenchmarkTable, SearchSpace, get_space
from fxscore.spaces.official import official_files

TABLE_FILES = {
    "nasbench201": "nas_bench_201.csv.gz",
    "nats_size": "nats_size_cifar10.csv.gz",
    "nasbench_macro": "nas_bench_macro.csv.gz",
    "nasbench101": "nas_bench_101_valid.csv.gz",
    "transnas_micro": "transnas_bench_101_micro.csv.gz",
    "accel_nasbench": "accel_nasbench_imagenet.csv.gz",
    "darts": "nas_bench_301_surrogate_labels.csv.gz",
    "nasbench_mr": "nas_bench_mr.csv.gz",
    "nasbench_mr_segment": "nas_bench_mr.csv.gz",
    "metaqnn": "metaqnn_svhn.csv.gz",
    "relational_mlp": "graph2nn_mlp_cifar10.csv.gz",
    "wild": "wild.csv.gz",
    "zen_resnet": "zen_resnet.csv.gz",
    "timm": "timm_imagenet.csv.gz",
}


def table_path(space: str, data: Path) -> Path:
    """The benchmark file of a space: `data` itself, or the known file in that folder.

    Raises:
        SpaceError: there is none; says which names would be known.
    """
    if not data.exists():
        raise SpaceError(f"there is no {data}; `fxscore data` says where benchmark tables come from")
    if not data.is_dir():
        return data
    own = [TABLE_FILES[space]] if space in TABLE_FILES else []
    official = [entry.file for entry in official_files() if space in entry.spaces and not entry.archive]
    names = own + official
    for name in names:
        if (data / name).exists():
            return data / name
    known = f"there is no {' or '.join(names)} in it; " if names else ""
    raise SpaceError(
        f"{data} holds no table of {space} that is known by its name: {known}give the file itself"
    )


def read_population(space: str, data: Path | None) -> Population:
    """The networks of a benchmark with their labels.

    Args:
        space: a search space, `timm` or `torchvision` (which needs no file).
        data: the benchmark's file, or the folder of benchmark tables.

    Raises:
        SpaceError: no such space, no file, or a file that is wrong, cut short or foreign.
    """
    if space == "torchvision":
        return torchvision_population()
    reader = None if space == "timm" else _space(space)
    if data is None:
        raise SpaceError(
            f"where is the benchmark table of {space}? `fxscore data` says where tables come from"
        )
    path = table_path(space, data)
    if reader is None:
        return read_timm(path)
    return population_of(reader.read(path), reader, space)


def population_of(table: BenchmarkTable[Any], space: SearchSpace[Any], source: str) -> Population:
    """The networks of a space's table, with their families where the space knows all of them.

    Args:
        table: what the space read.
        space: the space.
        source: of the references.
    """
    families = [space.family_of(genotype) for genotype in table.genotypes]
    known = [name for name in families if name is not None]
    return Population.of_table(table, source=source, families=known if len(known) == len(families) else None)


def _space(name: str) -> SearchSpace[Any]:
    try:
        with working_directory_first():
            return get_space(name)
    except SpaceError as error:
        raise SpaceError(f"{error}; timm and torchvision have tables too") from None
