import shutil
import sys
from pathlib import Path

import pytest

from train import unbundle
from train.command import run_stage
from train.config import DEFAULT_CONFIG, read_config
from train.errors import UserError
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


@pytest.mark.parametrize("missing", ["model-*.safetensors", "tokenizer.json", "config.json"])
def test_what_is_no_bundle_overwrites_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    bundle, out = tmp_path / "bundle", tmp_path / "out"
    kept = [
        out / name for name in ("trunk.safetensors", "unbundle/weights.safetensors", "tokenizer.json", "labels.json")
    ]
    for file in kept:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("kept")
    shutil.copytree(BUNDLE, bundle)
    for file in bundle.glob(missing):
        file.unlink()
    monkeypatch.setattr(sys, "argv", ["unbundle", *map(str, ("--out", out, "--bundle", bundle))])
    with pytest.raises(SystemExit, match=f"{bundle}.*{missing.split('*')[0]}"):
        run_stage(unbundle.main)
    assert [file.read_text() for file in kept] == ["kept"] * 4


def test_a_tensor_of_another_model_is_named() -> None:
    with pytest.raises(UserError, match="lm_head.weight is no tensor"):
        unbundle.training_name("lm_head.weight")


def test_every_class_has_its_names() -> None:
    names = class_names(BUNDLE)
    assert len(names) == 1000
    assert names[283] == {"label": "Persian cat", "common_name": "cat"}
