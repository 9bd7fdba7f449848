"""A small network of every timm module and of every torchvision family is recorded, represented and scored."""

from __future__ import annotations

import math

import pytest

from fxscore.capture.inputs import own_examples
from fxscore.scorer import FTScoreNet, Settings, Subject
from fxscore.sources import build
from fxscore.types import ModelRef

# The cheapest network of each module, by benchmarks/coverage/libraries.csv.
TIMM = (
    "beit_base_patch16_224", "cait_xxs24_384", "coat_lite_mini", "convit_tiny", "convmixer_1024_20_ks9_p14",
    "cpubone_b0_bfrobust", "crossvit_tiny_240", "cs3darknet_focus_s", "csatv2", "cspnext_tiny", "davit_tiny",
    "deepseek_vit_412m", "deit_tiny_patch16_224", "densenet121", "dla46x_c", "dpn48b", "eca_botnext26ts_256",
    "edgenext_xx_small", "efficientformer_l1", "efficientformerv2_s0", "efficientvim_m1_dist",
    "efficientvit_b0", "efficientvit_m0", "ese_vovnet19b_slim", "eva02_tiny_patch14_224", "fasternet_t0",
    "fastvit_t8", "focalnet_tiny_srf", "gcvit_xxtiny", "gemma4_vit_167m", "ghostnet_050", "hardcorenas_a",
    "hgnetv2_b0", "hiera_tiny_224", "hrnet_w18_small", "iformer_t", "inception_next_atto",
    "inception_resnet_v2", "inception_v3", "inception_v4", "lcnet_035", "lcnetv2_small", "legacy_seresnet18",
    "legacy_xception", "levit_128s", "lowformer_b0", "mixer_s32_224", "mobilenetv5_300m_enc",
    "mobilevitv2_075", "mvitv2_tiny", "naflexvit_base_patch16_siglip", "nasnetalarge", "nest_tiny",
    "nextvit_small", "pit_ti_distilled_224", "pnasnet5large", "poolformer_s12", "pvt_v2_b0",
    "qwen3_vit_88m_enc", "rdnet_tiny", "regnetx_002", "repghostnet_050", "repvit_m1", "res2next50",
    "resnest14d", "resnetv2_18", "rexnetr_100", "sam2_hiera_tiny", "samvit_base_patch16_224", "selecsls60",
    "sequencer2d_s", "shvit_s1", "skresnet18", "starnet_s050", "swiftformer_xs", "swin_s3_tiny_224",
    "swinv2_cr_tiny_384", "swinv2_tiny_window8_256", "test_byobnet", "test_coatnet", "test_convnext2",
    "test_efficientnet_gn", "test_mambaout", "test_nfnet", "test_resnet", "test_vit", "test_vit_relpos",
    "tiny_vit_5m_224", "tnt_s_legacy_patch16_224", "tresnet_m", "twins_pcpvt_small", "vgg11_bn",
    "visformer_tiny", "vit_tiny_r_s16_p8_384", "vitamin_small_224", "volo_d1_224", "xception41p",
    "xcit_nano_12_p16_384",
)  # fmt: skip
TORCHVISION = (
    "alexnet", "convnext_tiny", "deeplabv3_mobilenet_v3_large", "densenet121", "efficientnet_b0",
    "fasterrcnn_mobilenet_v3_large_320_fpn", "fcn_resnet50", "fcos_resnet50_fpn", "googlenet",
    "inception_v3", "keypointrcnn_resnet50_fpn", "lraspp_mobilenet_v3_large", "maskrcnn_resnet50_fpn",
    "maxvit_t", "mc3_18", "mnasnet0_5", "mobilenet_v2", "mobilenet_v3_small", "mvit_v1_b",
    "quantized_mobilenet_v2", "r3d_18", "raft_small", "regnet_x_400mf", "regnet_y_400mf", "resnet18",
    "resnext50_32x4d", "retinanet_resnet50_fpn", "s3d", "shufflenet_v2_x0_5", "squeezenet1_1",
    "ssd300_vgg16", "ssdlite320_mobilenet_v3_large", "swin3d_t", "swin_t", "swin_v2_t", "vgg11", "vit_b_16",
    "wide_resnet50_2",
)  # fmt: skip
# Parameters on which the encoding does not depend: a second head, and what follows a detector's backbone.
PARTLY = (
    "googlenet", "inception_v3", "crossvit", "levit", "repvit", "iformer", "rcnn", "fcos", "retinanet", "ssd", "raft",
    "deeplab", "fcn", "lraspp", "clip", "siglip",
)  # fmt: skip
SCORER = FTScoreNet(Settings(batch=4, input_shape=(3, 16, 16), n_in=16, n_out=16), seed=0)


def check(source: str, name: str) -> None:
    built = build(ModelRef(source, name))
    subject = Subject(
        built.module,
        built.input_shape,
        owned=True,
        example_inputs=own_examples(built.module),
        rebuild=built.resized,
    )
    assert math.isfinite(SCORER.score(subject))
    constructed = subject.construct(SCORER.batch, SCORER.shape_for(subject.input_shape))
    assert constructed.graph_module.meta["exported"] == ()
    covered = {parameter for line in constructed.coverage for parameter in line.parameters}
    sizes = constructed.graph_module.meta["parameters"]
    left = sum(size for parameter, size in sizes.items() if parameter not in covered)
    assert left == 0 or (left < sum(sizes.values()) and any(part in name for part in PARTLY))


@pytest.mark.zoo
@pytest.mark.parametrize("name", TIMM)
def test_timm(name: str) -> None:
    check("timm", name)


@pytest.mark.zoo
@pytest.mark.parametrize("name", TORCHVISION)
def test_torchvision(name: str) -> None:
    check("torchvision", name)


@pytest.mark.zoo
def test_no_module_of_timm_is_left_out() -> None:
    import timm

    modules = {timm.models.model_entrypoint(name).__module__ for name in timm.list_models()}
    assert {timm.models.model_entrypoint(name).__module__ for name in TIMM} == modules
