"""What the text patterns of each library mean, and what is said where they mean nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest
import timm
import torchvision

from fxscore.errors import ModelRefError
from fxscore.sources import build, expand, recipe_key
from fxscore.types import ModelRef

pytestmark = pytest.mark.zoo


def names(pattern: str) -> list[str]:
    return [ref.name for ref in expand(pattern)]


def test_importing_the_sources_imports_no_library() -> None:
    code = "import sys, fxscore.sources; print(*{'torch', 'timm', 'torchvision'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []


def test_wildcards_choose_architectures_without_tags() -> None:
    chosen = names("timm:resnet1?,resnet50")
    assert chosen == ["resnet18", "resnet50"]
    assert len(names("timm:*")) == len(timm.list_models())
    assert not any("." in name for name in names("timm:*"))


def test_an_exclamation_mark_leaves_out() -> None:
    assert names("timm:resnet5*,!*d,!resnet50?*,!resnet51*") == ["resnet50"]
    assert set(names("timm:!vit*")) == {name for name in timm.list_models() if not name.startswith("vit")}


def test_torchvision_has_every_kind_of_network() -> None:
    assert names("torchvision:*") == torchvision.models.list_models()
    assert names("torchvision:*swin3d_[st]") == ["swin3d_s", "swin3d_t"]


def test_options_go_to_every_match() -> None:
    refs = expand('timm:vit_tiny_patch16_*,!*dinov3*{"img_size": 64}')
    assert len(refs) >= 2
    assert all(ref.kwargs == {"img_size": 64} for ref in refs)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("timm:resnett50", "did you mean resnet50"),
        ("timm:resnett*", "did you mean"),
        ("timm:resnet18,nothing*", "timm:nothing* matches nothing"),
        ("timm:resnet18,!resnet*", "left out again"),
        ("timm:resnet50.a1_in1k", "write timm:resnet50"),
        ("torchvision:resnt18", "did you mean resnet18"),
        ("tim:resnet50", "did you mean timm"),
        ("nasbench20:|x|", "did you mean nasbench201"),
        ("torch.nn:Lineer", "did you mean Linear"),
        ("torch.nn.nothing:Linear", "No module named"),
        ("torch.nn:functional", "not a function or class"),
        ("python:torch.nn", "python:package.module:callable"),
        ("zoo", "name its files, as in zoo/*.py"),
        ("zoo/vgggg.py", "did you mean vgg.py"),
        ("zoo/resnte.py", "did you mean resnet.py or"),
        ("zoo/vgg*g.py", "zoo/vgg*g.py matches no file"),
        ("nowhere/x.py", "no such file"),
        ("nowhere/*.py", "matches no file"),
        ("x" * 5000, "is no model reference"),
    ],
)
def test_what_means_nothing_is_an_error_with_close_names(pattern: str, words: str) -> None:
    with pytest.raises(ModelRefError) as caught:
        build(expand(pattern)[0])
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_ending_in_common_makes_no_names_alike() -> None:
    with pytest.raises(ModelRefError, match=r"zoo/nothing\.py: no such file$"):  # though there is coatnet.py
        build(expand("zoo/nothing.py")[0])


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("torchvision:inception_v3", (3, 299, 299)),
        ("torchvision:vit_b_16", (3, 224, 224)),
        ('torchvision:vit_b_16{"image_size": 64}', (3, 64, 64)),
        ("torchvision:vit_h_14", (3, 224, 224)),  # its first published weights are for 518
        ("torchvision:r3d_18", (3, 16, 112, 112)),
        ("torchvision:mvit_v2_s", (3, 16, 224, 224)),
        ("torchvision:lraspp_mobilenet_v3_large", (3, 224, 224)),
        ("torchvision:ssdlite320_mobilenet_v3_large", (3, 224, 224)),
        ("timm:efficientnet_b3", (3, 288, 288)),
        ('timm:resnet18{"in_chans": 1}', (1, 224, 224)),
        ('timm:vit_tiny_patch16_224{"img_size": 64}', (3, 64, 64)),
        ('timm:vit_tiny_patch16_224{"img_size": [64, 32]}', (3, 64, 32)),
    ],
)
def test_input_shapes(text: str, shape: tuple[int, ...]) -> None:
    assert build(ModelRef.parse(text)).input_shape == shape


@pytest.mark.parametrize(
    "text",
    [
        'timm:resnet18{"pretrained": true}',
        'timm:resnet18{"checkpoint_path": "x.pth"}',
        'torchvision:resnet18{"weights": "DEFAULT"}',
        'torchvision:fcn_resnet50{"weights_backbone": "DEFAULT"}',
    ],
)
def test_options_that_would_load_weights_are_refused(text: str) -> None:
    with pytest.raises(ModelRefError, match="weights, which are never read"):
        build(ModelRef.parse(text))


def test_the_python_prefix_is_optional() -> None:
    assert expand("python:torch.nn:ReLU") == expand("torch.nn:ReLU")


def test_recipe_keys_hold_the_versions_of_the_library_that_builds() -> None:
    assert f"timm={timm.__version__}" in recipe_key(ModelRef.parse("timm:resnet18"))
    version = torchvision.__version__.partition("+")[0]
    assert f"torchvision={version}" in recipe_key(ModelRef.parse("torchvision:resnet18"))


@pytest.mark.zoo
def test_only_what_has_published_weights() -> None:
    every, published = (expand("timm:vit_*", pretrained_only=only) for only in (False, True))
    assert set(published) < set(every)
    assert ModelRef("timm", "vit_tiny_patch16_224") in published
    assert expand("torchvision:resnet18", pretrained_only=True) == [ModelRef("torchvision", "resnet18")]


@pytest.mark.parametrize("pattern", ["nasbench201:*", "wild:vit:*"])
def test_a_space_is_searched_and_not_listed(pattern: str) -> None:
    space = pattern.partition(":")[0]
    with pytest.raises(ModelRefError, match=f"`fxscore search {space}` goes through it"):
        build(ModelRef.parse(pattern))
