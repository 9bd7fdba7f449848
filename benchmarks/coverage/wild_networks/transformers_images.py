"""Networks for images of the transformers library, built from small configurations."""

from __future__ import annotations

from typing import Any

import torch

from benchmarks.coverage.wild_networks.library import PACKAGE, from_configuration
from benchmarks.coverage.wild_networks.recipe import Recipe, image, table, tokens

_PATCHES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "image_size": 32,
    "patch_size": 8,
}
_DEEPER = {"num_hidden_layers": 3}
_VITS = (
    "vit deit beit data2vec-vision dinov2 dinov2_with_registers dinov3_vit ijepa vit_msn siglip_vision_model "
    "clip_vision_model vit_mae"
).split()
_STAGES: dict[str, Any] = {"hidden_sizes": [8, 16, 16, 32], "depths": [1, 1, 1, 1]}
_FOUR = {"depths": [1, 1, 2, 1]}
_CNN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "convnext": (_STAGES, _FOUR),
    "convnextv2": (_STAGES, _FOUR),
    "dinov3_convnext": (_STAGES, _FOUR),
    "resnet": ({**_STAGES, "embedding_size": 8}, _FOUR),
    "regnet": (
        {"hidden_sizes": [8, 16, 16, 32], "depths": [1, 1, 1, 1], "groups_width": 8, "embedding_size": 8},
        _FOUR,
    ),
    "bit": ({"hidden_sizes": [128, 128, 256, 256], "depths": [1, 1, 1, 1], "embedding_size": 32}, _FOUR),
    "mobilenet_v1": ({"depth_multiplier": 0.25}, {"depth_multiplier": 0.5}),
    "mobilenet_v2": ({"depth_multiplier": 0.35}, {"depth_multiplier": 0.5}),
    "mobilevit": (
        {
            "hidden_sizes": [16, 24, 32],
            "neck_hidden_sizes": [8, 8, 16, 16, 24, 24, 32],
            "num_attention_heads": 4,
        },
        {"hidden_sizes": [16, 24, 48]},
    ),
    "mobilevitv2": ({"width_multiplier": 0.5}, {"width_multiplier": 0.75}),
    "efficientnet": (
        {"width_coefficient": 0.5, "hidden_dim": 640},
        {"width_coefficient": 0.25, "hidden_dim": 320},
    ),
    "focalnet": ({"embed_dim": 16, "depths": [1, 1, 1, 1], "image_size": 64}, _FOUR),
    "hiera": (
        {"embed_dim": 16, "depths": [1, 1, 2, 1], "num_heads": [1, 1, 2, 2], "image_size": [64, 64]},
        {"depths": [1, 1, 3, 1]},
    ),
    "levit": (
        {
            "image_size": 64,
            "hidden_sizes": [16, 32, 48],
            "num_attention_heads": [2, 2, 2],
            "depths": [1, 1, 1],
            "key_dim": [8, 8, 8],
        },
        {"depths": [1, 2, 1]},
    ),
    "poolformer": ({"hidden_sizes": [8, 16, 16, 32], "depths": [1, 1, 1, 1]}, _FOUR),
    "pvt": (
        {
            "hidden_sizes": [8, 16, 32, 32],
            "depths": [1, 1, 1, 1],
            "num_attention_heads": [1, 2, 2, 2],
            "image_size": 64,
        },
        _FOUR,
    ),
    "pvt_v2": (
        {
            "hidden_sizes": [8, 16, 32, 32],
            "depths": [1, 1, 1, 1],
            "num_attention_heads": [1, 2, 2, 2],
            "image_size": 64,
        },
        _FOUR,
    ),
    "segformer": (
        {"hidden_sizes": [8, 16, 32, 32], "depths": [1, 1, 1, 1], "num_attention_heads": [1, 2, 2, 2]},
        _FOUR,
    ),
    "swiftformer": ({"depths": [1, 1, 1, 1], "embed_dims": [16, 16, 32, 32]}, {"depths": [1, 1, 2, 1]}),
    "swin": (
        {
            "embed_dim": 16,
            "depths": [1, 1, 1, 1],
            "num_heads": [1, 2, 2, 4],
            "image_size": 64,
            "window_size": 2,
        },
        _FOUR,
    ),
    "swinv2": (
        {
            "embed_dim": 16,
            "depths": [1, 1, 1, 1],
            "num_heads": [1, 2, 2, 4],
            "image_size": 64,
            "window_size": 4,
        },
        _FOUR,
    ),
    "swin2sr": (
        {"embed_dim": 16, "depths": [2, 2], "num_heads": [2, 2], "image_size": 64, "window_size": 8},
        {"depths": [2, 4]},
    ),
    "glpn": (
        {"hidden_sizes": [8, 16, 32, 32], "depths": [1, 1, 1, 1], "num_attention_heads": [1, 2, 2, 2]},
        _FOUR,
    ),
    "hgnet_v2": ({}, {"stem_channels": [3, 48, 48]}),
    "textnet": ({}, {"hidden_sizes": [64, 64, 128, 256, 256]}),
}
_DETR = {
    "use_timm_backbone": False,
    "use_pretrained_backbone": False,
    "d_model": 32,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 48,
    "decoder_ffn_dim": 48,
    "num_queries": 10,
}


