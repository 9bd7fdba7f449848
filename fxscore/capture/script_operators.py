"""TorchScript's operators on numbers, text, lists and dicts, as Python has them."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor


def _size(tensor: Tensor, dim: int | None = None) -> Any:
    return list(tensor.shape) if dim is None else tensor.shape[dim]


def _append(items: list[Any], item: Any) -> list[Any]:
    items.append(item)
    return items


def _extend(items: list[Any], more: Sequence[Any]) -> None:
    items.extend(more)


def _set(items: Any, key: Any, value: Any) -> Any:
    items[key] = value
    return items


def _slice(items: Sequence[Any], start: int | None, end: int | None, step: int) -> Sequence[Any]:
    return items[start:end:step]


def _format(text: str, *values: Any) -> str:
    return text.format(*values)


def _nothing(*_: Any) -> None:
    return None


SCALAR_OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv, "neg": operator.neg,
    "floordiv": operator.floordiv, "remainder": operator.mod, "fmod": math.fmod, "pow": operator.pow, "abs": abs,
    "eq": operator.eq, "ne": operator.ne, "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge,
    "__is__": operator.is_, "__isnot__": operator.is_not, "__not__": operator.not_, "__and__": operator.and_,
    "__or__": operator.or_, "__xor__": operator.xor, "__contains__": operator.contains, "__getitem__": operator.getitem,
    "__derive_index": lambda index, start, step: start + index * step,
    "__range_length": lambda low, high, step: len(range(low, high, step)),
    "len": len, "size": _size, "dim": lambda tensor: tensor.dim(), "numel": lambda tensor: tensor.numel(),
    "append": _append, "extend": _extend, "_set_item": _set, "slice": _slice, "list": list, "copy": lambda x: x.copy(),
    "keys": lambda x: list(x), "values": lambda x: list(x.values()), "items": lambda x: list(x.items()),
    "Int": int, "Float": float, "Bool": bool, "str": str, "format": _format, "warn": _nothing,
    "ScalarImplicit": lambda x: x.item(), "IntImplicit": int, "FloatImplicit": float,
    "ceil": math.ceil, "floor": math.floor, "sqrt": math.sqrt, "exp": math.exp, "log": math.log, "round": round,
    "floor_divide": operator.floordiv, "min": min, "max": max, "sum": sum, "all": all, "any": any,
    "is_floating_point": lambda x: x.is_floating_point(),
}  # fmt: skip
# Those that are Python's also where a value is a tensor.
OF_ANY_VALUE = frozenset(
    """size dim numel is_floating_point len Int Float Bool ScalarImplicit IntImplicit FloatImplicit format warn append
    extend _set_item __is__ __isnot__ list copy""".split()
)
