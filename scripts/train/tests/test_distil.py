"""What several teachers say together, and how far from it a model is."""

import torch

from train.config import Config
from train.distil import said_together
from train.generation import prefill
from train.losses import agreement
from train.model import ASSISTANT, END, Glimpse
from train.packing import Branch, pack_in_parts

PROMPT = [10, 11]


def drawn(config: Config, seed: int) -> tuple[Glimpse, torch.Tensor]:
    torch.manual_seed(seed)
    model = Glimpse(config).eval().requires_grad_(False)
    return model, torch.randn(1, model.image_tokens, config.decoder.hidden)


def test_teachers_are_heard_alike(config: Config) -> None:
    """In what is packed, as of each alone behind a prompt that nothing else stands beside."""
    teachers, image_embeds = zip(*(drawn(config, seed) for seed in (0, 1, 2)), strict=True)
    answers = ([END], [END])
    asked = [
        Branch([*prompt, ASSISTANT], answer) for prompt, answer in zip((PROMPT, PROMPT[::-1]), answers, strict=True)
    ]
    parts = pack_in_parts([asked], 1 + teachers[0].image_tokens, parts=1)
    taught = said_together(list(teachers), list(image_embeds), parts)
    for row, prompt in enumerate((PROMPT, PROMPT[::-1])):
        alone = [
            prefill(m, e, torch.tensor([prompt]))[1].log_softmax(1) for m, e in zip(teachers, image_embeds, strict=True)
        ]
        torch.testing.assert_close(taught[row], (sum(alone)[0] / 3).softmax(0))


def test_agreement_is_what_the_teachers_tokens_cost_beyond_their_own_doubt() -> None:
    logits = torch.tensor([[2.0, 0.0, -1.0], [0.0, 0.0, 0.0]])
    assert abs(agreement(logits, logits.softmax(1)).item()) < 1e-7
    sure = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    cost = -logits.log_softmax(1)[[0, 1], [0, 1]].mean()
    torch.testing.assert_close(agreement(logits, sure), cost)
