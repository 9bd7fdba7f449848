from __future__ import annotations

import itertools
from functools import cache

import pytest
import torch

import fxscore
from fxscore.errors import SpaceError
from fxscore.sources import build
from fxscore.spaces.wild import Wild, WildNet
from fxscore.spaces.wild.registry import FAMILIES
from fxscore.spaces.wild.space import LEAST_PARAMETERS, MOST_MACS, MOST_PARAMETERS
from fxscore.types import ModelRef

SPACE = Wild()


@cache
def draw(family: str) -> list[WildNet]:
    """Four networks of a family."""
    generator = torch.Generator().manual_seed(0)
    return [SPACE.sample_of(family, generator) for _ in range(4)]


@cache
def light(family: str) -> WildNet:
    """Of these the one of fewest multiply-accumulates."""
    return min(draw(family), key=lambda genotype: SPACE.measure(genotype)[1])


def test_there_are_twenty_families_or_more() -> None:
    assert len(FAMILIES) >= 20


@pytest.mark.parametrize("family", sorted(FAMILIES))
class TestFamily:
    def test_draws_keep_to_the_limits_and_differ(self, family: str) -> None:
        drawn = draw(family)
        assert len(set(drawn)) > 2
        for genotype in drawn:
            params, macs = SPACE.measure(genotype)
            assert LEAST_PARAMETERS <= params <= MOST_PARAMETERS
            assert macs <= MOST_MACS
            assert SPACE.family_of(genotype) == family
            assert SPACE.parse(SPACE.format(genotype)) == genotype
            assert SPACE.decode(SPACE.encode(genotype)) == genotype

    def test_networks_classify_and_learn(self, family: str) -> None:
        genotype = light(family)
        torch.manual_seed(0)
        module = SPACE.build(genotype)
        out = module(torch.randn(3, *SPACE.shape_of(genotype)))
        assert out.shape == (3, 10)
        assert sum(p.numel() for p in module.parameters()) == SPACE.measure(genotype)[0]
        out.square().sum().backward()
        without = [name for name, p in module.named_parameters() if p.grad is None]
        assert without == []

    def test_every_choice_that_it_names_changes_some_network(self, family: str) -> None:
        """For each choice, one of a few networks is another (printed) network under another value of it."""
        for name in FAMILIES[family].uses:
            pairs = itertools.islice(changed_in(family, name), 24)
            assert any(
                str(SPACE.build(a)) + shapes(a) != str(SPACE.build(b)) + shapes(b) for a, b in pairs
            ), name


def changed_in(family: str, name: str) -> itertools.chain[tuple[WildNet, WildNet]]:
    place = ("side", *FAMILIES[family].uses).index(name)
    values = next(variable for variable in SPACE.variables if variable.name == name).values
    return itertools.chain.from_iterable(
        (
            (genotype, WildNet(family, (*genotype.values[:place], value, *genotype.values[place + 1 :])))
            for value in values
            if value != genotype.values[place]
        )
        for genotype in draw(family)
    )


def shapes(genotype: WildNet) -> str:
    """What a network computes, as far as its printed form does not say it."""
    module = SPACE.build(genotype)
    plain = {
        f"{path}.{key}": value
        for path, child in module.named_modules()
        for key, value in vars(child).items()
        if isinstance(value, (bool, int, str, list))
    }
    return str(plain)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("resnet50:side=28", "no family 'resnet50'"),
        ("mlp:side=28,width=8", "must read mlp:side=…,width=…,growth=…"),
        ("recurrent:side=28,width=5,stages=1,norm=none", "must read"),
    ],
)
def test_wrong_texts_are_named(text: str, said: str) -> None:
    with pytest.raises(SpaceError, match=said):
        SPACE.parse(text)


def test_a_wrong_value_is_named() -> None:
    text = SPACE.format(draw("mlp")[0])
    with pytest.raises(SpaceError, match="side = '29' is not one of 28, 14"):
        SPACE.parse(text.replace("side=28", "side=29").replace("side=14", "side=29"))


def test_families_can_be_left_out_of_draws() -> None:
    kept = ("vit", "mlp")
    space = Wild(without_families=tuple(name for name in FAMILIES if name not in kept))
    generator = torch.Generator().manual_seed(0)
    assert {space.sample(generator).family for _ in range(12)} == set(kept)
    with pytest.raises(SpaceError, match="no family resnet50"):
        Wild(without_families=("resnet50",))


def test_a_reference_knows_the_side_of_its_image() -> None:
    for genotype in draw("mlp"):
        built = build(ModelRef.parse(f"wild:{SPACE.format(genotype)}"))
        assert built.input_shape == SPACE.shape_of(genotype)


def test_a_network_scores() -> None:
    record = fxscore.rank([f"wild:{SPACE.format(light('lenet'))}"], scorer="params")[0]
    assert record.error is None
    assert record.score == SPACE.measure(light("lenet"))[0]
