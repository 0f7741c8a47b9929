"""Every stage, one behind the other, on generated photos."""

import importlib
import json
import shutil
import sys
import tomllib
from pathlib import Path

import pytest

from train.config import DEFAULT_CONFIG
from train.errors import UserError
from train.tensors import read_tensors

SMOKE = Path(__file__).with_name("smoke.toml")
LITE2 = DEFAULT_CONFIG.parent / "configs" / "lite2.toml"


def name_all_classes(labels: Path) -> None:
    """The classifier is the real one, and six of its classes have photos."""
    named = json.loads(labels.read_text())
    rest = [{"label": f"thing {i}", "common_name": "thing"} for i in range(len(named), 1000)]
    labels.write_text(json.dumps(named + rest))


def with_lite2(config: Path) -> Path:
    """SMOKE's sizes with a larger network at 96 pixels, whose 3x3 features become 2x2."""
    vision = tomllib.loads(LITE2.read_text())["vision"] | {"image_size": 96, "grid": 2}
    lines = [f"{name} = {json.dumps(value)}\n" for name, value in vision.items()]
    _, others = SMOKE.read_text().split("[projector]")
    config.write_text("[vision]\n" + "".join(lines) + "[projector]" + others)
    return config


def test_photos_become_the_bundles_sources(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, other, lite2 = tmp_path / "out", tmp_path / "lite2", with_lite2(tmp_path / "lite2.toml")

    def stage(name: str, *options: str | Path, folder: Path = out, config: Path = SMOKE) -> None:
        data = () if name == "export" else ("--data", photos)
        common = (*data, "--out", folder, "--config", config, "--threads", 1)
        monkeypatch.setattr(sys, "argv", [name, *map(str, (*common, *options))])
        importlib.import_module(f"train.{name}").main()

    def weights(of: str, folder: Path = out) -> Path:
        return folder / of / "weights.safetensors"

    stage("tokenizer")
    name_all_classes(out / "labels.json")
    for name in ("trunk", "features", "fit", "self_critical"):
        stage(name)

    other.mkdir()
    for name in ("tokenizer.json", "labels.json"):
        shutil.copyfile(out / name, other / name)
    for name in ("trunk", "features"):
        stage(name, folder=other, config=lite2)
    stage("align", "--like", SMOKE, out, weights("cross_entropy"), folder=other, config=lite2)
    stage("fit", "--init", weights("align", other), folder=other, config=lite2)

    aligned = [json.loads(line)["difference"] for line in (other / "align" / "log.jsonl").read_text().splitlines()]
    assert aligned[-1] < 0.9 * aligned[0]

    teachers = ("--teachers", weights("self_critical"), "--also", lite2, other, weights("cross_entropy", other))
    stage("distil", "--init", weights("cross_entropy"), *teachers)
    stage("export", "--weights", weights("distil"))
    stage("evaluate", "--parts", "objects")
    assert json.loads((out / "evaluation.json").read_text()).keys() == {"objects"}
    stage("evaluate")
    stage("goldens", "--samples", photos / "objects")

    exported = read_tensors(out / "export" / "glimpse-10m.safetensors")
    trunk = read_tensors(out / "trunk.safetensors")
    assert all(exported[name].equal(tensor) for name, tensor in trunk.items())
    assert {"dec.emb.q4", "p1.scale", "pnorm", "lpos", "vision.head.bias", "dec.layers.1.n2"} <= exported.keys()
    goldens = json.loads((out / "export" / "goldens.json").read_text())
    assert len(goldens["cases"]) == 3 * (6 + 1)
    assert goldens["dev"]["captions"].keys() == {"b1", "b4", "cider", "rougeL"}
    plotted = [(out, "cross_entropy"), (out, "self_critical"), (other, "align"), (out, "distil")]
    assert all((folder / name / "losses.png").exists() for folder, name in plotted)

    (photos / "train" / "0.png").unlink()
    with pytest.raises(UserError, match="other photos than .*train has"):
        stage("features")
