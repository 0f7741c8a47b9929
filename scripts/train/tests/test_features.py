import argparse
from pathlib import Path

import pytest
import torch

from train.command import Run
from train.config import Config
from train.errors import UserError
from train.features import Features, Views, views_by_folder, write_features
from train.photos import list_photos


def computed(config: Config, data: Path, out: Path) -> Run:
    """As the stage leaves it, with random features."""
    run = Run(data, out, config, torch.device("cpu"), argparse.Namespace(threads=1))
    for folder in views_by_folder(run):
        count = len(list_photos(data / folder))
        drawn = {"trunk": torch.rand(count, 2, 4, 2, 2).half(), "teacher": torch.rand(count, 2, 6).half()}
        write_features(run, folder, drawn)
    return run


def test_what_was_computed_is_read_in_float32_within_autocast_too(config: Config, photos: Path, tmp_path: Path) -> None:
    features = Features(computed(config, photos, tmp_path / "out"))
    drawn = [Views("train", torch.tensor([3]), torch.tensor([1])), Views("more", torch.tensor([0]), torch.tensor([0]))]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        trunk, teacher = features.of(drawn)
    for name, found in (("trunk", trunk), ("teacher", teacher)):
        expected = torch.stack([features.by_folder["train"][name][3, 1], features.by_folder["more"][name][0, 0]])
        assert found.equal(expected.float())


@pytest.mark.parametrize("folder", ["train", "objects", "more", "undescribed"])
def test_features_of_other_photos_are_refused(config: Config, photos: Path, tmp_path: Path, folder: str) -> None:
    run = computed(config, photos, tmp_path / "out")
    (photos / folder / "1.png").rename(photos / folder / "9.png")
    with pytest.raises(UserError, match=f"out/features is of other photos than .*{folder} has: delete it"):
        Features(run)


def test_features_that_were_not_computed_are_named(config: Config, photos: Path, tmp_path: Path) -> None:
    run = computed(config, photos, tmp_path / "out")
    (run.out / "features" / "more.safetensors").unlink()
    with pytest.raises(UserError, match="more.safetensors is missing: run the features stage"):
        Features(run)
