"""Transformers and mixers for images: vit-pytorch and packages beside it."""

from __future__ import annotations

from typing import Any

import torch
from bottleneck_transformer_pytorch import BottleStack
from g_mlp_pytorch import gMLPVision
from halonet_pytorch import HaloAttention
from kornia.models.tiny_vit import TinyViT
from kornia.models.vit import VisionTransformer
from lambda_networks import LambdaLayer
from mlp_mixer_pytorch import MLPMixer
from perceiver_pytorch import Perceiver
from res_mlp_pytorch import ResMLP
from torch import nn
from uformer_pytorch import Uformer
from vit_pytorch import (
    ats_vit,
    cait,
    cct,
    cross_vit,
    crossformer,
    cvt,
    deepvit,
    jumbo_vit,
    learnable_memory_vit,
    levit,
    look_vit,
    max_vit,
    mobile_vit,
    na_vit,
    nest,
    normalized_vit,
    parallel_vit,
    pit,
    regionvit,
    rvt,
    scalable_vit,
    sep_vit,
    simple_uvit,
    simple_vit,
    simple_vit_3d,
    simple_vit_with_fft,
    simple_vit_with_qk_norm,
    simple_vit_with_register_tokens,
    simple_vit_with_value_residual,
    t2t,
    twins_svt,
    vit,
    vit_1d,
    vit_5,
    vit_for_small_dataset,
    vit_with_patch_merger,
    vivit,
    xcit,
)

from benchmarks.coverage.wild_networks.recipe import Recipe, image, table

_VIT = {
    "image_size": 64,
    "patch_size": 16,
    "num_classes": 10,
    "dim": 32,
    "depth": 2,
    "heads": 4,
    "dim_head": 8,
    "mlp_dim": 64,
}
_DEEPER = {"depth": 3}
_WIDER = {"mlp_dim": 96}
_STAGES = {"num_classes": 10, "dim": (16, 32, 32, 32), "depth": (1, 1, 1, 1)}
_FOUR = {"depth": (1, 1, 2, 1)}
_HEADS = {**_STAGES, "dim": 16, "heads": (1, 2, 2, 2)}
_PLAIN = {
    "vit": vit.ViT,
    "simple_vit": simple_vit.SimpleViT,
    "simple_vit_qk_norm": simple_vit_with_qk_norm.SimpleViT,
    "simple_vit_registers": simple_vit_with_register_tokens.SimpleViT,
    "simple_vit_value_residual": simple_vit_with_value_residual.SimpleViT,
    "simple_uvit": simple_uvit.SimpleUViT,
    "deepvit": deepvit.DeepViT,
    "learnable_memory": learnable_memory_vit.ViT,
    "normalized_vit": normalized_vit.nViT,
    "parallel_vit": parallel_vit.ViT,
    "rvt": rvt.RvT,
    "vit_5": vit_5.ViT,
    "small_dataset": vit_for_small_dataset.ViT,
    "patch_merger": vit_with_patch_merger.ViT,
}
_VIDEO = {
    "image_size": 32,
    "image_patch_size": 8,
    "frames": 4,
    "frame_patch_size": 2,
    "num_classes": 10,
    "dim": 32,
    "heads": 4,
    "dim_head": 8,
    "mlp_dim": 64,
}


def _without(options: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in names}


def _lambda(dim_k: int = 8) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, 2, 1), LambdaLayer(16, dim_out=16, r=7, dim_k=dim_k, heads=4, dim_u=1)
    )


def _halo(dim_head: int = 8) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, 2, 1),
        HaloAttention(dim=16, block_size=4, halo_size=2, dim_head=dim_head, heads=2),
    )


def _bottleneck(dim_head: int = 8) -> nn.Module:
    stack = BottleStack(
        dim=16, fmap_size=32, dim_out=32, proj_factor=4, num_layers=2, heads=2, dim_head=dim_head
    )
    return nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1), stack, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def _perceiver(latents: int = 8, depth: int = 2) -> nn.Module:
    return Perceiver(
        num_freq_bands=4,
        max_freq=8.0,
        depth=depth,
        num_latents=latents,
        latent_dim=32,
        latent_heads=2,
        latent_dim_head=8,
        cross_dim_head=8,
        num_classes=10,
    )


