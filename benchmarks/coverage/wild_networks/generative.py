"""Generators: diffusers, denoising-diffusion-pytorch, vector-quantize-pytorch, coca-pytorch and x-clip."""

from __future__ import annotations

import diffusers
import torch
from coca_pytorch import CoCa
from denoising_diffusion_pytorch import KarrasUnet, Unet, Unet1D
from denoising_diffusion_pytorch.simple_diffusion import UViT
from torch import Tensor, nn
from vector_quantize_pytorch import FSQ, VectorQuantize
from vit_pytorch.extractor import Extractor
from vit_pytorch.simple_vit import SimpleViT
from x_clip import CLIP

from benchmarks.coverage.wild_networks.recipe import image, table, tokens

_LATENT = torch.zeros(1, 4, 16, 16)
_STEP = torch.tensor([7])
_TEXT = torch.zeros(1, 6, 16)
_BLOCKS_2D = {
    "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
    "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
    "block_out_channels": (8, 16),
    "layers_per_block": 1,
    "norm_num_groups": 4,
    "attention_head_dim": 8,
}
_WIDER = {"block_out_channels": (8, 24)}
_CONDITIONED = {
    "sample_size": 16,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
    "block_out_channels": (8, 16),
    "layers_per_block": 1,
    "norm_num_groups": 4,
    "attention_head_dim": 8,
    "cross_attention_dim": 16,
}
_DIT = {
    "num_attention_heads": 2,
    "attention_head_dim": 8,
    "in_channels": 4,
    "num_layers": 1,
    "sample_size": 16,
}
_DEEPER = {"num_layers": 2}
_AUTO = {
    "down_block_types": ("DownEncoderBlock2D", "DownEncoderBlock2D"),
    "up_block_types": ("UpDecoderBlock2D", "UpDecoderBlock2D"),
    "block_out_channels": (8, 16),
    "norm_num_groups": 4,
    "latent_channels": 4,
}
_LUCID = {"dim": 8, "dim_mults": (1, 2), "channels": 3, "attn_dim_head": 8, "attn_heads": 2}
_TIMED = {"sample": _LATENT, "timestep": _STEP}


