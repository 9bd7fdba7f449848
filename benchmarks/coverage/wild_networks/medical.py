"""Networks for medical images and volumes: MONAI."""

from __future__ import annotations

from monai.networks import nets

from benchmarks.coverage.wild_networks.recipe import Wrapped, image, table, volume

_SEGMENT = {"spatial_dims": 3, "in_channels": 1, "out_channels": 2}
_FLAT = {"spatial_dims": 2, "in_channels": 1, "out_channels": 2}
_UNET = {**_SEGMENT, "channels": (8, 16, 32), "strides": (2, 2), "num_res_units": 1}
_CLASSIFY = {"spatial_dims": 3, "in_channels": 1, "out_channels": 2}
_DYNAMIC = {
    **_SEGMENT,
    "kernel_size": (3, 3, 3),
    "strides": (1, 2, 2),
    "upsample_kernel_size": (2, 2),
    "filters": (8, 16, 32),
}
_RESNET = {
    "block": "basic",
    "layers": (1, 1, 1, 1),
    "block_inplanes": (8, 16, 32, 64),
    "spatial_dims": 3,
    "n_input_channels": 1,
    "num_classes": 2,
}
_VIT = {
    "in_channels": 1,
    "img_size": (32, 32, 32),
    "patch_size": (8, 8, 8),
    "hidden_size": 32,
    "mlp_dim": 64,
    "num_layers": 2,
    "num_heads": 4,
}
_AUTO = {**_SEGMENT, "out_channels": 1, "channels": (8, 8), "num_res_blocks": (1, 1), "norm_num_groups": 4}


def _diffusion(channels: tuple[int, ...] = (8, 16)) -> Wrapped:
    inner = nets.DiffusionModelUNet(
        **{**_FLAT, "out_channels": 1},
        channels=channels,
        attention_levels=(False, True),
        norm_num_groups=8,
        num_head_channels=8,
        num_res_blocks=1,
    )
    return Wrapped(inner, lambda inner, x, timesteps: inner(x, timesteps))


