from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from fxscore.errors import TrainingError
from fxscore.network_training import ClassifierPlan, open_data_set
from fxscore.network_training.images import TensorImages
from fxscore.sources.building import seeded


def plan(**options: Any) -> ClassifierPlan:
    return ClassifierPlan(**{"epochs": 2, "warmup": 0, "batch": 4, **options})


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Two classes, red and blue, six images to train and two to measure each."""
    for part, count in (("train", 6), ("val", 2)):
        for colour in ("blue", "red"):
            folder = tmp_path / part / colour
            folder.mkdir(parents=True)
            for index in range(count):
                Image.new("RGB", (30 + index, 24), colour).save(folder / f"{index}.png")
    return tmp_path


@pytest.fixture
def cifar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """CIFAR-10's own file format with three images a file, and torchvision told of their digests."""
    from torchvision.datasets import CIFAR10

    folder = tmp_path / CIFAR10.base_folder
    folder.mkdir()
    generator = np.random.default_rng(0)

    def write(name: str, content: dict[str, Any]) -> str:
        (folder / name).write_bytes(pickle.dumps(content))
        return hashlib.md5((folder / name).read_bytes()).hexdigest()

    def batch(name: str) -> list[str]:
        pixels = generator.integers(0, 256, (3, 3072), dtype=np.uint8)
        return [name, write(name, {"data": pixels, "labels": [0, 1, 9]})]

    monkeypatch.setattr(CIFAR10, "train_list", [batch("data_batch_1"), batch("data_batch_2")])
    monkeypatch.setattr(CIFAR10, "test_list", [batch("test_batch")])
    names = {"label_names": [f"class{index}" for index in range(10)]}
    meta = {"filename": "batches.meta", "key": "label_names", "md5": write("batches.meta", names)}
    monkeypatch.setattr(CIFAR10, "meta", meta)
    return tmp_path


def test_digits_are_split_once_for_all() -> None:
    training, test = open_data_set("digits").split((1, 8, 8), plan(augmentation="none"))
    assert (len(training), len(test)) == (1200, 597)
    few, rest = open_data_set("digits").split((1, 8, 8), plan(augmentation="none", training_images=300))
    assert (len(few), len(rest)) == (300, 1497)
    assert isinstance(few, TensorImages)
    assert isinstance(training, TensorImages)
    assert torch.equal(few.labels, training.labels[:300])
    for labels in (few.labels, training.labels):
        assert set(labels.tolist()) == set(range(10))
    images = torch.cat([images for images, _ in few.batches(64)])
    assert abs(float(images.mean())) < 1e-5
    assert float(images.std()) == pytest.approx(1, abs=1e-4)


def test_no_digit_is_both_trained_on_and_measured_on() -> None:
    parts = open_data_set("digits").split((1, 8, 8), plan(augmentation="none", training_images=300))
    pixels = [torch.cat([images for images, _ in part.batches(500)]) for part in parts]
    from sklearn.datasets import load_digits

    every = load_digits().images
    assert sum(map(len, pixels)) == len(every)
    distinct = {each.numpy().round(4).tobytes() for part in pixels for each in part}
    assert len(distinct) == len({each.tobytes() for each in every})


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 8, 8), (1, 20, 12), (3, 32, 32)])
def test_digits_come_in_the_shape_of_the_network(shape: tuple[int, int, int]) -> None:
    for part in open_data_set("digits").split(shape, plan()):
        images, labels = next(iter(part.batches(5)))
        assert images.shape == (5, *shape)
        assert labels.shape == (5,)


def test_batches_are_those_of_their_seed_and_leave_the_incomplete_one_out() -> None:
    training, _ = open_data_set("digits").split((1, 8, 8), plan(training_images=103))
    one, again, other = (list(training.batches(10, seed=seed)) for seed in (0, 0, 1))
    assert len(one) == 10
    assert all(torch.equal(a, b) and torch.equal(c, d) for (a, c), (b, d) in zip(one, again, strict=True))
    assert not torch.equal(one[0][1], other[0][1])
    assert sum(len(labels) for _, labels in training.batches(10)) == 103
    assert len(list(training.batches(200, seed=0))) == 1


