"""Of a file that is not the model's, nothing is taken in silence."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from train.config import Config
from train.errors import UserError
from train.features import load_frozen
from train.model import Glimpse
from train.tensors import Tensors, load_module, module_tensors, read_tensors, write_tensors

FILE = Path("weights.safetensors")


def changed(tensors: Tensors, name: str, change: Callable[[torch.Tensor], torch.Tensor]) -> Tensors:
    return tensors | {name: change(tensors[name])}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda tensors: {n: v for n, v in tensors.items() if n != "lpos"}, "no lpos"),
        (lambda tensors: {n: v for n, v in tensors.items() if n != "p1.scale"}, "no p1.scale"),
        (lambda tensors: changed(tensors, "pnorm", lambda value: value[1:]), "pnorm in"),
        (lambda tensors: changed(tensors, "p1.q4", lambda value: value[:, 1:]), "p1.q4 in"),
        (lambda tensors: changed(tensors, "p1.q4", lambda value: value.repeat(1, 2)), "p1.q4 in"),
        (lambda tensors: changed(tensors, "vision.stem.scale", lambda value: value[:, None]), "vision.stem.scale in"),
        (lambda tensors: tensors | {"dec.layers.2.n1": torch.ones(32)}, "dec.layers.2.n1, which the model has not"),
    ],
)
def test_a_tensor_too_few_too_many_or_of_another_shape_is_named(
    config: Config, change: Callable[[Tensors], Tensors], named: str
) -> None:
    model = Glimpse(config)
    tensors = module_tensors("", model)
    load_module("", model, tensors, FILE)
    with pytest.raises(UserError, match=f"{FILE} has {named}.*--config"):
        load_module("", model, change(tensors), FILE)


def test_a_model_of_fewer_layers_is_refused(config: Config) -> None:
    tensors = module_tensors("", Glimpse(config))
    deeper = dataclasses.replace(config, decoder=dataclasses.replace(config.decoder, layers=3))
    with pytest.raises(UserError, match="no dec.layers.2"):
        load_module("", Glimpse(deeper), tensors, FILE)


def test_a_trunk_is_the_encoders_frozen_part_and_all_of_it(config: Config, tmp_path: Path) -> None:
    model, other = Glimpse(config), Glimpse(config)
    for value in model.vision.state_dict().values():
        value.normal_()
    trunk = tmp_path / "trunk.safetensors"
    frozen = model.vision.frozen_tensors(module_tensors("", model))
    write_tensors(trunk, frozen)
    load_frozen(other.vision, trunk)
    assert all(value.equal(frozen[name]) for name, value in module_tensors("", other).items() if name in frozen)
    with pytest.raises(UserError, match="has no"):
        load_module("", other, read_tensors(trunk), trunk)
    frozen.popitem()
    write_tensors(trunk, frozen)
    with pytest.raises(UserError, match="has no"):
        load_frozen(other.vision, trunk)


def test_half_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / FILE
    write_tensors(path, {"lpos": torch.ones(100)})
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(UserError, match=f"{FILE} is no whole"):
        read_tensors(path)
