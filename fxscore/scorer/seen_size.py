"""The small-input protocol: at which size a scorer sees a network, and how a network of one fixed size gets there.

    own height or width, the larger    ≤ 16   ≤ 48   ≤ 64   more
    seen                                own     16    own     64

A forward at 64×64 costs a twelfth of one at 224×224; `benchmarks.quality.protocol` measures what it costs in agreement
of ranks. The general scorer reads a forward up to 48 pixels only, so all it reads is seen at one size. The smaller
side shrinks by the same factor, to a multiple of 16. Clips keep their number of frames, and inputs without two axes of
positions (token ids, sound) stay as they are.

Not every network takes every size. In this order: the size as it is; the network's own `set_input_size` (timm's
transformers), on a copy; the network built anew, where it came from a recipe whose builder takes a size (timm's
`img_size`); 7/4 of the size (Inception's unpadded convolutions, patches of 14), then 6/4; the network's own size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from torch import nn

from fxscore.capture.empty_weights import empty_weights
from fxscore.capture.standin import weightless_copy
from fxscore.errors import CaptureError
from fxscore.types import Shape

_SEEN = ((16, None), (48, 16), (64, None))  # (largest own side, side at which it is seen)
_LARGEST = 64
_GRID = 16
_LARGER = (7, 6)  # quarters of the size


def seen_shape(own: Shape) -> Shape:
    """The shape (C, …, H, W) at which a network of this input shape is seen, if it takes it."""
    if len(own) < 3:
        return own
    side = max(own[-2:])
    target = next((seen for largest, seen in _SEEN if side <= largest), _LARGEST)
    return own if target is None else (*own[:-2], *(_scaled(length, target / side) for length in own[-2:]))


Rebuild = Callable[[tuple[int, int]], nn.Module]


def attempts(
    module: nn.Module, own: Shape, seen: Shape, rebuild: Rebuild | None = None
) -> Iterator[tuple[Callable[[], nn.Module], Shape]]:
    """Ways to see `module` at `seen`, the preferred one first and its own size last: (makes the module, shape)."""
    if seen != own:
        yield lambda: module, seen
        if hasattr(module, "set_input_size"):
            yield lambda: resized(module, seen), seen
        if rebuild is not None:
            yield lambda: rebuild((seen[-2], seen[-1])), seen
        for numerator in _LARGER:
            larger = (*seen[:-2], *(length * numerator // 4 for length in seen[-2:]))
            if len(seen) >= 3 and max(larger[-2:]) < max(own[-2:]):
                yield partial(_itself, module), larger
    yield lambda: module, own


def resized(module: nn.Module, shape: Shape) -> nn.Module:
    """A copy of `module` for inputs of another size; raises `CaptureError` where it cannot be had."""
    copy = weightless_copy(module)
    try:
        with empty_weights():
            copy.set_input_size(img_size=tuple(shape[-2:]))  # type: ignore[operator]
    except Exception as error:  # the network's own code, which may raise anything
        raise CaptureError(f"{type(module).__name__} cannot be resized to {shape[-2:]}: {error}") from error
    return copy


def _itself(module: nn.Module) -> nn.Module:
    return module


def _scaled(length: int, factor: float) -> int:
    return max(_GRID, round(length * factor / _GRID) * _GRID)
