"""The constructed forward against the plain restatement of the method (tests/plain_method.py)."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxscore.constructed import construct
from fxscore.kernel import FourierKernel
from fxscore.scorer.ft_scorenet import FTScoreNet, Settings
from fxscore.spaces.nasbench201 import EDGES, OPERATIONS, NASBench201, Network
from tests import plain_method

SHAPE = (3, 8, 8)
SCORERS = {
    v_norm: FTScoreNet(Settings(batch=6, input_shape=SHAPE, n_in=12, n_out=12, v_norm=v_norm), seed=5)
    for v_norm in (True, False)
}
operations = st.tuples(*(st.sampled_from(OPERATIONS),) * len(EDGES))


def assert_agrees(scorer: FTScoreNet, names: tuple[str, ...], width: int, cells: int) -> None:
    constructed = construct(Network(names, 10, width, cells), scorer.settings.input_shape, scorer.batch)
    plain = plain_method.from_state(scorer.state_dict(), scorer.settings.v_norm)
    with torch.no_grad():
        encoding = constructed(scorer.input_like, scorer.weights, scorer.observer())
        expected = plain_method.features(plain, names, width, cells)
        torch.testing.assert_close(encoding.features, expected, rtol=1e-4, atol=1e-4)
        value = scorer(constructed, scorer.weights, scorer.observer())
        torch.testing.assert_close(
            value, plain_method.score(plain, names, width, cells), rtol=1e-4, atol=1e-4
        )


@pytest.mark.parametrize("v_norm", SCORERS)
@settings(max_examples=6)
@given(names=operations)
def test_small_networks_of_any_cell(v_norm: bool, names: tuple[str, ...]) -> None:
    assert_agrees(SCORERS[v_norm], names, width=4, cells=1)


@pytest.mark.parametrize("v_norm", [True, False])
def test_the_whole_network(v_norm: bool) -> None:
    cell = NASBench201().parse(
        "|nor_conv_3x3~0|+|nor_conv_1x1~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|none~2|"
    )
    scorer = FTScoreNet(Settings(batch=8, input_shape=(3, 16, 16), kernel_size=7, v_norm=v_norm), seed=1)
    assert_agrees(scorer, cell.operations, width=16, cells=5)


@settings(max_examples=40)
@given(
    shape=st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 5), st.integers(1, 5)),
    n=st.integers(1, 6),
    size=st.integers(1, 5),
)
def test_the_kernel_against_dft_matrices(shape: tuple[int, ...], n: int, size: int) -> None:
    kernel = FourierKernel(n, n, size, torch.Generator().manual_seed(0))
    expected = plain_method.synthesise(kernel.maps.detach(), shape, plain_method.matrix_transform)
    torch.testing.assert_close(kernel.synthesise(shape).detach(), expected, rtol=1e-4, atol=1e-5)
