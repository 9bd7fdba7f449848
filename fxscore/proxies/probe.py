"""A private copy of a network, initialised from a seed, on which a proxy may do as it likes.

The caller's module is never touched: parameters, buffers, BatchNorm statistics, training flags, hooks and the
global random state stay as they are. By default the copy's weights are drawn anew by every submodule's own
`reset_parameters`, so that a score does not depend on how the module was built or trained. Parameters that no
such method draws: tables and tokens (two axes or more) come from N(0, 0.02²), as vision transformers have it,
vectors and constants (a layer scale) keep their values. The copy is in eval mode, so that dropout, drop path
and auxiliary heads are off, save for its BatchNorms: they normalise by the batch, as in training.
"""

from __future__ import annotations

import copy
import inspect
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from fxscore.capture.modes import evaluating
from fxscore.capture.torch_private import BatchNormBase, tensors_of
from fxscore.errors import ScorerError
from fxscore.proxies.base import BaseProxy, resized
from fxscore.proxies.inputs import random_images
from fxscore.types import Shape

BARE_STD = 0.02


@dataclass(frozen=True)
class SeededProxy(BaseProxy):
    """A proxy that runs an initialised network on seeded noise.

    Attributes:
        batch: Images in the batch, at least 2.
        resolution: Height and width in place of the input shape's own, or None.
        seed: Of weights, images and labels, each drawn from a generator of its own.
        spectrum: Fall of the images' amplitude spectrum, see `inputs`; 0 is white noise.
        initialise: Whether weights are drawn anew; False keeps the module's own.
        redraws: Whether measuring changes the copy's weights, so that no other proxy can use them after it.
    """

    redraws: ClassVar[bool] = False

    batch: int = 16
    resolution: int | None = None
    seed: int = 0
    spectrum: float = 1.0
    initialise: bool = True

    def __post_init__(self) -> None:
        if self.batch < 2:
            raise ScorerError(f"{self.name}: batch={self.batch}, but batch statistics need at least 2 images")

    def images(self, input_shape: Shape, like: nn.Module) -> Tensor:
        """The seeded batch (batch, C, H, W) on the device of `like`."""
        shape = resized(input_shape, self.resolution)
        return random_images(self.batch, shape, self.seed, self.spectrum).to(device_of(like))

    def measure(self, module: nn.Module, input_shape: Shape) -> float:
        images = self.images(input_shape, module)
        with private_copy(module, self.seed, self.initialise) as network:
            return self.value_on(network, images)

    @abstractmethod
    def value_on(self, network: nn.Module, images: Tensor) -> float:
        """The value of a private copy for a batch of images; weights may change where `redraws` says so."""


@contextmanager
def private_copy(module: nn.Module, seed: int, initialise: bool = True) -> Iterator[nn.Module]:
    """Give an initialised float32 copy of `module` with gradients on; the global random state is put back.

    Raises:
        ScorerError: A parameter is on the meta device.
    """
    empty = [name for name, tensor in module.named_parameters() if tensor.is_meta]
    if empty:
        raise ScorerError(
            f"needs real weights, but {empty[0]!r} is on the meta device; build the module anew"
        )
    devices = sorted({p.device.index or 0 for p in module.parameters() if p.is_cuda})
    with torch.enable_grad(), torch.random.fork_rng(devices):
        for generator in (torch.default_generator, *(torch.cuda.default_generators[i] for i in devices)):
            generator.manual_seed(seed)
        network = evaluating(copy_with(module, cloned).float())
        if initialise:
            reset(network)
        yield use_batch_statistics(network)


def copy_with(module: nn.Module, replace: Callable[[Tensor], Tensor]) -> nn.Module:
    """A deep copy of `module` in which every parameter, buffer and tensor attribute, also in a list, is replaced."""
    memo: dict[int, object] = {}
    for owner in module.modules():
        lists = [value for value in vars(owner).values() if isinstance(value, (list, tuple))]
        own = [*tensors_of(owner), *vars(owner).values(), *chain(*lists)]
        for tensor in own:
            if isinstance(tensor, Tensor) and id(tensor) not in memo:
                memo[id(tensor)] = replace(tensor)
    return copy.deepcopy(module, memo)


def cloned(tensor: Tensor) -> Tensor:
    """A tensor of equal values; a parameter becomes one that wants a gradient."""
    return like(tensor, tensor.detach().clone())


def like(tensor: Tensor, new: Tensor) -> Tensor:
    """`new`, as a parameter if `tensor` is one."""
    return nn.Parameter(new, new.is_floating_point()) if isinstance(tensor, nn.Parameter) else new


def reset(network: nn.Module) -> None:
    """Draw the weights of every submodule, in module order, by its own reset method where it has one."""
    for part in network.modules():
        method = _reset_method(part)
        if method is not None:
            method()
            continue
        for parameter in part.parameters(recurse=False):
            if parameter.dim() > 1 and bool((parameter != parameter.flatten()[0]).any()):
                nn.init.normal_(parameter, std=BARE_STD)


def _reset_method(part: nn.Module) -> Callable[[], object] | None:
    for name in ("reset_parameters", "_reset_parameters"):
        method = getattr(part, name, None)
        if callable(method) and not inspect.signature(method).parameters:
            return cast("Callable[[], object]", method)
    return None


def use_batch_statistics(network: nn.Module) -> nn.Module:
    """Set the BatchNorms, and nothing else, to training mode."""
    for part in network.modules():
        if isinstance(part, BatchNormBase):
            part.training = True
    return network


def device_of(module: nn.Module) -> torch.device:
    """Where the module's first parameter is; the CPU where it has none."""
    first = next(module.parameters(), None)
    return first.device if first is not None else torch.device("cpu")
