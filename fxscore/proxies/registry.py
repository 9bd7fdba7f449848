"""The proxies by name."""

from __future__ import annotations

from dataclasses import fields
from types import MappingProxyType
from typing import Any

from fxscore.errors import ScorerError
from fxscore.proxies.az_nas import Expressivity, Progressivity, Trainability
from fxscore.proxies.base import BaseProxy, Proxy
from fxscore.proxies.fisher import Fisher
from fxscore.proxies.gradients import GradNorm, Grasp, Snip
from fxscore.proxies.jacov import Jacov
from fxscore.proxies.naswot import Naswot
from fxscore.proxies.structural import Activations, Depth, Flops, Layers, Macs, Params
from fxscore.proxies.swap import Swap
from fxscore.proxies.synflow import Synflow
from fxscore.proxies.vkdnw import Vkdnw
from fxscore.proxies.wrcor import WRCor
from fxscore.proxies.zen import Zen

_STRUCTURAL: tuple[type[BaseProxy], ...] = (Params, Macs, Flops, Activations, Layers, Depth)
_WEIGHTED: tuple[type[BaseProxy], ...] = (Naswot, Zen, Synflow, Snip, Grasp, Fisher, GradNorm, Jacov)
_LATER: tuple[type[BaseProxy], ...] = (Swap, WRCor, Vkdnw, Expressivity, Progressivity, Trainability)
PROXIES = MappingProxyType({kind.name: kind for kind in (*_STRUCTURAL, *_WEIGHTED, *_LATER)})


def proxy_names() -> tuple[str, ...]:
    """Every name that `get_proxy` takes."""
    return tuple(PROXIES)


def get_proxy(name: str, **settings: Any) -> Proxy:
    """The proxy called `name`, with its default settings save those given.

    Args:
        name: One of `proxy_names()`.
        **settings: Fields of the proxy: `batch`, `resolution`, `seed` and the like.

    Raises:
        ScorerError: There is no such proxy, or it has no such setting.
    """
    kind = PROXIES.get(name)
    if kind is None:
        raise ScorerError(f"no proxy {name!r}; there are {', '.join(PROXIES)}")
    known = [field.name for field in fields(kind)]
    if unknown := sorted(set(settings) - set(known)):
        raise ScorerError(f"{name} has no setting {unknown[0]!r}; it has {', '.join(known) or 'none'}")
    return kind(**settings)
