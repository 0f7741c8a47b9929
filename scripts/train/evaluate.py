"""
Scores 4-bit weights on dev, greedy and with 3 beams, and on objects: OUT/evaluation.json.

Products are the engine's, weights and inputs rounded and sums in its order: what lies between two steps of a rounding
falls to the same side.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor
from tqdm import tqdm

from .captions import captions_by_photo
from .command import Run, parse_run, positive, run_stage
from .generation import beam_search, generate
from .label_names import LabelNames
from .layers import as_kernels_do
from .model import Glimpse
from .objects import (
    OBJECT_QUESTION,
    ObjectPhoto,
    mentions_object,
    names_object,
    read_objects,
    split_objects,
)
from .packing import in_groups
from .photos import list_photos, pixel_values, read_pixels
from .questions.of_photo import CAPTION_PROMPT
from .scores import caption_scores
from .tables import read_rows
from .tensors import load_module, read_tensors, stored_integers

BATCH, IMAGES = 100, 20
"""Sequences decoded and images encoded at a time"""
BEAMS = 3
PARTS = ("captions", "questions", "objects")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--weights", type=Path, help="default: what the export stage wrote")
    parser.add_argument("--limit", type=positive, help="of dev's photos, the first so many")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    run = parse_run(__doc__, parser)
    parts, limit = run.arguments.parts, run.arguments.limit
    answerer = Answerer(run, run.arguments.weights or run.out / "export" / "glimpse-10m.safetensors")
    results: dict[str, Any] = {}
    with as_kernels_do(answerer.model, answerer.stored):
        if "captions" in parts or "questions" in parts:
            results |= evaluate_dev(Dev(answerer, run.data, limit), parts)
        if "objects" in parts:
            results["objects"] = evaluate_objects(answerer, run)
    text = json.dumps(results, indent=2)
    (run.out / "evaluation.json").write_text(text + "\n")
    print(text)


class Answerer:
    """Answers about photos of one folder after another, known by their index."""

    def __init__(self, run: Run, weights: Path) -> None:
        self.run = run
        self.tokenizer = Tokenizer.from_buffer(run.tokenizer_file.read_bytes())
        self.label_names = LabelNames.of(run)
        self.model = Glimpse(run.config).eval().requires_grad_(False)
        tensors = read_tensors(weights)
        load_module("", self.model, tensors, weights)
        self.model.to(run.device)
        self.stored = stored_integers({name: value.to(run.device) for name, value in tensors.items()})

    @torch.no_grad()
    def image_embeds(self, photos: list[Path]) -> Tensor:
        """[photos, image_tokens, hidden]"""
        embeds = []
        for start in tqdm(range(0, len(photos), IMAGES), desc="images", mininterval=5):
            pixels = [read_pixels(path, self.run.config.vision.image_size) for path in photos[start : start + IMAGES]]
            images = pixel_values(torch.stack(pixels)).to(self.run.device)
            features = self.model.vision(images)
            embeds.append(self.label_names.image_embeds(self.model, features))
        return torch.cat(embeds)

    def answer(self, image_embeds: Tensor, asked: list[tuple[int, str]], beams: int) -> list[str]:
        """:param asked: photos and what is asked about them; prompts of a length go together"""
        search = generate if beams == 1 else partial(beam_search, beams=beams)
        prompts = [self.tokenizer.encode(question).ids for _, question in asked]
        answers: list[list[int]] = [[] for _ in asked]
        by_length: dict[int, list[int]] = defaultdict(list)
        for i, prompt in enumerate(prompts):
            by_length[len(prompt)].append(i)
        batches = [batch for group in by_length.values() for batch in in_groups(group, BATCH)]
        for batch in tqdm(batches, desc=f"{beams} beams", mininterval=5):
            embeds = image_embeds[[asked[i][0] for i in batch]]
            prompt = torch.tensor([prompts[i] for i in batch], device=self.run.device)
            for i, answer in zip(batch, search(self.model, embeds, prompt), strict=True):
                answers[i] = answer
        return self.tokenizer.decode_batch(answers)


class Dev:
    """The first `limit` of dev's photos, or all."""

    def __init__(self, answerer: Answerer, data: Path, limit: int | None) -> None:
        self.answerer, self.data = answerer, data
        photos = list_photos(data / "dev")[:limit]
        self.names = [path.name for path in photos]
        self.references = captions_by_photo(data, "dev")[:limit]
        self.image_embeds = answerer.image_embeds(photos)

    def captions(self, beams: int) -> dict[str, float]:
        asked = [(i, CAPTION_PROMPT) for i in range(len(self.names))]
        captions = self.answerer.answer(self.image_embeds, asked, beams)
        return _rounded(caption_scores(captions, self.references))

    def questions(self, beams: int) -> dict[str, float]:
        """By kind, how many were answered word for word."""
        index = {name: i for i, name in enumerate(self.names)}
        table = self.data / "dev_questions.csv"
        rows = [row for row in read_rows(table, "image", "question", "answer", "kind") if row["image"] in index]
        asked = [(index[row["image"]], row["question"]) for row in rows]
        right: dict[str, list[bool]] = defaultdict(list)
        for row, answer in zip(rows, self.answerer.answer(self.image_embeds, asked, beams), strict=True):
            right[row["kind"]].append(answer == row["answer"])
        return _rounded({kind: share(of_kind) for kind, of_kind in right.items()})


def evaluate_dev(dev: Dev, parts: list[str]) -> dict[str, Any]:
    """How many photos, and the figures greedy and by beams"""
    results: dict[str, Any] = {"photos": len(dev.names)}
    for beams in (1, BEAMS):
        figures = results.setdefault("greedy" if beams == 1 else f"num_beams {beams}", {})
        if "captions" in parts:
            figures |= dev.captions(beams)
        if "questions" in parts:
            figures |= dev.questions(beams)
    return results


def evaluate_objects(answerer: Answerer, run: Run) -> dict[str, dict[str, float]]:
    """By split, in points: the question answered, and the caption naming the object."""
    photos = read_objects(run.data)
    trained, held_out = split_objects(photos, run.config.objects.held_out, run.config.seed)
    shared = {photo.common_name for photo in trained}
    splits = {
        "trained": trained,
        "held out": held_out,
        "held out, of a common name that was trained": [photo for photo in held_out if photo.common_name in shared],
    }
    image_embeds = answerer.image_embeds(list_photos(run.data / "objects"))

    def score(split: list[ObjectPhoto]) -> dict[str, float]:
        answers = answerer.answer(image_embeds, [(photo.index, OBJECT_QUESTION) for photo in split], 1)
        captions = answerer.answer(image_embeds, [(photo.index, CAPTION_PROMPT) for photo in split], 1)
        return _rounded(
            {
                "photos": len(split),
                "question": share(map(names_object, answers, split)),
                "caption": share(map(mentions_object, captions, split)),
            }
        )

    return {name: score(split) for name, split in splits.items()}


def share(right: Iterable[bool]) -> float:
    results = list(right)
    return 100 * sum(results) / len(results) if results else 0.0


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 2) for name, value in figures.items()}


if __name__ == "__main__":
    run_stage(main)
