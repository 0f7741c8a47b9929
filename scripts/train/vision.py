"""EfficientNet-Lite (Tan and Le, arXiv:1905.11946, without squeeze-and-excite) with folded batch norms."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .config import Vision
from .layers import Convolution, Linear
from .tensors import Tensors


class Block(nn.Module):
    """Widen, filter each channel, narrow; added to its input where the shapes agree."""

    def __init__(self, inputs: int, width: int, ratio: int, kernel: int, stride: int, bits: int) -> None:
        super().__init__()
        inner = inputs * ratio
        self.expand = Convolution(inputs, inner, 1, 1, 1, bits, relu6=True) if ratio > 1 else None
        self.dw = Convolution(inner, inner, kernel, stride, inner, 8, relu6=True)
        self.project = Convolution(inner, width, 1, 1, 1, bits, relu6=False)
        self.adds = stride == 1 and inputs == width

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else self.expand(x)
        y = self.project(self.dw(y))
        return x + y if self.adds else y


class Encoder(nn.Module):
    """The trunk's features are what the frozen blocks give; the tail is trained."""

    def __init__(self, config: Vision) -> None:
        super().__init__()
        self.frozen, self.grid = config.frozen_blocks, config.grid
        self.stem = Convolution(3, config.stem_width, 3, 2, 1, 8, relu6=True)
        self.blocks = nn.ModuleList()
        width = config.stem_width
        for ratio, kernel, stride, outputs, repeats in config.stages:
            for repeat in range(repeats):
                bits = 8 if len(self.blocks) < config.eight_bit_blocks else 4
                self.blocks.append(Block(width, outputs, ratio, kernel, stride if repeat == 0 else 1, bits))
                width = outputs
        self.head = Convolution(width, config.head_width, 1, 1, 1, 4, relu6=True)
        self.fc = Classifier(config.head_width, config.classes)

    def forward(self, pixel_values: Tensor) -> Tensor:
        """[photos, 3, 224, 224] -> [photos, 1280, 7, 7]"""
        return self.tail(self.trunk(pixel_values))

    def trunk(self, pixel_values: Tensor) -> Tensor:
        """[photos, 3, 224, 224] -> [photos, 192, 7, 7]"""
        x = self.stem(pixel_values)
        for block in self.blocks[: self.frozen]:
            x = block(x)
        return x

    def tail(self, trunk_features: Tensor) -> Tensor:
        """[photos, 192, 7, 7] -> [photos, 1280, 7, 7], whatever the size of the photos"""
        x = trunk_features
        for block in self.blocks[self.frozen :]:
            x = block(x)
        x = self.head(x)
        if x.shape[-1] == self.grid:
            return x
        resized = F.interpolate(x.float(), size=(self.grid, self.grid), mode="bilinear", antialias=True)
        return resized.to(x.dtype)  # a CPU resizes no bf16

    def classify(self, features: Tensor) -> Tensor:
        """[photos, 1280, 7, 7] -> [photos, classes], in float32 whatever the autocast"""
        with torch.autocast(features.device.type, enabled=False):
            return self.fc(features.float().mean((2, 3)))

    def frozen_names(self) -> list[str]:
        """Of the modules that are never trained"""
        return ["stem", "fc", *(f"blocks.{index}" for index in range(self.frozen))]

    def frozen_tensors(self, tensors: Tensors) -> Tensors:
        """Of a whole model's tensors, those of the encoder that are never trained."""
        prefixes = tuple(f"vision.{name}." for name in self.frozen_names())
        return {name: value for name, value in tensors.items() if name.startswith(prefixes)}

    def tail_modules(self) -> list[nn.Module]:
        return [*self.blocks[self.frozen :], self.head]


class Classifier(Linear):
    """ImageNet's. Never trained: it holds the tail to what it knew."""

    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__(inputs, classes)
        self.bias = nn.Parameter(torch.zeros(classes))

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + self.bias
