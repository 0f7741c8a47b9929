"""
Several models describe together what nobody captioned: the photos of DATA/undescribed/ get captions, from which one
model then learns what all of them agree on (Hinton et al., arXiv:1503.02531). OUT/descriptions.csv.
"""

import argparse
import csv
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor
from tqdm import tqdm

from .command import Run, parse_run
from .features import Features, Views
from .generation import Choose, Sampled, copied, prefill, step, until_end
from .label_names import LabelNames
from .layers import fixed_weights
from .model import END, Glimpse
from .photos import list_photos
from .questions.of_photo import CAPTION_PROMPT
from .self_critical import LONGEST_SAMPLE
from .starting_point import build_model

BATCH = 100


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--weights", type=Path, nargs="+", required=True, help="of the models, on the same trunk")
    run = parse_run(__doc__, parser)
    models = [build_model(run, run.config.self_critical, weights).eval() for weights in run.arguments.weights]
    photos = list_photos(run.data / "undescribed")
    with run.descriptions_file.open("w", newline="") as file, torch.no_grad(), ExitStack() as rounded, run.autocast():
        for model in models:
            model.quantize_in_loop()
            rounded.enter_context(fixed_weights(model))
        rows = csv.writer(file)
        rows.writerow(("image", "caption"))
        for photo, captions in zip(photos, describe(models, len(photos), run), strict=True):
            rows.writerows((photo.name, caption) for caption in captions)


def describe(models: list[Glimpse], photos: int, run: Run) -> Iterator[list[str]]:
    """By photo, sampled captions."""
    features, tokenizer, label_names = Features(run), Tokenizer.from_file(str(run.tokenizer_file)), LabelNames.of(run)
    prompt = torch.tensor(tokenizer.encode(CAPTION_PROMPT).ids, device=run.device)
    count, choose = run.config.describe.samples, Sampled(run.config.describe.temperature)
    for part in tqdm(torch.arange(photos).split(BATCH), desc="describe", mininterval=5):
        trunk, _ = features.of([Views("undescribed", part, torch.zeros_like(part))])
        embeds = [label_names.image_embeds(model, model.vision.tail(trunk)) for model in models]
        answers = sample_together(models, embeds, prompt.expand(len(part), -1), count, choose)
        texts = tokenizer.decode_batch(answers)
        yield from (texts[start : start + count] for start in range(0, len(texts), count))


def sample_together(
    models: list[Glimpse], image_embeds: list[Tensor], prompt: Tensor, count: int, choose: Choose
) -> list[list[int]]:
    """
    Every token is chosen by the mean of the models' probabilities.

    :param image_embeds: by model, [photos, image_tokens, hidden]
    :param prompt: [photos, tokens], without `<|assistant|>`
    :return: by photo `count` answers, one behind the other
    """
    logits, caches = [], []
    for model, embeds in zip(models, image_embeds, strict=True):
        _, first, cache = prefill(model, embeds, prompt)
        logits.append(first.repeat_interleave(count, 0))
        caches.append(copied(cache, count))
    ended = torch.zeros(len(prompt) * count, dtype=torch.bool, device=prompt.device)
    steps: list[Tensor] = []
    while len(steps) < LONGEST_SAMPLE and not ended.all():
        mean = torch.stack([each.float().softmax(-1) for each in logits]).mean(0)
        tokens = choose(mean.log()).masked_fill(ended, END)
        steps.append(tokens)
        ended = ended | (tokens == END)
        for place, model in enumerate(models):
            logits[place], caches[place] = step(model, model.dec.emb.matrix(), tokens, caches[place])
    return [until_end(answer) for answer in torch.stack(steps, 1).tolist()]


if __name__ == "__main__":
    main()
