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
from .command import Run, parse_run
from .features import Features
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
    parser.add_argument("--init", type=Path, required=True, help="weights to go on from")
    run = parse_run(__doc__, parser)
    settings = run.config.distil
    features = Features(run)
    data = TrainingData(run, settings.batch, features, STAGE, with_captions=False, undescribed=settings.undescribed)
    model = build_model(run, settings, run.arguments.init)
    teachers = [build_model(run, settings, weights).eval().requires_grad_(False) for weights in run.arguments.teachers]
    for teacher in teachers:
        teacher.quantize_in_loop()

    def loss_of(batch: Batch) -> tuple[Losses, Figures]:
        trunk, imagenet = features.of(batch.views)
        parts = batch.parts + said_and_asked(model, batch, trunk, data, run)
        with torch.no_grad(), run.autocast():
            image_embeds = [data.label_names.image_embeds(t, t.vision.tail(trunk), batch.told) for t in teachers]
            taught = said_together(teachers, image_embeds, parts)
        return losses(model, batch, parts, trunk, taught, imagenet, data.label_names, run), {}

    trainer = Trainer(model, settings, data.steps_per_epoch, run.config.seed, run.out / STAGE)
    with fixed_weights(nn.ModuleList(teachers)):
        trainer.fit(data, loss_of, run.workers)
    write_weights(run.out / STAGE, model)


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
    main()