NETWORKS = (
    table(
        "monai",
        volume(),
        {
            "unet": (nets.UNet, _UNET, {"channels": (8, 24, 32)}),
            "attention_unet": (
                nets.AttentionUnet,
                {**_SEGMENT, "channels": (8, 16, 32), "strides": (2, 2)},
                {"channels": (8, 24, 32)},
            ),
            "basic_unet": (
                nets.BasicUNet,
                {**_SEGMENT, "features": (8, 8, 16, 16, 32, 8)},
                {"features": (8, 8, 16, 24, 32, 8)},
            ),
            "basic_unet_plus_plus": (
                nets.BasicUNetPlusPlus,
                {**_SEGMENT, "features": (8, 8, 16, 16, 32, 8)},
                {"features": (8, 8, 16, 24, 32, 8)},
            ),
            "dyn_unet": (nets.DynUNet, _DYNAMIC, {"filters": (8, 24, 32)}),
            "dyn_unet_deep_supervision": (
                nets.DynUNet,
                {
                    **_DYNAMIC,
                    "kernel_size": (3, 3, 3, 3),
                    "strides": (1, 2, 2, 2),
                    "upsample_kernel_size": (2, 2, 2),
                    "filters": (8, 16, 32, 32),
                    "deep_supervision": True,
                },
                {"filters": (8, 24, 32, 32)},
            ),
            "segresnet": (nets.SegResNet, {**_SEGMENT, "init_filters": 8}, {"blocks_down": (1, 2, 2, 5)}),
            "segresnet_ds": (
                nets.SegResNetDS,
                {**_SEGMENT, "init_filters": 8},
                {"blocks_down": (1, 2, 2, 3)},
            ),
            "highresnet": (
                nets.HighResNet,
                {
                    **_SEGMENT,
                    "layer_params": (
                        {"name": "conv_0", "n_features": 8, "kernel_size": 3},
                        {"name": "res_1", "n_features": 8, "kernels": (3, 3), "repeat": 1},
                        {"name": "res_2", "n_features": 16, "kernels": (3, 3), "repeat": 1},
                        {"name": "conv_1", "n_features": 16, "kernel_size": 1},
                        {"name": "conv_2", "kernel_size": 1},
                    ),
                },
                {
                    "layer_params": (
                        {"name": "conv_0", "n_features": 8, "kernel_size": 3},
                        {"name": "res_1", "n_features": 8, "kernels": (3, 3), "repeat": 2},
                        {"name": "res_2", "n_features": 16, "kernels": (3, 3), "repeat": 1},
                        {"name": "conv_1", "n_features": 16, "kernel_size": 1},
                        {"name": "conv_2", "kernel_size": 1},
                    )
                },
            ),
            "unetr": (
                nets.UNETR,
                {
                    "in_channels": 1,
                    "out_channels": 2,
                    "img_size": 32,
                    "feature_size": 8,
                    "hidden_size": 48,
                    "mlp_dim": 64,
                    "num_heads": 4,
                },
                {"mlp_dim": 96},
            ),
            "vit": (nets.ViT, {**_VIT, "classification": True, "num_classes": 2}, {"num_layers": 3}),
            "vit_autoencoder": (nets.ViTAutoEnc, {**_VIT, "patch_size": (16, 16, 16)}, {"mlp_dim": 96}),
            "resnet": (nets.ResNet, _RESNET, {"layers": (1, 2, 1, 1)}),
            "densenet": (
                nets.DenseNet,
                {**_CLASSIFY, "init_features": 8, "growth_rate": 4, "block_config": (2, 2, 2)},
                {"growth_rate": 6},
            ),
            "senet": (
                nets.SENet,
                {
                    "spatial_dims": 3,
                    "in_channels": 1,
                    "block": "se_bottleneck",
                    "layers": (1, 1, 1, 1),
                    "groups": 1,
                    "reduction": 16,
                    "num_classes": 2,
                },
                {"layers": (1, 2, 1, 1)},
            ),
            "registration": (
                nets.RegUNet,
                {
                    "spatial_dims": 3,
                    "in_channels": 1,
                    "num_channel_initial": 4,
                    "depth": 2,
                    "out_channels": 3,
                },
                {"num_channel_initial": 6},
            ),
            "autoencoder": (
                nets.AutoEncoder,
                {**_SEGMENT, "channels": (4, 8), "strides": (2, 2)},
                {"channels": (4, 12)},
            ),
            "vqvae": (
                nets.VQVAE,
                {
                    **_SEGMENT,
                    "channels": (8, 8),
                    "num_res_layers": 1,
                    "num_res_channels": (8, 8),
                    "downsample_parameters": ((2, 4, 1, 1), (2, 4, 1, 1)),
                    "upsample_parameters": ((2, 4, 1, 1, 0), (2, 4, 1, 1, 0)),
                    "num_embeddings": 16,
                    "embedding_dim": 8,
                },
                {"num_res_layers": 2},
            ),
            "patch_discriminator": (
                nets.PatchDiscriminator,
                {"spatial_dims": 3, "channels": 8, "in_channels": 1, "num_layers_d": 2},
                {"channels": 12},
            ),
            "regressor": (
                lambda hidden=8: nets.Regressor((1, 32, 32, 32), (hidden,), (4, hidden), (2, 2)),
                {},
                {"hidden": 12},
            ),
            "vnet": (nets.VNet, {}, {"act": ("relu", {"inplace": True})}),
        },
    )
    | table(
        "monai",
        image(64, 1),
        {
            "unet_2d": (nets.UNet, {**_UNET, "spatial_dims": 2}, {"channels": (8, 24, 32)}),
            "swin_unetr_2d": (
                nets.SwinUNETR,
                {**_FLAT, "feature_size": 12, "depths": (1, 1, 1, 1)},
                {"feature_size": 24},
            ),
            "flexible_unet": (
                nets.FlexibleUNet,
                {
                    "spatial_dims": 2,
                    "in_channels": 1,
                    "out_channels": 2,
                    "backbone": "efficientnet-b0",
                    "pretrained": False,
                },
                {"backbone": "efficientnet-b1"},
            ),
            "ahnet": (
                nets.AHNet,
                {
                    "spatial_dims": 2,
                    "in_channels": 1,
                    "out_channels": 2,
                    "layers": (1, 1, 1, 1),
                    "psp_block_num": 1,
                },
                {"layers": (1, 2, 1, 1)},
            ),
            "efficientnet": (
                nets.EfficientNetBN,
                {"model_name": "efficientnet-b0", "pretrained": False, "spatial_dims": 2, "in_channels": 1},
                {"model_name": "efficientnet-b1"},
            ),
            "autoencoder_kl": (
                nets.AutoencoderKL,
                {**_AUTO, "spatial_dims": 2, "attention_levels": (False, False), "latent_channels": 3},
                {"channels": (8, 16)},
            ),
        },
    )
    | table(
        "monai",
        volume(32, 2),
        {
            "voxelmorph": (
                nets.VoxelMorphUNet,
                {
                    "spatial_dims": 3,
                    "in_channels": 2,
                    "unet_out_channels": 8,
                    "channels": (8, 8, 8, 8, 8, 8),
                    "final_conv_channels": (8,),
                },
                {"channels": (8, 16, 16, 16, 8, 8)},
            ),
        },
    )
)
