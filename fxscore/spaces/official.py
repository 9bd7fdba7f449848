"""The official benchmark files: where each comes from, how large it is, its licence, and where it lies here.

`fxscore.spaces.downloads` gets those that have a direct address; those that their authors keep on services without one
are fetched by hand, as `by_hand` says.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import platformdirs

from fxscore.errors import SpaceError


@dataclass(frozen=True)
class OfficialFile:
    """One file of a benchmark.

    Attributes:
        name: what `download` calls it.
        spaces: the search spaces whose `read` takes it; () of accuracies that stand beside scores.
        file: its name at the source.
        page: where its authors describe it.
        licence: the licence under which it is given.
        url: its direct address; None where it must be fetched by hand.
        size: bytes, as far as the authors state; None where they do not.
        sha256: the checksum that the authors state, or None.
        archive: what comes is unpacked, and the folder is what `read` takes (NDS: one json file of it).
        by_hand: how to get it without `download`.
    """

    name: str
    spaces: tuple[str, ...]
    file: str
    page: str
    licence: str
    url: str | None = None
    size: int | None = None
    sha256: str | None = None
    archive: bool = False
    by_hand: str = ""


_NDS = tuple(
    f"nds_{name}{end}" for name in ("darts", "nasnet", "amoeba", "enas", "pnas") for end in ("", "_in")
)
_NASBENCH = "https://storage.googleapis.com/nasbench"
_DRIVE = "https://drive.google.com/file/d"
_NATS_PAGE = "https://github.com/D-X-Y/NATS-Bench"
_FROM_DRIVE = "open {url} in a browser and save the file"

_FILES = (
    OfficialFile(
        "nasbench101",
        ("nasbench101",),
        "nasbench_only108.tfrecord",
        "https://github.com/google-research/nasbench",
        "Apache-2.0",
        url=f"{_NASBENCH}/nasbench_only108.tfrecord",
        size=499_000_000,
        sha256="4c39c3936e36a85269881d659e44e61a245babcb72cb374eacacf75d0e5f4fd1",
    ),
    OfficialFile(
        "nasbench101_full",
        ("nasbench101",),
        "nasbench_full.tfrecord",
        "https://github.com/google-research/nasbench",
        "Apache-2.0",
        url=f"{_NASBENCH}/nasbench_full.tfrecord",
        size=1_950_000_000,
        sha256="3d64db8180fb1b0207212f9032205064312b6907a3bbc81eabea10db2f5c7e9c",
    ),
    OfficialFile(
        "nasbench201",
        ("nasbench201",),
        "NAS-Bench-201-v1_1-096897.pth",
        "https://github.com/D-X-Y/NAS-Bench-201",
        "MIT",
        size=4_700_000_000,
        by_hand=_FROM_DRIVE.format(url=f"{_DRIVE}/16Y0UwGisiouVRxW-W5hEtbxmcHw_0hF_"),
    ),
    OfficialFile(
        "nats_topology",
        ("nasbench201",),
        "NATS-tss-v1_0-3ffb9.pickle.pbz2",
        _NATS_PAGE,
        "MIT",
        by_hand=_FROM_DRIVE.format(url=f"{_DRIVE}/1vzyK0UVH2D3fTpa1_dSWnp1gvGpAxRul"),
    ),
    OfficialFile(
        "nats_size",
        ("nats_size",),
        "NATS-sss-v1_0-50262.pickle.pbz2",
        _NATS_PAGE,
        "MIT",
        by_hand=_FROM_DRIVE.format(url=f"{_DRIVE}/1IabIvzWeDdDAWICBzFtTCMXxYWPIOIOX"),
    ),
    OfficialFile(
        "nasbench_macro",
        ("nasbench_macro",),
        "nas-bench-macro_cifar10.json",
        "https://github.com/xiusu/NAS-Bench-Macro",
        "Apache-2.0",
        url="https://raw.githubusercontent.com/xiusu/NAS-Bench-Macro/master/data/nas-bench-macro_cifar10.json",
    ),
    OfficialFile(
        "nds",
        _NDS,
        "data.zip",
        "https://github.com/facebookresearch/nds",
        "MIT",
        url="https://dl.fbaipublicfiles.com/nds/data.zip",
        archive=True,
    ),
    OfficialFile(
        "transnas",
        ("transnas_micro",),
        "transnas-bench_v10141024.pth",
        "https://github.com/yawen-d/TransNASBench",
        "MIT",
        by_hand="follow the link to the benchmark's download in the README of its page",
    ),
    OfficialFile(
        "accel_nasbench",
        ("accel_nasbench",),
        "anb_dataset_jsons.tar.gz",
        "https://github.com/afzalxo/Accel-NASBench",
        "Apache-2.0",
        url="https://github.com/afzalxo/Accel-NASBench/raw/master/anb_dataset/anb_dataset_jsons.tar.gz",
        archive=True,
    ),
    OfficialFile(
        "nasbench301",
        ("darts",),
        "nasbench301_full_data.zip",
        "https://github.com/automl/nasbench301",
        "Apache-2.0",
        by_hand="download and unpack https://figshare.com/articles/dataset/nasbench301_full_data/13286105",
    ),
    OfficialFile(
        "timm-results",
        (),
        "results-imagenet.csv",
        "https://github.com/huggingface/pytorch-image-models/tree/main/results",
        "Apache-2.0",
        url="https://raw.githubusercontent.com/huggingface/pytorch-image-models/main/results/results-imagenet.csv",
    ),
)


def official_files() -> tuple[OfficialFile, ...]:
    """Every official file that a space of fxscore reads."""
    return _FILES


def official_file(name: str) -> OfficialFile:
    """One of them by its name; raises `SpaceError` with the names that there are."""
    for entry in _FILES:
        if entry.name == name:
            return entry
    raise SpaceError(f"no benchmark file {name!r}; there are {', '.join(entry.name for entry in _FILES)}")


def data_folder() -> Path:
    """The folder that downloads go to: `benchmarks` in the platform's cache folder of fxscore."""
    return platformdirs.user_cache_path("fxscore", appauthor=False) / "benchmarks"


def local_path(entry: OfficialFile, folder: Path | None = None) -> Path | None:
    """Where the file (or, of an archive, the unpacked folder) lies; None while it is not there."""
    path = destination(entry, folder or data_folder())
    return path if path.exists() else None


def destination(entry: OfficialFile, folder: Path) -> Path:
    """Where the file, or of an archive the unpacked folder, lies once it is there."""
    return folder / (entry.name if entry.archive else entry.file)