NETWORKS = (
    table("vit-pytorch", image(), {name: (make, _VIT, _DEEPER) for name, make in _PLAIN.items()})
    | table(
        "vit-pytorch",
        image(),
        {
            "simple_vit_fft": (simple_vit_with_fft.SimpleViT, {**_VIT, "freq_patch_size": 8}, _WIDER),
            "jumbo_vit": (jumbo_vit.JumboViT, {**_VIT, "jumbo_cls_k": 2}, _DEEPER),
            "cait": (cait.CaiT, {**_VIT, "cls_depth": 1}, _DEEPER),
            "xcit": (xcit.XCiT, {**_VIT, "cls_depth": 1}, _DEEPER),
            "pit": (pit.PiT, {**_VIT, "patch_size": 8, "depth": (1, 1)}, {"depth": (1, 2)}),
            "t2t": (t2t.T2TViT, _without(_VIT, "patch_size", "dim_head"), _DEEPER),
            "levit": (
                levit.LeViT,
                {
                    "image_size": 64,
                    "num_classes": 10,
                    "stages": 2,
                    "dim": (16, 32),
                    "depth": 1,
                    "heads": (2, 4),
                    "mlp_mult": 2,
                },
                {"mlp_mult": 3},
            ),
            "cross_vit": (
                cross_vit.CrossViT,
                {
                    "image_size": 64,
                    "num_classes": 10,
                    "depth": 2,
                    "sm_dim": 16,
                    "sm_patch_size": 8,
                    "sm_enc_mlp_dim": 32,
                    "lg_dim": 32,
                    "lg_patch_size": 32,
                    "lg_enc_depth": 1,
                    "lg_enc_mlp_dim": 64,
                },
                {"sm_enc_mlp_dim": 48},
            ),
            "cvt": (
                cvt.CvT,
                {
                    "num_classes": 10,
                    "s1_emb_dim": 16,
                    "s2_emb_dim": 32,
                    "s3_emb_dim": 32,
                    "s2_depth": 1,
                    "s3_depth": 1,
                    "s2_heads": 2,
                    "s3_heads": 2,
                },
                {"s3_depth": 2},
            ),
            "cct": (
                cct.CCT,
                {
                    "img_size": (64, 64),
                    "embedding_dim": 32,
                    "n_conv_layers": 2,
                    "num_layers": 2,
                    "num_heads": 4,
                    "mlp_ratio": 2.0,
                    "num_classes": 10,
                    "positional_embedding": "learnable",
                },
                {"num_layers": 3},
            ),
            "look_vit": (
                look_vit.LookViT,
                {
                    "image_size": 64,
                    "num_classes": 10,
                    "dim": 32,
                    "depth": 1,
                    "heads": 2,
                    "dim_head": 8,
                    "patch_size": 16,
                    "highres_patch_size": 8,
                    "cross_attn_heads": 2,
                    "cross_attn_dim_head": 8,
                },
                {"depth": 2},
            ),
            "mobile_vit": (
                mobile_vit.MobileViT,
                {
                    "image_size": (64, 64),
                    "dims": [16, 24, 32],
                    "channels": [8, 8, 16, 16, 16, 16, 24, 24, 24, 24, 32],
                    "num_classes": 10,
                    "depths": (1, 1, 1),
                },
                {"depths": (1, 2, 1)},
            ),
            "na_vit": (na_vit.NaViT, _VIT, _DEEPER),
            "max_vit": (
                max_vit.MaxViT,
                {
                    "num_classes": 10,
                    "dim_conv_stem": 16,
                    "dim": 16,
                    "dim_head": 8,
                    "depth": (1, 1),
                    "window_size": 4,
                },
                {"depth": (1, 2)},
            ),
            "nest": (
                nest.NesT,
                {
                    "image_size": 64,
                    "patch_size": 4,
                    "num_classes": 10,
                    "dim": 16,
                    "heads": 2,
                    "num_hierarchies": 2,
                    "block_repeats": (1, 1),
                },
                {"block_repeats": (1, 2)},
            ),
        },
    )
    | table(
        "vit-pytorch",
        image(224),
        {
            "crossformer": (crossformer.CrossFormer, {**_STAGES, "dim": (32, 32, 32, 64)}, _FOUR),
            "regionvit": (regionvit.RegionViT, {**_STAGES, "dim": (16, 32, 32, 32)}, _FOUR),
            "sep_vit": (sep_vit.SepViT, _HEADS, _FOUR),
            "scalable_vit": (
                scalable_vit.ScalableViT,
                {**_HEADS, "reduction_factor": (8, 4, 2, 1), "window_size": (28, 14, None, None)},
                _FOUR,
            ),
            "twins_svt": (
                twins_svt.TwinsSVT,
                {
                    "num_classes": 10,
                    "s1_emb_dim": 16,
                    "s2_emb_dim": 16,
                    "s3_emb_dim": 32,
                    "s4_emb_dim": 32,
                    "s3_depth": 1,
                    "s4_depth": 1,
                },
                {"s3_depth": 2},
            ),
        },
    )
    | table(
        "vit-pytorch",
        torch.zeros(1, 3, 4, 32, 32),
        {
            "vivit": (vivit.ViT, {**_VIDEO, "spatial_depth": 1, "temporal_depth": 1}, {"temporal_depth": 2})
            if hasattr(vivit, "ViT")
            else (vivit.ViViT, {**_VIDEO, "spatial_depth": 1, "temporal_depth": 1}, {"temporal_depth": 2}),
            "simple_vit_3d": (simple_vit_3d.SimpleViT, {**_VIDEO, "depth": 1}, {"depth": 2}),
        },
    )
    | table(
        "vit-pytorch",
        torch.zeros(1, 3, 64),
        {"vit_1d": (vit_1d.ViT, {**_without(_VIT, "image_size"), "seq_len": 64}, _DEEPER)},
    )
    | table(
        "mlp-mixer-pytorch",
        image(),
        {
            "mlp_mixer": (
                MLPMixer,
                {"image_size": 64, "channels": 3, "patch_size": 16, "dim": 32, "depth": 2, "num_classes": 10},
                {"dim": 48},
            )
        },
    )
    | table(
        "g-mlp-pytorch",
        image(),
        {
            "g_mlp": (
                gMLPVision,
                {"image_size": 64, "patch_size": 16, "num_classes": 10, "dim": 32, "depth": 2},
                {"depth": 3},
            )
        },
    )
    | table(
        "res-mlp-pytorch",
        image(),
        {
            "res_mlp": (
                ResMLP,
                {"image_size": 64, "patch_size": 16, "dim": 32, "depth": 2, "num_classes": 10},
                {"depth": 3},
            )
        },
    )
    | table("lambda-networks", image(), {"lambda_layer": (_lambda, {}, {"dim_k": 12})})
    | table("halonet-pytorch", image(), {"halo_attention": (_halo, {}, {"dim_head": 12})})
    | table(
        "bottleneck-transformer-pytorch",
        image(),
        {"bottleneck_transformer": (_bottleneck, {}, {"dim_head": 12})},
    )
    | table(
        "uformer-pytorch",
        image(),
        {
            "uformer": (
                Uformer,
                {"dim": 8, "stages": 2, "num_blocks": 1, "window_size": 8, "dim_head": 8, "heads": 2},
                {"dim": 12},
            )
        },
    )
    | table("perceiver-pytorch", torch.zeros(1, 16, 16, 3), {"perceiver": (_perceiver, {}, {"depth": 3})})
    | table(
        "kornia",
        image(),
        {
            "kornia_vit": (
                VisionTransformer,
                {"image_size": 64, "embed_dim": 32, "depth": 2, "num_heads": 4},
                {"depth": 3},
            ),
            "tiny_vit": (
                TinyViT,
                {
                    "img_size": 64,
                    "num_classes": 10,
                    "embed_dims": (16, 16, 32, 32),
                    "depths": (1, 1, 1, 1),
                    "num_heads": (1, 1, 2, 2),
                },
                {"depths": (1, 1, 2, 1)},
            ),
        },
    )
    | {
        "adaptive_token_sampling": Recipe(
            "vit-pytorch",
            ats_vit.ViT,
            image(),
            {**_VIT, "max_tokens_per_depth": (8, 4)},
            _WIDER,
            by_value="keeps as many tokens as its attention chooses",
        )
    }
)
