from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from fxscore.errors import TrainingError
from fxscore.network_training import ClassifierPlan, fashion_mnist, open_data_set
from fxscore.network_training.images import TensorImages

COUNTS = {"train": 7, "t10k": 3}
SIDE = 28


def write_idx(path: Path, array: NDArray[np.uint8]) -> None:
    data = struct.pack(f">{1 + array.ndim}I", 8 << 8 | array.ndim, *array.shape) + array.tobytes()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def write_all(folder: Path, ending: str) -> NDArray[np.uint8]:
    """Seven images to train on and three to measure on; the training images."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(0)
    first = None
    for name, count in COUNTS.items():
        images = draw.integers(0, 256, (count, SIDE, SIDE), dtype=np.uint8)
        first = images if first is None else first
        write_idx(folder / f"{name}-images-idx3-ubyte{ending}", images)
        write_idx(folder / f"{name}-labels-idx1-ubyte{ending}", np.arange(count, dtype=np.uint8))
    assert first is not None
    return first


def plan(**options: object) -> ClassifierPlan:
    return ClassifierPlan(epochs=1, warmup=0, **options)  # type: ignore[arg-type]


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fashion_mnist, "SYSTEM_FOLDERS", ())


@pytest.mark.parametrize("inside", ["", "FashionMNIST/raw"])
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_it_is_found_in_a_folder(tmp_path: Path, inside: str, ending: str) -> None:
    written = write_all(tmp_path / inside, ending)
    training, test = open_data_set("fashion_mnist", tmp_path).split((1, 28, 28), plan(augmentation="none"))
    assert (len(training), len(test)) == (7, 3)
    images, labels = next(iter(training.batches(7)))
    assert images.mean().item() == pytest.approx(0, abs=1e-5)
    first = images[int((labels == 0).nonzero())][0]
    expected = torch.from_numpy(written[0]).float()
    assert torch.corrcoef(torch.stack([first.flatten(), expected.flatten()]))[0, 1] > 0.99999


def test_it_is_found_where_the_system_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_all(tmp_path, ".gz")
    monkeypatch.setattr(fashion_mnist, "SYSTEM_FOLDERS", (tmp_path,))
    assert open_data_set("fashion_mnist").classes == 10


@pytest.mark.usefixtures("nothing_installed")
def test_one_line_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="dataset-fashion-mnist") as caught:
        open_data_set("fashion_mnist", tmp_path)
    assert "\n" not in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_half_the_side_is_the_mean_of_four_pixels(tmp_path: Path) -> None:
    write_all(tmp_path, "")
    whole, half = (
        open_data_set("fashion_mnist", tmp_path).split((1, side, side), plan(augmentation="none"))[0]
        for side in (28, 14)
    )
    (large, _), (small, _) = (next(iter(part.batches(7))) for part in (whole, half))
    assert torch.allclose(small, torch.nn.functional.avg_pool2d(large, 2), atol=1e-6)


def test_training_images_are_a_fixed_draw_and_mirrored_by_seed(tmp_path: Path) -> None:
    write_all(tmp_path, "")
    data = open_data_set("fashion_mnist", tmp_path)
    few, _ = data.split((1, 28, 28), plan(training_images=4))
    again, _ = data.split((1, 28, 28), plan(training_images=4))
    assert isinstance(few, TensorImages)
    assert isinstance(again, TensorImages)
    assert torch.equal(few.labels, again.labels)
    assert few.flip
    drawn = [torch.cat([images for images, _ in few.batches(2, seed=seed)]) for seed in range(8)]
    known = torch.cat([few.images, few.images.flip(3)])
    matches = [[int((image == known).flatten(1).all(1).nonzero()[0]) for image in each] for each in drawn]
    assert {index < 4 for indices in matches for index in indices} == {True, False}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("train-images-idx3-ubyte", b"\x00\x00\x08", "train-images"),
        ("train-images-idx3-ubyte", struct.pack(">4I", 8 << 8 | 3, 7, 28, 28) + bytes(28), "train-images"),
        ("train-images-idx3-ubyte", struct.pack(">4I", 13 << 8 | 3, 1, 1, 1) + bytes(1), "train-images"),
        ("t10k-labels-idx1-ubyte", struct.pack(">2I", 8 << 8 | 1, 2) + bytes(2), "3 t10k images, but 2"),
    ],
)
def test_damaged_files_are_named(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    write_all(tmp_path, "")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TrainingError, match=said):
        open_data_set("fashion_mnist", tmp_path).split((1, 28, 28), plan())


def test_a_missing_file_and_too_many_images_are_named(tmp_path: Path) -> None:
    write_all(tmp_path, "")
    with pytest.raises(TrainingError, match="7 training images, not 8"):
        open_data_set("fashion_mnist", tmp_path).split((1, 28, 28), plan(training_images=8))
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(TrainingError, match="t10k-labels"):
        open_data_set("fashion_mnist", tmp_path).split((1, 28, 28), plan())
