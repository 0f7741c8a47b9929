"""
The rounding of the kernels: 4-bit weights in blocks of 32, 8-bit weights by output row, and what they are multiplied
with to 8 bits in blocks of 32.

A 4-bit weight is an integer of -8 to 7 times its block's float16 scale, which has a sign. In the loop the block's
largest magnitude becomes -8, as in ggml's Q4_0; what is written has the scale that loses least.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

BLOCK = 32


@dataclass(frozen=True)
class Stored:
    """Weights as a bundle has them."""

    integers: Tensor
    """Their values in float32, filled up with zeros: [n, blocks, 32]"""
    scale: Tensor
    """float32 [n, blocks]"""

    @staticmethod
    def of(integers: Tensor, scale: Tensor) -> "Stored":
        """
        :param integers: int8 [n, k]
        :param scale: of blocks, float16 [n, ceil(k / 32)], or of rows, float32 [n, 1]
        """
        blocks = _blocks(integers.float())
        return Stored(blocks, scale.float().expand(-1, blocks.shape[1]))


def quantize_q4(weight: Tensor) -> tuple[Tensor, Tensor]:
    """
    Rounds with the scale of the least squared error: by it, the block's largest magnitude falls anywhere from 6 to
    11 steps. What lies on such a grid already stays as it is.

    :param weight: [n, k]
    :return: integers int8 [n, k] and scales float16 [n, ceil(k / 32)]
    """
    blocks = _blocks(weight)
    largest = blocks.abs().amax(-1, keepdim=True)
    best = torch.zeros_like(largest).half()
    least = torch.full_like(largest, torch.inf)
    for steps in torch.arange(6, 11.5, 0.25).tolist():
        for scale in ((largest / steps).half(), (largest / -steps).half()):
            error = (_round(blocks, scale) * scale.float() - blocks).square().sum(-1, keepdim=True)
            best = torch.where(error < least, scale, best)
            least = torch.minimum(error, least)
    return _round(blocks, best).flatten(1)[:, : weight.shape[1]].to(torch.int8), best[..., 0]


def dequantize_q4(integers: Tensor, scale: Tensor) -> Tensor:
    """:return: float32 [n, k]"""
    return (_blocks(integers.float()) * scale.float()[..., None]).flatten(1)[:, : integers.shape[1]]


def pack_q4(integers: Tensor) -> Tensor:
    """
    Two weights a byte, the even k in the low nibble.

    :param integers: [n, k] of -8 to 7
    :return: uint8 [n, ceil(k / 2)]
    """
    nibbles = F.pad((integers + 8).to(torch.uint8), (0, integers.shape[1] % 2))
    return nibbles[:, 0::2] | (nibbles[:, 1::2] << 4)


def unpack_q4(packed: Tensor, k: int) -> Tensor:
    return torch.stack((packed & 15, packed >> 4), -1).flatten(1)[:, :k].to(torch.int8) - 8


def quantize_q8(weight: Tensor) -> tuple[Tensor, Tensor]:
    """
    :param weight: [n, ...]
    :return: int8 of the same shape, and scales float32 [n]
    """
    rows = weight.flatten(1)
    scale = rows.abs().amax(1).clamp(min=1e-6) / 127
    return torch.round(rows / scale[:, None]).to(torch.int8).view_as(weight), scale


def dequantize_q8(integers: Tensor, scale: Tensor) -> Tensor:
    return integers.float() * scale.view(-1, *[1] * (integers.ndim - 1))


def rounded(weight: Tensor, bits: int) -> Tensor:
    """A weight that the kernels can have; the gradient passes straight through (Bengio et al., arXiv:1308.3432)."""
    with torch.no_grad():
        if bits == 4:
            matrix = weight.flatten(1)
            blocks = _blocks(matrix)
            scale = (blocks.gather(-1, blocks.abs().argmax(-1, keepdim=True)) / -8).half()
            value = (_round(blocks, scale) * scale.float()).flatten(1)[:, : matrix.shape[1]].view_as(weight)
        else:
            value = dequantize_q8(*quantize_q8(weight))
    return weight + (value - weight).detach()


def product_of_blocks(x: Tensor, weights: Stored) -> Tensor:
    """
    x W' as src/kernels/reference.ts's matmulQ4 has it, bit for bit: inputs as integers of 8 bits in blocks of 32, and a
    block's exact product after the other, each scaled and added in float32.

    :param x: [..., k]
    :return: float32 [..., n]
    """
    blocks = _blocks(x.float())  # [..., blocks, 32]
    largest = blocks.abs().amax(-1, keepdim=True)
    # Divided, not `127 / largest`, which torch makes of a reciprocal: that rounds twice.
    inverse = torch.full_like(largest, 127).div(largest)
    inputs = torch.round(blocks * torch.where(largest > 1e-30, inverse, 0))
    input_scale = largest * (1 / 127)
    total = x.new_zeros(*x.shape[:-1], len(weights.integers), dtype=torch.float32)
    for block in range(weights.integers.shape[1]):
        exact = inputs[..., block, :] @ weights.integers[:, block].T  # below 2^24: no float32 is rounded
        total = total + exact * (input_scale[..., block, :] * weights.scale[:, block])
    return total


def _blocks(weight: Tensor) -> Tensor:
    """[..., k] -> [..., ceil(k / 32), 32], filled up with zeros"""
    missing = -weight.shape[-1] % BLOCK
    return (F.pad(weight, (0, missing)) if missing > 0 else weight).unflatten(-1, (-1, BLOCK))


def _round(blocks: Tensor, scale: Tensor) -> Tensor:
    divisor = torch.where(scale == 0, 1, scale).float()
    return torch.round(blocks / divisor).clamp(-8, 7)