def _detr(kind: str = "detr", **options: Any) -> Any:
    import transformers

    backbone = transformers.ResNetConfig(**{"embedding_size": 8, "out_features": ["stage4"], **_STAGES})
    return from_configuration(
        kind, "AutoModelForObjectDetection", **{**_DETR, **options}, backbone_config=backbone
    )


_CLIP_TEXT = {
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "vocab_size": 128,
    "eos_token_id": 2,
    "bos_token_id": 1,
    "pad_token_id": 0,
}
_CLIP_IMAGE = {**_PATCHES, "num_hidden_layers": 1}
_PAIR = {"input_ids": tokens(), "pixel_values": image(32)}

NETWORKS: dict[str, Recipe] = (
    table(
        PACKAGE,
        image(32),
        {kind: (from_configuration, {"kind": kind, **_PATCHES}, _DEEPER) for kind in _VITS},
    )
    | table(
        PACKAGE,
        image(32),
        {"yolos": (from_configuration, {"kind": "yolos", **_PATCHES, "image_size": [32, 32]}, _DEEPER)},
    )
    | table(
        PACKAGE,
        image(),
        {
            kind: (from_configuration, {"kind": kind, **options}, changed)
            for kind, (options, changed) in _CNN.items()
        },
    )
    | table(
        PACKAGE,
        image(),
        {kind: (_detr, {"kind": kind}, {"decoder_layers": 2}) for kind in ("detr", "conditional_detr")},
    )
    | table(
        PACKAGE,
        _PAIR,
        {
            kind: (
                from_configuration,
                {"kind": kind, "text_config": _CLIP_TEXT, "vision_config": _CLIP_IMAGE, "projection_dim": 16},
                {"vision_config": {**_CLIP_IMAGE, "intermediate_size": 96}},
            )
            for kind in ("clip", "siglip", "chinese_clip", "altclip")
        },
    )
    | table(
        PACKAGE,
        torch.zeros(1, 4, 3, 32, 32),
        {
            "videomae": (
                from_configuration,
                {"kind": "videomae", "head": "AutoModelForVideoClassification", **_PATCHES, "num_frames": 4},
                _DEEPER,
            ),
            "timesformer": (
                from_configuration,
                {"kind": "timesformer", **_PATCHES, "num_frames": 4},
                _DEEPER,
            ),
            "vivit": (
                from_configuration,
                {"kind": "vivit", **_PATCHES, "num_frames": 4, "tubelet_size": [2, 8, 8]},
                _DEEPER,
            ),
        },
    )
    | table(
        PACKAGE,
        _PAIR,
        {"vilt": (from_configuration, {"kind": "vilt", **_PATCHES, "vocab_size": 128}, _DEEPER)},
    )
)
