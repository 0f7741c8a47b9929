"""Layers whose weights are quantised and can be rounded in the loop, and whose inputs can be rounded as well."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .quantization import Stored, product_of_blocks, rounded


class Quantized(nn.Module):
    """
    Holds a float weight that is used rounded to `bits`.

    `in_loop` rounds it anew at each use; within `fixed_weights` all of a model's are rounded once.
    `as_kernels_do` also rounds what it is multiplied with, and adds up in the kernels' order.
    """

    def __init__(self, weight: Tensor, bits: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)
        self.bits = bits
        self.in_loop = False
        self.fixed: Tensor | None = None
        self.stored: Stored | None = None

    def matrix(self) -> Tensor:
        if self.fixed is not None:
            return self.fixed
        return rounded(self.weight, self.bits) if self.in_loop else self.weight

    def product(self, x: Tensor, matrix: Tensor) -> Tensor:
        """:param matrix: what `matrix` gave"""
        return F.linear(x, matrix) if self.stored is None else product_of_blocks(x, self.stored)


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
        if self.stored is None:
            y = F.conv2d(x, self.matrix(), self.bias, self.stride, groups=self.groups)
        elif self.padding is None:
            y = product_of_blocks(x.movedim(1, -1), self.stored).movedim(-1, 1) + self.bias[:, None, None]
        else:
            y = self._tap_by_tap(x)
        return F.relu6(y) if self.relu6 else y

    def _tap_by_tap(self, x: Tensor) -> Tensor:
        """The kernels' order of sums: the bias, then by input channel the rows and columns of the weight."""
        weight, stride = self.matrix(), self.stride
        kernel = weight.shape[-1]
        height, width = ((size - kernel) // stride + 1 for size in x.shape[2:])
        y = self.bias[:, None, None].expand(len(x), -1, height, width)
        for channel in range(weight.shape[1]):
            # A depthwise convolution has one, and each output its own; the stem's outputs share all three.
            seen = x[:, channel : channel + 1] if self.groups == 1 else x
            for row in range(kernel):
                rows = seen[:, :, row : row + stride * height : stride]
                for column in range(kernel):
                    tap = rows[..., column : column + stride * width : stride]
                    y = y + tap * weight[:, channel, row, column, None, None]
        return y


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
def as_kernels_do(model: nn.Module, stored: dict[str, Stored]) -> Iterator[None]:
    """
    Within, products compute what the engine's do: with inputs in 8 bits, and their sums in the kernels' order.

    :param stored: by layer, the integers of an export that was loaded into the model
    """
    try:
        for name, integers in stored.items():
            model.get_submodule(name).stored = integers
        yield
    finally:
        for layer in quantized_layers(model):
            layer.stored = None


def quantized_layers(model: nn.Module) -> list[Quantized]:
    return [module for module in model.modules() if isinstance(module, Quantized)]
