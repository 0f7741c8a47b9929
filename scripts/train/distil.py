"""
One model learns from several: wherever it goes itself with a caption, what all of them together would say next
(on-policy distillation: Agarwal et al., arXiv:2306.13649; of several models' probabilities: Hinton et al.,
arXiv:1503.02531). Most photos are of DATA/undescribed/, which no teacher knows by heart. OUT/distil/.
"""

import argparse
from pathlib import Path
from random import Random

import torch
from torch import Tensor, nn

from .batches import Batch, TrainingData
from .branch_logits import branch_logits
from .command import Run, elsewhere, parse_run, run_stage
from .features import Features, features_beside
from .label_names import LabelNames
from .layers import fixed_weights
from .losses import agreement, distillation
from .model import Glimpse
from .packing import Part, pack_in_parts
from .samples import sample_captions
from .starting_point import build_model, write_weights
from .trainer import Figures, Losses, Trainer

STAGE = "distil"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--teachers", type=Path, nargs="+", required=True, help="weights, on the same trunk")
    parser.add_argument(
        "--also",
        nargs=3,
        action="append",
        default=[],
        metavar=("CONFIG", "OUT", "WEIGHTS"),
        help="a teacher on another, and its features; it may be given several times",
    )
    parser.add_argument("--init", type=Path, required=True, help="weights to go on from")
    run = parse_run(__doc__, parser)
    settings = run.config.distil
    features = Features(run)
    data = TrainingData(run, settings.batch, features, STAGE, with_captions=False, undescribed=settings.undescribed)
    model = build_model(run, run.arguments.init, settings.dropout, settings.image_dropout)
    teachers = [build_teacher(run, weights) for weights in run.arguments.teachers]
    beside: list[Features] = []
    for its_run, weights in (elsewhere(run, place) for place in run.arguments.also):
        teachers.append(build_teacher(its_run, weights))
        beside.append(features_beside(its_run, features))

    def loss_of(batch: Batch) -> tuple[Losses, Figures]:
        trunk, imagenet = features.of(batch.views)
        parts = batch.parts + said_and_asked(model, batch, trunk, data, run)
        with torch.no_grad(), run.autocast():
            seen = [trunk] * len(run.arguments.teachers) + [other.of(batch.views)[0] for other in beside]
            image_embeds = [
                data.label_names.image_embeds(teacher, teacher.vision.tail(its_trunk), batch.told)
                for teacher, its_trunk in zip(teachers, seen, strict=True)
            ]
            taught = said_together(teachers, image_embeds, parts)
        return losses(model, batch, parts, trunk, taught, imagenet, data.label_names, run), {}

    trainer = Trainer(model, settings, data.steps_per_epoch, run.config.seed, run.out / STAGE, teachers)
    with fixed_weights(nn.ModuleList(teachers)):
        trainer.fit(data, loss_of, run.workers)
    write_weights(run.out / STAGE, model)


def build_teacher(run: Run, weights: Path) -> Glimpse:
    teacher = build_model(run, weights).eval().requires_grad_(False)
    teacher.quantize_in_loop()
    return teacher


def said_and_asked(model: Glimpse, batch: Batch, trunk: Tensor, data: TrainingData, run: Run) -> list[Part]:
    """
    The model's captions of a batch's photos of train/ and undescribed/, and questions about what they say of the
    latter: people's captions ask about the others.
    """
    settings = run.config.distil
    captioned = len(batch.captioned)
    photos = trunk[: captioned + batch.undescribed]
    samples = sample_captions(model, photos, settings.samples, settings.temperature, data, run)
    rng = Random(int(torch.randint(2**31, ())))
    branches = samples.branches[:captioned]
    for said, texts in zip(samples.branches[captioned:], samples.texts[captioned:], strict=True):
        branches.append(said + data.questions(texts, rng))
    return pack_in_parts(branches, 1 + model.image_tokens, run.parts)


def said_together(teachers: list[Glimpse], image_embeds: list[Tensor], parts: list[Part]) -> Tensor:
    """
    The teachers' probabilities multiplied, each with an equal say: closer to people's captions than their mean.

    :param image_embeds: by teacher, [photos, image_tokens, hidden]
    :return: of every answer's tokens, [tokens, vocabulary]
    """
    said = (branch_logits(*each, parts).logits for each in zip(teachers, image_embeds, strict=True))
    return torch.stack([logits.float().log_softmax(1) for logits in said]).mean(0).softmax(1)


def losses(
    model: Glimpse,
    batch: Batch,
    parts: list[Part],
    trunk: Tensor,
    taught: Tensor,
    imagenet: Tensor,
    label_names: LabelNames,
    run: Run,
) -> Losses:
    with run.autocast(), fixed_weights(model):
        features = model.vision.tail(trunk)
        logits = branch_logits(model, label_names.image_embeds(model, features, batch.told), parts).logits
        kept = distillation(model.vision.classify(features), imagenet)
    return {
        "agreement": agreement(logits, taught),
        "distillation": run.config.distil.distillation * kept,
    }


if __name__ == "__main__":
    run_stage(main)
