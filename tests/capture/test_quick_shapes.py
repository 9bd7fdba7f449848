"""Shapes that are read off are those that PyTorch gives, and nothing is let pass that it refuses."""

from __future__ import annotations

import gc
import random
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from fxscore.capture.quick_shapes import attention, concatenated, elementwise, mean_over, pooled
from fxscore.collection import collection_paused


def _meta(*shape: int) -> Tensor:
    return torch.empty(shape, device="meta")


def _torch(func: Any, args: Any, kwargs: Any) -> Tensor | None:
    try:
        return func(*args, **kwargs)  # type: ignore[no-any-return]
    except (RuntimeError, IndexError):
        return None


def _agree(quick: Tensor | None, func: Any, args: Any, kwargs: Any) -> bool:
    """Whether the answer is PyTorch's; leaving it to PyTorch is no answer."""
    if quick is None:
        return False
    real = _torch(func, args, kwargs)
    assert real is not None, (func, args, kwargs)
    assert (quick.shape, quick.dtype, quick.is_contiguous()) == (real.shape, real.dtype, real.is_contiguous())
    return True


def _sizes(draw: random.Random, rank: int) -> list[int]:
    return [draw.choice((0, 1, 2, 5)) for _ in range(rank)]


@pytest.mark.parametrize("func", [torch.add, torch.mul, Tensor.sub, Tensor.add_])
def test_sums_and_products(func: Any) -> None:
    draw, answers = random.Random(0), 0
    for _ in range(200):
        sizes = _sizes(draw, draw.randint(1, 4))
        other = [draw.choice((size, size, 1, 3)) for size in sizes][draw.randint(0, 1) :]
        args = (_meta(*sizes), _meta(*other))
        answers += _agree(elementwise(func, *args, {}), func, args, {})
    assert answers > 10


def test_means() -> None:
    draw, answers = random.Random(1), 0
    for _ in range(200):
        rank = draw.randint(1, 4)
        axes = tuple(draw.randint(-rank - 1, rank) for _ in range(draw.randint(1, 2)))
        args, kwargs = (_meta(*_sizes(draw, rank)), axes), {"keepdim": draw.random() < 0.5}
        answers += _agree(mean_over(args, kwargs), torch.mean, args, kwargs)
    assert answers > 20
    assert mean_over((_meta(2, 3), 1), {"dtype": torch.float64}) is None


def test_joins() -> None:
    draw, answers = random.Random(2), 0
    for _ in range(300):
        rank = draw.randint(1, 3)
        sizes, axis = _sizes(draw, rank), draw.randint(-rank - 1, rank)
        other = [draw.choice((size, size, 4)) for size in sizes][: draw.choice((rank, rank, rank - 1))]
        tensors = [_meta(*sizes), _meta(*other)]
        answers += _agree(concatenated(tensors, axis), torch.cat, (tensors, axis), {})
    assert answers > 40
    assert concatenated([_meta(2, 3), _meta(2, 3).to(torch.int64)], 0) is None


def test_pools() -> None:
    draw, answers = random.Random(4), 0
    for _ in range(400):
        value = _meta(*(draw.choice((1, 4, 7)) for _ in range(draw.choice((3, 4, 4, 4)))))
        size, stride, pad = ([draw.randint(least, 3), draw.randint(least, 3)] for least in (1, 1, 0))
        args = (
            value,
            tuple(size),
            draw.choice((None, tuple(stride), stride[0])),
            draw.choice((pad[0], tuple(pad))),
        )
        kwargs = draw.choice(({}, {"count_include_pad": False}, {"ceil_mode": True}))
        answers += _agree(pooled(args, kwargs), F.avg_pool2d, args, kwargs)
    assert answers > 30


def test_attention() -> None:
    draw, answers = random.Random(3), 0
    for _ in range(200):
        batch, heads, queries, keys, width = (draw.choice((1, 2, 3)) for _ in range(5))
        shapes = [[batch, heads, queries, width], [batch, heads, keys, width], [batch, heads, keys, 4]]
        if draw.random() < 0.5:
            draw.choice(shapes)[draw.randint(0, 3)] += 3
        args = tuple(_meta(*shape) for shape in shapes)
        answers += _agree(attention(args, {}), F.scaled_dot_product_attention, args, {})
    assert answers > 60


def test_collection_is_as_before_also_after_an_error() -> None:
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError):
        _fails_while_paused()
    assert gc.isenabled()


@collection_paused()
def _fails_while_paused() -> float:
    with collection_paused():
        pass
    return 1 / int(gc.isenabled())
