"""
Goes on from fit: captions are sampled, and those that score higher (rewards.py) than the photo's others become likelier
(Rennie et al., arXiv:1612.00563); questions are imitated as before. OUT/self_critical/.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from . import fit
from .batches import Batch, TrainingData
from .branch_logits import branch_logits
from .command import Run, parse_run
from .features import Features
from .generation import Sampled, generate
from .label_names import LabelNames
from .layers import fixed_weights
from .losses import distillation, imitation, leave_one_out, reinforcement
from .model import ASSISTANT, END, Glimpse
from .packing import Branch, Part, pack_in_parts
from .questions.of_photo import CAPTION_PROMPT
from .rewards import CaptionReward, Rewarder
from .starting_point import build_model, write_weights
from .trainer import Figures, Losses, Trainer

STAGE = "self_critical"
LONGEST_SAMPLE = 24
"""In tokens. A longer one is cut: it has no end, and so no reward for it."""


@dataclass(frozen=True)
class Samples:
    """Captions of a batch's captioned photos."""

    parts: list[Part]
    advantages: Tensor
    """How much better a caption is than the photo's others: [photos, samples]"""
    mean_reward: float


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--init", type=Path, help="weights to go on from (default: fit's)")
    run = parse_run(__doc__, parser)
    settings = run.config.self_critical
    features = Features(run)
    data = TrainingData(run, settings.batch, features, STAGE, with_captions=False)
    model = build_model(run, settings, run.arguments.init or run.out / fit.STAGE / "weights.safetensors")
    rewarder = Rewarder(CaptionReward(data.references, settings.bleu_weight), run.workers)

    def loss_of(batch: Batch) -> tuple[Losses, Figures]:
        trunk, teacher = features.of(batch.views)
        samples = sample(model, trunk[: len(batch.captioned)], batch.captioned, data, rewarder, run)
        return losses(model, batch, trunk, teacher, samples, data.label_names, run), {"reward": samples.mean_reward}

    trainer = Trainer(model, settings, data.steps_per_epoch, run.config.seed, run.out / STAGE)
    trainer.fit(data, loss_of, run.workers)
    write_weights(run.out / STAGE, model)


def sample(
    model: Glimpse, trunk: Tensor, photos: list[int], data: TrainingData, rewarder: Rewarder, run: Run
) -> Samples:
    count = run.config.self_critical.samples
    prompt = data.encode(CAPTION_PROMPT)
    model.eval()
    with torch.no_grad(), fixed_weights(model), run.autocast():
        image_embeds = data.label_names.image_embeds(model, model.vision.tail(trunk))
        prompts = torch.tensor([prompt] * len(photos), device=run.device)
        choose = Sampled(run.config.self_critical.temperature)
        answers = generate(model, image_embeds, prompts, choose, count, LONGEST_SAMPLE)
    model.train()
    texts = data.tokenizer.decode_batch(answers)
    rewards = torch.tensor(rewarder([(photos[i // count], text) for i, text in enumerate(texts)]))
    branches = [Branch([*prompt, ASSISTANT], [*answer, END][:LONGEST_SAMPLE]) for answer in answers]
    by_photo = [branches[i : i + count] for i in range(0, len(branches), count)]
    parts = pack_in_parts(by_photo, 1 + model.image_tokens, run.parts // 2)
    return Samples(parts, leave_one_out(rewards.unflatten(0, (-1, count))), rewards.mean().item())


def losses(
    model: Glimpse, batch: Batch, trunk: Tensor, teacher: Tensor, samples: Samples, label_names: LabelNames, run: Run
) -> Losses:
    settings = run.config.self_critical
    with run.autocast(), fixed_weights(model):
        features = model.vision.tail(trunk)
        image_embeds = label_names.image_embeds(model, features, batch.told)
        people, sampled = (branch_logits(model, image_embeds, parts) for parts in (batch.parts, samples.parts))
        kept = distillation(model.vision.classify(features), teacher)
    advantages = samples.advantages.to(run.device)[sampled.photos, sampled.branches]
    sharper = sampled.logits / settings.temperature  # what the samples were drawn from
    return {
        "imitation": imitation(people.logits, people.targets, settings.label_smoothing),
        "reinforcement": settings.weight * reinforcement(sharper, sampled.targets, advantages),
        "distillation": settings.distillation * kept,
    }


if __name__ == "__main__":
    main()
