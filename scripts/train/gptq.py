"""GPTQ (Frantar et al., arXiv:2210.17323) for blocks of 32 inputs with a scale each."""

import torch
from torch import Tensor

from .quantization import BLOCK, quantize_q4


def gptq(weight: Tensor, hessian: Tensor, damping: float) -> tuple[Tensor, Tensor]:
    """
    Rounds column by column, and lets the columns to come make up for each one's error.

    :param weight: [n, k]
    :param hessian: [k, k], the sum of the inputs' outer products
    :param damping: added to the diagonal, of its mean
    :return: integers int8 [n, k] and scales float16 [n, ceil(k / 32)]
    """
    rest, hessian = weight.double(), hessian.double()
    dead = hessian.diagonal() == 0  # inputs that were never seen: their weights can be anything
    hessian = hessian + torch.diag(dead.double()) + torch.eye(len(hessian)) * damping * hessian.diagonal().mean()
    rest = rest.masked_fill(dead, 0)
    inverse = torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(hessian)), upper=True)
    integers = torch.zeros_like(weight, dtype=torch.int8)
    scales = []
    for start in range(0, weight.shape[1], BLOCK):
        end = min(start + BLOCK, weight.shape[1])
        _, scale = quantize_q4(rest[:, start:end].float())
        scales.append(scale)
        step = torch.where(scale == 0, 1, scale)[:, 0].double()
        errors = torch.zeros_like(rest[:, start:end])
        for column in range(start, end):
            integers[:, column] = torch.round(rest[:, column] / step).clamp(-8, 7)
            error = (rest[:, column] - integers[:, column] * scale[:, 0].double()) / inverse[column, column]
            rest[:, column + 1 : end] -= error[:, None] * inverse[column, column + 1 : end]
            errors[:, column - start] = error
        rest[:, end:] -= errors @ inverse[start:end, end:]
    return integers, torch.cat(scales, 1)
