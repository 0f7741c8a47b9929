"""The model before a stage of training, and its weights after it."""

from pathlib import Path

from .command import Run
from .features import load_frozen
from .imagenet import imagenet_encoder
from .model import Glimpse
from .tensors import Tensors, load_module, read_tensors, write_tensors


def build_model(run: Run, weights: Path | None, dropout: float = 0, image_dropout: float = 0) -> Glimpse:
    """
    The encoder as ImageNet left it, with its trunk quantised, and the rest as drawn; or `weights`.

    :param weights: all of a model's, written by write_weights, or quantised as the export stage writes them
    """
    model = Glimpse(run.config, dropout, image_dropout)
    model.vision = imagenet_encoder(run.config.vision)
    if weights is not None:
        load_module("", model, read_tensors(weights), weights)
    load_frozen(model.vision, run.trunk_file)
    model.freeze_trunk()
    return model.to(run.device)


def write_weights(folder: Path, model: Glimpse) -> None:
    """folder/weights.safetensors, not rounded"""
    tensors: Tensors = {name.removesuffix(".weight"): value for name, value in model.state_dict().items()}
    write_tensors(folder / "weights.safetensors", tensors)
