"""Builds every timm and torchvision network with and without weights, and counts what differs.

Run from the repository's root: ``python -m tests.sources.weight_free_survey`` (a quarter of an hour of one core).
All of timm is built without weights; one network of each timm module, the one with the fewest parameters, and all of
torchvision are compared with an ordinary build.
"""
# ruff: noqa: T201 - a survey's output is its figures

from __future__ import annotations

import inspect
import resource
import time
from collections import Counter
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from fxscore.capture.empty_weights import build_without_weights

Build = Callable[[], nn.Module]


def timm_build(name: str) -> Build:
    import timm

    return lambda: timm.create_model(name, pretrained=False)


def torchvision_build(name: str) -> Build:
    import torchvision

    builder = torchvision.models.get_model_builder(name)
    accepted = inspect.signature(builder).parameters
    options: dict[str, object] = {key: None for key in ("weights", "weights_backbone") if key in accepted}
    if name.removeprefix("quantized_") in ("googlenet", "inception_v3"):
        options["init_weights"] = True  # its default, but torchvision warns where it is not said
    return lambda: builder(**options)


def differences(ordinary: nn.Module, free: nn.Module) -> Iterator[str]:
    """What a weight-free module has otherwise than an ordinary one, the values of its parameters apart."""
    if _parameters(ordinary) != _parameters(free):
        yield "parameters (names, shapes, dtypes, requires_grad or ties)"
    yield from (f"{name} is not on meta" for name, p in free.named_parameters() if not p.is_meta)
    for kind, tensors in (("buffer", _buffers), ("attribute", _attributes)):
        expected, found = tensors(ordinary), tensors(free)
        if expected.keys() != found.keys():
            yield f"names of {kind}s"
        yield from (f"{kind} {name}" for name in expected if not _equal(expected[name], found.get(name)))


def _parameters(module: nn.Module) -> list[object]:
    first_name: dict[int, str] = {}
    return [
        (name, first_name.setdefault(id(p), name), p.shape, p.dtype, p.requires_grad)
        for name, p in module.named_parameters(remove_duplicate=False)
    ]


def _buffers(module: nn.Module) -> dict[str, Tensor]:
    return dict(module.named_buffers(remove_duplicate=False))


def _attributes(module: nn.Module) -> dict[str, Tensor]:
    """Plain tensors that a module keeps outside its parameters and buffers."""
    return {
        f"{path}.{key}": value
        for path, child in module.named_modules()
        for key, value in vars(child).items()
        if isinstance(value, Tensor)
    }


def _equal(expected: Tensor, found: Tensor | None) -> bool:
    if found is None or found.is_meta or expected.dtype != found.dtype or expected.shape != found.shape:
        return False
    return bool(torch.allclose(expected, found, rtol=0, atol=0, equal_nan=True))


def compare(name: str, build: Build, counts: Counter[str]) -> None:
    free = build_without_weights(build)
    found = list(differences(build(), free.module))
    counts[f"built by step {free.step}"] += 1
    counts["equal to an ordinary build"] += not found
    if found or free.step != "meta":
        print(f"  {name}: step {free.step}; {', '.join(found[:4]) or 'equal'}")


def smallest_of_each_module(sizes: dict[str, int]) -> dict[str, str]:
    """The timm architecture with the fewest parameters, by timm module."""
    import timm

    return {
        module: min(timm.list_models(module=module), key=sizes.__getitem__) for module in timm.list_modules()
    }


def build_all_of_timm() -> dict[str, int]:
    """Build every architecture without weights; gives their numbers of parameters."""
    import timm

    counts: Counter[str] = Counter()
    sizes: dict[str, int] = {}
    start = time.perf_counter()
    for name in timm.list_models():
        free = build_without_weights(timm_build(name))
        sizes[name] = sum(parameter.numel() for parameter in free.module.parameters())
        lost = [b for b, buffer in free.module.named_buffers() if buffer.is_meta]
        counts[free.step if not lost else "with a buffer lost"] += 1
        if free.step != "meta" or lost:
            print(f"  {name}: step {free.step} {lost[:3]}", flush=True)
        if len(sizes) % 200 == 0:
            print(f"  {len(sizes)} built in {time.perf_counter() - start:.0f} s", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"all of timm: {dict(counts)}, {time.process_time():.0f} s of one core, peak {peak:.1f} GiB")
    return sizes


def compare_torchvision() -> None:
    import torchvision

    counts: Counter[str] = Counter()
    for name in torchvision.models.list_models():
        compare(name, torchvision_build(name), counts)
    print("all of torchvision:", dict(counts), flush=True)


def compare_timm_families(sizes: dict[str, int]) -> None:
    counts: Counter[str] = Counter()
    for module, name in smallest_of_each_module(sizes).items():
        if sizes[name] > _LARGEST_COMPARED:
            counts["too large to build with weights here"] += 1
        else:
            compare(f"{module} {name}", timm_build(name), counts)
    print("one network per timm module:", dict(counts), flush=True)


_LARGEST_COMPARED = 500_000_000  # parameters: 2 GB of weights


def main() -> None:
    """Print how many networks are built by which step, and how many are equal to an ordinary build."""
    torch.set_num_threads(1)
    compare_torchvision()
    compare_timm_families(build_all_of_timm())


if __name__ == "__main__":
    main()
