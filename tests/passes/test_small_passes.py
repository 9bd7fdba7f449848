"""What single passes do: zeros, common subexpressions, sums, unitisation, verification."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from fxscore.constructed import ConstructedArchitecture, construct
from fxscore.errors import PassError
from fxscore.ops import batch_axis_norm, note_redundant, standard_deviation, sum_of, unitise, zeros
from fxscore.passes.verify import VerifyPass
from tests.passes.test_heads import Calls

SHAPE = (3, 8, 8)


def conv(channels: int = 3, out: int = 3) -> nn.Conv2d:
    return nn.Conv2d(channels, out, 3, padding=1, bias=False)


def constructed(forward: Callable[..., object], **children: object) -> ConstructedArchitecture:
    return construct(Calls(forward, **children), SHAPE, batch=2)


def targets(found: ConstructedArchitecture) -> list[object]:
    return [node.target for node in found.graph_module.graph.nodes if node.op == "call_function"]


# -- zeros -----------------------------------------------------------------------------------------------------------

ZEROS: list[Callable[[Any, Tensor], Tensor]] = [
    lambda m, x: x * 0,
    lambda m, x: 0.0 * x,
    lambda m, x: torch.zeros_like(x),
    lambda m, x: x.new_zeros(x.shape),
    lambda m, x: m.conv(x * 0),
    lambda m, x: m.norm(m.conv(F.relu(x.mul(0.0)))),
    lambda m, x: F.avg_pool2d(x * 0, 3, 1, 1),
    lambda m, x: m.conv(x) * (x * 0),
    lambda m, x: (x * 0) * m.conv(x),
    lambda m, x: x * 0 + m.conv(x * 0),
    lambda m, x: (x[:, :, ::2, ::2] * 0).repeat(1, 1, 2, 2),
]


@pytest.mark.parametrize("zero", ZEROS)
@pytest.mark.parametrize("first", [True, False])
def test_an_edge_of_zeros_is_as_good_as_none(zero: Callable[[Any, Tensor], Tensor], first: bool) -> None:
    children = {"conv": conv(), "norm": nn.BatchNorm2d(3)}
    plain = constructed(lambda m, x: m.norm(m.conv(x)), **children)

    def forward(m: Any, x: Tensor) -> Any:
        y = m.conv(x)
        edge = zero(m, x)
        y = edge + y if first else y + edge
        return m.norm(y)

    found = constructed(forward, **children)
    assert found.code == plain.code
    assert found.fingerprint == plain.fingerprint


def test_an_edge_of_zeros_hides_neither_repetition_nor_redundance() -> None:
    norm = nn.BatchNorm2d(3)
    plain = constructed(lambda m, x: m.norm(m.conv(x)).relu(), conv=conv(), norm=norm)

    def forward(m: Any, x: Tensor) -> Any:
        y = m.conv(x)
        y = m.norm(m.norm(y) + y * 0)
        return (y.relu() + y * 0).relu()

    found = constructed(forward, conv=conv(), norm=norm)
    assert found.code == plain.code
    assert found.fingerprint == plain.fingerprint


def test_zeros_that_are_used_and_lead_to_zeros_are_a_constant() -> None:
    def forward(m: Any, x: Tensor) -> Any:
        none = x * 0
        return m.conv(torch.cat([x, none, F.relu(none)], 1))

    found = targets(constructed(forward, conv=conv(9)))
    assert zeros in found
    assert torch.mul not in found
    assert F.relu not in found


def test_a_network_of_zeros_alone_stays_a_network() -> None:
    found = constructed(lambda m, x: m.conv(x * 0), conv=conv(3, 5))
    assert zeros in targets(found)
    encoding = found(torch.ones(2, *SHAPE), {(5, 3, 3, 3): torch.ones(5, 3, 3, 3)})
    assert torch.equal(encoding.features, torch.zeros(2, 5))
    assert bool(encoding.log_factors.isfinite().all())


def test_what_is_not_zero_is_kept() -> None:
    biased = nn.Conv2d(3, 3, 3, padding=1)
    for forward in (
        lambda m, x: x + m.conv(x * 0),
        lambda m, x: x + torch.sigmoid(x * 0),
        lambda m, x: x + (x * 0).exp(),
        lambda m, x: x + (x * 0 + 1),
        lambda m, x: x + x * 1e-9,
    ):
        found = constructed(forward, conv=biased)
        assert sum_of in targets(found), found.code


# -- common subexpressions and sums ----------------------------------------------------------------------------------


def test_common_subexpressions_are_computed_once() -> None:
    """Layers of one shape over one value have one synthesised weight, hence one result."""
    found = constructed(lambda m, x: m.a(x).relu() * m.b(x).sigmoid(), a=conv(), b=conv())
    assert targets(found).count(F.conv2d) == 1
    different = constructed(
        lambda m, x: m.a(x).relu() * m.b(x).sigmoid(), a=conv(), b=nn.Conv2d(3, 3, 5, padding=2)
    )
    assert targets(different).count(F.conv2d) == 2


def test_equal_terms_stay_terms() -> None:
    found = constructed(lambda m, x: m.a(x) + m.b(x), a=conv(), b=conv())
    (total,) = [node for node in found.graph_module.graph.nodes if node.target is sum_of]
    assert len(total.args) == 2
    assert total.args[0] is total.args[1]


SUMS: list[Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]] = [
    lambda a, b, c, d: ((a + b) + c) + d,
    lambda a, b, c, d: a + (b + (c + d)),
    lambda a, b, c, d: (d + a) + (c + b),
    lambda a, b, c, d: torch.add(c, torch.add(b, a)).add(d),
    lambda a, b, c, d: d.clone().add_(c).add_(a + b),
    lambda a, b, c, d: sum([a, b, c, d][1:], a),
    lambda a, b, c, d: torch.zeros_like(a) + a + b + c + d,
]


def test_association_and_order_of_a_sum_do_not_matter() -> None:
    def net(total: Callable[..., Tensor]) -> ConstructedArchitecture:
        return constructed(
            lambda m, x: F.gelu(total(x, m.conv(x), F.max_pool2d(x, 3, 1, 1), x.sigmoid())), conv=conv()
        )

    first, *others = map(net, SUMS)
    for other in others:
        assert other.code == first.code
        assert other.fingerprint == first.fingerprint
    assert targets(first).count(sum_of) == 1


def test_a_partial_sum_in_use_is_computed_once() -> None:
    def forward(m: Any, x: Tensor) -> Any:
        partial = x + m.conv(x)
        return (partial + x.sigmoid()) * partial.tanh()

    sums = [
        node for node in constructed(forward, conv=conv()).graph_module.graph.nodes if node.target is sum_of
    ]
    assert [len(node.args) for node in sums] == [2, 2]
    assert sums[0] in sums[1].args


# -- unitisation -----------------------------------------------------------------------------------------------------


def test_the_division_is_skipped_where_only_norms_follow() -> None:
    only = constructed(lambda m, x: m.norm(m.conv(x)), conv=conv(), norm=nn.BatchNorm2d(3))
    assert note_redundant in targets(only)
    assert unitise not in targets(only)
    also = constructed(lambda m, x: m.norm(y := m.conv(x)) + y, conv=conv(), norm=nn.BatchNorm2d(3))
    assert note_redundant not in targets(also)
    assert unitise in targets(also)


def test_skipping_the_division_changes_nothing_that_is_seen() -> None:
    """A batch-axis norm cancels the scale, as far as its epsilon allows."""
    value = torch.randn(16, 4, 5, 5) * 3
    factor = value.std(correction=0) + 1e-5
    torch.testing.assert_close(batch_axis_norm(value), batch_axis_norm(value / factor), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.complex64])
def test_the_standard_deviation_is_that_of_pytorch(dtype: torch.dtype) -> None:
    value = torch.randn(3, 4, 5, dtype=dtype) + 100
    torch.testing.assert_close(standard_deviation(value), value.std(correction=0), rtol=1e-5, atol=0)


def test_a_batch_axis_norm_keeps_the_layout_of_memory() -> None:
    value = torch.randn(4, 3, 5, 6)
    last = value.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(batch_axis_norm(last), batch_axis_norm(value), rtol=0, atol=0)
    assert batch_axis_norm(last).is_contiguous(memory_format=torch.channels_last)
    assert batch_axis_norm(value).is_contiguous()


# -- verification ----------------------------------------------------------------------------------------------------


def foreign(x: Tensor) -> Tensor:
    return x


foreign.__module__ = "somewhere.else"


def test_an_unknown_target_is_refused() -> None:
    graph = fx.Graph()
    graph.output(graph.call_function(foreign, (graph.placeholder("x"),)))
    with pytest.raises(PassError, match=r"foreign.*neither PyTorch nor a declared operator"):
        VerifyPass().call(fx.GraphModule({}, graph))


def test_a_weight_that_is_left_is_refused() -> None:
    graph = fx.Graph()
    weight = graph.get_attr("block.weight")
    weight.meta["is_parameter"] = True
    graph.output(graph.call_function(torch.add, (graph.placeholder("x"), weight)))
    root = nn.Module()
    root.block = nn.Linear(2, 2)
    with pytest.raises(PassError, match=r"'block\.weight' is still used by \['add'\]"):
        VerifyPass().call(fx.GraphModule(root, graph))


def test_a_module_that_is_left_is_refused() -> None:
    graph = fx.Graph()
    graph.output(graph.call_module("block", (graph.placeholder("x"),)))
    root = nn.Module()
    root.block = nn.Linear(2, 2)
    with pytest.raises(PassError, match="'block' is still called; its rule must return other nodes"):
        VerifyPass().call(fx.GraphModule(root, graph))


def test_a_buffer_without_value_is_refused() -> None:
    with torch.device("meta"):
        module = Calls(lambda m, x: x * m.table.view(1, 3, 1, 1), table=nn.Buffer(torch.arange(3.0)))
    with pytest.raises(PassError, match=r"'table' is on the meta device.*build the network without"):
        construct(module, SHAPE, batch=2)
