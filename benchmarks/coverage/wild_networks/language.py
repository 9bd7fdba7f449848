"""Language models: decoders, encoders and both, of the transformers library and packages beside it."""

from __future__ import annotations

from typing import Any

import torch
from linformer import LinformerLM
from local_attention import LocalTransformer
from mambapy.mamba import Mamba, MambaConfig
from nystrom_attention import Nystromformer
from perceiver_pytorch.perceiver_io import PerceiverLM
from performer_pytorch import PerformerLM
from simple_hierarchical_transformer import HierarchicalTransformer
from soft_moe_pytorch import SoftMoE
from torch import nn
from x_transformers import Decoder, Encoder, TransformerWrapper, XTransformer

from benchmarks.coverage.wild_networks.library import PACKAGE, from_configuration
from benchmarks.coverage.wild_networks.recipe import Recipe, table, tokens

_SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "intermediate_size": 64,
    "vocab_size": 128,
    "max_position_embeddings": 128,
    "head_dim": 8,
    "embedding_size": 32,
}
_PAD = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
_PLAIN = (
    "albert apertus arcee bert bert-generation big_bird biogpt bloom camembert canine cohere cohere2 convbert ctrl "
    "data2vec-text deberta deberta-v2 diffllama distilbert doge electra ernie ernie4_5 exaone4 falcon_mamba flaubert "
    "fnet gemma gemma2 gemma3_text gpt2 gpt_bigcode gpt_neox gpt_oss granite granitemoe helium ibert jamba "
    "lfm2 llama longformer mamba megatron-bert minimax mistral mixtral mobilebert mpnet mpt mra nemotron "
    "nystromformer olmo olmo2 olmoe openai-gpt opt persimmon phi qwen2 qwen3"
).split()
_OTHER: dict[str, dict[str, Any]] = {
    "glm": _PAD,
    "glm4": _PAD,
    "modernbert": {**_PAD, "cls_token_id": 1, "sep_token_id": 2},
    "esm": {"pad_token_id": 1, "mask_token_id": 4},
    "gptj": {"rotary_dim": 8},
    "codegen": {"rotary_dim": 8},
}
_BOTH: dict[str, dict[str, Any]] = {
    "bart": {},
    "mbart": {},
    "led": {},
    "mvp": {},
    "fsmt": {"src_vocab_size": 128, "tgt_vocab_size": 128, "langs": ["en", "de"]},
    "blenderbot-small": {},
    "m2m_100": {},
    "pegasus": {},
    "marian": {"pad_token_id": 0, "decoder_start_token_id": 0},
    "plbart": {},
}
_LAYERS = {"encoder_layers": 1, "decoder_layers": 1}
_NARROW = {
    "d_model": 32,
    "encoder_ffn_dim": 48,
    "decoder_ffn_dim": 48,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "vocab_size": 128,
    "max_position_embeddings": 128,
}
_T5 = {
    "d_model": 32,
    "d_kv": 8,
    "d_ff": 64,
    "num_layers": 1,
    "num_decoder_layers": 1,
    "num_heads": 4,
    "vocab_size": 128,
}
_DEEPER = {"num_hidden_layers": 3}
_IDS = tokens()
_PAIR = {"input_ids": _IDS, "decoder_input_ids": _IDS}


def _decoder(**options: Any) -> nn.Module:
    return TransformerWrapper(
        num_tokens=100,
        max_seq_len=32,
        attn_layers=Decoder(**{"dim": 32, "depth": 2, "heads": 4, "attn_dim_head": 8, **options}),
    )


def _encoder(**options: Any) -> nn.Module:
    return TransformerWrapper(
        num_tokens=100,
        max_seq_len=32,
        attn_layers=Encoder(**{"dim": 32, "depth": 2, "heads": 4, "attn_dim_head": 8, **options}),
    )


def _mamba(layers: int = 2, pscan: bool = True) -> nn.Module:
    inner = Mamba(MambaConfig(d_model=16, n_layers=layers, pscan=pscan))
    return nn.Sequential(nn.Embedding(100, 16), inner)


_LINE = {"num_tokens": 100, "dim": 32, "depth": 2, "heads": 4}
_MORE = {"depth": 3}
_X = {
    "x_decoder": {},
    "x_rotary": {"rotary_pos_emb": True},
    "x_alibi": {"alibi_pos_bias": True},
    "x_relative": {"rel_pos_bias": True},
    "x_swiglu": {"ff_glu": True, "ff_swish": True, "use_rmsnorm": True},
    "x_talking_heads": {"attn_pre_talking_heads": True},
    "x_sandwich": {"sandwich_norm": True},
    "x_one_kv_head": {"attn_one_kv_head": True},
    "x_gate_residual": {"gate_residual": True},
    "x_shift_tokens": {"shift_tokens": 1},
    "x_qk_norm": {"attn_qk_norm": True},
    "x_memory": {"attn_num_mem_kv": 4},
    "x_macaron": {"macaron": True},
}

