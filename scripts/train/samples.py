"""Captions that a model samples while it is trained."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .batches import TrainingData
from .command import Run
from .generation import Sampled, generate
from .layers import fixed_weights
from .model import ASSISTANT, END, Glimpse
from .packing import Branch, in_groups
from .questions.of_photo import CAPTION_PROMPT

LONGEST_SAMPLE = 24
"""In tokens. A longer one is cut: it has no end, and so no reward for it."""


@dataclass(frozen=True)
class Samples:
    texts: list[list[str]]
    """By photo"""
    branches: list[list[Branch]]
    """By photo, in the same order"""


def sample_captions(
    model: Glimpse, trunk: Tensor, count: int, temperature: float, data: TrainingData, run: Run
) -> Samples:
    """
    :param trunk: its features of the photos, [photos, 192, 7, 7]
    :param count: captions a photo
    """
    prompt = data.encode(CAPTION_PROMPT)
    model.eval()
    with torch.no_grad(), fixed_weights(model), run.autocast():
        image_embeds = data.label_names.image_embeds(model, model.vision.tail(trunk))
        prompts = torch.tensor([prompt] * len(trunk), device=run.device)
        answers = generate(model, image_embeds, prompts, Sampled(temperature), count, LONGEST_SAMPLE)
    model.train()
    branches = [Branch([*prompt, ASSISTANT], [*answer, END][:LONGEST_SAMPLE]) for answer in answers]
    return Samples(in_groups(data.tokenizer.decode_batch(answers), count), in_groups(branches, count))
