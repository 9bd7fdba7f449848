"""What the calls of one forward are named: which stand for the same operator, and which make none.

`torch` has a function, an in-place form, a tensor method and often a `torch.nn.functional` form of one operator. They
become one node, so that equal architectures have equal graphs however they are spelt.
"""

from __future__ import annotations

import inspect
from functools import cache
from operator import getitem
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

# Keywords that change no value of a result.
DROPPED_KEYWORDS = frozenset(
    "inplace out device generator pin_memory layout memory_format _stacklevel non_blocking copy".split()
)
# Values pass through these unchanged: they make no node. Dropout is among them, since it is inactive.
IDENTITIES = frozenset(
    """clone contiguous detach detach_ requires_grad_ data cpu cuda dropout dropout1d dropout2d dropout3d alpha_dropout
    feature_dropout feature_alpha_dropout dropout_ alias positive""".split()
)
CASTS = frozenset("to type type_as float double half bfloat16 int long short bool".split())
_NOISE = {
    "rand_like": "zeros_like",
    "randn_like": "zeros_like",
    "bernoulli": "zeros_like",
    "normal": "zeros_like",
}
READS_VALUES = frozenset(
    """item tolist numpy __bool__ __int__ __float__ __index__ __contains__ nonzero unique equal allclose is_nonzero
    masked_select __array__ argwhere""".split()
)
OPERATORS = {
    "__add__": "add", "__radd__": "add", "__iadd__": "add", "__mul__": "mul", "__rmul__": "mul", "__imul__": "mul",
    "__sub__": "sub", "__isub__": "sub", "__rsub__": "rsub", "__truediv__": "div", "__itruediv__": "div",
    "__div__": "div", "__matmul__": "matmul", "__pow__": "pow", "__ipow__": "pow", "__neg__": "neg", "__abs__": "abs",
    "__invert__": "bitwise_not", "__eq__": "eq", "__ne__": "ne", "__lt__": "lt", "__le__": "le", "__gt__": "gt",
    "__ge__": "ge", "__and__": "bitwise_and", "__or__": "bitwise_or", "__floordiv__": "floor_divide",
    "__mod__": "remainder", "multiply": "mul", "divide": "div", "true_divide": "div", "subtract": "sub",
}  # fmt: skip
# Methods take sizes one by one, or their operands in another order; their functions do not.
_VARIADIC = frozenset({"reshape", "permute", "flip", "tile", "where"})
TENSOR_PROPERTIES = {
    "T": "t",
    "mT": "adjoint",
    "H": "adjoint",
    "mH": "adjoint",
    "data": "data",
    "real": "real",
    "imag": "imag",
}


@cache
def inplace_position(func: Any) -> int | None:
    """The place of `inplace` among the arguments of a function of `torch.nn.functional`, if it has one."""
    if getattr(func, "__module__", None) != "torch.nn.functional" or not inspect.isfunction(func):
        return None
    names = list(inspect.signature(func).parameters)
    return names.index("inplace") if "inplace" in names else None


@cache
def canonical_target(func: Any) -> tuple[str, Any]:
    """The function that stands for `func`, its in-place form and its tensor method: (kind of node, target)."""
    name = func.__name__
    if func is getattr(F, name, None):  # `relu_`, `elu_` … stand beside their plain forms
        return "call_function", getattr(F, name.removesuffix("_"), func)
    if func is getattr(torch, name, None) and not name.endswith("_"):
        return "call_function", func
    if name == "__getitem__":
        return "call_function", getitem
    name = OPERATORS.get(name, name)
    plain = name if name.endswith("__") else name.rstrip("_")
    plain = _NOISE.get(plain, plain)
    if plain not in _VARIADIC and callable(function := getattr(torch, plain, None)):
        return "call_function", function
    if hasattr(Tensor, plain):  # before F, where `unfold` is another operator
        return "call_method", plain
    return "call_function", getattr(F, plain, func)


def cast_dtype(name: str, args: Any, kwargs: Any) -> torch.dtype | None:
    """The type that a casting method (one of `CASTS`) is asked for; None where it only names a device."""
    if name in ("to", "type", "type_as"):
        for value in (*args, kwargs.get("dtype"), kwargs.get("other")):
            if isinstance(value, torch.dtype):
                return value
            if isinstance(value, Tensor):
                return value.dtype
        return None
    return getattr(torch, name)  # type: ignore[no-any-return]
