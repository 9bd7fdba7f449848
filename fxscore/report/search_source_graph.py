"""Any traceable network as a Python file, layer by layer from its `torch.fx` trace.

torch's own layers print as the call that makes them; a trace that holds anything else is refused.
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter

from torch import fx, nn

from fxscore.errors import SearchError
from fxscore.types import Shape

_TEMPLATE = '''"""{about}
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

INPUT_SHAPE = {shape}


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
{layers}

    def forward(self, x: Tensor) -> Tensor:
{steps}


def build() -> nn.Module:
    return Network()
'''


def graph_source(module: nn.Module, input_shape: Shape, about: str) -> str:
    """The text of the file; `about` is its docstring.

    Raises:
        SearchError: the network cannot be traced, or a layer is none of torch's own.
    """
    try:
        graph = fx.Tracer().trace(module.eval())
    except (fx.proxy.TraceError, TypeError, RuntimeError, ValueError) as error:
        raise SearchError(f"the network cannot be traced, so it has no plain file: {error}") from None
    _rename_input(graph)
    names = _rename(graph, module)
    layers = [f"self.{name} = {_call(module.get_submodule(target))}" for target, name in names.items()]
    return _TEMPLATE.format(
        about=about,
        shape=input_shape,
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


def _call(layer: nn.Module) -> str:
    """`nn.Conv2d(3, 16, kernel_size=(3, 3), …)`."""
    text = repr(layer)
    if not type(layer).__module__.startswith("torch.nn.") or "\n" in text:
        raise SearchError(f"{type(layer).__name__} is none of torch's own layers: it has no plain file")
    return f"nn.{text}"


def _steps(graph: fx.Graph) -> str:
    """The body of `forward`, without the deletions that `torch.fx` writes to save memory."""
    source = graph.python_code("self").src
    body = textwrap.dedent(source.partition("\n")[2] if source.startswith("\n") else source)
    lines = body[body.index("def forward") :].splitlines()[1:]
    plain = (re.sub(r"(;\s+\w+ = None)+.*$|\s+#.*$", "", line) for line in lines)
    return textwrap.dedent("\n".join(line for line in plain if line.strip()))
