"""Trains tail, projector and decoder to imitate people's captions and the derived answers: OUT/cross_entropy/."""

import argparse
from pathlib import Path

import torch

from .batches import Batch, TrainingData
from .branch_logits import branch_logits
from .command import Run, parse_run, run_stage
from .features import Features
from .label_names import LabelNames
from .layers import fixed_weights
from .losses import distillation, imitation
from .model import Glimpse
from .starting_point import build_model, write_weights
from .trainer import Figures, Losses, Trainer

STAGE = "cross_entropy"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--init", type=Path, help="weights to go on from, quantised or not (default: none)")
    run = parse_run(__doc__, parser)
    settings = run.config.cross_entropy
    features = Features(run)
    data = TrainingData(run, settings.batch, features, STAGE, with_captions=True, texts=settings.texts)
    torch.manual_seed(run.config.seed)
    model = build_model(run, run.arguments.init, settings.dropout, settings.image_dropout)

    def loss_of(batch: Batch) -> tuple[Losses, Figures]:
        return losses(model, batch, features, data.label_names, run), {}

    trainer = Trainer(model, settings, data.steps_per_epoch, run.config.seed, run.out / STAGE)
    trainer.fit(data, loss_of, run.workers)
    write_weights(run.out / STAGE, model)


def losses(model: Glimpse, batch: Batch, features: Features, label_names: LabelNames, run: Run) -> Losses:
    settings = run.config.cross_entropy
    trunk, teacher = features.of(batch.views)
    with run.autocast(), fixed_weights(model):
        seen = model.vision.tail(trunk)
        answers = [branch_logits(model, label_names.image_embeds(model, seen, batch.told), batch.parts)]
        if batch.texts:
            texts = sum(len(part.photos) for part in batch.texts)
            answers.append(branch_logits(model, model.no_image(texts), batch.texts))
        kept = distillation(model.vision.classify(seen), teacher)
    logits, targets = torch.cat([part.logits for part in answers]), torch.cat([part.targets for part in answers])
    return {
        "imitation": imitation(logits, targets, settings.label_smoothing),
        "distillation": settings.distillation * kept,
    }


if __name__ == "__main__":
    run_stage(main)
