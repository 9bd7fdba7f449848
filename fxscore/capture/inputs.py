"""What a forward is called with: one image by default, or example inputs of any number, nesting and type.

The first axis of the examples is the batch, and becomes the scorer's. It is 1 where any tensor's is, else that of the
first floating-point tensor; a tensor whose first axis is another has no batch axis (`Shared` says so outright). Each
tensor then has one role:

    floating point           an input of the graph, on shapes alone; at the size of the small-input protocol
    complex                  the same; its imaginary part is the real part of another row
    whole numbers            ids: fixed and seeded, different in every row, up to the largest id of the example
    one whole number a row   kept as in the example where it may be the length of another input
    zeros and ones           a mask, a constant of the network: the example's rows in turn
    without a batch axis     a constant of the network, as it is

Where no tensor has a batch axis (a graph: nodes, and edges whose numbers count along the nodes' axis), everything is
taken as given: floating-point tensors are inputs, whole numbers keep their values. Where the network does not take the
first reading of its examples, `readings` has others. Source: METHOD.md section 1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from fxscore.capture.torch_private import pytree
from fxscore.errors import CaptureError
from fxscore.types import Shape

SEED = 0


@dataclass(frozen=True, eq=False)
class Shared:
    """An example input without a batch axis (a mask of (length, length), positions, edges), the same for every row."""

    tensor: Tensor


Examples = Tensor | Shared | Sequence[Any] | Mapping[str, Any]
Declare = Callable[[Tensor, bool], Tensor]


@dataclass(frozen=True, eq=False)
class Inputs:
    """Positional and named inputs of one forward, under one reading of what their axes are.

    Attributes:
        args, kwargs: tensors (anywhere in lists, tuples and dicts) and other values, as a forward takes them.
        batch: the first axis that the examples share; None where none has a batch axis.
        whole_numbers_shared: whether whole numbers and truth values are taken to have no batch axis.
        columns_apart: whether the ids at each position are drawn up to the largest id at that position.
    """

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    batch: int | None = 1
    whole_numbers_shared: bool = False
    columns_apart: bool = False

    @classmethod
    def of(cls, examples: Examples | Inputs) -> Inputs:
        """A tensor is the only input, a sequence holds the positional ones, a mapping the named ones.

        Raises:
            CaptureError: there is no tensor among them that has an axis.
        """
        if isinstance(examples, Inputs):
            return examples
        if isinstance(examples, (Tensor, Shared)):
            examples = (examples,)
        if isinstance(examples, (str, bytes)) or not isinstance(examples, Iterable):
            raise CaptureError(
                f"example_inputs is of type {type(examples).__name__}; give a tensor, a sequence or a mapping"
            )
        inputs = cls((), dict(examples)) if isinstance(examples, Mapping) else cls(tuple(examples))
        if not any(_tensor(leaf).dim() for leaf in inputs.leaves):
            raise CaptureError(
                "example_inputs must hold at least one tensor with an axis; the first axis of each is the batch "
                "(fxscore.Shared(tensor) marks one without)"
            )
        return replace(inputs, batch=_batch_of(inputs.leaves))

    @classmethod
    def image(cls, shape: Shape) -> Inputs:
        """One floating-point input of this shape, without the batch."""
        return cls((torch.empty(1, *shape, device="meta"),))

    @property
    def leaves(self) -> list[Tensor | Shared]:
        """The tensors, wherever they are nested."""
        leaves = pytree.tree_leaves((self.args, self.kwargs))
        return [leaf for leaf in leaves if isinstance(leaf, (Tensor, Shared))]

    @property
    def shape(self) -> Shape:
        """The shape of the leading floating-point input, without the batch; () where there is none.

        It is the first image (three axes or more), or the first of all where there is no image.
        """
        shapes = [self._own_shape(leaf) for leaf in self.leaves if self._is_input(leaf)]
        return next((shape for shape in shapes if len(shape) > 2), shapes[0] if shapes else ())

    @property
    def is_one_image(self) -> bool:
        """Whether the forward takes one floating-point input by position, and nothing else."""
        return (
            not self.kwargs
            and len(self.args) == 1
            and all(self._is_input(leaf) and _tensor(leaf).is_floating_point() for leaf in self.leaves)
            and bool(self.leaves)
        )

    def readings(self) -> Iterator[Inputs]:
        """These inputs, then what else they may mean: ids with a range for every column, no batch axis."""
        yield self
        whole = [leaf for leaf in self.leaves if isinstance(leaf, Tensor) and not is_continuous(leaf)]
        if self.batch is None:
            return
        if any(leaf.dim() > 1 and not is_mask(leaf) for leaf in whole):
            yield replace(self, columns_apart=True)
        if whole and any(map(self._is_input, self.leaves)):
            yield replace(self, whole_numbers_shared=True)
        if whole or self.batch > 1:
            yield replace(self, batch=None)

    def resized(self, shape: Shape) -> Inputs:
        """The same with images of another size: the leading one at `shape`, others by the same factors."""
        if shape == self.shape:
            return self
        factors = [new / own for new, own in zip(shape[1:], self.shape[1:], strict=True)]

        def resize(leaf: Any) -> Any:
            if not isinstance(leaf, Tensor) or not self._is_input(leaf) or leaf.dim() != len(shape) + 1:
                return leaf
            sizes = (max(round(size * f), 1) for size, f in zip(leaf.shape[2:], factors, strict=True))
            return _standing_for(leaf, (*leaf.shape[:2], *sizes))

        args, kwargs = pytree.tree_map(resize, (self.args, dict(self.kwargs)))
        return replace(self, args=args, kwargs=kwargs)

    def at_batch(self, batch: int, declare: Declare) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments of a forward at a scorer's batch.

        Args:
            batch: the scorer's.
            declare: is shown every tensor that depends on the input in its new form, and whether it has a batch axis.
        """
        generator = torch.Generator().manual_seed(SEED)

        def prepare(leaf: Any) -> Any:
            if not isinstance(leaf, (Tensor, Shared)):
                return leaf
            tensor = _tensor(leaf)
            if self._is_input(leaf):
                batched = self.batch is not None
                return declare(_standing_for(tensor, (batch,) * batched + self._own_shape(leaf)), batched)
            if self.batch is None and not is_mask(tensor) and not is_continuous(tensor):
                return declare(tensor.detach().cpu().clone(), False)
            if self._is_shared(leaf):
                return tensor.detach().cpu().clone()
            if is_mask(tensor) or self._may_be_lengths(tensor):
                return _rows_in_turn(tensor, batch)
            return declare(_draw(tensor, batch, generator, self.columns_apart), True)

        args, kwargs = pytree.tree_map(prepare, (self.args, dict(self.kwargs)))
        return args, kwargs

    def _is_shared(self, leaf: Tensor | Shared) -> bool:
        """Whether a tensor has no batch axis, while others have one."""
        if isinstance(leaf, Shared) or self.batch is None or leaf.dim() == 0:
            return True
        return len(leaf) != self.batch or (self.whole_numbers_shared and not is_continuous(leaf))

    def _is_input(self, leaf: Tensor | Shared) -> bool:
        """Whether the input-like tensor stands for this one."""
        if not is_continuous(_tensor(leaf)) or not _tensor(leaf).dim():
            return False
        if self.batch is not None:
            return not self._is_shared(leaf)
        return isinstance(leaf, Tensor) or not any(map(is_continuous, self.leaves))

    def _own_shape(self, leaf: Tensor | Shared) -> Shape:
        shape = tuple(_tensor(leaf).shape)
        return shape if self.batch is None else shape[1:]

    def _may_be_lengths(self, tensor: Tensor) -> bool:
        """Whether one number a row may be the length of another input, which no other number can stand for."""
        lengths = [_tensor(leaf).shape[1] for leaf in self.leaves if _tensor(leaf).dim() > 1]
        return tensor.dim() == 1 and any(0 < int(tensor.max()) <= length for length in lengths)


