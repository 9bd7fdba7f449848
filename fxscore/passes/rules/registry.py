"""The table of rewriting rules, by the operator that a pattern ends in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import fx

from fxscore.represent.context import RewriteContext

Rewrite = Callable[[RewriteContext, fx.Node], fx.Node | None]
RULES: dict[Any, list[Rewrite]] = {}


def rewrites(*targets: Any) -> Callable[[Rewrite], Rewrite]:
    """Declare a rule for nodes that call one of `targets`.

    The rule is given a context that builds before the node, and the node; it returns what takes the node's place, or
    None, having changed nothing, where its pattern does not match.
    """

    def declare(rule: Rewrite) -> Rewrite:
        for target in targets:
            RULES.setdefault(target, []).append(rule)
        return rule

    return declare
