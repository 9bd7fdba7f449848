"""What a forward is called with: one image by default, or example inputs of any number, nesting and type.

The first axis of every tensor is the batch, and becomes the scorer's. Floating-point tensors are inputs of the
graph, on shapes alone. Token ids have values that a forward may look up: they are fixed and seeded, different in every
row, below the largest id of the example (METHOD.md section 1). What holds nothing but zeros and ones is a mask, and its
first row stands for all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from fxscore.errors import CaptureError
from fxscore.types import Shape

SEED = 0
Examples = Tensor | Sequence[Any] | Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Inputs:
    """Positional and named inputs of one forward.

    Attributes:
        args, kwargs: tensors (anywhere in lists, tuples and dicts) and other values, as a forward takes them.
    """

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, examples: Examples | Inputs) -> Inputs:
        """A tensor is the only input, a sequence holds the positional ones, a mapping the named ones.

        Raises:
            CaptureError: there is no tensor among them, or one without a batch axis.
        """
        if isinstance(examples, Inputs):
            return examples
        if isinstance(examples, Tensor):
            examples = (examples,)
        inputs = cls((), dict(examples)) if isinstance(examples, Mapping) else cls(tuple(examples))
        tensors = [
            leaf for leaf in pytree.tree_leaves((inputs.args, inputs.kwargs)) if isinstance(leaf, Tensor)
        ]
        if not tensors or any(tensor.dim() == 0 for tensor in tensors):
            raise CaptureError(
                "example_inputs must hold at least one tensor, and the first axis of each is the batch"
            )
        return inputs

    @classmethod
    def image(cls, shape: Shape) -> Inputs:
        """One floating-point input of this shape, without the batch."""
        return cls((torch.empty(1, *shape, device="meta"),))

    @property
    def shape(self) -> Shape:
        """The shape of the first floating-point input, without the batch; () where there is none."""
        leaves = pytree.tree_leaves((self.args, self.kwargs))
        return next((tuple(leaf.shape[1:]) for leaf in leaves if is_continuous(leaf)), ())

    def at_batch(
        self, batch: int, declare: Callable[[Tensor], Tensor]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments of a forward at a scorer's batch; `declare` is shown every tensor in its new form."""
        generator = torch.Generator().manual_seed(SEED)
        args, kwargs = pytree.tree_map_only(
            Tensor,
            lambda tensor: declare(_at_batch(tensor, batch, generator)),
            (self.args, dict(self.kwargs)),
        )
        return args, kwargs


def examples_digest(examples: Examples) -> str:
    """Equal for examples of equal types, shapes and values."""
    leaves, structure = pytree.tree_flatten(examples)
    digest = hashlib.sha256(repr(structure).encode())
    for leaf in leaves:
        digest.update(repr(leaf).encode() if not isinstance(leaf, Tensor) else _tensor_bytes(leaf))
    return digest.hexdigest()[:16]


def _tensor_bytes(tensor: Tensor) -> bytes:
    values = "" if tensor.is_meta else repr(tensor.tolist())
    return f"{tensor.dtype} {tuple(tensor.shape)} {values}".encode()


def own_examples(module: nn.Module) -> Examples | None:
    """The inputs that a module says it takes, by Lightning's convention: its attribute `example_input_array`."""
    examples = getattr(module, "example_input_array", None)
    return examples if isinstance(examples, (Tensor, list, tuple, Mapping)) else None


def is_continuous(value: object) -> bool:
    """Whether a value is a tensor that the input-like tensor can stand for."""
    return isinstance(value, Tensor) and value.is_floating_point()


def is_mask(tensor: Tensor) -> bool:
    """Whether a tensor holds nothing but zeros and ones, or truth values."""
    return not tensor.is_floating_point() and bool(((tensor == 0) | (tensor == 1)).all())


def _at_batch(tensor: Tensor, batch: int, generator: torch.Generator) -> Tensor:
    shape = (batch, *tensor.shape[1:])
    if tensor.is_floating_point():
        return torch.empty(shape, device="meta")
    if is_mask(tensor):
        return tensor[:1].detach().cpu().expand(shape).clone()
    return torch.randint(0, int(tensor.max()) + 1, shape, generator=generator).to(tensor.dtype)
