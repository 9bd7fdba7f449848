"""Networks for sound: torchaudio, speechbrain, asteroid, demucs, encodec, vocos, conformer and transformers."""

from __future__ import annotations

import torch
import torchaudio.models as ta
from asteroid import models as asteroid
from conformer import Conformer
from demucs.demucs import Demucs
from demucs.htdemucs import HTDemucs
from encodec.modules import SEANetDecoder, SEANetEncoder
from speechbrain.lobes.models.Cnn14 import Cnn14
from speechbrain.lobes.models.conv_tasnet import MaskNet
from speechbrain.lobes.models.CRDNN import CRDNN
from speechbrain.lobes.models.DiffWave import DiffWave
from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN
from speechbrain.lobes.models.HifiGAN import HifiganGenerator
from speechbrain.lobes.models.MetricGAN import EnhancementGenerator, MetricDiscriminator
from speechbrain.lobes.models.ResNet import ResNet
from speechbrain.lobes.models.RNNLM import RNNLM
from speechbrain.lobes.models.Xvector import Xvector
from speechbrain.nnet.RNN import LSTM, LiGRU
from torch import nn
from vocos.models import VocosBackbone

from benchmarks.coverage.wild_networks.recipe import Recipe, Wrapped, table, tokens
from benchmarks.coverage.wild_networks.transformers_audio import NETWORKS as TRANSFORMERS
from fxscore import Shared

_WAVE = torch.zeros(1, 1, 1600)
_FRAMES = torch.zeros(1, 32, 20)  # time, features
_LENGTH = torch.tensor([32])


def _wav2vec2(layers: int = 1) -> nn.Module:
    return ta.wav2vec2_model(
        "group_norm",
        [(16, 10, 5), (16, 3, 2), (16, 3, 2)],
        False,
        32,
        0.1,
        16,
        4,
        layers,
        4,
        0.1,
        64,
        0.1,
        0.1,
        False,
        0.0,
        12,
    )


def _crdnn(neurons: int = 8) -> nn.Module:
    return CRDNN(
        input_shape=[None, None, 20],
        cnn_channels=[4, 8],
        rnn_class=LSTM,
        rnn_layers=1,
        rnn_neurons=neurons,
        dnn_blocks=1,
        dnn_neurons=16,
    )


def _ligru(neurons: int = 8) -> nn.Module:
    network = LiGRU(hidden_size=neurons, input_shape=[1, 32, 20], num_layers=1, bidirectional=True)
    return Wrapped(network, lambda inner, x: inner(x)[0])


def _hifigan(channels: int = 16) -> nn.Module:
    return HifiganGenerator(
        in_channels=20,
        out_channels=1,
        resblock_type="1",
        resblock_dilation_sizes=[[1, 3, 5]],
        resblock_kernel_sizes=[3],
        upsample_kernel_sizes=[8, 4],
        upsample_initial_channel=channels,
        upsample_factors=[4, 2],
    )


def _conformer(layers: int = 1) -> nn.Module:
    return ta.Conformer(20, 4, 32, layers, 7)


_SEANET = {"dimension": 16, "n_filters": 4, "ratios": [4, 2], "lstm": 1}
_TASNET = {
    "n_src": 2,
    "n_blocks": 2,
    "n_repeats": 1,
    "bn_chan": 8,
    "hid_chan": 16,
    "skip_chan": 8,
    "n_filters": 16,
}
_DPRNN = {"n_src": 2, "bn_chan": 8, "hid_size": 8, "chunk_size": 20, "n_repeats": 1, "n_filters": 16}

