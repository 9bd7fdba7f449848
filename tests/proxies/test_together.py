"""Proxies measured together have the values that each has alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from fxscore.errors import ScorerError
from fxscore.proxies import get_proxy, proxy_names
from fxscore.proxies.base import BaseProxy
from fxscore.proxies.together import measure_together
from tests.proxies.networks import SHAPE, Attention, small_net
from tests.proxies.test_promises import same, small, snapshot


def proxies() -> list[BaseProxy]:
    made = [small(name) for name in proxy_names()]
    made += [
        get_proxy("snip", batch=6),
        get_proxy("fisher", batch=4, seed=1),
        get_proxy("macs", resolution=16),
    ]
    return [proxy for proxy in made if isinstance(proxy, BaseProxy)]


@pytest.mark.parametrize("build", [small_net, Attention])
def test_values_are_those_of_each_alone_and_the_network_stays(build: Callable[[], nn.Module]) -> None:
    network = build().train()
    alone = {proxy.scorer_id: proxy(network, SHAPE) for proxy in proxies()}
    before = snapshot(network)
    with torch.inference_mode():
        together = measure_together(proxies(), network, SHAPE)
    assert len(together) == len(proxy_names()) + 3
    assert together == pytest.approx(alone, rel=1e-6)
    assert same(before, snapshot(network))


def test_one_failure_costs_no_other_its_value() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 5))  # no rectifier; fits one resolution alone
    chosen = [small(name) for name in ("naswot", "snip", "params")] + [small("macs", resolution=16)]
    values = measure_together([p for p in chosen if isinstance(p, BaseProxy)], network, (3, 8, 8))
    naswot, snip, params, macs = values.values()
    assert isinstance(naswot, ScorerError)
    assert "naswot of torch.nn" in str(naswot)
    assert "no rectifier" in str(naswot)
    assert isinstance(macs, RuntimeError)
    assert isinstance(snip, float)
    assert params == 3 * 64 * 5 + 5
