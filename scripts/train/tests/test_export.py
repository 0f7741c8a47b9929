"""Several models' mean, before it is rounded."""

import torch

from train.config import Config
from train.export import load_mean
from train.model import Glimpse
from train.tensors import Tensors


def drawn(config: Config, seed: int) -> Tensors:
    torch.manual_seed(seed)
    return {
        name.removesuffix(".weight"): torch.randn_like(value) for name, value in Glimpse(config).state_dict().items()
    }


def test_every_tensor_is_the_mean_of_each_models(config: Config) -> None:
    weights = [drawn(config, seed) for seed in (0, 1, 2)]
    model = Glimpse(config)
    load_mean(model, weights)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, torch.stack([each[name.removesuffix(".weight")] for each in weights]).mean(0))
