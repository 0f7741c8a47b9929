"""The rounding in the loop is the kernels'. The oracle is written out weight by weight, from the format alone."""

import numpy as np
import torch

from train.layers import Convolution, Linear, as_kernels_do, fixed_weights
from train.quantization import dequantize_q4, pack_q4, quantize_q4, rounded, rounded_inputs, unpack_q4
from train.tensors import load_module, module_tensors


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


def nearest_inputs(row: np.ndarray) -> np.ndarray:
    """A block's inputs as src/kernels/reference.ts's quantizeBlock rounds them, one by one."""
    largest = np.abs(row).max()
    if largest <= np.float32(1e-30):
        return np.zeros_like(row)
    inverse, scale = np.float32(127) / largest, largest * np.float32(1 / 127)
    return np.array([np.rint(x * inverse) * scale for x in row], dtype=np.float32)


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


def test_the_loop_sees_what_the_kernels_will_read() -> None:
    weight = drawn(5, 75)
    integers, scale = quantize_q4(weight)
    packed = pack_q4(integers)
    assert packed.shape == (5, 38)
    assert torch.equal(unpack_q4(packed, 75), integers)
    assert np.array_equal(dequantize_q4(integers, scale).numpy(), kernel_weights(packed.numpy(), scale.numpy(), 75))


def test_what_lies_on_the_grid_stays() -> None:
    once = rounded(drawn(8, 64), 4)
    assert torch.equal(rounded(once, 4), once)


def test_the_gradient_passes_straight_through() -> None:
    weight = drawn(4, 32).requires_grad_()
    rounded(weight, 4).sum().backward()
    assert torch.equal(weight.grad, torch.ones(4, 32))


def test_written_weights_are_the_ones_of_the_loop() -> None:
    layer = Linear(40, 6)
    layer.in_loop = True
    other = Linear(40, 6)
    load_module("p1", other, module_tensors("p1", layer))
    assert torch.equal(other.weight, layer.matrix())
    with fixed_weights(layer):
        assert torch.equal(layer.matrix(), other.weight)


def test_inputs_are_rounded_in_blocks_of_their_own() -> None:
    x = drawn(5, 75)
    expected = [np.concatenate([nearest_inputs(row[i : i + 32]) for i in range(0, 75, 32)]) for row in x.numpy()]
    assert np.array_equal(rounded_inputs(x).numpy(), np.stack(expected))


def test_products_see_inputs_as_the_kernels_do() -> None:
    pixels = torch.randn(2, 40, 3, 3, generator=torch.Generator().manual_seed(2))
    rows = pixels.permute(0, 2, 3, 1)
    linear, pointwise = Linear(40, 8), Convolution(40, 8, 1, 1, 1, bits=4, relu6=False)
    depthwise = Convolution(40, 40, 3, 1, 40, bits=8, relu6=False)
    weight = drawn(8, 40)
    linear.weight.data, pointwise.weight.data = weight, weight[..., None, None]
    depthwise.weight.data = drawn(40, 9).view(40, 1, 3, 3)
    model = torch.nn.ModuleList([linear, pointwise, depthwise])
    plain = depthwise(pixels)
    with torch.no_grad(), as_kernels_do(model):
        expected = rounded_inputs(rows) @ weight.T
        assert torch.allclose(linear(rows), expected, atol=1e-6)
        assert torch.allclose(pointwise(pixels), expected.movedim(-1, 1), atol=1e-6)
        assert torch.equal(depthwise(pixels), plain)  # the kernels filter channels in float32
    assert not torch.allclose(linear(rows), expected, atol=1e-4)
