"""Any traceable network as a Python file, layer by layer from its `torch.fx` trace.

torch's own layers print as the call that makes them; a trace that holds anything else is refused. Where a linear layer
comes last, its number of outputs is an option of the builder, `num_classes`, as in timm and torchvision.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections import Counter

from torch import Tensor, fx, nn

from fxscore.errors import SearchError
from fxscore.types import Shape

_PLACES = ("device", "dtype")
# nn.Identity takes anything.
_ANY = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_TEMPLATE = '''"""{about}
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

INPUT_SHAPE = {shape}


class Network(nn.Module):
    def __init__(self{classes}) -> None:
        super().__init__()
{layers}

    def forward(self, x: Tensor) -> Tensor:
{steps}


def build({option}) -> nn.Module:
    return Network({argument})
'''


def graph_source(module: nn.Module, input_shape: Shape, about: str) -> str:
    """The text of the file; `about` is its docstring.

    Raises:
        SearchError: the network cannot be traced, or a layer is none of torch's plain ones.
    """
    try:
        graph = fx.Tracer().trace(module.eval())
    except (fx.proxy.TraceError, TypeError, RuntimeError, ValueError) as error:
        raise SearchError(f"the network cannot be traced, so it has no plain file: {error}") from None
    _rename_input(graph)
    last = _classifier(graph, module)
    names = _rename(graph, module)
    calls = {target: _call(module.get_submodule(target), target == last) for target in names}
    layers = [f"self.{name} = {calls[target]}" for target, name in names.items()]
    option = "" if last is None else f"num_classes: int = {module.get_submodule(last).out_features}"
    return _TEMPLATE.format(
        about=about,
        shape=input_shape,
        classes=f", {option}" if option else "",
        option=option,
        argument="num_classes" if option else "",
        layers=textwrap.indent("\n".join(layers), " " * 8),
        steps=textwrap.indent(_steps(graph), " " * 8),
    )


def _rename_input(graph: fx.Graph) -> None:
    """Call the input x, whatever name the trace found (`input` is a builtin, and printed with a number)."""
    before = next(node for node in graph.nodes if node.op == "placeholder")
    if before.target != "x":
        with graph.inserting_before(before):
            before.replace_all_uses_with(graph.placeholder("x"))
        graph.erase_node(before)


def _rename(graph: fx.Graph, module: nn.Module) -> dict[str, str]:
    """Give the layers flat names in the order of use: target → name."""
    counts: Counter[str] = Counter()
    names: dict[str, str] = {}
    for node in graph.nodes:
        if node.op == "get_attr":
            raise SearchError(f"the network uses {node.target}, a tensor of its own: it has no plain file")
        if node.op == "call_module":
            target = str(node.target)
            if target not in names:
                kind = type(module.get_submodule(target)).__name__.lower()
                counts[kind] += 1
                names[target] = f"{kind}_{counts[kind]}"
            node.target = names[target]
    return names


def _classifier(graph: fx.Graph, module: nn.Module) -> str | None:
    """The target of the linear layer that gives the output, if one does."""
    last = next(node for node in graph.nodes if node.op == "output").args[0]
    if not isinstance(last, fx.Node) or last.op != "call_module":
        return None
    target = str(last.target)
    once = sum(node.target == last.target for node in graph.nodes) == 1
    return target if once and isinstance(module.get_submodule(target), nn.Linear) else None


def _call(layer: nn.Module, classifies: bool) -> str:
    """`nn.Conv2d(3, 16, 3, padding=1)`: the arguments that differ from their defaults."""
    if not type(layer).__module__.startswith("torch.nn.") or list(layer.children()):
        raise SearchError(f"{type(layer).__name__} is none of torch's plain layers: it has no plain file")
    arguments = []
    for name, parameter in inspect.signature(type(layer)).parameters.items():
        if parameter.kind in _ANY or name in _PLACES:
            continue
        value = _plain(getattr(layer, name, parameter.default), layer)
        if name == "bias":
            value = isinstance(value, Tensor)
        if classifies and name == "out_features":
            arguments.append("num_classes")
        elif parameter.default is parameter.empty:
            arguments.append(repr(value))
        elif value != parameter.default:
            arguments.append(f"{name}={value!r}")
    return f"nn.{type(layer).__name__}({', '.join(arguments)})"


def _plain(value: object, layer: nn.Module) -> object:
    """One number where a convolution or pool has it for every axis."""
    kind = type(layer).__name__
    spatial = "Conv" in kind or "Pool" in kind
    return value[0] if spatial and isinstance(value, tuple) and len(set(value)) == 1 else value


def _steps(graph: fx.Graph) -> str:
    """The body of `forward`, without the deletions that `torch.fx` writes to save memory."""
    source = graph.python_code("self").src
    body = textwrap.dedent(source.partition("\n")[2] if source.startswith("\n") else source)
    lines = body[body.index("def forward") :].splitlines()[1:]
    plain = (re.sub(r"(;\s+\w+ = None)+.*$|\s+#.*$", "", line) for line in lines)
    return textwrap.dedent("\n".join(line for line in plain if line.strip()))
