"""What is encoded: METHOD.md section 2, one small network a rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fxscore.constructed import ConstructedArchitecture, construct
from fxscore.kernel import FourierKernel, WeightCache

SHAPE = (3, 8, 8)


class Calls(nn.Module):
    """A forward given as a function of the module and its input."""

    def __init__(self, forward: Callable[[Any, Tensor], object], **children: object) -> None:
        super().__init__()
        for name, child in children.items():
            setattr(self, name, child)
        self.function = forward

    def forward(self, x: Tensor) -> object:
        return self.function(self, x)


def constructed(
    forward: Callable[..., object], shape: tuple[int, ...] = SHAPE, **children: object
) -> ConstructedArchitecture:
    return construct(Calls(forward, **children), shape, batch=2)


def head(found: ConstructedArchitecture) -> tuple[str, ...]:
    """Names of the parameters that the scorer replaces."""
    return tuple(name for line in found.coverage if line.form == "head" for name in line.parameters)


def image() -> Tensor:
    return torch.randn(2, *SHAPE, generator=torch.Generator().manual_seed(0))


def run(found: ConstructedArchitecture) -> Tensor:
    """What it encodes of `image()`, (B, C)."""
    with torch.no_grad():
        return found(image(), WeightCache(FourierKernel(8, 8, 3, torch.Generator().manual_seed(0)))).features


def trunk(x: Tensor) -> Tensor:
    return x.mean((2, 3))


def test_a_classifier_is_not_run() -> None:
    found = constructed(
        lambda m, x: m.fc(trunk(m.conv(x).relu())), conv=nn.Conv2d(3, 5, 3), fc=nn.Linear(5, 9)
    )
    assert (found.channels, head(found)) == (5, ("fc.bias", "fc.weight"))
    assert "w_9" not in found.code


def test_of_a_vgg_only_the_last_linear_layer_is_cut() -> None:
    net = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(),
        nn.Linear(16, 12), nn.ReLU(), nn.Dropout(), nn.Linear(12, 11), nn.ReLU(), nn.Dropout(), nn.Linear(11, 10),
    )  # fmt: skip
    found = construct(net, SHAPE, batch=2)
    assert (found.channels, head(found)) == (11, ("10.bias", "10.weight"))
    assert "w_11_12_1_1" in found.code


def test_of_a_squeezenet_the_last_convolution_is_cut() -> None:
    net = nn.Sequential(
        nn.Conv2d(3, 4, 3),
        nn.ReLU(),
        nn.Dropout(),
        nn.Conv2d(4, 10, 1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
    found = construct(net, SHAPE, batch=2)
    assert (found.channels, head(found)) == (4, ("3.bias", "3.weight"))


def test_weight_free_operators_after_the_head_do_not_matter() -> None:
    found = constructed(
        lambda m, x: (F.log_softmax(m.fc(trunk(m.conv(x))), -1) * 2.0).clamp(max=3)[:, :5],
        conv=nn.Conv2d(3, 5, 3),
        fc=nn.Linear(5, 9),
    )
    assert (found.channels, head(found)) == (5, ("fc.bias", "fc.weight"))


@pytest.mark.parametrize("ending", ["norm", "convolution", "pool"])
def test_features_are_encoded_as_they_are(ending: str) -> None:
    endings: dict[str, list[nn.Module]] = {
        "norm": [],
        "convolution": [nn.Conv2d(7, 6, 1)],
        "pool": [nn.AdaptiveAvgPool2d(1), nn.Flatten()],
    }
    layers = [nn.Conv2d(3, 7, 3), nn.BatchNorm2d(7), nn.ReLU(), *endings[ending]]
    found = construct(nn.Sequential(*layers), SHAPE, batch=2)
    assert (found.channels, head(found)) == (6 if ending == "convolution" else 7, ())


def test_a_segmentation_map_is_encoded_by_channel() -> None:
    found = constructed(
        lambda m, x: {"out": F.interpolate(m.classify(m.conv(x).relu()), (8, 8)), "aux": m.aux(x)},
        conv=nn.Conv2d(3, 5, 3, 2),
        classify=nn.Conv2d(5, 21, 1),
        aux=nn.Conv2d(3, 20, 1),
    )
    assert (found.channels, head(found)) == (21 + 20, ())
    assert any("aux" in line.path for line in found.coverage)


def test_token_sequences_are_encoded_by_their_last_axis() -> None:
    found = constructed(
        lambda m, x: m.norm(m.embed(x.flatten(2).transpose(1, 2))),
        embed=nn.Linear(3, 6),
        norm=nn.LayerNorm(6),
    )
    assert (found.channels, head(found)) == (6, ())
    per_token = constructed(
        lambda m, x: m.fc(m.norm(x.flatten(2).mT)), norm=nn.LayerNorm(3), fc=nn.Linear(3, 9)
    )
    assert (per_token.channels, head(per_token)) == (3, ("fc.bias", "fc.weight"))


@dataclass
class Outputs:
    a: Tensor
    b: Tensor


PACKS: dict[str, Callable[[Tensor, Tensor], object]] = {
    "tuple": lambda a, b: (a, b),
    "nested lists": lambda a, b: [[a], None, [b]],
    "mapping": lambda a, b: {"logits": a, "hidden": b},
    "dataclass": Outputs,
    "other order": lambda a, b: (b, a),
}


@pytest.mark.parametrize("pack", PACKS)
def test_of_several_outputs_all_are_seen_however_they_are_packed(pack: str) -> None:
    def net(pack: Callable[[Tensor, Tensor], object]) -> ConstructedArchitecture:
        return constructed(
            lambda m, x: pack(m.fc(trunk(m.conv(x))), m.other(trunk(x))),
            conv=nn.Conv2d(3, 5, 3),
            fc=nn.Linear(5, 9),
            other=nn.Linear(3, 9),
        )

    found = net(PACKS[pack])
    assert (found.channels, head(found)) == (3 + 5, ("fc.bias", "fc.weight", "other.bias", "other.weight"))
    assert found.fingerprint == net(PACKS["tuple"]).fingerprint


def test_an_early_map_does_not_hide_what_lies_behind_it() -> None:
    def net(blocks: int) -> ConstructedArchitecture:
        body = nn.Sequential(*(nn.Conv2d(5, 5, 3, padding=1) for _ in range(blocks)))
        return constructed(
            lambda m, x: [y := m.stem(x), m.fc(trunk(m.body(y)))],
            stem=nn.Conv2d(3, 5, 3),
            body=body,
            fc=nn.Linear(5, 2),
        )

    assert net(1).channels == net(4).channels == 5 + 5
    assert "conv2d_5" in net(4).code


def test_two_classifiers_of_one_value_are_one_encoding() -> None:
    found = constructed(lambda m, x: (m.a(trunk(x)), m.b(trunk(x))), a=nn.Linear(3, 2), b=nn.Linear(3, 9))
    assert found.channels == 3
    assert "cat" not in found.code


@pytest.mark.parametrize(
    "ending",
    [
        lambda y: (y.argmax(1), y > 0, y),
        lambda y: y.argmax(1),
        lambda y: y > 0,
        lambda y: y.topk(2),
        lambda y: {"loss": y.logsumexp(1).mean()},
        lambda y: (y.round().int(), y.isnan()),
    ],
)
def test_whole_boolean_and_scalar_outputs_are_those_of_the_values_before_them(
    ending: Callable[[Tensor], object],
) -> None:
    def net(ending: Callable[[Tensor], object]) -> ConstructedArchitecture:
        return constructed(
            lambda m, x: ending(m.fc(trunk(m.conv(x)))), conv=nn.Conv2d(3, 5, 3), fc=nn.Linear(5, 9)
        )

    assert net(ending).fingerprint == net(lambda y: y).fingerprint


def test_an_input_handed_back_is_no_output() -> None:
    found = constructed(lambda m, x: (x, x.mean((2, 3)), m.fc(trunk(x).relu())), fc=nn.Linear(3, 9))
    assert "cat" not in found.code


def test_a_head_that_is_called_again_is_one_head() -> None:
    """Frames in a loop: the calls are averaged, as the positions of a single call are."""
    found = constructed(
        lambda m, x: torch.stack([m.fc(trunk(frame)) for frame in x.split(2, dim=3)]).mean(0),
        fc=nn.Linear(3, 9),
    )
    assert (found.channels, head(found)) == (3, ("fc.bias", "fc.weight"))
    assert run(found).shape == (2, 3)


def two_heads(m: Any, x: Tensor, swapped: bool) -> Any:
    """As in a distilled DeiT: the class token and the distillation token have a head each, which are averaged."""
    tokens = torch.cat([m.cls.expand(2, -1, -1), m.dist.expand(2, -1, -1), x.flatten(2).mT], 1)
    tokens = m.norm(tokens + m.mix(tokens))
    first, second = (m.head, tokens[:, 0]), (m.head_dist, tokens[:, 1])
    if swapped:
        first, second = second, first
    return (first[0](first[1]) + second[0](second[1])) / 2


def test_of_two_averaged_heads_both_are_cut_whichever_runs_first() -> None:
    def net(swapped: bool) -> ConstructedArchitecture:
        return constructed(
            lambda m, x: two_heads(m, x, swapped),
            cls=nn.Parameter(torch.zeros(1, 1, 3)), dist=nn.Parameter(torch.zeros(1, 1, 3)),
            mix=nn.Linear(3, 3), norm=nn.LayerNorm(3), head=nn.Linear(3, 9), head_dist=nn.Linear(3, 9),
        )  # fmt: skip

    found, other = net(False), net(True)
    assert found.channels == 3 + 3
    assert len(head(found)) == 4
    assert found.fingerprint == other.fingerprint


@pytest.mark.parametrize("swapped", [False, True])
def test_of_two_summed_heads_the_shallower_is_encoded_first(swapped: bool) -> None:
    def forward(m: Any, x: Tensor) -> Any:
        parts = [lambda: m.shallow(trunk(x)), lambda: m.deep(trunk(m.conv(x).relu()))]
        results = {place: parts[place]() for place in ((1, 0) if swapped else (0, 1))}
        return results[0] + results[1]

    found = constructed(forward, conv=nn.Conv2d(3, 5, 3), shallow=nn.Linear(3, 9), deep=nn.Linear(5, 9))
    assert (found.channels, head(found)) == (
        3 + 5,
        ("deep.bias", "deep.weight", "shallow.bias", "shallow.weight"),
    )
    features = run(found)
    torch.testing.assert_close(features[:, :3], trunk(image()))


def test_a_residual_trunk_has_no_head() -> None:
    found = constructed(
        lambda m, x: (y := m.first(trunk(x))) + m.second(y.relu()),
        first=nn.Linear(3, 6),
        second=nn.Linear(6, 6),
    )
    assert (found.channels, head(found)) == (6, ())
    bypassed = constructed(
        lambda m, x: (y := trunk(m.conv(x))) + m.fc(y), conv=nn.Conv2d(3, 5, 3), fc=nn.Linear(5, 5)
    )
    assert (bypassed.channels, head(bypassed)) == (5, ())


@pytest.mark.parametrize(
    "spelling",
    [
        lambda m, x: F.linear(x, m.w, m.b),
        lambda m, x: F.linear(input=x, weight=m.w, bias=m.b),
        lambda m, x: x @ m.w.T + m.b,
        lambda m, x: m.b + torch.matmul(x, m.w.t()),
        lambda m, x: torch.addmm(m.b, x, m.w.T),
        lambda m, x: torch.addmm(input=m.b, mat1=x, mat2=m.w.T),
        lambda m, x: torch.mm(x, m.w.T).add_(m.b),
    ],
)
def test_every_spelling_of_a_classifier_is_cut(spelling: Callable[[Any, Tensor], Tensor]) -> None:
    found = constructed(
        lambda m, x: spelling(m, trunk(m.conv(x).relu())),
        conv=nn.Conv2d(3, 5, 3),
        w=nn.Parameter(torch.zeros(9, 5)),
        b=nn.Parameter(torch.zeros(9)),
    )
    assert (found.channels, head(found)) == (5, ("b", "w"))


@pytest.mark.parametrize(
    "spelling",
    [lambda w, x: w @ x.flatten(2), lambda w, x: torch.einsum("oc,bcn->bon", w, x.flatten(2))],
)
def test_a_weight_on_the_left_is_a_classifier_too(spelling: Callable[[Tensor, Tensor], Tensor]) -> None:
    found = constructed(lambda m, x: spelling(m.w, x), w=nn.Parameter(torch.zeros(5, 3)))
    assert (found.channels, head(found)) == (3, ("w",))


def test_a_scale_after_the_last_layer_keeps_it() -> None:
    """A hand-written norm ends with a learned scale: it is a weighted operator, and what it scales is a feature."""
    found = constructed(
        lambda m, x: F.normalize(m.fc(trunk(x))) * m.scale,
        fc=nn.Linear(3, 6),
        scale=nn.Parameter(torch.ones(6)),
    )
    assert (found.channels, head(found)) == (6, ())