class Quantised(nn.Module):
    """An encoder, a quantiser and a decoder of images."""

    def __init__(self, kind: str, width: int = 8) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(3, width, 4, 2, 1), nn.ReLU(), nn.Conv2d(width, 4, 3, 1, 1))
        self.quantise = (
            VectorQuantize(dim=4, codebook_size=16, accept_image_fmap=True)
            if kind == "vector"
            else FSQ([5, 5, 5], dim=4)
        )
        self.decoder = nn.Sequential(
            nn.Conv2d(4, width, 3, 1, 1), nn.ReLU(), nn.ConvTranspose2d(width, 3, 4, 2, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.quantise(self.encoder(x))[0])


def _coca(depth: int = 1) -> nn.Module:
    vision = SimpleViT(
        image_size=32, patch_size=8, num_classes=10, dim=16, depth=1, heads=2, mlp_dim=32, dim_head=8
    )
    return CoCa(
        dim=16,
        img_encoder=Extractor(vision, return_embeddings_only=True, detach=False),
        image_dim=16,
        num_tokens=100,
        unimodal_depth=depth,
        multimodal_depth=1,
        num_img_queries=4,
        dim_head=8,
        heads=2,
    )


def _clip(depth: int = 1) -> nn.Module:
    return CLIP(
        dim_text=16,
        dim_image=16,
        dim_latent=16,
        num_text_tokens=100,
        text_enc_depth=depth,
        text_seq_len=16,
        text_heads=2,
        text_dim_head=8,
        visual_enc_depth=1,
        visual_image_size=32,
        visual_patch_size=8,
        visual_heads=2,
        visual_dim_head=8,
    )


NETWORKS = (
    table(
        "diffusers",
        {"sample": image(32), "timestep": _STEP},
        {"unet_2d": (diffusers.UNet2DModel, {"sample_size": 32, **_BLOCKS_2D}, _WIDER)},
    )
    | table(
        "diffusers",
        {**_TIMED, "encoder_hidden_states": _TEXT},
        {"unet_conditioned": (diffusers.UNet2DConditionModel, _CONDITIONED, _WIDER)},
    )
    | table(
        "diffusers",
        {"sample": torch.zeros(1, 4, 4, 16, 16), "timestep": _STEP, "encoder_hidden_states": _TEXT},
        {
            "unet_3d": (
                diffusers.UNet3DConditionModel,
                {
                    **_CONDITIONED,
                    "down_block_types": ("CrossAttnDownBlock3D", "DownBlock3D"),
                    "up_block_types": ("UpBlock3D", "CrossAttnUpBlock3D"),
                },
                _WIDER,
            )
        },
    )
    | table(
        "diffusers",
        {"sample": torch.zeros(1, 2, 64), "timestep": _STEP},
        {
            "unet_1d": (
                diffusers.UNet1DModel,
                {
                    "sample_size": 64,
                    "block_out_channels": (8, 32, 32),
                    "extra_in_channels": 16,
                },
                {"block_out_channels": (8, 64, 64)},
            )
        },
    )
    | table(
        "diffusers",
        {"hidden_states": _LATENT, "timestep": _STEP, "class_labels": torch.tensor([3])},
        {"dit": (diffusers.DiTTransformer2DModel, {**_DIT, "num_embeds_ada_norm": 10}, _DEEPER)},
    )
    | table(
        "diffusers",
        {"hidden_states": _LATENT, "encoder_hidden_states": _TEXT, "timestep": _STEP},
        {
            "pixart": (
                diffusers.PixArtTransformer2DModel,
                {
                    **_DIT,
                    "cross_attention_dim": 16,
                    "caption_channels": 16,
                    "use_additional_conditions": False,
                },
                _DEEPER,
            ),
            "sana": (
                diffusers.SanaTransformer2DModel,
                {
                    **_DIT,
                    "out_channels": 4,
                    "num_cross_attention_heads": 2,
                    "cross_attention_head_dim": 8,
                    "cross_attention_dim": 16,
                    "caption_channels": 16,
                },
                _DEEPER,
            ),
            "auraflow": (
                diffusers.AuraFlowTransformer2DModel,
                {
                    "sample_size": 16,
                    "in_channels": 4,
                    "num_mmdit_layers": 1,
                    "num_single_dit_layers": 1,
                    "attention_head_dim": 8,
                    "num_attention_heads": 2,
                    "joint_attention_dim": 16,
                    "caption_projection_dim": 16,
                    "pos_embed_max_size": 64,
                },
                {"num_single_dit_layers": 2},
            ),
        },
    )
    | table(
        "diffusers",
        {
            "hidden_states": _LATENT,
            "encoder_hidden_states": _TEXT,
            "pooled_projections": torch.zeros(1, 16),
            "timestep": _STEP,
        },
        {
            "stable_diffusion_3": (
                diffusers.SD3Transformer2DModel,
                {
                    "sample_size": 16,
                    "in_channels": 4,
                    "out_channels": 4,
                    "num_layers": 1,
                    "attention_head_dim": 8,
                    "num_attention_heads": 2,
                    "joint_attention_dim": 16,
                    "caption_projection_dim": 16,
                    "pooled_projection_dim": 16,
                    "pos_embed_max_size": 16,
                },
                _DEEPER,
            )
        },
    )
    | table(
        "diffusers",
        {
            "hidden_states": torch.zeros(1, 16, 8),
            "encoder_hidden_states": _TEXT,
            "pooled_projections": torch.zeros(1, 16),
            "timestep": torch.tensor([0.5]),
            "img_ids": torch.zeros(16, 3),
            "txt_ids": torch.zeros(6, 3),
        },
        {
            "flux": (
                diffusers.FluxTransformer2DModel,
                {
                    "in_channels": 8,
                    "num_layers": 1,
                    "num_single_layers": 1,
                    "attention_head_dim": 8,
                    "num_attention_heads": 2,
                    "joint_attention_dim": 16,
                    "pooled_projection_dim": 16,
                    "axes_dims_rope": (2, 2, 4),
                },
                {"num_single_layers": 2},
            )
        },
    )
    | table(
        "diffusers",
        {"hidden_states": torch.zeros(1, 4, 2, 8, 8), "timestep": _STEP, "encoder_hidden_states": _TEXT},
        {
            "wan": (
                diffusers.WanTransformer3DModel,
                {
                    "num_attention_heads": 2,
                    "attention_head_dim": 12,
                    "in_channels": 4,
                    "out_channels": 4,
                    "text_dim": 16,
                    "freq_dim": 16,
                    "ffn_dim": 32,
                    "num_layers": 1,
                    "rope_max_seq_len": 32,
                },
                _DEEPER,
            )
        },
    )
    | table(
        "diffusers",
        image(32),
        {
            "autoencoder_kl": (diffusers.AutoencoderKL, _AUTO, _WIDER),
            "vq_model": (diffusers.VQModel, {**_AUTO, "num_vq_embeddings": 16}, _WIDER),
            "autoencoder_tiny": (
                diffusers.AutoencoderTiny,
                {
                    "encoder_block_out_channels": (8, 8),
                    "decoder_block_out_channels": (8, 8),
                    "num_encoder_blocks": (1, 1),
                    "num_decoder_blocks": (1, 1),
                },
                {"num_encoder_blocks": (1, 2)},
            ),
            "autoencoder_dc": (
                diffusers.AutoencoderDC,
                {
                    "latent_channels": 4,
                    "attention_head_dim": 8,
                    "encoder_block_types": ("ResBlock", "EfficientViTBlock"),
                    "decoder_block_types": ("ResBlock", "EfficientViTBlock"),
                    "encoder_block_out_channels": (8, 16),
                    "decoder_block_out_channels": (8, 16),
                    "encoder_layers_per_block": (1, 1),
                    "decoder_layers_per_block": (1, 1),
                    "encoder_qkv_multiscales": ((), (5,)),
                    "decoder_qkv_multiscales": ((), (5,)),
                },
                {"encoder_layers_per_block": (1, 2)},
            ),
        },
    )
    | table(
        "diffusers",
        torch.zeros(1, 2, 256),
        {
            "oobleck": (
                diffusers.AutoencoderOobleck,
                {
                    "encoder_hidden_size": 4,
                    "downsampling_ratios": [2, 4],
                    "channel_multiples": [1, 2],
                    "decoder_channels": 4,
                    "decoder_input_channels": 2,
                },
                {"encoder_hidden_size": 8, "decoder_input_channels": 4},
            )
        },
    )
    | table(
        "denoising-diffusion-pytorch",
        {"x": image(32), "time": _STEP},
        {
            "denoising_unet": (Unet, _LUCID, {"dim_mults": (1, 3)}),
            "denoising_unet_fourier": (
                Unet,
                {**_LUCID, "learned_sinusoidal_cond": True},
                {"dim_mults": (1, 3)},
            ),
            "denoising_uvit": (UViT, {**_LUCID, "vit_depth": 1}, {"vit_depth": 2}),
            "karras_unet": (
                KarrasUnet,
                {
                    "image_size": 32,
                    "dim": 8,
                    "dim_max": 16,
                    "channels": 3,
                    "num_downsamples": 1,
                    "num_blocks_per_stage": 1,
                    "attn_res": (16,),
                    "attn_dim_head": 8,
                },
                {"num_blocks_per_stage": 2},
            ),
        },
    )
    | table(
        "denoising-diffusion-pytorch",
        {"x": torch.zeros(1, 3, 64), "time": _STEP},
        {"denoising_unet_1d": (Unet1D, _LUCID, {"dim_mults": (1, 3)})},
    )
    | table(
        "vector-quantize-pytorch",
        image(32),
        {
            "vector_quantised": (Quantised, {"kind": "vector"}, {"width": 12}),
            "scalar_quantised": (Quantised, {"kind": "scalar"}, {"width": 12}),
        },
    )
    | table("coca-pytorch", {"text": tokens(), "images": image(32)}, {"coca": (_coca, {}, {"depth": 2})})
    | table("x-clip", {"text": tokens(), "image": image(32)}, {"x_clip": (_clip, {}, {"depth": 2})})
)
