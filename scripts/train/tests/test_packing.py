import torch

from train.config import Config
from train.model import ASSISTANT, END, Glimpse
from train.packing import IGNORED, Branch, pack

BRANCHES = [
    Branch([10, 11, ASSISTANT], [20, 21, 22, END]),
    Branch([12, ASSISTANT], [23, END]),
    Branch([10, 13, 14, ASSISTANT], [24, 25, END]),
]


def token_losses(model: Glimpse, branches: list[list[Branch]], image: torch.Tensor) -> torch.Tensor:
    packed = pack(branches, 1 + model.image_tokens)
    answered = packed.targets != IGNORED
    logits = model.packed_logits(image, packed, answered)
    return torch.nn.functional.cross_entropy(logits, packed.targets[answered], reduction="none")


def test_packed_answers_lose_what_separate_ones_do(config: Config) -> None:
    torch.manual_seed(0)
    model = Glimpse(config).eval()
    images = torch.randn(2, model.image_tokens, config.decoder.hidden)
    together = token_losses(model, [BRANCHES, BRANCHES[1:]], images)
    apart = [token_losses(model, [[branch]], images[:1]) for branch in BRANCHES]
    apart += [token_losses(model, [[branch]], images[1:]) for branch in BRANCHES[1:]]
    torch.testing.assert_close(together, torch.cat(apart))


def test_only_answers_are_targets() -> None:
    packed = pack([BRANCHES[:2], BRANCHES[1:2]], prefix=5)
    assert packed.targets.tolist() == [
        [IGNORED, IGNORED, 20, 21, 22, END, IGNORED, IGNORED, 23, END, IGNORED],
        [IGNORED, 23, END, IGNORED, *[IGNORED] * 7],
    ]
    assert packed.positions[0].tolist() == [5, 6, 7, 8, 9, 10, 11, 5, 6, 7, 8]
