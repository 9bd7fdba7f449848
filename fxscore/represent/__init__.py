"""Representations: what each operator becomes in a constructed architecture, one file per operator family."""

from __future__ import annotations

from fxscore.represent import (
    attention,
    contraction,
    convolution,
    elementwise,
    linear,
    normalisation,
    packing,
    parts,
    recurrent,
    reductions,
    spelling,
)
from fxscore.represent.context import RewriteContext
from fxscore.represent.registry import has_module_rule, module_rule, represents, rule_for

__all__ = [
    "RewriteContext",
    "attention",
    "contraction",
    "convolution",
    "elementwise",
    "has_module_rule",
    "linear",
    "module_rule",
    "normalisation",
    "packing",
    "parts",
    "recurrent",
    "reductions",
    "represents",
    "rule_for",
    "spelling",
]
