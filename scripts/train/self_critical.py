"""
Goes on from fit: captions are sampled, and those that score higher (rewards.py) than the photo's others become likelier
(Rennie et al., arXiv:1612.00563); questions are imitated as before. OUT/self_critical/.
"""

import argparse
from pathlib import Path

import torch

from . import fit
from .batches import Batch, TrainingData
from .branch_logits import branch_logits
from .command import Run, parse_run
from .generation import Sampled, generate
from .label_names import LabelNames
from .layers import fixed_weights
from .losses import distillation, imitation, leave_one_out, reinforcement
from .model import ASSISTANT, END, Glimpse
from .packing import Branch
from .questions.of_photo import CAPTION_PROMPT
from .rewards import CaptionReward
from .starting_point import build_model, write_weights
from .trainer import Figures, Losses, Trainer

STAGE = "self_critical"
LONGEST_SAMPLE = 24
"""In tokens. A longer one is cut: it has no end, and so no reward for it."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--init", type=Path, help="weights to go on from (default: fit's)")
    run = parse_run(__doc__, parser)
    settings = run.config.self_critical
    data = TrainingData(run, settings.batch)
    reward = CaptionReward(data.captions, settings.bleu_weight)
    model = build_model(run, settings.dropout, run.arguments.init or run.out / fit.STAGE / "weights.safetensors")

    def loss_of(step: int) -> tuple[Losses, Figures]:
        batch = data.batch(STAGE, step, with_captions=False)
        sampled, mean_reward = sample_branches(model, batch, data, reward, run)
        return losses(model, batch, sampled, data.label_names, run), {"reward": mean_reward}

    trainer = Trainer(model, settings, data.steps_per_epoch, run.config.seed, run.out / STAGE)
    trainer.fit(loss_of)
    write_weights(run.out / STAGE, model)


def sample_branches(
    model: Glimpse, batch: Batch, data: TrainingData, reward: CaptionReward, run: Run
) -> tuple[list[list[Branch]], float]:
    """:return: by captioned photo its sampled captions with their advantages, and the mean reward"""
    count, photos = run.config.self_critical.samples, batch.captioned
    prompt = data.encode(CAPTION_PROMPT)
    model.eval()
    with torch.no_grad(), fixed_weights(model), run.autocast():
        trunk = batch.trunk[: len(photos)].to(run.device)
        image_embeds = data.label_names.image_embeds(model, model.vision.tail(trunk))
        prompts = torch.tensor([prompt] * len(photos), device=run.device)
        choose = Sampled(run.config.self_critical.temperature)
        answers = generate(model, image_embeds, prompts, choose, count, LONGEST_SAMPLE)
    model.train()
    texts = data.tokenizer.decode_batch(answers)
    rewards = torch.tensor([reward(photos[i // count], text) for i, text in enumerate(texts)])
    advantages = leave_one_out(rewards.unflatten(0, (-1, count))).flatten().tolist()
    branches = [
        Branch([*prompt, ASSISTANT], [*answer, END][:LONGEST_SAMPLE], advantage)
        for answer, advantage in zip(answers, advantages, strict=True)
    ]
    return [branches[i : i + count] for i in range(0, len(branches), count)], rewards.mean().item()


def losses(model: Glimpse, batch: Batch, sampled: list[list[Branch]], label_names: LabelNames, run: Run) -> Losses:
    """:param sampled: by captioned photo"""
    settings, device = run.config.self_critical, run.device
    extra = sampled + [[] for _ in batch.branches[len(sampled) :]]
    branches = [asked + more for asked, more in zip(batch.branches, extra, strict=True)]
    with run.autocast():
        features = model.vision.tail(batch.trunk.to(device))
        answers = branch_logits(model, label_names.image_embeds(model, features, batch.told), branches)
    logits, targets, advantages = answers.logits, answers.targets, answers.advantages
    person = advantages.isnan()
    sharper = logits[~person] / settings.temperature  # what the samples were drawn from
    kept = distillation(model.vision.classify(features), batch.teacher.to(device))
    return {
        "imitation": imitation(logits[person], targets[person], settings.label_smoothing),
        "reinforcement": settings.weight * reinforcement(sharper, targets[~person], advantages[~person]),
        "distillation": settings.distillation * kept,
    }


if __name__ == "__main__":
    main()
