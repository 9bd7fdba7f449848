"""The constructed architecture is checked: no weight of the source is left, and every target is known."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import torch
from torch import fx

from fxscore.errors import PassError
from fxscore.passes.base import PassBase, PassResult
from fxscore.represent.registry import rule_for

_KNOWN = ("torch", "_operator", "builtins", "fxscore", "math", "torchvision", "timm")


class VerifyPass(PassBase):
    """Changes nothing.

    Raises:
        PassError: a parameter or an unknown target is left, or a constant has no value.
    """

    def call(self, graph_module: fx.GraphModule) -> PassResult:
        for node in graph_module.graph.nodes:
            if node.meta.get("is_parameter"):
                raise PassError(
                    f"the parameter {node.target!r} is still used by {[user.name for user in node.users]}"
                )
            if node.op == "call_module":
                raise PassError(
                    f"the module {node.target!r} is still called; its rule must return other nodes"
                )
            if node.op == "call_function" and not _is_known(node.target):
                raise PassError(
                    f"{node.name} calls {node.target!r}, which is neither PyTorch nor a declared operator"
                )
            if node.op == "get_attr":
                _check_constant(graph_module, str(node.target))
        return PassResult(graph_module, False)


def _is_known(target: Any) -> bool:
    module = getattr(target, "__module__", None) or type(target).__module__
    return module.split(".")[0] in _KNOWN or rule_for(target) is not None


def _check_constant(graph_module: fx.GraphModule, path: str) -> None:
    value = attrgetter(path)(graph_module)
    if isinstance(value, torch.Tensor) and value.is_meta:
        raise PassError(
            f"the buffer {path!r} is on the meta device, so its value is unknown; "
            "build the network without `torch.device('meta')`: fxscore needs no memory for its weights anyway"
        )
