"""
Inputs and outputs of the exported weights in float32, for the engine to be tested against: OUT/export/goldens.json
and goldens.safetensors. The figures on dev come from OUT/evaluation.json.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

from .command import Run, parse_run, run_stage
from .errors import UserError
from .export import WEIGHTS
from .generation import MAX_NEW_TOKENS, prefill, step
from .label_names import LabelNames
from .layers import fixed_weights
from .model import ASSISTANT, END, Glimpse
from .photos import list_photos, pixel_values, read_pixels
from .questions.of_photo import CAPTION_PROMPT
from .tensors import Tensors, load_module, read_tensors, write_tensors

DEV_PHOTOS, EVERY = 12, 80
QUESTIONS = (
    "Is there a dog in the image?",
    "What color is the shirt?",
    "How many people are there?",
    "What is the man doing?",
    "Where is this?",
    "What object is this?",
)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=Path, required=True, help="a folder of photos that stand for a newcomer's")
    run = parse_run(__doc__, parser, on_device=False)
    figures = dev_figures(run.out / "evaluation.json")
    model = Glimpse(run.config).eval().requires_grad_(False)
    weights = run.out / "export" / WEIGHTS
    load_module("", model, read_tensors(weights), weights)
    dev = list_photos(run.data / "dev")[::EVERY][:DEV_PHOTOS]
    photos = [(f"samples/{path.name}", path) for path in list_photos(run.arguments.samples)]
    photos += [(f"data/dev/{path.name}", path) for path in dev]
    with fixed_weights(model):
        tensors, cases = make_cases(model, photos, run)
    write_tensors(run.out / "export" / "goldens.safetensors", tensors)
    goldens = {
        "model": "glimpse-10m",
        "note": "PyTorch, 4-bit weights dequantised, float32 activations; pixels are uint8 RGB after resizing",
        "cases": cases,
        "dev": figures,
    }
    (run.out / "export" / "goldens.json").write_text(json.dumps(goldens, indent=1) + "\n")


@torch.inference_mode()
def make_cases(model: Glimpse, photos: list[tuple[str, Path]], run: Run) -> tuple[Tensors, list[dict[str, Any]]]:
    """Three prompts a photo: a description, and two of the questions in turn."""
    tokenizer = Tokenizer.from_buffer(run.tokenizer_file.read_bytes())
    label_names = LabelNames.of(run)
    tensors: Tensors = {}
    cases: list[dict[str, Any]] = []
    for number, (name, path) in enumerate(photos):
        pixels = read_pixels(path, run.config.vision.image_size)
        features = model.vision(pixel_values(pixels[None]))
        classes = model.vision.classify(features)
        image_embeds = label_names.image_embeds(model, features)
        labels = label_names.names_seen(classes)[0]
        tensors[f"{number}.pixels"] = pixels
        tensors[f"{number}.image_embeds"] = image_embeds[0]
        tensors[f"{number}.classes"] = classes[0]
        for prompt in (CAPTION_PROMPT, QUESTIONS[number % 6], QUESTIONS[(number + 3) % 6]):
            ids = tokenizer.encode(prompt).ids
            first, answer, margins = answer_with_margins(model, image_embeds, ids)
            tensors[f"{len(cases)}.first_logits"] = first
            cases.append(
                {
                    "image": number,
                    "file": name,
                    "labels": labels,
                    "prompt": prompt,
                    "prompt_ids": [*ids, ASSISTANT],
                    "answer_ids": answer,
                    "margins": margins,
                    "answer": tokenizer.decode([token for token in answer if token != END]),
                }
            )
    return tensors, cases


def answer_with_margins(
    model: Glimpse, image_embeds: Tensor, prompt: list[int]
) -> tuple[Tensor, list[int], list[float]]:
    """:return: the first token's logits, the greedy tokens, and by how much each was ahead of the next best"""
    embedding, logits, cache = prefill(model, image_embeds, torch.tensor([prompt]))
    first, answer, margins = logits[0], [], []
    while len(answer) < MAX_NEW_TOKENS:
        values, tokens = logits[0].topk(2)
        answer.append(int(tokens[0]))
        margins.append(round(float(values[0] - values[1]), 4))
        if answer[-1] == END:
            break
        logits, cache = step(model, embedding, tokens[:1], cache)
    return first, answer, margins


def dev_figures(path: Path) -> dict[str, dict[str, float]]:
    """
    As scripts/eval/reference.ts reads them.

    :raises UserError: if only a part was evaluated
    """
    greedy = json.loads(path.read_text()).get("greedy", {})
    captions = {"b1": "bleu_1", "b4": "bleu_4", "cider": "cider", "rougeL": "rouge_l"}
    kinds = ("yes-no", "count", "color")
    for name in (*captions.values(), *kinds):
        if name not in greedy:
            raise UserError(f"{path} has no {name}: run the evaluate stage without --parts, on questions of all kinds")
    return {
        "captions": {ours: round(greedy[name], 1) for ours, name in captions.items()},
        "questions": {kind: round(greedy[kind], 1) for kind in kinds},
    }


if __name__ == "__main__":
    run_stage(main)
