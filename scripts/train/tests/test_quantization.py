"""The rounding in the loop is the kernels'. The oracle is written out weight by weight, from the format alone."""

import numpy as np
import torch

from train.layers import Linear, fixed_weights
from train.quantization import dequantize_q4, pack_q4, quantize_q4, rounded, unpack_q4
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
