"""What the model makes of all that is asked about some photos."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .model import Glimpse
from .packing import Part


@dataclass(frozen=True)
class BranchLogits:
    """Of every answer's tokens, the photos in any order."""

    logits: Tensor
    """[tokens, vocabulary]"""
    targets: Tensor
    photos: Tensor
    """The place of a token's photo in the batch"""
    branches: Tensor
    """Which of its photo's branches a token is of, from 0"""


def branch_logits(model: Glimpse, image_embeds: Tensor, parts: list[Part]) -> BranchLogits:
    """:param image_embeds: [photos, image_tokens, hidden], or [texts, 0, hidden]"""
    found = []
    for part in parts:
        photos, packed = part.photos.to(image_embeds.device), part.packed.to(image_embeds.device)
        logits = model.packed_logits(image_embeds[photos], packed)
        of_token = photos[packed.before_answers // packed.ids.shape[1]]
        found.append((logits, packed.targets, of_token, packed.branches.flatten()[packed.before_answers] - 1))
    return BranchLogits(*(torch.cat(tensors) for tensors in zip(*found, strict=True)))
