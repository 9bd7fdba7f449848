"""What a captured forward leaves behind in a module (caches, hooks, counters) is gone before the next capture."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fxscore.capture import capture
from fxscore.capture.standin import unchanged


class Caching(nn.Module):
    """Fills a cache and installs a hook when it first runs."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.cache: dict[int, Tensor] = {}
        self.calls: list[int] = []
        self.seen = 0

    def forward(self, x: Tensor) -> Tensor:
        if not self.cache:
            self.cache[0] = self.conv.weight * 2
            self.conv.register_forward_hook(lambda module, inputs, output: self.calls.append(1))
        self.seen += 1
        output: Tensor = self.conv(x) + self.cache[0].sum()
        return output


def test_a_module_can_be_captured_again_and_again() -> None:
    model = Caching()
    codes = {str(capture(model, (3, 6, 6), batch=2, owned=True).graph) for _ in range(3)}
    assert len(codes) == 1
    assert (model.cache, model.calls, model.seen, len(model.conv._forward_hooks)) == ({}, [], 0, 0)


def test_what_a_forward_changes_is_as_before() -> None:
    model = Caching()
    cache = model.cache
    with unchanged(model):
        model(torch.zeros(1, 3, 6, 6))
        model.extra = 1  # type: ignore[assignment]
        assert model.seen == 1
        assert len(model.cache) == 1
    assert model.cache is cache
    assert (model.cache, model.seen, hasattr(model, "extra")) == ({}, 0, False)
