"""What a run gives follows from the seed, and not from whether it was interrupted."""

import dataclasses
import json
from functools import partial
from pathlib import Path

import pytest
import torch

from train.config import Config
from train.errors import UserError
from train.model import Glimpse
from train.packing import Branch, pack
from train.trainer import Figures, Losses, Trainer

STEPS = 6
STEP_NUMBERS = list(range(STEPS))


def run(
    config: Config, folder: Path, stops: tuple[int, ...] = (), seed: int = 0, **changes: float
) -> list[torch.Tensor]:
    settings = dataclasses.replace(config.cross_entropy, **{"epochs": 1, "warmup_steps": 2, "dropout": 0.2} | changes)
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


def test_a_log_has_every_step_once(config: Config, tmp_path: Path) -> None:
    """That of a run which was interrupted before its first checkpoint goes, and behind a checkpoint what is redone."""
    run(config, tmp_path, stops=(2,))
    whole = (tmp_path / "log.jsonl").read_text()
    assert [json.loads(line)["step"] for line in whole.splitlines()] == STEP_NUMBERS
    (tmp_path / "checkpoint.pt").unlink()
    run(config, tmp_path)
    assert (tmp_path / "log.jsonl").read_text() == whole


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"learning_rate": 1.0}, "learning_rate"),
        ({"seed": 1}, "seed, weights to begin with"),
        ({"epochs": 2}, "epochs"),
    ],
)
def test_a_checkpoint_of_other_settings_is_refused(
    config: Config, tmp_path: Path, changes: dict[str, float], named: str
) -> None:
    """One whose steps are all done too: it would give its old weights."""
    run(config, tmp_path)
    with pytest.raises(UserError, match=rf"\({named}\): take another --out, or delete"):
        run(config, tmp_path, **changes)
    run(config, tmp_path, checkpoint_minutes=1)


def test_a_checkpoint_of_another_teacher_is_refused(config: Config, tmp_path: Path) -> None:
    settings = dataclasses.replace(config.distil, epochs=1)
    model, *teachers = (Glimpse(config) for _ in range(3))
    model.freeze_trunk()
    Trainer(model, settings, STEPS, 0, tmp_path, teachers[:1]).fit(STEP_NUMBERS, partial(step_loss, model), until=1)
    with pytest.raises(UserError, match=r"\(.*teachers\)"):
        Trainer(model, settings, STEPS, 0, tmp_path, teachers[1:])


def test_a_training_without_a_step_is_refused(config: Config, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="of 0 steps are no step.*lower batch.photos"):
        Trainer(Glimpse(config), config.cross_entropy, 0, 0, tmp_path / "fit")
    assert not (tmp_path / "fit").exists()
