"""
All that is asked about a photo, packed one behind the other behind one image prefix. A block mask lets each
question see the image and itself only, and each starts at the same position: the packed answers are exactly those
of separate sequences, while the image is computed once.
"""

from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor
from torch.nn import functional as F

Item = TypeVar("Item")
MULTIPLE = 32
"""That prefix and tokens are filled up to: a GPU finds its way of multiplying anew for every shape."""


@dataclass(frozen=True)
class Branch:
    """A prompt and its answer, both with the special tokens that end them."""

    prompt: list[int]
    answer: list[int]


@dataclass(frozen=True)
class Packed:
    ids: Tensor
    """[photos, tokens]; shorter rows are filled up."""
    branches: Tensor
    """Which branch a token belongs to: 1 and up, -1 in the filling. // [photos, tokens]"""
    positions: Tensor
    """[photos, tokens]"""
    before_answers: Tensor
    """Among all photos' tokens, the places of those that a token of an answer follows: [answered]"""
    targets: Tensor
    """What follows them: [answered]"""

    def mask(self, prefix: int, dropped: Tensor | None = None) -> Tensor:
        """
        :param dropped: True where nothing but itself may see a row of the prefix, [photos, prefix]
        :return: [photos, 1, prefix + tokens, prefix + tokens], True where the second to last may see the last
        """
        branches = F.pad(self.branches, (prefix, 0))
        shared = branches[:, None, :] == 0
        own = branches[:, None, :] == branches[:, :, None]
        length = branches.shape[1]
        causal = torch.ones(length, length, dtype=torch.bool, device=branches.device).tril()
        seen = (shared | own) & causal
        if dropped is not None:
            itself = torch.eye(length, dtype=torch.bool, device=branches.device)
            seen = seen & (itself | ~F.pad(dropped, (0, length - prefix))[:, None])
        return seen[:, None]

    def to(self, device: torch.device) -> "Packed":
        return Packed(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Part:
    """Some photos of a batch, packed."""

    photos: Tensor
    """Their places in the batch"""
    packed: Packed


def pack_in_parts(photos: list[list[Branch]], prefix: int, parts: int) -> list[Part]:
    """
    Of photos of like lengths: short ones are not filled up to the longest of all. One that nothing is asked about is
    in no part.

    :param prefix: the tokens before the first branch
    """
    lengths = [sum(len(branch.prompt) + len(branch.answer) for branch in photo) for photo in photos]
    order = sorted((place for place, length in enumerate(lengths) if length > 0), key=lambda place: lengths[place])
    size = max(1, -(-len(order) // parts))
    return [
        Part(torch.tensor(part), pack([photos[place] for place in part], prefix)) for part in in_groups(order, size)
    ]


def in_groups(items: list[Item], length: int) -> list[list[Item]]:
    """One behind the other; the last may be shorter."""
    return [items[start : start + length] for start in range(0, len(items), length)]


def pack(photos: list[list[Branch]], prefix: int) -> Packed:
    """:param prefix: the tokens before the first branch"""
    length = max(sum(len(branch.prompt) + len(branch.answer) for branch in photo) for photo in photos)
    length += -(prefix + length) % MULTIPLE
    ids, branches, positions, before_answers, targets = [], [], [], [], []
    for row, photo in enumerate(photos, 1):
        for number, branch in enumerate(photo, 1):
            tokens = branch.prompt + branch.answer
            first = len(ids) + len(branch.prompt) - 1
            before_answers += range(first, first + len(branch.answer))
            targets += branch.answer
            ids += tokens
            branches += [number] * len(tokens)
            positions += range(prefix, prefix + len(tokens))
        filling = row * length - len(ids)
        ids += [0] * filling
        branches += [-1] * filling
        positions += [0] * filling
    by_photo = (torch.tensor(row, dtype=torch.long).view(len(photos), length) for row in (ids, branches, positions))
    return Packed(*by_photo, torch.tensor(before_answers, dtype=torch.long), torch.tensor(targets, dtype=torch.long))
