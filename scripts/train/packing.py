"""
All that is asked about a photo, packed one behind the other behind one image prefix. A block mask lets each
question see the image and itself only, and each starts at the same position: the packed answers are exactly those
of separate sequences, while the image is computed once.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

IGNORED = -100
"""As torch's cross_entropy has it."""


@dataclass(frozen=True)
class Branch:
    """A prompt and its answer, both with the special tokens that end them."""

    prompt: list[int]
    answer: list[int]
    advantage: float | None = None
    """Of a sampled answer: how much better than others it is. None: a person's answer, to be imitated."""


@dataclass(frozen=True)
class Packed:
    """Each [photos, tokens]; shorter rows are filled up."""

    ids: Tensor
    branches: Tensor
    """Which branch a token belongs to: 1 and up, -1 in the filling."""
    positions: Tensor
    targets: Tensor
    """The token that follows, IGNORED where that is not of an answer."""
    advantages: Tensor
    """Of sampled answers' tokens; NaN elsewhere."""

    def mask(self, prefix: int) -> Tensor:
        """[photos, 1, prefix + tokens, prefix + tokens], True where the second to last may see the last"""
        branches = torch.nn.functional.pad(self.branches, (prefix, 0))
        shared = branches[:, None, :] == 0
        own = branches[:, None, :] == branches[:, :, None]
        length = branches.shape[1]
        causal = torch.ones(length, length, dtype=torch.bool, device=branches.device).tril()
        return ((shared | own) & causal)[:, None]

    def to(self, device: torch.device) -> "Packed":
        return Packed(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))


def pack(photos: list[list[Branch]], prefix: int) -> Packed:
    """:param prefix: the tokens before the first branch"""
    rows: dict[str, list[Tensor]] = {name: [] for name in Packed.__dataclass_fields__}
    for photo in photos:
        ids, branches, positions, targets, advantages = [], [], [], [], []
        for number, branch in enumerate(photo, 1):
            tokens = branch.prompt + branch.answer
            before, count = len(branch.prompt) - 1, len(tokens)
            ids += tokens
            branches += [number] * count
            positions += range(prefix, prefix + count)
            targets += [IGNORED] * before + branch.answer + [IGNORED]
            advantages += [float("nan") if branch.advantage is None else branch.advantage] * count
        for name, row in zip(rows, (ids, branches, positions, targets, advantages), strict=True):
            rows[name].append(torch.tensor(row))
    filling = {"ids": 0, "branches": -1, "positions": 0, "targets": IGNORED, "advantages": float("nan")}
    return Packed(*(pad_sequence(rows[name], True, filling[name]) for name in rows))
