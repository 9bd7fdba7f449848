"""What every source promises, whatever it holds."""

from __future__ import annotations

import pickle
import random

import numpy as np
import pytest
import torch
from torch import nn

from fxscore.errors import ModelRefError
from fxscore.sources import build, expand, file_hash, recipe_key
from fxscore.types import ModelRef

CELL = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|nor_conv_1x1~0|avg_pool_3x3~1|nor_conv_3x3~2|"

# A reference, its input shape, a text that nothing answers to, and options that its builder does not take.
SOURCES = {
    "file": ("zoo/vit.py", (3, 32, 32), "zoo/vitt.py", 'zoo/vit.py{"depht": 3}'),
    "timm": (
        "timm:vit_tiny_patch16_224",
        (3, 224, 224),
        "timm:vit_tiny_patch17_224",
        'timm:resnet18{"depht": 3}',
    ),
    "torchvision": (
        "torchvision:squeezenet1_1",
        (3, 224, 224),
        "torchvision:squeezenet1_2",
        'torchvision:squeezenet1_1{"depht": 3}',
    ),
    "callable": (
        'torch.nn:Linear{"in_features": 3, "out_features": 4}',
        (3, 224, 224),
        "torch.nn:Lineer",
        'torch.nn:Linear{"in_features": 3, "out_features": 4, "depht": 3}',
    ),
    "genotype": (
        f"nasbench201:{CELL}",
        (3, 32, 32),
        "nasbench201:|oops|",
        f'nasbench201:{CELL}{{"depht": 3}}',
    ),
}


@pytest.mark.zoo
@pytest.mark.parametrize("source", SOURCES)
class TestEverySource:
    def ref(self, source: str) -> ModelRef:
        return expand(SOURCES[source][0])[0]

    def test_a_single_name_expands_to_itself(self, source: str) -> None:
        text = SOURCES[source][0]
        assert expand(text) == [ModelRef.parse(text)]
        assert ModelRef.parse(str(self.ref(source))) == self.ref(source)

    def test_weight_free_it_has_shapes_and_no_weights(self, source: str) -> None:
        built = build(self.ref(source))
        assert built.ref == self.ref(source)
        assert built.input_shape == SOURCES[source][1]
        assert built.step == "meta"
        assert not built.module.training
        assert {p.device.type for p in built.module.parameters()} == {"meta"}
        assert {b.device.type for b in built.module.buffers()} <= {"cpu"}

    def test_with_weights_it_has_the_same_shapes_and_the_seed_decides(self, source: str) -> None:
        free, first, again, other = (
            build(self.ref(source)).module,
            build(self.ref(source), weights=True, seed=1).module,
            build(self.ref(source), weights=True, seed=1).module,
            build(self.ref(source), weights=True, seed=2).module,
        )
        assert shapes(first) == shapes(free)
        assert values(first) == values(again) != values(other)

    def test_random_generators_go_on_as_if_nothing_had_been_built(self, source: str) -> None:
        for weights in (False, True):
            before = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
            build(self.ref(source), weights=weights, seed=3)
            assert random.getstate() == before[0]
            assert str(np.random.get_state()) == str(before[1])  # noqa: NPY002
            assert torch.equal(torch.get_rng_state(), before[2])

    def test_an_unknown_name_is_one_line_of_error(self, source: str) -> None:
        with pytest.raises(ModelRefError) as caught:
            build(expand(SOURCES[source][2])[0])  # a package is only imported to build
        assert "\n" not in str(caught.value)
        with pytest.raises(ModelRefError):
            build(ModelRef.parse(SOURCES[source][2]))

    def test_options_that_the_builder_does_not_take_are_one_line_of_error(self, source: str) -> None:
        with pytest.raises(ModelRefError, match=r"depht|no options") as caught:
            build(ModelRef.parse(SOURCES[source][3]))
        assert "\n" not in str(caught.value)

    def test_the_recipe_key_is_stable_and_knows_torch_and_options(self, source: str) -> None:
        ref = self.ref(source)
        assert recipe_key(ref) == recipe_key(pickle.loads(pickle.dumps(ref)))
        assert str(ref) in recipe_key(ref)
        assert f"torch={torch.__version__.partition('+')[0]}" in recipe_key(ref)
        other = ModelRef.of(ref.source, ref.name, {**ref.kwargs, "more": 1})
        assert recipe_key(other) != recipe_key(ref)
        assert bool(file_hash(ref)) == (source == "file")


def shapes(module: nn.Module) -> list[tuple[str, torch.Size]]:
    return [(name, tensor.shape) for name, tensor in module.state_dict().items()]


def values(module: nn.Module) -> list[float]:
    return [float(parameter.detach().double().sum()) for parameter in module.parameters()]
