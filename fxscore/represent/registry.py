"""The table of representations: which rule rewrites which operator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from torch import fx, nn

Rule = Callable[..., fx.Node]
_Decorated = TypeVar("_Decorated", bound=Rule)

_RULES: dict[Any, Rule] = {}


def represents(*operators: Any) -> Callable[[_Decorated], _Decorated]:
    """Declare the representation of operators.

    The rule is called as the operator was, after a `RewriteContext`; it returns the node that takes the operator's
    place. An operator is a function (`F.conv2d`), the name of a tensor method without a function (`"view"`) or of a C++
    operator (`"torchvision.deform_conv2d"`), or a
    module class (itself, or its name where importing it would be dear), whose rule is given the module before the
    arguments::

        @fxscore.represents(MyLayer)
        def my_layer(ctx, module, x):
            weight = ctx.synthesise((module.out_features, module.in_features))
            return ctx.unitise(ctx.call(F.linear, x, weight))
    """

    def declare(rule: _Decorated) -> _Decorated:
        for operator in operators:
            _RULES[operator] = rule
        return rule

    return declare


def rule_for(operator: Any) -> Rule | None:
    """The rule of a function, method name or module class, or of a C++ operator by its name; None where it has none."""
    return _RULES.get(operator) or _RULES.get(str(operator))


def module_rule(module: nn.Module) -> Rule | None:
    """The rule declared for the class of `module`, or for the nearest of its bases."""
    for cls in type(module).__mro__:
        rule = _RULES.get(cls) or _RULES.get(cls.__name__)
        if rule is not None:
            return rule
    return None


def has_module_rule(module: nn.Module) -> bool:
    """Whether `module` is captured as one node because a rule represents its class."""
    return module_rule(module) is not None
