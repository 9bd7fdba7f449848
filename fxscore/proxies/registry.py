"""The proxies by name; their classes are loaded when first asked for."""

from __future__ import annotations

from dataclasses import fields
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from fxscore.errors import ScorerError

if TYPE_CHECKING:
    from fxscore.proxies.base import BaseProxy, Proxy

_SIZE = "resolution=None"
_SEEDED = f"{_SIZE},seed=0,spectrum=1.0,initialise=True"
_ON_NOISE = f"batch=16,{_SIZE},seed=0,spectrum=0.0,initialise=True"
# name → where its class is, and its default settings, which a ranking of the store alone wants without torch
_PROXIES = MappingProxyType(
    {
        "params": ("structural:Params", ""),
        "macs": ("structural:Macs", _SIZE),
        "flops": ("structural:Flops", _SIZE),
        "activations": ("structural:Activations", _SIZE),
        "layers": ("structural:Layers", _SIZE),
        "layer_depth": ("structural:Depth", _SIZE),
        "naswot": ("naswot:Naswot", f"batch=32,{_SEEDED}"),
        "zen": ("zen:Zen", _ON_NOISE),
        "synflow": ("synflow:Synflow", f"{_SIZE},seed=0,initialise=True"),
        "snip": ("gradients:Snip", f"batch=16,{_SEEDED}"),
        "grasp": ("gradients:Grasp", f"batch=16,{_SEEDED}"),
        "fisher": ("fisher:Fisher", f"batch=16,{_SEEDED}"),
        "grad_norm": ("gradients:GradNorm", f"batch=16,{_SEEDED}"),
        "jacov": ("jacov:Jacov", f"batch=16,{_SEEDED}"),
        "swap": ("swap:Swap", f"batch=32,{_SEEDED},mu=None,sigma=1.0"),
        "wrcor": ("wrcor:WRCor", f"batch=16,{_SEEDED}"),
        "vkdnw": ("vkdnw:Vkdnw", f"batch=16,{_SEEDED}"),
        "az_expressivity": ("az_nas:Expressivity", _ON_NOISE),
        "az_progressivity": ("az_nas:Progressivity", _ON_NOISE),
        "az_trainability": ("az_nas:Trainability", _ON_NOISE),
    }
)


def proxy_names() -> tuple[str, ...]:
    """Every name that `get_proxy` takes."""
    return tuple(_PROXIES)


def default_id(name: str) -> str:
    """The `scorer_id` of a proxy with its default settings; loads no torch."""
    settings = _PROXIES[name][1]
    return f"{name}({settings})" if settings else name


def proxy_class(name: str) -> type[BaseProxy]:
    """The class of the proxy called `name`; raises `ScorerError` where there is none."""
    if name not in _PROXIES:
        raise ScorerError(f"no proxy {name!r}; there are {', '.join(_PROXIES)}")
    file, _, kind = _PROXIES[name][0].partition(":")
    found: type[BaseProxy] = getattr(import_module(f"fxscore.proxies.{file}"), kind)
    return found


def get_proxy(name: str, **settings: Any) -> Proxy:
    """The proxy called `name`, with its default settings save those given.

    Args:
        name: One of `proxy_names()`.
        **settings: Fields of the proxy: `batch`, `resolution`, `seed` and the like.

    Raises:
        ScorerError: There is no such proxy, or it has no such setting.
    """
    kind = proxy_class(name)
    known = [field.name for field in fields(kind)]
    if unknown := sorted(set(settings) - set(known)):
        raise ScorerError(f"{name} has no setting {unknown[0]!r}; it has {', '.join(known) or 'none'}")
    return kind(**settings)
