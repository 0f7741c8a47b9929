"""Weights that training went on from can be mixed into those that it left."""

from pathlib import Path

import pytest
import torch

from train.config import Config
from train.export import mix_in
from train.model import Glimpse
from train.starting_point import write_weights


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_mean_of_both(config: Config, tmp_path: Path, share: float) -> None:
    start, trained = Glimpse(config), Glimpse(config)
    write_weights(tmp_path, start)
    expected = [new + share * (old - new) for new, old in zip(trained.parameters(), start.parameters(), strict=True)]
    mix_in(trained, tmp_path / "weights.safetensors", share)
    torch.testing.assert_close(list(trained.parameters()), expected)
