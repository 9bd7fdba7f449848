"""Mixtures of experts as current transformers write them: rows sorted by expert, one grouped product."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import fxscore
from fxscore.constructed import construct

WIDTH, INNER, CHOSEN, TOKENS = 8, 16, 2, 5


class Experts(nn.Module):
    """Each token goes to the two experts that its router gives most."""

    def __init__(self, experts: int) -> None:
        super().__init__()
        self.router = nn.Linear(WIDTH, experts, bias=False)
        self.up = nn.Parameter(torch.randn(experts, WIDTH, INNER))
        self.down = nn.Parameter(torch.randn(experts, INNER, WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        rows = x.flatten(0, 1)
        shares, chosen = self.router(rows).softmax(-1).topk(CHOSEN, -1)
        numbers = chosen.flatten()
        order = numbers.argsort()
        counts = torch.histc(numbers.float(), bins=len(self.up), min=0, max=len(self.up) - 1)
        ends = counts.cumsum(0).to(torch.int32)
        inner = F.grouped_mm(rows[order // CHOSEN], self.up, offs=ends).relu()
        outer = F.grouped_mm(inner, self.down, offs=ends)[order.argsort()] * shares.flatten()[:, None]
        result: Tensor = outer.view(-1, CHOSEN, WIDTH).sum(1).view(x.shape)
        return result


def test_every_expert_is_represented() -> None:
    lines = construct(Experts(4), (TOKENS, WIDTH), batch=4).coverage
    forms = {line.parameters: line.form for line in lines}
    assert forms == {("up",): "synthesised", ("down",): "synthesised", ("router.weight",): "synthesised"}


def test_the_experts_that_a_token_goes_to_count() -> None:
    found = fxscore.explain(Experts(4), input_shape=(TOKENS, WIDTH))
    assert found.macs == TOKENS * (WIDTH * 4 + CHOSEN * 2 * WIDTH * INNER)
    assert found.params == 4 * (WIDTH + 2 * WIDTH * INNER)


def test_the_number_of_experts_shows() -> None:
    scores = {fxscore.score(Experts(experts), input_shape=(TOKENS, WIDTH)) for experts in (3, 4, 8)}
    assert len(scores) == 3
