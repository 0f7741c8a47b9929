"""Layers whose weights are quantised and can be rounded in the loop, and whose inputs can be rounded as well."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .quantization import rounded, rounded_inputs


class Quantized(nn.Module):
    """
    Holds a float weight that is used rounded to `bits`.

    `in_loop` rounds it anew at each use; within `fixed_weights` all of a model's are rounded once.
    `as_kernels_do` rounds what it is multiplied with, too.
    """

    def __init__(self, weight: Tensor, bits: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)
        self.bits = bits
        self.in_loop = False
        self.fixed: Tensor | None = None
        self.rounds_inputs = False

    def matrix(self) -> Tensor:
        if self.fixed is not None:
            return self.fixed
        return rounded(self.weight, self.bits) if self.in_loop else self.weight

    def product(self, x: Tensor, matrix: Tensor) -> Tensor:
        """:param matrix: what `matrix` gave"""
        return F.linear(rounded_inputs(x) if self.rounds_inputs else x, matrix)


class Linear(Quantized):
    """y = x W', without a bias."""

    def __init__(self, inputs: int, outputs: int, deviation: float = 0.02) -> None:
        super().__init__(torch.randn(outputs, inputs) * deviation, bits=4)

    def forward(self, x: Tensor) -> Tensor:
        return self.product(x, self.matrix())


class Convolution(Quantized):
    """With a bias and, where asked for, ReLU6. Padding is TensorFlow's SAME for sizes that the stride divides."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int, groups: int, bits: int, relu6: bool
    ) -> None:
        super().__init__(torch.zeros(outputs, inputs // groups, kernel, kernel), bits)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.stride, self.groups, self.relu6 = stride, groups, relu6
        before, after = (kernel - stride) // 2, (kernel - stride + 1) // 2
        self.padding = (before, after, before, after) if kernel > 1 else None

    def forward(self, x: Tensor) -> Tensor:
        """[photos, inputs, height, width] -> [photos, outputs, height / stride, width / stride]"""
        if self.padding is not None:
            x = F.pad(x, self.padding)
        elif self.rounds_inputs:
            x = rounded_inputs(x.movedim(1, -1)).movedim(-1, 1)
        y = F.conv2d(x, self.matrix(), self.bias, self.stride, groups=self.groups)
        return F.relu6(y) if self.relu6 else y


class RmsNorm(nn.Module):
    """In float32 whatever the autocast."""

    EPSILON = 1e-5

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x.float(), x.shape[-1:], self.weight, self.EPSILON)


@contextmanager
def fixed_weights(model: nn.Module) -> Iterator[None]:
    """Within, every quantised weight is rounded once, however often it is used; gradients reach it all the same."""
    layers = quantized_layers(model)
    try:
        for layer in layers:
            layer.fixed = layer.matrix().view_as(layer.weight)  # a module keeps a parameter itself as its own
        yield
    finally:
        for layer in layers:
            layer.fixed = None


@contextmanager
def as_kernels_do(model: nn.Module) -> Iterator[None]:
    """Within, products compute what the engine's do: with weights rounded once, and inputs in 8 bits."""
    layers = quantized_layers(model)
    try:
        for layer in layers:
            layer.rounds_inputs = True
        with fixed_weights(model):
            yield
    finally:
        for layer in layers:
            layer.rounds_inputs = False


def quantized_layers(model: nn.Module) -> list[Quantized]:
    return [module for module in model.modules() if isinstance(module, Quantized)]
