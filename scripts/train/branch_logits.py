"""What the model makes of all that is asked about some photos."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .model import Glimpse
from .packing import IGNORED, Branch, pack

TOGETHER = 12
"""Photos packed at a time, of like lengths: short ones are not filled up to the longest of all."""


@dataclass(frozen=True)
class BranchLogits:
    """Of every answer's tokens, the photos in any order."""

    logits: Tensor
    """[tokens, vocabulary]"""
    targets: Tensor
    advantages: Tensor
    """NaN where a person answered."""


def branch_logits(model: Glimpse, image_embeds: Tensor, photos: list[list[Branch]]) -> BranchLogits:
    """:param image_embeds: [photos, image_tokens, hidden]"""
    lengths = [sum(len(branch.prompt) + len(branch.answer) for branch in photo) for photo in photos]
    order = sorted(range(len(photos)), key=lambda photo: lengths[photo])
    parts = []
    for start in range(0, len(order), TOGETHER):
        rows = order[start : start + TOGETHER]
        packed = pack([photos[row] for row in rows], 1 + model.image_tokens).to(image_embeds.device)
        answered = packed.targets != IGNORED
        logits = model.packed_logits(image_embeds[rows], packed, answered)
        parts.append((logits, packed.targets[answered], packed.advantages[answered]))
    return BranchLogits(*(torch.cat(tensors) for tensors in zip(*parts, strict=True)))
