"""The rounding is the kernels'. The oracle is written out weight by weight, from the format alone."""

from pathlib import Path

import numpy as np
import torch

from train.layers import Convolution, Linear, as_kernels_do, fixed_weights
from train.quantization import dequantize_q4, pack_q4, quantize_q4, rounded, unpack_q4
from train.tensors import load_module, module_tensors, stored_integers


def drawn(n: int, k: int) -> torch.Tensor:
    weight = torch.randn(n, k, generator=torch.Generator().manual_seed(1)) * 0.02
    weight[0, :32] = 0  # a block without a scale
    return weight


def nearest(row: np.ndarray) -> np.ndarray:
    """A block's weights rounded one by one."""
    largest = row[np.argmax(np.abs(row))]
    scale = np.float32(np.float16(largest / np.float32(-8)))
    if scale == 0:
        return np.zeros_like(row)
    return np.array([np.float32(min(7, max(-8, np.rint(x / scale)))) * scale for x in row], dtype=np.float32)


def kernel_weights(packed: np.ndarray, scale: np.ndarray, k: int) -> np.ndarray:
    """As src/kernels/reference.ts reads them: the even k in the low nibble, value = nibble - 8."""
    rows = []
    for bytes_, scales in zip(packed, scale, strict=True):
        nibbles = [(int(bytes_[i // 2]) >> (4 * (i % 2)) & 15) - 8 for i in range(k)]
        rows.append([np.float32(value) * np.float32(scales[i // 32]) for i, value in enumerate(nibbles)])
    return np.array(rows, dtype=np.float32)


def test_rounds_each_block_to_the_nearest() -> None:
    weight = drawn(5, 75)
    expected = [np.concatenate([nearest(row[i : i + 32]) for i in range(0, 75, 32)]) for row in weight.numpy()]
    assert np.array_equal(rounded(weight, 4).numpy(), np.stack(expected))


def test_the_kernels_read_what_was_written() -> None:
    weight = drawn(5, 75)
    integers, scale = quantize_q4(weight)
    packed = pack_q4(integers)
    assert packed.shape == (5, 38)
    assert torch.equal(unpack_q4(packed, 75), integers)
    assert np.array_equal(dequantize_q4(integers, scale).numpy(), kernel_weights(packed.numpy(), scale.numpy(), 75))


def test_what_lies_on_the_grid_stays() -> None:
    once = rounded(drawn(8, 64), 4)
    assert torch.equal(rounded(once, 4), once)
    assert torch.equal(dequantize_q4(*quantize_q4(once)), once)
    written = quantize_q4(drawn(64, 96))
    assert all(again.equal(first) for again, first in zip(quantize_q4(dequantize_q4(*written)), written, strict=True))


def test_what_is_written_loses_less_than_the_loop() -> None:
    """In every block, and of all together a tenth."""
    weight = drawn(64, 96)
    written, in_loop = (
        (value - weight).square().unflatten(1, (-1, 32)).sum(2)
        for value in (dequantize_q4(*quantize_q4(weight)), rounded(weight, 4))
    )
    assert (written <= in_loop).all()
    assert written.sum() < 0.95 * in_loop.sum()


def test_the_gradient_passes_straight_through() -> None:
    weight = drawn(4, 32).requires_grad_()
    rounded(weight, 4).sum().backward()
    assert torch.equal(weight.grad, torch.ones(4, 32))


def test_read_weights_are_the_written_ones() -> None:
    layer, other = Linear(40, 6), Linear(40, 6)
    load_module("p1", other, module_tensors("p1", layer), Path())
    assert torch.equal(other.weight, dequantize_q4(*quantize_q4(layer.weight)))


def test_fixed_weights_are_the_ones_of_the_loop() -> None:
    layer = Linear(40, 6)
    layer.in_loop = True
    matrix = layer.matrix()
    with fixed_weights(layer):
        assert torch.equal(layer.matrix(), matrix)


def test_products_are_the_kernels_bit_for_bit() -> None:
    pixels = torch.randn(2, 75, 2, 2, generator=torch.Generator().manual_seed(2))
    rows = pixels.permute(0, 2, 3, 1)
    linear, pointwise = Linear(75, 5), Convolution(75, 5, 1, 1, 1, bits=4, relu6=False)
    model = torch.nn.ModuleDict({"linear": linear, "pointwise": pointwise})
    for layer in (linear, pointwise):
        layer.weight.data = drawn(5, 75).view_as(layer.weight)
    tensors = module_tensors("", model)
    expected = kernel_product(rows.flatten(0, 2).numpy(), *quantize_q4(drawn(5, 75))).reshape(2, 2, 2, 5)
    with torch.no_grad(), as_kernels_do(model, stored_integers(tensors)):
        assert np.array_equal(linear(rows).numpy(), expected)
        assert np.array_equal(pointwise(pixels).permute(0, 2, 3, 1).numpy(), expected)
    assert not torch.allclose(linear(rows), torch.from_numpy(expected), atol=1e-4)


def kernel_product(x: np.ndarray, integers: torch.Tensor, scale: torch.Tensor) -> np.ndarray:
    """As src/kernels/reference.ts's matmulQ4, number by number."""
    y = np.zeros((len(x), len(integers)), dtype=np.float32)
    for r, row in enumerate(x):
        for start in range(0, len(row), 32):
            block = row[start : start + 32]
            largest = np.abs(block).max()
            inputs = np.rint(block * (np.float32(127) / largest)).astype(int)
            for o, weights in enumerate(integers[:, start : start + 32].numpy().astype(int)):
                factor = largest * np.float32(1 / 127) * np.float32(scale[o, start // 32])
                y[r, o] += np.float32(inputs @ weights) * factor
    return y


def test_other_convolutions_are_the_kernels() -> None:
    """Their weights have 8 bits and their inputs none: the same numbers, in an order of their own."""
    torch.manual_seed(3)
    pixels = torch.randn(2, 16, 8, 8)
    model = torch.nn.ModuleDict(
        {
            "dw": Convolution(16, 16, 5, 2, 16, bits=8, relu6=True),
            "stem": Convolution(16, 8, 3, 2, 1, bits=8, relu6=True),
        }
    )
    for layer in model.values():
        layer.weight.data = torch.randn_like(layer.weight)
        layer.bias.data = torch.randn_like(layer.bias)
    load_module("", model, module_tensors("", model), Path())
    plain = [layer(pixels) for layer in model.values()]
    with torch.no_grad(), as_kernels_do(model, stored_integers(module_tensors("", model))):
        for layer, expected in zip(model.values(), plain, strict=True):
            torch.testing.assert_close(layer(pixels), expected)
