"""What a run gives follows from the seed, and not from whether it was interrupted."""

import dataclasses
from functools import partial
from pathlib import Path

import torch

from train.config import Config
from train.model import Glimpse
from train.packing import Branch, pack
from train.trainer import Figures, Losses, Trainer

STEPS = 6
STEP_NUMBERS = list(range(STEPS))


def run(config: Config, folder: Path, stops: tuple[int, ...] = (), seed: int = 0) -> list[torch.Tensor]:
    settings = dataclasses.replace(config.cross_entropy, epochs=1, warmup_steps=2, dropout=0.2)
    for until in (*stops, None):
        torch.manual_seed(seed)
        model = Glimpse(config, settings.dropout)
        model.freeze_trunk()

        Trainer(model, settings, STEPS, seed, folder).fit(STEP_NUMBERS, partial(step_loss, model), until=until)
    return list(model.parameters())


def step_loss(model: Glimpse, step: int) -> tuple[Losses, Figures]:
    """Of a batch that is the step's own, and noise that the trainer seeds."""
    packed = pack([[Branch([6 + step, 2], [20 + step, 3])]], 1 + model.image_tokens)
    features = model.vision.tail(torch.randn(1, 16, 8, 8))
    label_ids = torch.full((1, model.lpos.shape[0]), 6 + step)
    logits = model.packed_logits(model.image_embeds(features, label_ids), packed)
    return {"imitation": torch.nn.functional.cross_entropy(logits, packed.targets)}, {}


def same(a: list[torch.Tensor], b: list[torch.Tensor]) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def test_resumed_is_uninterrupted(config: Config, tmp_path: Path) -> None:
    assert same(run(config, tmp_path / "whole"), run(config, tmp_path / "parts", stops=(2, 5)))


def test_deterministic_by_seed(config: Config, tmp_path: Path) -> None:
    first = run(config, tmp_path / "a")
    assert same(first, run(config, tmp_path / "b"))
    assert not same(first, run(config, tmp_path / "c", seed=1))
