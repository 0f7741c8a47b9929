"""
Training goes on from a bundle: its tensors under training's names in OUT/unbundle/weights.safetensors, the frozen ones
in OUT/trunk.safetensors too, tokenizer.json and labels.json. No bit is lost: `export` of them is what the bundle was
made of.
"""

import argparse
import json
import re
from pathlib import Path

from .command import parse_run, run_stage
from .errors import UserError
from .model import Glimpse
from .tensors import Tensors, load_module, read_tensors, write_tensors

STAGE = "unbundle"
MODULES = (
    (r"vision_tower\.classifier", "vision.fc"),
    (r"vision_tower", "vision"),
    (r"multi_modal_projector\.norm", "pnorm"),
    (r"multi_modal_projector\.linear_([12])", r"p\1"),
    (r"multi_modal_projector\.position_embedding", "ppos"),
    (r"multi_modal_projector\.label_position_embedding", "lpos"),
    (r"language_model\.model\.embed_tokens", "dec.emb"),
    (r"language_model\.model\.norm", "dec.norm"),
    (r"language_model\.model\.(layers\.\d+)\.self_attn\.([qkvo])_proj", r"dec.\1.\2"),
    (r"language_model\.model\.(layers\.\d+)\.mlp\.gate_proj", r"dec.\1.g"),
    (r"language_model\.model\.(layers\.\d+)\.mlp\.up_proj", r"dec.\1.u"),
    (r"language_model\.model\.(layers\.\d+)\.mlp\.down_proj", r"dec.\1.dn"),
    (r"language_model\.model\.(layers\.\d+)\.input_layernorm", r"dec.\1.n1"),
    (r"language_model\.model\.(layers\.\d+)\.post_attention_layernorm", r"dec.\1.n2"),
)
"""The reverse of scripts/bundle/tensor-names.ts."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bundle", type=Path, required=True, help="such as model-shards/glimpse-10m")
    run = parse_run(__doc__, parser, reads_data=False, on_device=False)
    bundle: Path = run.arguments.bundle
    tensors, names, tokenizer = bundle_tensors(bundle), class_names(bundle), (bundle / "tokenizer.json").read_bytes()
    model = Glimpse(run.config)
    load_module("", model, tensors, bundle)
    # Nothing is written before all was found: a mistaken path would empty what is there.
    write_tensors(run.out / STAGE / "weights.safetensors", tensors)
    write_tensors(run.trunk_file, model.vision.frozen_tensors(tensors))
    run.tokenizer_file.write_bytes(tokenizer)
    run.labels_file.write_text(json.dumps(names, indent=1) + "\n")


def bundle_tensors(bundle: Path) -> Tensors:
    """:raises UserError: if there are none, or others than a model's"""
    shards = sorted(bundle.glob("model-*.safetensors"))
    if not shards:
        raise UserError(f"{bundle} has no model-*.safetensors: give the folder that npm run bundle wrote")
    return {training_name(name): value for shard in shards for name, value in read_tensors(shard).items()}


def training_name(name: str) -> str:
    """
    >>> training_name("language_model.model.layers.0.self_attn.q_proj.weight.q4")
    'dec.layers.0.q.q4'
    """
    plain = name.removesuffix(".weight").replace(".weight.", ".")
    for theirs, ours in MODULES:
        renamed, found = re.subn(rf"^{theirs}(?=\.|$)", ours, plain)
        if found:
            return renamed
    raise UserError(f"{name} is no tensor of such a model: give the folder of another bundle")


def class_names(bundle: Path) -> list[dict[str, str]]:
    """By class, its label and its common name."""
    config = json.loads((bundle / "config.json").read_text())
    common = {label: one["name"] for one in config["label_names_config"]["names"] for label in one["label_ids"]}
    labels = {int(label): text for label, text in config["id2label"].items()}
    return [{"label": text, "common_name": common[label]} for label, text in sorted(labels.items())]


if __name__ == "__main__":
    run_stage(main)
