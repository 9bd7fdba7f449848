from __future__ import annotations

import pytest
import torch

from fxscore.errors import SpaceError
from fxscore.spaces.zen_resnet import ZenResNet

# The network that Zen-NAS publishes for a budget of one million parameters on CIFAR-10 and CIFAR-100.
ZENNET_1M = (
    "SuperConvK3BNRELU(3,88,1,1)SuperResK1K7K1(88,120,1,16,1)SuperResK1K7K1(120,192,2,16,3)"
    "SuperResK1K5K1(192,224,1,24,4)SuperResK1K5K1(224,96,2,24,2)SuperResK1K3K1(96,168,2,40,3)"
    "SuperResK1K3K1(168,112,1,48,3)SuperConvK1BNRELU(112,512,1,1)"
)


def built(space: ZenResNet, text: str) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in space.build(space.parse(text)).parameters())


def test_the_published_network_has_one_million_parameters() -> None:
    assert 0.95e6 < built(ZenResNet(), ZENNET_1M) < 1.05e6


def test_parameters_by_hand() -> None:
    text = "SuperConvK3BNRELU(3,8,1,1)SuperResK3K3(8,16,2,8,1)SuperConvK1BNRELU(16,24,1,1)"
    stem, tail, head = 27 * 8 + 16, 16 * 24 + 48, 24 * 10 + 10
    body, projection = 9 * 8 * 8 + 16 + 9 * 8 * 16 + 32, 8 * 16 + 16 + 32
    assert built(ZenResNet(classes=10), text) == stem + body + projection + tail + head


def test_counting_is_building() -> None:
    space, generator = ZenResNet(), torch.Generator().manual_seed(5)
    for _ in range(5):
        chain = space.sample(generator)
        assert space.count_parameters(chain) == built(space, space.format(chain))


def test_samples_are_the_initial_population() -> None:
    space, generator = ZenResNet(), torch.Generator().manual_seed(0)
    for _ in range(40):
        chain = space.sample(generator)
        assert space.decode(space.encode(chain)) == chain
        assert sum(block.sub_layers for block in chain.blocks) <= 18
        assert sum(block.stride == 2 for block in chain.blocks) <= 3
        assert all(48 <= b.channels <= 320 and 32 <= b.bottleneck <= 80 for b in chain.blocks)


def test_inactive_slots_are_silent() -> None:
    space = ZenResNet(slots=3)
    vector = space.encode(
        space.parse("SuperConvK3BNRELU(3,8,1,1)SuperResK5K5(8,16,1,8,2)SuperConvK1BNRELU(16,8,1,1)")
    )
    names = [variable.name for variable in space.variables]
    changed = list(vector)
    changed[names.index("block_2_channels")] += 1
    assert space.decode(changed) == space.decode(vector)
    changed[names.index("block_2_active")] = 1
    assert len(space.decode(changed).blocks) == 2


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (ZENNET_1M.replace("(120,192,2", "(112,192,2"), "must read"),
        (ZENNET_1M.replace("K1K7K1", "K1K9K1"), "SuperResK1K9K1.* is no super-block"),
        (ZENNET_1M.replace("SuperResK1K7K1(88", "SuperResK3K5(88"), "SuperResK3K5.* is no super-block"),
        (ZENNET_1M.replace(",16,3)", ",16,9)"), "22 sub-layers, at most 18"),
        (ZENNET_1M.replace("192", "193"), "channels = 193 is not one of 8, 16"),
    ],
)
def test_wrong_structures_are_named(wrong: str, why: str) -> None:
    with pytest.raises(SpaceError, match=why):
        ZenResNet().parse(wrong)