NETWORKS: dict[str, Recipe] = (
    table(
        "torchaudio",
        _WAVE,
        {
            "conv_tasnet": (
                ta.ConvTasNet,
                {
                    "enc_num_feats": 16,
                    "msk_num_feats": 8,
                    "msk_num_hidden_feats": 16,
                    "msk_num_layers": 2,
                    "msk_num_stacks": 1,
                },
                {"msk_num_layers": 3},
            ),
        },
    )
    | table("torchaudio", torch.zeros(1, 1600), {"wav2vec2_torchaudio": (_wav2vec2, {}, {"layers": 2})})
    | table(
        "torchaudio",
        torch.zeros(1, 1, 32, 20),
        {"deep_speech": (ta.DeepSpeech, {"n_feature": 20, "n_hidden": 16, "n_class": 10}, {"n_hidden": 24})},
    )
    | table(
        "torchaudio",
        {"input": _FRAMES, "lengths": _LENGTH},
        {"conformer_torchaudio": (_conformer, {}, {"layers": 2})},
    )
    | table(
        "torchaudio",
        {"input": torch.zeros(1, 34, 16), "lengths": torch.tensor([34])},
        {
            "emformer": (
                ta.Emformer,
                {
                    "input_dim": 16,
                    "num_heads": 4,
                    "ffn_dim": 32,
                    "num_layers": 1,
                    "segment_length": 8,
                    "right_context_length": 2,
                },
                {"num_layers": 2},
            )
        },
    )
    | table(
        "torchaudio",
        torch.zeros(1, 2, 4096),
        {
            "hybrid_demucs": (
                ta.HDemucs,
                {
                    "sources": ["a", "b"],
                    "channels": 4,
                    "depth": 3,
                    "nfft": 64,
                    "norm_starts": 2,
                    "dconv_attn": 2,
                    "dconv_lstm": 2,
                },
                {"channels": 8},
            )
        },
    )
    | table(
        "torchaudio",
        {"waveform": torch.zeros(1, 1, 96), "specgram": torch.zeros(1, 1, 20, 16)},
        {
            "wavernn": (
                ta.WaveRNN,
                {
                    "upsample_scales": [2, 2, 2],
                    "n_classes": 16,
                    "hop_length": 8,
                    "n_res_block": 1,
                    "n_rnn": 16,
                    "n_fc": 16,
                    "n_freq": 20,
                    "n_hidden": 8,
                    "n_output": 8,
                },
                {"n_rnn": 24},
            )
        },
    )
    | table(
        "torchaudio",
        {
            "tokens": tokens(12, 40),
            "token_lengths": torch.tensor([12]),
            "mel_specgram": torch.zeros(1, 20, 10),
            "mel_specgram_lengths": torch.tensor([10]),
        },
        {
            "tacotron2": (
                ta.Tacotron2,
                {
                    "n_mels": 20,
                    "n_symbol": 40,
                    "symbol_embedding_dim": 16,
                    "encoder_embedding_dim": 16,
                    "encoder_n_convolution": 1,
                    "decoder_rnn_dim": 16,
                    "attention_rnn_dim": 16,
                    "attention_hidden_dim": 8,
                    "prenet_dim": 8,
                    "postnet_n_convolution": 2,
                    "postnet_embedding_dim": 16,
                },
                {"decoder_rnn_dim": 24},
            )
        },
    )
    | table(
        "speechbrain",
        _FRAMES,
        {
            "ecapa_tdnn": (
                ECAPA_TDNN,
                {
                    "input_size": 20,
                    "lin_neurons": 16,
                    "channels": [16, 16, 16, 16, 48],
                    "attention_channels": 8,
                    "res2net_scale": 4,
                    "se_channels": 8,
                },
                {"lin_neurons": 16, "channels": [24, 24, 24, 24, 72]},
            ),
            "xvector": (
                Xvector,
                {"in_channels": 20, "tdnn_channels": [16, 16, 16, 16, 32], "lin_neurons": 16},
                {"tdnn_channels": [24, 16, 16, 16, 32]},
            ),
            "resnet_speaker": (
                ResNet,
                {
                    "input_size": 20,
                    "channels": [8, 8, 16, 16],
                    "block_sizes": [1, 1, 1, 1],
                    "lin_neurons": 16,
                },
                {"block_sizes": [1, 2, 1, 1]},
            ),
            "crdnn": (_crdnn, {}, {"neurons": 12}),
            "ligru": (_ligru, {}, {"neurons": 12}),
        },
    )
    | table(
        "speechbrain",
        torch.zeros(1, 64, 64),
        {"cnn14": (Cnn14, {"mel_bins": 64, "emb_dim": 32}, {"emb_dim": 48})},
    )
    | table(
        "speechbrain",
        torch.zeros(1, 16, 100),
        {"masknet": (MaskNet, {"N": 16, "B": 8, "H": 16, "P": 3, "X": 2, "R": 1, "C": 2}, {"X": 3})},
    )
    | table("speechbrain", torch.zeros(1, 20, 16), {"hifigan": (_hifigan, {}, {"channels": 24})})
    | table(
        "speechbrain",
        {"audio": torch.zeros(1, 1, 256), "diffusion_step": torch.tensor([3])},
        {
            "diffwave": (
                DiffWave,
                {
                    "input_channels": 20,
                    "residual_layers": 2,
                    "residual_channels": 8,
                    "dilation_cycle_length": 2,
                    "total_steps": 10,
                    "unconditional": True,
                },
                {"residual_layers": 3},
            )
        },
    )
    | table(
        "speechbrain",
        {"x": torch.zeros(1, 16, 257), "lengths": Shared(torch.ones(1))},
        {"metricgan": (EnhancementGenerator, {"num_layers": 1}, {"num_layers": 2})},
    )
    | table(
        "speechbrain",
        torch.zeros(1, 2, 64, 64),
        {"metric_discriminator": (MetricDiscriminator, {"base_channels": 8}, {"base_channels": 12})},
    )
    | table(
        "speechbrain",
        tokens(),
        {
            "rnn_language_model": (
                RNNLM,
                {
                    "output_neurons": 100,
                    "embedding_dim": 16,
                    "rnn_layers": 1,
                    "rnn_neurons": 16,
                    "dnn_neurons": 16,
                },
                {"rnn_neurons": 24},
            )
        },
    )
    | table(
        "asteroid",
        _WAVE,
        {
            "asteroid_conv_tasnet": (asteroid.ConvTasNet, _TASNET, {"hid_chan": 24}),
            "asteroid_dprnn": (asteroid.DPRNNTasNet, _DPRNN, {"hid_size": 12}),
            "asteroid_sudormrf": (
                asteroid.SuDORMRFNet,
                {"n_src": 2, "bn_chan": 8, "num_blocks": 1, "n_filters": 16, "upsampling_depth": 2},
                {"num_blocks": 2},
            ),
            "asteroid_dptnet": (
                asteroid.DPTNet,
                {"n_src": 2, "ff_hid": 16, "chunk_size": 20, "n_repeats": 1, "n_filters": 16},
                {"ff_hid": 24},
            ),
        },
    )
    | table(
        "demucs",
        torch.zeros(1, 2, 4096),
        {
            "demucs": (
                Demucs,
                {
                    "sources": ["a", "b"],
                    "channels": 4,
                    "depth": 3,
                    "lstm_layers": 1,
                    "resample": False,
                    "norm_starts": 2,
                },
                {"channels": 8},
            ),
            "transformer_demucs": (
                HTDemucs,
                {
                    "sources": ["a", "b"],
                    "channels": 8,
                    "depth": 2,
                    "nfft": 256,
                    "t_layers": 1,
                    "t_heads": 2,
                    "segment": 1,
                    "samplerate": 4096,
                    "bottom_channels": 16,
                    "use_train_segment": False,
                },
                {"t_layers": 2},
            ),
        },
    )
    | table("encodec", _WAVE, {"encodec_encoder": (SEANetEncoder, _SEANET, {"n_filters": 6})})
    | table(
        "encodec", torch.zeros(1, 16, 20), {"encodec_decoder": (SEANetDecoder, _SEANET, {"n_filters": 6})}
    )
    | table(
        "vocos",
        torch.zeros(1, 20, 32),
        {
            "vocos": (
                VocosBackbone,
                {"input_channels": 20, "dim": 16, "intermediate_dim": 32, "num_layers": 2},
                {"num_layers": 3},
            )
        },
    )
    | table(
        "conformer",
        _FRAMES,
        {
            "conformer": (
                Conformer,
                {"dim": 20, "depth": 1, "dim_head": 8, "heads": 2, "conv_kernel_size": 7},
                {"depth": 2},
            )
        },
    )
    | TRANSFORMERS
)
