"""Handcrafted proxies as scorers."""

from __future__ import annotations

from dataclasses import dataclass

from fxscore.capture.lazy import initialised
from fxscore.errors import ScorerError
from fxscore.proxies import Proxy
from fxscore.proxies.structural import CostProxy
from fxscore.scorer.subject import Subject
from fxscore.types import Shape


@dataclass(frozen=True)
class ProxyScorer:
    """Scores a network by a handcrafted proxy; most need real weights, so the module is built with them."""

    proxy: Proxy
    batch: None = None

    @property
    def needs_weights(self) -> bool:
        """Whether the proxy needs initialised weights."""
        return self.proxy.needs_weights

    @property
    def scorer_id(self) -> str:
        """The proxy's identity, with its settings."""
        return self.proxy.scorer_id

    def shape_for(self, input_shape: Shape) -> Shape:
        """A network's own."""
        return input_shape

    def score(self, subject: Subject) -> float:
        """The proxy's value."""
        if not subject.inputs.is_one_image:
            raise ScorerError(f"{self.scorer_id} takes networks of one image; this one takes other inputs")
        if isinstance(self.proxy, CostProxy) and self.proxy.resolution is None:
            proxy = self.proxy
            return proxy.checked(subject.module, subject.input_shape, lambda: proxy.of(subject.costs()))
        module = initialised(subject.module, subject.input_shape) if self.needs_weights else subject.shaped
        return self.proxy(module, subject.input_shape)
