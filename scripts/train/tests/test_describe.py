"""What several models say together."""

import torch

from train.config import Config
from train.describe import sample_together
from train.generation import generate, greedy
from train.model import Glimpse

PROMPT = torch.tensor([[10, 11]] * 3)


def drawn(config: Config, seed: int) -> tuple[Glimpse, torch.Tensor]:
    torch.manual_seed(seed)
    model = Glimpse(config).eval().requires_grad_(False)
    for weight in model.dec.parameters():
        if weight.ndim > 1:
            weight.data *= 15  # or every token would be followed by itself
    return model, torch.randn(3, model.image_tokens, config.decoder.hidden)


def test_models_that_agree_say_what_one_says(config: Config) -> None:
    model, image_embeds = drawn(config, 0)
    alone = generate(model, image_embeds, PROMPT, copies=2, max_new_tokens=24)
    assert sample_together([model, model], [image_embeds, image_embeds], PROMPT, 2, greedy) == alone


def test_others_are_heard(config: Config) -> None:
    """At the first token the likeliest by the mean, which need not be the first model's."""
    models, image_embeds = zip(*(drawn(config, seed) for seed in (0, 1, 2)), strict=True)
    alone = [generate(m, e, PROMPT, max_new_tokens=1) for m, e in zip(models, image_embeds, strict=True)]
    together = sample_together(list(models), list(image_embeds), PROMPT, 1, greedy)
    first = [answer[0] for answer in together]
    assert all(token in {of_one[photo][0] for of_one in alone} for photo, token in enumerate(first))
    assert first != [answer[0] for answer in alone[0]]
