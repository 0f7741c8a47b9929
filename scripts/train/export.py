"""
The bundle's sources, as scripts/build-bundle.ts takes them: OUT/export/glimpse-10m.safetensors with what was trained
rounded and the trunk as it was quantised, tokenizer.json and labels.json.
"""

import argparse
import shutil
from pathlib import Path

import torch

from . import self_critical
from .command import parse_run, run_stage
from .features import load_frozen
from .model import Glimpse
from .tensors import Tensors, load_module, module_tensors, read_tensors, write_tensors

WEIGHTS = "glimpse-10m.safetensors"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--weights", type=Path, nargs="+", help="of several the mean; default: what self-critical training left"
    )
    run = parse_run(__doc__, parser, reads_data=False, on_device=False)
    model = Glimpse(run.config)
    load_mean(model, run.arguments.weights or [run.out / self_critical.STAGE / "weights.safetensors"])
    load_frozen(model.vision, run.trunk_file)
    write_tensors(run.out / "export" / WEIGHTS, export(model, read_tensors(run.trunk_file)))
    for name in ("tokenizer.json", "labels.json"):
        shutil.copyfile(run.out / name, run.out / "export" / name)


def load_mean(model: Glimpse, weights: list[Path]) -> None:
    """Of models that one stage parted from another (Wortsman et al., arXiv:2203.05482)."""
    states = []
    for file in weights:
        load_module("", model, read_tensors(file), file)
        states.append({name: value.clone() for name, value in model.state_dict().items()})
    model.load_state_dict({name: torch.stack([state[name] for state in states]).mean(0) for name in states[0]})


def export(model: Glimpse, trunk: Tensors) -> Tensors:
    """The trunk's tensors go as they are: rounding them again could move them."""
    return module_tensors("", model) | model.vision.frozen_tensors(trunk)


if __name__ == "__main__":
    run_stage(main)
