"""PyTorch's private names, all that fxscore uses: for each, where it was seen, and what breaks without it.

PyTorch promises nothing of them. A release that moves one is mended here; everything else uses public names, which
`tests/capture/test_torch_private.py` holds. Where no other
version is named, only 2.14 was looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch._ops
import torch._subclasses.fake_tensor
import torch.fx._lazy_graph_module
import torch.nn.functional as F
import torch.nn.modules.batchnorm
import torch.overrides
import torch.utils._python_dispatch
import torch.utils._pytree
from torch import Tensor, fx, nn

# Seen in 2.14. The classes of `torch.ops.aten.add.Tensor` and of `torch.ops.aten.add`. Without them nothing tells
# an operator of an exported graph or of another package from a function: no export, no counts, no missing rules.
OpOverload = torch._ops.OpOverload
OpOverloadPacket = torch._ops.OpOverloadPacket

# Seen in 2.14. What `nn.utils.rnn.pack_padded_sequence` and its inverse call. Without them packed sequences of one
# length are not seen to be padded ones.
PACK, UNPACK = torch._pack_padded_sequence, torch._pad_packed_sequence

# Seen in 2.14. Tensors that have a shape and no values while their devices look real. Without it the structural
# proxies (params, macs, activations …) compute what they count.
FakeTensorMode = torch._subclasses.fake_tensor.FakeTensorMode

# Seen in 2.14. A graph module that writes its Python code when it is first run. Without it `fx.GraphModule`
# serves, and every capture costs the writing and compiling of code that passes throw away.
LazyGraphModule = torch.fx._lazy_graph_module._LazyGraphModule

# Seen in 2.14. The base of BatchNorm1d, 2d, 3d and SyncBatchNorm. Without it proxies know these four alone, and
# put no other package's kind into training mode.
BatchNormBase = torch.nn.modules.batchnorm._BatchNorm

# Seen in 2.14. Sets the innermost function mode aside. Without it an export within a recording is recorded too.
pop_mode_temporarily = torch.overrides._pop_mode_temporarily

# Seen in 2.0 to 2.14, which has it in public as `torch.utils.pytree`. Walks nested arguments. Without it no example
# input that is a list or a dictionary is taken.
pytree = torch.utils._pytree

# Seen in 2.14; documented, under this private name. Without it proxies see no operators.
TorchDispatchMode = torch.utils._python_dispatch.TorchDispatchMode

# Seen in 2.14. Where functions live that `torch` and `torch.nn.functional` do not show: `avg_pool2d`, `gelu` …
# Without the third, some operators of exported graphs keep their aten names, and are represented by no rule.
FUNCTION_HOMES: tuple[Any, ...] = (torch, F, torch._C._nn, Tensor)

# Seen in 2.14. What `torch.jit.script` makes of a function. Without it a scripted function within a network is
# one opaque call.
ScriptFunction: Any = torch._C.ScriptFunction

# Seen in 2.14. A context in which no function mode is told of calls. Without it the initialisation of a lazy
# module is recorded as a part of its forward.
DisableTorchFunction: Any = torch._C.DisableTorchFunction

# Seen in 2.14. What `torch.distributions.Dirichlet` calls. Without it a network that draws from it on the meta
# device fails.
sample_dirichlet: Any = torch._sample_dirichlet

# Mixtures of experts: public since 2.10 as `F.grouped_mm`, `torch._grouped_mm` before (seen in 2.14). Without it such a
# network's products are not counted.
GROUPED_PRODUCTS: tuple[Any, ...] = tuple(
    function
    for function in (getattr(F, "grouped_mm", None), getattr(torch, "_grouped_mm", None))
    if function is not None
)

# Seen in 2.14. Where export logs a traceback for each operator that fails. Without it stderr shows those.
EXPORT_LOGGER = "torch._subclasses.fake_tensor"

# Seen in 2.14: the module that `torch.compile` imports, and where the module that it makes keeps the given one.
# Without the first nothing tells cheaply that nothing was compiled; without the other a compiled module is not
# unwrapped, and cannot be recorded.
COMPILER = "torch._dynamo"
COMPILED_FROM = "_orig_mod"


def operator_name(operator: OpOverload) -> str:
    """Its name without namespace and overload, such as `add`. `_schema`: seen in 2.14; no export without it."""
    return operator._schema.name.split("::")[-1]


def version_of(tensor: Tensor) -> int:
    """How often its storage was written to. `_version`: seen in 2.14.

    Without it changes in place go unseen: a recording keeps old values, synthesised weights outlive a training step.
    """
    return tensor._version


def base_of(tensor: Tensor) -> Tensor | None:
    """What it is a view of; None where of nothing. `_base`: seen in 2.14.

    Without it a change in place through a view is not a change of what was viewed.
    """
    return tensor._base


def storage_key(storage: torch.UntypedStorage) -> int:
    """Equal for tensors that share this storage. `_cdata`: seen in 2.6 to 2.14.

    Without it the memory of a forward counts a view as a tensor of its own (`data_ptr` is 0 on the meta device).
    """
    return int(storage._cdata)


def set_arguments(node: fx.Node, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """All arguments of a node at once. `_update_args_kwargs`: seen in 2.14.

    The public setters, one after the other, serve too, at six times the cost.
    """
    node._update_args_kwargs(args, kwargs)


def children_of(module: nn.Module) -> dict[str, nn.Module | None]:
    """Its own table of children, to write to. `_modules`: seen in 2.14; without it none is replaced in place."""
    return module._modules


def parameters_of(module: nn.Module) -> dict[str, Any]:
    """Its own table of parameters, to write to. `_parameters`: seen in 2.14; lazy modules need it."""
    return module._parameters


def buffers_of(module: nn.Module) -> dict[str, Tensor | None]:
    """Its own table of buffers, to write to. `_buffers`: seen in 2.14; graphs need it for constants."""
    return module._buffers


def tensors_of(module: nn.Module) -> Iterator[Tensor | None]:
    """Its own parameters and buffers. `_buffers`: seen in 2.14; the public lists leave repeated ones out."""
    yield from module._parameters.values()
    yield from module._buffers.values()


def forget_compiled(module: nn.Module) -> None:
    """Undo `module.compile()` on a copy. `_compiled_call_impl`: seen in 2.14; without it the compiler runs."""
    module._compiled_call_impl = None


def set_deterministic(wanted: bool, warn_only: bool) -> None:
    """PyTorch's deterministic mode, in which memory that nobody wrote to reads as NaN; seen in 2.14.

    The public switch serves too, but imports the compiler, which takes seconds.
    """
    torch._C._set_deterministic_algorithms(wanted, warn_only=warn_only)


def schema_arguments(schema: str) -> list[Any]:
    """The declared arguments of a TorchScript operator. `parse_schema`: seen in 2.14; no scripts without it."""
    return list(torch._C.parse_schema(schema).arguments)


def own_function(name: str, otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """PyTorch's own function of a name in `torch`, whatever a package has put there; seen in 2.6 to 2.14.

    Without it `torch_geometric`'s wrapper of `torch.index_select` is an unknown function.
    """
    return getattr(torch._C._VariableFunctions, name, otherwise)
