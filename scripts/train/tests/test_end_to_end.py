"""Every stage, one behind the other, on generated photos."""

import importlib
import json
import sys
from pathlib import Path

import pytest

from train.tensors import read_tensors

SMOKE = Path(__file__).with_name("smoke.toml")
STAGES = ("tokenizer", "trunk", "features", "fit", "self_critical", "distil", "export", "evaluate", "goldens")


def name_all_classes(labels: Path) -> None:
    """The classifier is the real one, and six of its classes have photos."""
    named = json.loads(labels.read_text())
    rest = [{"label": f"thing {i}", "common_name": "thing"} for i in range(len(named), 1000)]
    labels.write_text(json.dumps(named + rest))


def test_photos_become_the_bundles_sources(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    for stage in STAGES:
        arguments = ["--data", str(photos), "--out", str(out), "--config", str(SMOKE), "--threads", "1"]
        arguments += ["--samples", str(photos / "objects")] if stage == "goldens" else []
        if stage in ("distil", "export"):
            trained = [str(out / name / "weights.safetensors") for name in ("cross_entropy", "self_critical", "distil")]
            arguments += ["--weights", trained[2]] if stage == "export" else []
            arguments += ["--init", trained[0], "--teachers", *trained[:2]] if stage == "distil" else []
        monkeypatch.setattr(sys, "argv", [stage, *arguments])
        importlib.import_module(f"train.{stage}").main()
        if stage == "tokenizer":
            name_all_classes(out / "labels.json")

    exported = read_tensors(out / "export" / "glimpse-10m.safetensors")
    trunk = read_tensors(out / "trunk.safetensors")
    assert all(exported[name].equal(tensor) for name, tensor in trunk.items())
    assert {"dec.emb.q4", "p1.scale", "pnorm", "lpos", "vision.head.bias", "dec.layers.1.n2"} <= exported.keys()
    goldens = json.loads((out / "export" / "goldens.json").read_text())
    assert len(goldens["cases"]) == 3 * (6 + 1)
    assert goldens["dev"]["captions"].keys() == {"b1", "b4", "cider", "rougeL"}
    assert all((out / stage / "losses.png").exists() for stage in ("cross_entropy", "self_critical", "distil"))
