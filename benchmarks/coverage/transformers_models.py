"""Twelve architectures of the transformers library, built from their configurations; nothing is downloaded.

Sizes are those of the published base models, but for fewer layers where they only repeat.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

try:
    import transformers
except ModuleNotFoundError:
    raise SystemExit(
        "benchmarks.coverage needs the transformers library: pip install -e '.[bench]'"
    ) from None

LENGTH = 64
LAYERS = 4


def _with_examples(model: nn.Module, **examples: Any) -> nn.Module:
    model.example_input_array = examples  # type: ignore[assignment]
    return model


def _text(model: nn.Module, vocabulary: int) -> nn.Module:
    ids = torch.arange(LENGTH).remainder(vocabulary)[None]
    ids[0, 0] = vocabulary - 1
    return _with_examples(model, input_ids=ids, attention_mask=torch.ones(1, LENGTH, dtype=torch.long))


def _image(model: nn.Module, size: int) -> nn.Module:
    return _with_examples(model, pixel_values=torch.zeros(1, 3, size, size))


def bert() -> nn.Module:
    """Devlin et al., arXiv:1810.04805."""
    config = transformers.BertConfig(num_hidden_layers=LAYERS)
    return _text(transformers.BertForSequenceClassification(config), config.vocab_size)


def distilbert() -> nn.Module:
    """Sanh et al., arXiv:1910.01108."""
    config = transformers.DistilBertConfig(n_layers=LAYERS)
    return _text(transformers.DistilBertForSequenceClassification(config), config.vocab_size)


def gpt2() -> nn.Module:
    """Radford et al., 2019."""
    config = transformers.GPT2Config(n_layer=LAYERS, use_cache=False)
    return _text(transformers.GPT2LMHeadModel(config), config.vocab_size)


def t5_encoder() -> nn.Module:
    """Raffel et al., arXiv:1910.10683."""
    config = transformers.T5Config(num_layers=LAYERS)
    return _text(transformers.T5EncoderModel(config), config.vocab_size)


def whisper_encoder() -> nn.Module:
    """Radford et al., arXiv:2212.04356; 30 s of sound as 3,000 mel frames."""
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    config = transformers.WhisperConfig(encoder_layers=LAYERS)
    return _with_examples(WhisperEncoder(config), input_features=torch.zeros(1, 80, 3000))


def vit() -> nn.Module:
    """Dosovitskiy et al., arXiv:2010.11929."""
    return _image(
        transformers.ViTForImageClassification(transformers.ViTConfig(num_hidden_layers=LAYERS)), 224
    )


def deit() -> nn.Module:
    """Touvron et al., arXiv:2012.12877."""
    return _image(
        transformers.DeiTForImageClassification(transformers.DeiTConfig(num_hidden_layers=LAYERS)), 224
    )


def swin() -> nn.Module:
    """Liu et al., arXiv:2103.14030."""
    return _image(transformers.SwinForImageClassification(transformers.SwinConfig()), 224)


def convnext() -> nn.Module:
    """Liu et al., arXiv:2201.03545."""
    return _image(transformers.ConvNextForImageClassification(transformers.ConvNextConfig()), 224)


def segformer() -> nn.Module:
    """Xie et al., arXiv:2105.15203."""
    return _image(transformers.SegformerForSemanticSegmentation(transformers.SegformerConfig()), 224)


def mobilevit() -> nn.Module:
    """Mehta and Rastegari, arXiv:2110.02178."""
    return _image(transformers.MobileViTForImageClassification(transformers.MobileViTConfig()), 256)


def clip_vision() -> nn.Module:
    """Radford et al., arXiv:2103.00020."""
    config = transformers.CLIPVisionConfig(num_hidden_layers=LAYERS)
    return _image(transformers.CLIPVisionModel(config), 224)


NAMES = (
    "bert",
    "distilbert",
    "gpt2",
    "t5_encoder",
    "whisper_encoder",
    "vit",
    "deit",
    "swin",
    "convnext",
    "segformer",
    "mobilevit",
    "clip_vision",
)
