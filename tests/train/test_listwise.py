from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
import torch
from torch import Tensor

from fxscore.constructed import ConstructedArchitecture, construct
from fxscore.kernel import kaiming_scale
from fxscore.scorer.ft_scorenet import FTScoreNet, Settings
from fxscore.spaces.nasbench201 import Network
from fxscore.train.listwise import accumulate_gradients
from fxscore.train.loss import spearman_loss
from fxscore.types import Shape
from tests.strategies import Join, Layer, Spec, write

SHAPE: Shape = (3, 6, 6)
ACCURACIES = torch.tensor([40.0, 70.0, 10.0, 55.0, 55.0])


class PerLayer(Mapping[Shape, Tensor]):
    """A synthesis of its own at every layer of every network, all in one graph of autograd."""

    def __init__(self, scorer: FTScoreNet) -> None:
        self.scorer = scorer

    def __getitem__(self, shape: Shape) -> Tensor:
        scale = 1.0 if self.scorer.settings.v_norm else kaiming_scale(shape)
        return self.scorer.kernel.synthesise(shape) * scale

    def __iter__(self) -> Iterator[Shape]:
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError


def architectures() -> list[ConstructedArchitecture]:
    conv = Layer("convolution", kernel=3, channels=6, bias=True)
    gelu, attention = Layer("gelu"), Layer("attention")
    modules = [
        Network(("nor_conv_3x3", "none", "skip_connect", "nor_conv_1x1", "none", "avg_pool_3x3"), 10, 4, 1),
        Network(("skip_connect", "nor_conv_1x1", "none", "none", "none", "nor_conv_3x3"), 10, 4, 1),
        write(
            Spec(6, (Join("sum", ((conv, gelu), (), (Layer("depthwise", kernel=3, channels=6),))), attention))
        ),
        write(Spec(6, (conv, Layer("batch"), Layer("relu"), conv), "features")),
        write(Spec(6, (Join("product", ((conv, Layer("sigmoid")), (gelu, conv))),))),
    ]
    return [construct(module, SHAPE, batch=4) for module in modules]


@pytest.mark.parametrize("v_norm", [True, False])
def test_the_gradient_is_that_of_one_graph_over_all_networks(v_norm: bool) -> None:
    settings = Settings(batch=4, input_shape=(3, 5, 5), n_in=4, n_out=4, v_norm=v_norm)
    ours, plain = (FTScoreNet(settings, seed=2).double() for _ in range(2))
    loss = accumulate_gradients(ours, architectures(), ACCURACIES)
    weights = PerLayer(plain)
    scores = [plain(each, weights, plain.observer()) for each in architectures()]
    expected = spearman_loss(torch.stack(scores), ACCURACIES)
    torch.autograd.backward(expected)
    assert loss == pytest.approx(float(expected.detach()), rel=1e-9)
    for (name, one), other in zip(ours.named_parameters(), plain.parameters(), strict=True):
        assert one.grad is not None, name
        assert other.grad is not None, name
        # A loss of ranks does not change when all scores rise together, as they do with the last bias.
        assert (float(other.grad.norm()) > 1e-9) == (name != "mlp.6.bias"), name
        assert float((one.grad - other.grad).norm()) <= 1e-5 * float(other.grad.norm()) + 1e-12, name


def test_gradients_add_up_over_calls() -> None:
    scorer = FTScoreNet(Settings(batch=4, input_shape=SHAPE, n_in=4, n_out=4), seed=2).double()
    networks = architectures()
    accumulate_gradients(scorer, networks, ACCURACIES)
    once = {name: p.grad.clone() for name, p in scorer.named_parameters() if p.grad is not None}
    accumulate_gradients(scorer, networks, ACCURACIES)
    for name, parameter in scorer.named_parameters():
        torch.testing.assert_close(parameter.grad, 2 * once[name])
