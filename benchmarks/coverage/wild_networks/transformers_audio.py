"""The audio networks of the transformers library, small, from configurations; part of the kind `audio`."""

from __future__ import annotations

import torch

from benchmarks.coverage.wild_networks.library import PACKAGE, from_configuration
from benchmarks.coverage.wild_networks.recipe import Recipe, table, tokens

_SMALL_AUDIO = {
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "conv_dim": [16, 16, 16],
    "conv_stride": [5, 2, 2],
    "conv_kernel": [10, 3, 3],
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
    "num_feat_extract_layers": 3,
    "vocab_size": 32,
}
_SPEECH = "wav2vec2 hubert wavlm unispeech unispeech-sat data2vec-audio wav2vec2-conformer sew".split()

NETWORKS: dict[str, Recipe] = (
    table(
        PACKAGE,
        torch.zeros(1, 1600),
        {
            kind: (from_configuration, {"kind": kind, **_SMALL_AUDIO}, {"num_hidden_layers": 2})
            for kind in _SPEECH
        },
    )
    | table(
        PACKAGE,
        {"input_values": torch.zeros(1, 64, 16)},
        {
            "audio_spectrogram_transformer": (
                from_configuration,
                {
                    "kind": "audio-spectrogram-transformer",
                    "hidden_size": 32,
                    "num_hidden_layers": 1,
                    "num_attention_heads": 4,
                    "intermediate_size": 64,
                    "patch_size": 8,
                    "frequency_stride": 8,
                    "time_stride": 8,
                    "max_length": 64,
                    "num_mel_bins": 16,
                },
                {"num_hidden_layers": 2},
            )
        },
    )
    | table(
        PACKAGE,
        {"input_features": torch.zeros(1, 20, 64), "decoder_input_ids": tokens(8)},
        {
            "whisper": (
                from_configuration,
                {
                    "kind": "whisper",
                    "d_model": 32,
                    "encoder_layers": 1,
                    "decoder_layers": 1,
                    "encoder_attention_heads": 4,
                    "decoder_attention_heads": 4,
                    "encoder_ffn_dim": 64,
                    "decoder_ffn_dim": 64,
                    "num_mel_bins": 20,
                    "max_source_positions": 32,
                    "vocab_size": 128,
                    "pad_token_id": 0,
                    "decoder_start_token_id": 1,
                },
                {"decoder_layers": 2},
            ),
        },
    )
)
