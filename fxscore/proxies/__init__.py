"""Handcrafted scores of untrained networks, the baselines that a learned scorer has to beat."""

from fxscore.proxies.base import BaseProxy, Proxy
from fxscore.proxies.registry import get_proxy, proxy_names
from fxscore.proxies.structure import Structure, count_params, measure_structure

__all__ = ["BaseProxy", "Proxy", "Structure", "count_params", "get_proxy", "measure_structure", "proxy_names"]
