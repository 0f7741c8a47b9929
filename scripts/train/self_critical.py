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
from .command import Run, parse_run, run_stage
from .features import Features
from .label_names import LabelNames
from .layers import fixed_weights
from .losses import distillation, imitation, leave_one_out, reinforcement
from .model import Glimpse
from .packing import Part, pack_in_parts
from .rewards import CaptionReward, Rewarder
from .samples import sample_captions
from .starting_point import build_model, write_weights
from .trainer import Figures, Losses, Trainer

STAGE = "self_critical"


@dataclass(frozen=True)
class Rewarded:
    """Sampled captions of a batch's captioned photos."""

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
    init = run.arguments.init or run.out / fit.STAGE / "weights.safetensors"
    model = build_model(run, init, settings.dropout, settings.image_dropout)
    rewarder = Rewarder(CaptionReward(data.captions, settings.bleu_weight), run.workers)

    def loss_of(batch: Batch) -> tuple[Losses, Figures]:
        trunk, teacher = features.of(batch.views)
        samples = rewarded(model, trunk[: len(batch.captioned)], batch.captioned, data, rewarder, run)
        return losses(model, batch, trunk, teacher, samples, data.label_names, run), {"reward": samples.mean_reward}

    trainer = Trainer(model, settings, data.steps_per_epoch, run.config.seed, run.out / STAGE)
    trainer.fit(data, loss_of, run.workers)
    write_weights(run.out / STAGE, model)


def rewarded(
    model: Glimpse, trunk: Tensor, photos: list[int], data: TrainingData, rewarder: Rewarder, run: Run
) -> Rewarded:
    settings = run.config.self_critical
    samples = sample_captions(model, trunk, settings.samples, settings.temperature, data, run)
    said = [(photo, text) for photo, texts in zip(photos, samples.texts, strict=True) for text in texts]
    rewards = torch.tensor(rewarder(said)).unflatten(0, (-1, settings.samples))
    parts = pack_in_parts(samples.branches, 1 + model.image_tokens, run.parts // 2)
    return Rewarded(parts, leave_one_out(rewards), rewards.mean().item())


def losses(
    model: Glimpse, batch: Batch, trunk: Tensor, teacher: Tensor, samples: Rewarded, label_names: LabelNames, run: Run
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
    run_stage(main)
