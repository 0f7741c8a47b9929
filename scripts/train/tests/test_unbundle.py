from pathlib import Path

from train.config import DEFAULT_CONFIG, read_config
from train.model import Glimpse
from train.tensors import load_module, module_tensors
from train.unbundle import bundle_tensors, class_names

BUNDLE = Path(__file__).parents[3] / "model-shards" / "glimpse-10m"


def test_the_default_bundle_is_what_training_exports() -> None:
    tensors = bundle_tensors(BUNDLE)
    model = Glimpse(read_config(DEFAULT_CONFIG))
    load_module("", model, tensors, BUNDLE)
    exported = module_tensors("", model)
    assert exported.keys() == tensors.keys()
    frozen = model.vision.frozen_tensors(tensors)
    assert all(value.equal(tensors[name]) for name, value in exported.items() if name not in frozen)


def test_every_class_has_its_names() -> None:
    names = class_names(BUNDLE)
    assert len(names) == 1000
    assert names[283] == {"label": "Persian cat", "common_name": "cat"}
