import argparse
from pathlib import Path

import torch

from train.command import Run
from train.config import Config
from train.features import Features, Views, features_file
from train.tensors import write_tensors


def test_what_was_computed_is_read_in_float32_within_autocast_too(config: Config, photos: Path, tmp_path: Path) -> None:
    run = Run(photos, tmp_path, config, torch.device("cpu"), argparse.Namespace(threads=1))
    trunk, teacher = torch.rand(8, 2, 4, 2, 2).half(), torch.rand(8, 2, 6).half()
    for folder in ("train", "objects"):
        write_tensors(features_file(run.out, folder), {"trunk": trunk, "teacher": teacher})
    drawn = [
        Views("train", torch.tensor([3]), torch.tensor([1])),
        Views("objects", torch.tensor([0]), torch.tensor([0])),
    ]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = Features(run).of(drawn)
    for all_views, of_drawn in zip((trunk, teacher), found, strict=True):
        assert of_drawn.equal(torch.stack([all_views[3, 1], all_views[0, 0]]).float())
