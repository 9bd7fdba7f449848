"""Several proxies of one network at the price of few: one count of its structure, one copy, one loss gradient.

The values are those of each proxy alone. Shared are the count of the structural proxies of one resolution, the
private copy of those that leave its weights alone, and among these the forward and the backward pass of the
first-order gradient proxies. One proxy's failure costs no other its value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from typing import TypeVar

import torch
from torch import Tensor, nn

from fxscore.proxies.base import BaseProxy, resized
from fxscore.proxies.fisher import ChannelTap, Fisher
from fxscore.proxies.gradients import FirstOrder
from fxscore.proxies.probe import SeededProxy, private_copy
from fxscore.proxies.readable import symlog
from fxscore.proxies.structural import StructuralProxy
from fxscore.proxies.structure import Structure, measure_structure
from fxscore.proxies.taps import WeightTap
from fxscore.types import Shape

Values = dict[str, float | Exception]
_P = TypeVar("_P", bound=BaseProxy)


def measure_together(proxies: Sequence[BaseProxy], module: nn.Module, input_shape: Shape) -> Values:
    """The value of each proxy by its `scorer_id`, or the error that kept it from one.

    Args:
        proxies: of different identities.
        module: the network, with real weights where any of them needs weights; left as it is.
        input_shape: (C, H, W).
    """
    structural = [proxy for proxy in proxies if isinstance(proxy, StructuralProxy)]
    undisturbed = [proxy for proxy in proxies if isinstance(proxy, SeededProxy) and not proxy.redraws]
    alone = [proxy for proxy in proxies if proxy not in (*structural, *undisturbed)]
    one = partial(_each, module, input_shape)
    values = one(alone, lambda proxy: proxy.measure(module, input_shape))
    for same in _grouped(structural, lambda proxy: proxy.resolution):
        count = cache(partial(measure_structure, module, resized(input_shape, same[0].resolution)))
        values |= one(same, partial(_count, count))
    for members in _grouped(undisturbed, lambda proxy: (proxy.seed, proxy.initialise)):
        values |= _on_one_copy(members, module, input_shape)
    return {proxy.scorer_id: values[proxy.scorer_id] for proxy in proxies}


def _each(module: nn.Module, shape: Shape, proxies: Iterable[_P], measure: Callable[[_P], float]) -> Values:
    values: Values = {}
    for proxy in proxies:
        try:
            values[proxy.scorer_id] = proxy.checked(module, shape, partial(measure, proxy))
        except Exception as error:  # noqa: BLE001  the network's own code, which may raise anything
            values[proxy.scorer_id] = error
    return values


def _grouped(proxies: Iterable[_P], key: Callable[[_P], object]) -> Iterable[list[_P]]:
    groups: dict[object, list[_P]] = {}
    for proxy in proxies:
        groups.setdefault(key(proxy), []).append(proxy)
    return groups.values()


def _count(structure: Callable[[], Structure], proxy: StructuralProxy) -> float:
    return float(proxy.read(structure()))


def _on_one_copy(proxies: Sequence[SeededProxy], module: nn.Module, shape: Shape) -> Values:
    one = partial(_each, module, shape)
    first = [proxy for proxy in proxies if isinstance(proxy, FirstOrder)]
    others = [proxy for proxy in proxies if not isinstance(proxy, FirstOrder)]
    with torch.inference_mode(False), private_copy(module, proxies[0].seed, proxies[0].initialise) as network:
        values = one(others, lambda proxy: proxy.value_on(network, proxy.images(shape, module)))
        for same in _grouped(first, lambda proxy: (proxy.batch, proxy.resolution, proxy.spectrum)):
            passed = cache(partial(_gradients, same, network, same[0].images(shape, module)))
            values |= one(same, partial(_summed, passed))
    return values


def _gradients(
    proxies: Sequence[FirstOrder], network: nn.Module, images: Tensor
) -> tuple[dict[int, Tensor], WeightTap]:
    """The loss gradient of all that any of the proxies wants, by the tensor's id, and what the tap saw."""
    widest = next((proxy for proxy in proxies if isinstance(proxy, Fisher)), proxies[0])
    loss, tap = widest.forward(network, images)
    factors = [factor for factor, _, _ in tap.factors] if isinstance(tap, ChannelTap) else []
    wanted = [*tap.weights, *factors]
    gradients = torch.autograd.grad(loss, wanted, materialize_grads=True)
    return {id(tensor): gradient for tensor, gradient in zip(wanted, gradients, strict=True)}, tap


def _summed(passed: Callable[[], tuple[dict[int, Tensor], WeightTap]], proxy: FirstOrder) -> float:
    known, tap = passed()
    return symlog(float(proxy.summed([known[id(tensor)] for tensor in proxy.wanted(tap)], tap)))
