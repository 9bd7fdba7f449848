"""Handcrafted scores of untrained networks, the baselines that a learned scorer has to beat.

Names are loaded when first used: those of the proxies are known without torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fxscore.on_demand import loader

if TYPE_CHECKING:
    from fxscore.proxies.base import BaseProxy, Proxy
    from fxscore.proxies.registry import default_id, get_proxy, proxy_names
    from fxscore.proxies.structure import Structure, count_params, measure_structure
else:
    __getattr__ = loader(
        __name__,
        {
            "BaseProxy": "fxscore.proxies.base",
            "Proxy": "fxscore.proxies.base",
            "Structure": "fxscore.proxies.structure",
            "count_params": "fxscore.proxies.structure",
            "default_id": "fxscore.proxies.registry",
            "get_proxy": "fxscore.proxies.registry",
            "measure_structure": "fxscore.proxies.structure",
            "proxy_names": "fxscore.proxies.registry",
        },
    )

__all__ = [
    "BaseProxy",
    "Proxy",
    "Structure",
    "count_params",
    "default_id",
    "get_proxy",
    "measure_structure",
    "proxy_names",
]
