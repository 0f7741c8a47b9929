"""Trains tail, projector and decoder to imitate people's captions and the derived answers: OUT/cross_entropy/."""

import argparse
from pathlib import Path

import torch

from .batches import Batch, TrainingData
from .branch_logits import branch_logits
from .command import Run, parse_run
from .label_names import LabelNames
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
    data = TrainingData(run, settings.batch)
    torch.manual_seed(run.config.seed)
    model = build_model(run, settings.dropout, run.arguments.init)

    def loss_of(step: int) -> tuple[Losses, Figures]:
        return losses(model, data.batch(STAGE, step, with_captions=True), data.label_names, run), {}

    trainer = Trainer(model, settings, data.steps_per_epoch, run.config.seed, run.out / STAGE)
    trainer.fit(loss_of)
    write_weights(run.out / STAGE, model)


def losses(model: Glimpse, batch: Batch, label_names: LabelNames, run: Run) -> Losses:
    settings, device = run.config.cross_entropy, run.device
    with run.autocast():
        features = model.vision.tail(batch.trunk.to(device))
        answers = branch_logits(model, label_names.image_embeds(model, features, batch.told), batch.branches)
    kept = distillation(model.vision.classify(features), batch.teacher.to(device))
    return {
        "imitation": imitation(answers.logits, answers.targets, settings.label_smoothing),
        "distillation": settings.distillation * kept,
    }


if __name__ == "__main__":
    main()