def examples_digest(examples: Examples) -> str:
    """Equal for examples of equal types, shapes and values."""
    leaves, structure = pytree.tree_flatten(examples)
    digest = hashlib.sha256(repr(structure).encode())
    for leaf in leaves:
        digest.update(type(leaf).__name__.encode())
        digest.update(
            _tensor_bytes(_tensor(leaf)) if isinstance(leaf, (Tensor, Shared)) else repr(leaf).encode()
        )
    return digest.hexdigest()[:16]


def _tensor_bytes(tensor: Tensor) -> bytes:
    values = "" if tensor.is_meta else repr(tensor.tolist())
    return f"{tensor.dtype} {tuple(tensor.shape)} {values}".encode()


def own_examples(module: nn.Module) -> Examples | None:
    """The inputs that a module says it takes, by Lightning's convention: its attribute `example_input_array`."""
    examples = getattr(module, "example_input_array", None)
    return examples if isinstance(examples, (Tensor, Shared, list, tuple, Mapping)) else None


def is_continuous(value: object) -> bool:
    """Whether a value is a tensor that the input-like tensor can stand for."""
    return isinstance(value, Tensor) and (value.is_floating_point() or value.is_complex())


def is_mask(tensor: Tensor) -> bool:
    """Whether a tensor holds nothing but zeros and ones, or truth values."""
    return not is_continuous(tensor) and bool(((tensor == 0) | (tensor == 1)).all())


def _tensor(leaf: Tensor | Shared) -> Tensor:
    return leaf.tensor if isinstance(leaf, Shared) else leaf


def _standing_for(tensor: Tensor, shape: Shape) -> Tensor:
    """A tensor without storage for an input, real or complex as that is."""
    return torch.empty(shape, dtype=torch.complex64 if tensor.is_complex() else None, device="meta")


def _batch_of(leaves: Sequence[Tensor | Shared]) -> int | None:
    """The examples' batch; None where there is none."""
    own = [leaf for leaf in leaves if isinstance(leaf, Tensor) and leaf.dim()]
    if not own:
        return None
    batch = 1 if any(len(leaf) == 1 for leaf in own) else len(next(filter(is_continuous, own), own[0]))
    others = [
        _tensor(leaf) for leaf in leaves if isinstance(leaf, Shared) or not leaf.dim() or len(leaf) != batch
    ]
    return None if any(_counts_along(tensor, batch) for tensor in others) else batch


def _counts_along(tensor: Tensor, length: int) -> bool:
    """Whether whole numbers may be places along an axis of this length (edges between nodes), which must then stay."""
    whole = not is_continuous(tensor) and tensor.dtype != torch.bool and tensor.numel() > 0
    return whole and length > 1 and not is_mask(tensor) and int(tensor.max()) < length


def _rows_in_turn(tensor: Tensor, batch: int) -> Tensor:
    return tensor.detach().cpu()[torch.arange(batch) % len(tensor)]


def _draw(tensor: Tensor, batch: int, generator: torch.Generator, columns_apart: bool) -> Tensor:
    """Ids from 0 up to the example's largest, of all or of each position."""
    shape = (batch, *tensor.shape[1:])
    largest = tensor.detach().cpu().amax(0) if columns_apart else tensor.detach().cpu().max()
    if not columns_apart:
        return torch.randint(0, int(largest) + 1, shape, generator=generator).to(tensor.dtype)
    return (torch.rand(shape, generator=generator) * (largest + 1)).to(tensor.dtype)
