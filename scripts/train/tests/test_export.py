"""Several models' mean, before it is rounded."""

from pathlib import Path

import torch

from train.config import Config
from train.export import load_mean
from train.model import Glimpse
from train.starting_point import write_weights
from train.tensors import read_tensors


def drawn(config: Config, seed: int, folder: Path) -> Path:
    torch.manual_seed(seed)
    model = Glimpse(config)
    for value in model.state_dict().values():
        value.normal_()
    write_weights(folder, model)
    return folder / "weights.safetensors"


def test_every_tensor_is_the_mean_of_each_models(config: Config, tmp_path: Path) -> None:
    files = [drawn(config, seed, tmp_path / str(seed)) for seed in (0, 1, 2)]
    model = Glimpse(config)
    load_mean(model, files)
    weights = [read_tensors(file) for file in files]
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, torch.stack([each[name.removesuffix(".weight")] for each in weights]).mean(0))