def test_a_shift_moves_whole_images_by_a_pixel_at_most() -> None:
    image = torch.zeros(1, 1, 5, 5)
    image[0, 0, 2, 2] = 1
    images = TensorImages(image.expand(200, -1, -1, -1), torch.zeros(200).long(), (1, 5, 5), shift=1)
    ((moved, _),) = images.batches(200, seed=0)
    assert moved.sum((1, 2, 3)).tolist() == [1] * 200
    places = {tuple(each.nonzero()[0].tolist()[1:]) for each in moved}
    assert places == {(row, column) for row in (1, 2, 3) for column in (1, 2, 3)}


@pytest.mark.parametrize("augmentation", ["standard", "timm", "none"])
def test_a_folder_of_images(photographs: Path, augmentation: str) -> None:
    data = open_data_set("imagefolder", photographs)
    assert data.classes == 2
    training, test = data.split((3, 16, 16), plan(augmentation=augmentation))
    assert (len(training), len(test)) == (12, 4)
    assert [images.shape for images, _ in training.batches(5, seed=0)] == [(5, 3, 16, 16)] * 2
    (images, labels), *_ = test.batches(4)
    assert labels.tolist() == [0, 0, 1, 1]
    assert bool((images[labels == 1, 0] > images[labels == 1, 2]).all())  # red ones are red
    grey, _ = data.split((1, 16, 16), plan(augmentation=augmentation, training_images=6))
    assert len(grey) == 6
    assert next(iter(grey.batches(5, seed=0)))[0].shape == (5, 1, 16, 16)


def test_augmentation_is_possible_at_its_strongest(
    photographs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("random.gauss", lambda mean, deviation: mean + 6 * deviation)
    training, _ = open_data_set("imagefolder", photographs).split((3, 16, 16), plan(augmentation="timm"))
    with seeded(0):
        for seed in range(30):
            assert len(list(training.batches(6, seed=seed))) == 2


@pytest.mark.parametrize("augmentation", ["standard", "timm", "none"])
def test_cifar(cifar: Path, augmentation: str) -> None:
    data = open_data_set("cifar10", cifar)
    assert data.classes == 10
    for size in (32, 24):
        training, test = data.split((3, size, size), plan(augmentation=augmentation))
        assert (len(training), len(test)) == (6, 3)
        assert next(iter(training.batches(4, seed=0)))[0].shape == (4, 3, size, size)
        (images, labels), *_ = test.batches(3)
        assert images.shape == (3, 3, size, size)
        assert labels.tolist() == [0, 1, 9]


@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
def test_a_folder_without_cifar_says_how_to_get_it(name: str, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"python version.*download=True"):
        open_data_set(name, tmp_path)


def test_what_cannot_be_had_is_refused(photographs: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="there are cifar10"):
        open_data_set("mnist")
    with pytest.raises(TrainingError, match="needs a folder"):
        open_data_set("imagefolder", tmp_path / "nothing")
    with pytest.raises(TrainingError, match="no image folder"):
        open_data_set("imagefolder", photographs / "train")
    with pytest.raises(TrainingError, match="takes \\(768,\\)"):
        open_data_set("digits").split((768,), plan())
    with pytest.raises(TrainingError, match="can be trained on, not 1797"):
        open_data_set("digits").split((1, 8, 8), plan(training_images=1797))
    with pytest.raises(TrainingError, match="photographs"):
        open_data_set("digits").split((1, 8, 8), plan(augmentation="timm"))
    with pytest.raises(TrainingError, match="12 training images, not 13"):
        open_data_set("imagefolder", photographs).split((3, 8, 8), plan(training_images=13))
    (photographs / "val" / "red").rename(photographs / "val" / "green")
    with pytest.raises(TrainingError, match="different classes, such as 'green'"):
        open_data_set("imagefolder", photographs)
