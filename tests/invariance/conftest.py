"""The scorer that invariances are judged by, and the tolerance that METHOD.md section 1 states."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache

import pytest
import torch
from torch import nn

from fxscore.scorer.ft_scorenet import FTScoreNet, Settings
from fxscore.scorer.subject import Subject
from fxscore.spaces.nasbench201 import NASBench201
from fxscore.types import Shape

SHAPE: Shape = (3, 8, 8)
POPULATION = 30


@pytest.fixture(scope="session")
def scorer() -> FTScoreNet:
    """An untrained scorer, small enough for hundreds of networks."""
    return FTScoreNet(Settings(batch=8, input_shape=SHAPE, n_in=16, n_out=16), seed=3)


@pytest.fixture(scope="session")
def assert_equal(scorer: FTScoreNet) -> Callable[[nn.Module, nn.Module], None]:
    """Two networks have one fingerprint, and one score within 1e-4 of the deviation over a population of cells."""

    @cache
    def tolerance() -> float:  # only asked for where scores are not equal to the last bit
        space, draw = NASBench201(), random.Random(0)
        cells = [space.decode([draw.randrange(5) for _ in range(6)]) for _ in range(POPULATION)]
        scores = [scorer.score(Subject(space.build(cell), SHAPE)) for cell in cells]
        return 1e-4 * float(torch.tensor(scores, dtype=torch.double).std())

    def check(first: nn.Module, second: nn.Module) -> None:
        subjects = [Subject(module, SHAPE) for module in (first, second)]
        constructed = [subject.construct(scorer.batch) for subject in subjects]
        codes = "\nis not\n".join(each.code for each in constructed)
        assert constructed[0].fingerprint == constructed[1].fingerprint, codes
        scores = [scorer.score(subject) for subject in subjects]
        assert scores[0] == scores[1] or abs(scores[0] - scores[1]) <= tolerance(), codes

    return check