NETWORKS: dict[str, Recipe] = (
    table(
        PACKAGE,
        {"input_ids": _IDS},
        {kind: (from_configuration, {"kind": kind, **_SMALL}, _DEEPER) for kind in _PLAIN}
        | {
            kind: (from_configuration, {"kind": kind, **_SMALL, **more}, _DEEPER)
            for kind, more in _OTHER.items()
        }
        | {
            "mamba2": (
                from_configuration,
                {
                    "kind": "mamba2",
                    **_SMALL,
                    "num_heads": 8,
                    "expand": 2,
                    "head_dim": 8,
                    "n_groups": 1,
                    "state_size": 8,
                },
                _DEEPER,
            ),
            "falcon": (
                from_configuration,
                {
                    "kind": "falcon",
                    "hidden_size": 32,
                    "num_hidden_layers": 2,
                    "num_attention_heads": 4,
                    "vocab_size": 128,
                },
                _DEEPER,
            ),
            "gpt_neo": (
                from_configuration,
                {
                    "kind": "gpt_neo",
                    "hidden_size": 32,
                    "num_layers": 2,
                    "num_heads": 4,
                    "vocab_size": 128,
                    "attention_types": [[["global", "local"], 1]],
                    "max_position_embeddings": 64,
                },
                {"intermediate_size": 96},
            ),
            "deepseek_v2": (
                from_configuration,
                {
                    "kind": "deepseek_v2",
                    **_SMALL,
                    "kv_lora_rank": 8,
                    "q_lora_rank": 8,
                    "qk_nope_head_dim": 8,
                    "qk_rope_head_dim": 8,
                    "v_head_dim": 8,
                    "n_routed_experts": 4,
                    "moe_intermediate_size": 16,
                    "first_k_dense_replace": 1,
                    "num_experts_per_tok": 2,
                    "n_group": 1,
                    "topk_group": 1,
                },
                {"moe_intermediate_size": 24},
            ),
            "t5_encoder": (
                from_configuration,
                {"kind": "t5", "head": "AutoModelForTextEncoding", **_T5},
                {"num_layers": 2},
            ),
        },
    )
    | table(
        PACKAGE,
        _PAIR,
        {
            kind: (from_configuration, {"kind": kind, **_NARROW, **_LAYERS, **more}, {"decoder_layers": 2})
            for kind, more in _BOTH.items()
        }
        | {
            kind: (from_configuration, {"kind": kind, **_T5}, {"num_decoder_layers": 2})
            for kind in ("t5", "mt5", "umt5", "longt5", "switch_transformers")
        },
    )
    | table(
        "x-transformers",
        _IDS,
        {name: (_decoder, options, _MORE) for name, options in _X.items()}
        | {"x_encoder": (_encoder, {}, _MORE)},
    )
    | table(
        "mambapy",
        _IDS,
        {
            "mambapy": (_mamba, {}, {"layers": 3}),
            "mambapy_sequential": (_mamba, {"pscan": False}, {"layers": 3}),
        },
    )
    | table("linformer", _IDS, {"linformer": (LinformerLM, {**_LINE, "seq_len": 16, "k": 8}, _MORE)})
    | table(
        "performer-pytorch",
        _IDS,
        {"performer": (PerformerLM, {**_LINE, "max_seq_len": 16, "dim_head": 8, "nb_features": 8}, _MORE)},
    )
    | table(
        "local-attention",
        _IDS,
        {
            "local_transformer": (
                LocalTransformer,
                {**_LINE, "max_seq_len": 16, "dim_head": 8, "local_attn_window_size": 8},
                _MORE,
            )
        },
    )
    | table(
        "nystrom-attention",
        torch.zeros(1, 16, 32),
        {
            "nystrom": (
                Nystromformer,
                {"dim": 32, "depth": 2, "dim_head": 8, "heads": 4, "num_landmarks": 4},
                _MORE,
            )
        },
    )
    | table(
        "perceiver-pytorch",
        _IDS,
        {
            "perceiver_lm": (
                PerceiverLM,
                {
                    "num_tokens": 100,
                    "dim": 32,
                    "max_seq_len": 16,
                    "depth": 1,
                    "num_latents": 8,
                    "latent_dim": 32,
                    "latent_heads": 2,
                    "latent_dim_head": 8,
                    "cross_dim_head": 8,
                },
                {"depth": 2},
            )
        },
    )
    | table(
        "simple-hierarchical-transformer",
        _IDS,
        {
            "hierarchical": (
                HierarchicalTransformer,
                {
                    "num_tokens": 100,
                    "dim": 32,
                    "depth": 2,
                    "seq_len": 16,
                    "hierarchies": (1, 2),
                    "window_sizes": (8, None),
                    "dim_head": 8,
                    "heads": 4,
                },
                _MORE,
            )
        },
    )
    | table(
        "soft-moe-pytorch",
        torch.zeros(1, 16, 32),
        {"soft_moe": (SoftMoE, {"dim": 32, "seq_len": 16, "num_experts": 4}, {"num_experts": 6})},
    )
    | table(
        "x-transformers",
        {"src": _IDS, "tgt": _IDS},
        {
            "x_both": (
                lambda layers=1: XTransformer(
                    dim=32,
                    enc_num_tokens=100,
                    enc_depth=1,
                    enc_heads=4,
                    enc_max_seq_len=16,
                    dec_num_tokens=100,
                    dec_depth=layers,
                    dec_heads=4,
                    dec_max_seq_len=17,
                ),
                {},
                {"layers": 2},
            )
        },
    )
    | {
        "jetmoe": Recipe(
            PACKAGE,
            from_configuration,
            {"input_ids": _IDS},
            {"kind": "jetmoe", **_SMALL},
            _DEEPER,
            by_value="splits the tokens by how many each expert gets",
        )
    }
)
