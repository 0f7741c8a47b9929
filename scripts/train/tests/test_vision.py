import torch

from train.config import Config
from train.vision import Encoder


@torch.no_grad()
def test_features_of_another_size_become_the_decoders_in_bf16_too(config: Config) -> None:
    tail = Encoder(config.vision).eval().tail
    larger = torch.rand(1, 16, 12, 12)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        resized, as_they_are = tail(larger), tail(larger[..., :8, :8])
    assert resized.shape == as_they_are.shape
    assert resized.dtype == as_they_are.dtype
