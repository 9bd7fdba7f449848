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

from fxscore.capture.bindings import change
from fxscore.capture.torch_private import own_function

# NumPy's names of keywords, which most operators take as well.
_KEYWORDS = {"axis": "dim", "keepdims": "keepdim", "x1": "input", "x2": "other"}
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
READS_VALUES = frozenset(
    """item tolist numpy __bool__ __int__ __float__ __index__ __contains__ nonzero unique equal allclose is_nonzero
    masked_select __array__ argwhere""".split()
)
# Those that answer yes or no.
ASKS = frozenset("__bool__ is_nonzero equal allclose".split())
# Those that stop a network where a value is not as it should be, and do nothing else.
CHECKS = frozenset("_assert _assert_async _assert_scalar _functional_assert_async".split())
# What makes a tensor without writing to it.
UNWRITTEN = frozenset("empty empty_like new_empty empty_strided empty_permuted".split())
# What writes to every element of a tensor, whatever was there.
WRITES_ALL = frozenset("copy_ zero_ fill_".split())
# What multiplies, and adds to its first operand; with `beta=0` that one is not read.
ADDS_PRODUCTS = frozenset("addmm baddbmm addbmm addmv addr".split())
# What writes to parts of a tensor, and reads none.
WRITES_PARTS = frozenset(
    """__setitem__ scatter_ index_put_ index_copy_ index_fill_ masked_fill_ masked_scatter_ put_
    fill_diagonal_""".split()
)
# What makes a tensor that is the same everywhere, of a size that may be computed from others.
FILLS = frozenset("zeros ones new_zeros new_ones zeros_like ones_like".split())
# What makes a tensor like another, whose values have no part in it.
LIKE = frozenset(
    """zeros_like ones_like full_like rand_like randn_like randint_like new_zeros new_ones new_full
    new_tensor""".split()
)
# Methods that take the shape or type of their second tensor.
AS_SECOND = frozenset("type_as expand_as view_as reshape_as".split())
# What reads a tensor's shape and type alone.
SHAPES_ONLY = (
    LIKE
    | AS_SECOND
    | frozenset(
        """size dim numel stride is_floating_point is_complex is_contiguous element_size storage_offset __len__
        ndimension nelement data_ptr get_device""".split()
    )
)
# What gives another view of the same memory.
VIEWS = frozenset(
    """__getitem__ view reshape permute transpose narrow select chunk split unbind flatten unflatten unsqueeze squeeze
    expand t swapaxes swapdims movedim tensor_split diagonal detach requires_grad_ data contiguous""".split()
)
# What takes a number where a tensor of one number may stand.
TAKES_NUMBERS = frozenset(
    """__add__ __radd__ __iadd__ __sub__ __isub__ __rsub__ __mul__ __rmul__ __imul__ __truediv__ __itruediv__ __div__
    __pow__ __ipow__ __floordiv__ __mod__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__ add add_ sub sub_ mul mul_ div div_
    pow view reshape expand repeat unflatten narrow select split chunk new_full full_like new_zeros new_ones clamp
    clamp_ interpolate roll pad topk tile repeat_interleave""".split()
)
COMMUTE = frozenset("__add__ __radd__ add __mul__ __rmul__ mul".split())
OPERATORS = {
    "__add__": "add", "__radd__": "add", "__iadd__": "add", "__mul__": "mul", "__rmul__": "mul", "__imul__": "mul",
    "__sub__": "sub", "__isub__": "sub", "__rsub__": "rsub", "__truediv__": "div", "__itruediv__": "div",
    "__div__": "div", "__matmul__": "matmul", "__pow__": "pow", "__ipow__": "pow", "__neg__": "neg", "__abs__": "abs",
    "__invert__": "bitwise_not", "__eq__": "eq", "__ne__": "ne", "__lt__": "lt", "__le__": "le", "__gt__": "gt",
    "__ge__": "ge", "__and__": "bitwise_and", "__or__": "bitwise_or", "__floordiv__": "floor_divide",
    "__mod__": "remainder", "multiply": "mul", "divide": "div", "true_divide": "div", "subtract": "sub",
    "float_power": "pow",
}  # fmt: skip
# Methods take sizes one by one, or their operands in another order; their functions do not.
_VARIADIC = frozenset({"reshape", "permute", "flip", "tile", "where"})
# What is asked of a tensor and does not depend on its size.
OF_ANY_SIZE = frozenset(
    """ndim dim ndimension dtype layout requires_grad is_leaf grad grad_fn itemsize element_size is_floating_point
    is_complex is_signed is_cuda is_cpu is_sparse is_quantized is_nested is_mkldnn is_mps is_xpu get_device""".split()
)
TENSOR_PROPERTIES = {
    "T": "t",
    "mT": "adjoint",
    "H": "adjoint",
    "mH": "adjoint",
    "data": "data",
    "real": "real",
    "imag": "imag",
}


def renamed(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Keywords by PyTorch's own names."""
    if not kwargs.keys() & _KEYWORDS.keys():
        return kwargs
    return {_KEYWORDS.get(name, name): value for name, value in kwargs.items()}


def is_in_place(name: str) -> bool:
    """Whether a function or method of this name changes its first argument."""
    if name.startswith("__"):
        return name == "__setitem__" or (
            name.startswith("__i") and name in OPERATORS and name != "__invert__"
        )
    return name.endswith("_")


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
        return "call_function", getattr(torch, OPERATORS.get(name, name), func)
    if name == "__getitem__":
        return "call_function", getitem
    name = OPERATORS.get(name, name)
    plain = name if name.endswith("__") else name.rstrip("_")
    if plain not in _VARIADIC and callable(function := _function_of(plain)):
        return "call_function", function
    if hasattr(Tensor, plain):  # before F, where `unfold` is another operator
        return "call_method", plain
    if name.endswith("_") and not name.endswith("__") and hasattr(Tensor, name):
        return "call_function", change
    return "call_function", getattr(F, plain, func)


def _function_of(name: str) -> Any:
    """PyTorch's own function of this name, also where a package has put a wrapper in its place.

    torch_geometric 2.8 does so with `torch.index_select`.
    """
    function = getattr(torch, name, None)
    if inspect.isfunction(function) and function.__module__.partition(".")[0] != "torch":
        return own_function(name, function)
    return function


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


def leaves_first_unread(name: str, kwargs: Any) -> bool:
    """Whether a call reads no value of its first argument: a view of it, or `baddbmm(first, a, b, beta=0)`."""
    return name in VIEWS or (name in ADDS_PRODUCTS and kwargs.get("beta") == 0)
