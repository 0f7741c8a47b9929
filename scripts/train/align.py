"""
Another network in the place of a trained model's encoder: its projector learns to give, of photo by photo, the rows
that the model's gives, and the decoder is the model's. OUT/align/, for `fit` to go on from.
"""

import argparse

import torch
from torch.nn import functional as F

from .batches import Batch, TrainingData
from .command import elsewhere, parse_run, run_stage
from .features import Features, features_beside
from .starting_point import build_model, write_weights
from .trainer import Figures, Losses, Trainer

STAGE = "align"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--like", nargs=3, required=True, metavar=("CONFIG", "OUT", "WEIGHTS"), help="the model, and its features"
    )
    run = parse_run(__doc__, parser)
    settings = run.config.align
    its_run, weights = elsewhere(run, run.arguments.like)
    features = Features(run)
    its_features = features_beside(its_run, features)
    its_model = build_model(its_run, weights).eval().requires_grad_(False)
    torch.manual_seed(run.config.seed)
    model = build_model(run, None)
    model.dec.load_state_dict(its_model.dec.state_dict())
    model.ppos, model.lpos = its_model.ppos, its_model.lpos
    model.requires_grad_(False)
    for module in (model.pnorm, model.p1, model.p2):
        module.requires_grad_(True)

    def loss_of(batch: Batch) -> tuple[Losses, Figures]:
        seen, _ = features.of(batch.views)
        seen_by_it, _ = its_features.of(batch.views)
        with run.autocast():
            wanted = its_model.projected(its_model.vision.tail(seen_by_it))
            return {"difference": F.mse_loss(model.projected(model.vision.tail(seen)).float(), wanted.float())}, {}

    data = TrainingData(run, settings.batch, features, STAGE, with_captions=False)
    trainer = Trainer(model, settings, data.steps_per_epoch, run.config.seed, run.out / STAGE, [its_model])
    trainer.fit(data, loss_of, run.workers)
    write_weights(run.out / STAGE, model)


if __name__ == "__main__":
    run_stage(main)
