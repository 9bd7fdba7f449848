"""What happens to photographs before a network sees them: (for training, for measuring)."""

from __future__ import annotations

from typing import Any

from fxscore.network_training.plan import Augmentation

_CIFAR_MEAN, _CIFAR_STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
# mmax9: timm's "posterize" keeps no bit of a pixel at its strongest, 10, which Pillow 13 refuses.
_RAND_AUGMENT = "rand-m9-mstd0.5-inc1-mmax9"
_ERASED = 0.25  # share of images that lose a rectangle


def cifar_transforms(shape: tuple[int, int, int], augmentation: Augmentation) -> tuple[Any, Any]:
    """For images of 32×32: a crop after padding by 4, and a flip; resized where the network takes another size."""
    from torchvision import transforms

    ending = _ending(shape, (32, 32), _CIFAR_MEAN, _CIFAR_STD)
    if augmentation == "timm":
        training = _timm(shape, _CIFAR_MEAN, _CIFAR_STD, scale=(0.5, 1.0))
    else:
        moved = [transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip()]
        training = [*(moved if augmentation == "standard" else []), *ending]
    return transforms.Compose(training), transforms.Compose(ending)


def folder_transforms(shape: tuple[int, int, int], augmentation: Augmentation) -> tuple[Any, Any]:
    """For photographs of any size: a crop of random size and place, and a flip; to measure, the middle."""
    from timm.data.constants import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
    from torchvision import transforms

    _, height, width = shape
    statistics = (IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD)
    ending = _ending(shape, (height, width), *statistics)
    larger = transforms.Resize(round(max(height, width) / 0.875))
    middle = [larger, transforms.CenterCrop((height, width)), *ending]
    if augmentation == "timm":
        training = _timm(shape, *statistics)
    elif augmentation == "standard":
        training = [transforms.RandomResizedCrop((height, width)), transforms.RandomHorizontalFlip(), *ending]
    else:
        training = middle
    return transforms.Compose(training), transforms.Compose(middle)


def _timm(shape: tuple[int, int, int], mean: Any, std: Any, **options: Any) -> list[Any]:
    from timm.data.transforms_factory import create_transform

    options |= {"auto_augment": _RAND_AUGMENT, "re_prob": _ERASED, "mean": mean, "std": std}
    return [create_transform((3, *shape[1:]), is_training=True, **options), *_grey(shape)]


def _ending(shape: tuple[int, int, int], size: tuple[int, int], mean: Any, std: Any) -> list[Any]:
    from torchvision import transforms

    resized = [transforms.Resize(shape[1:])] if shape[1:] != size else []
    return [*resized, transforms.ToTensor(), transforms.Normalize(mean, std), *_grey(shape)]


def _grey(shape: tuple[int, int, int]) -> list[Any]:
    from torchvision import transforms

    return [transforms.Grayscale(1)] if shape[0] == 1 else []
