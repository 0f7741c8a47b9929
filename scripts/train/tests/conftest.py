"""A tiny network and a tiny folder of captioned photos, drawn from seeds."""

import csv
import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from train.config import DEFAULT_CONFIG, Config, read_config

CAPTIONS = (
    "A brown dog is running through the snow .",
    "Two dogs are playing with a red ball on the grass .",
    "A man in a blue shirt is riding a bike down the street .",
    "A little girl is jumping into a pool .",
    "A woman is sitting on a bench in the park .",
)
OBJECTS = (
    ("tabby", "cat"),
    ("Persian cat", "cat"),
    ("beagle", "dog"),
    ("kuvasz", "dog"),
    ("mug", "mug"),
    ("abacus", "abacus"),
)


@pytest.fixture
def config() -> Config:
    whole = read_config(DEFAULT_CONFIG)
    return dataclasses.replace(
        whole,
        vision=dataclasses.replace(whole.vision, image_size=64, grid=2, stem_width=8,
                                   stages=[[1, 3, 1, 8, 1], *([6, 3, 2, 16, 1],) * 4],
                                   head_width=32, classes=6, frozen_blocks=3, eight_bit_blocks=1),
        projector=dataclasses.replace(whole.projector, hidden=32),
        decoder=dataclasses.replace(whole.decoder, vocabulary=300, hidden=32, intermediate=64, layers=2, heads=2),
    )  # fmt: skip


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return make_photos(tmp_path / "data")


def make_photos(data: Path) -> Path:
    """Laid out as the README says."""
    generator = np.random.default_rng(0)

    def save(folder: str, name: str) -> None:
        (data / folder).mkdir(parents=True, exist_ok=True)
        Image.fromarray(generator.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(data / folder / name)

    rotated: Callable[[int], list[str]] = lambda i: [CAPTIONS[(i + k) % 5] for k in (0, 0, 1)]  # noqa: E731
    for i in range(3):
        save("undescribed", f"{i}.png")
    for folder, count in (("train", 8), ("more", 3), ("dev", 2)):
        for i in range(count):
            save(folder, f"{i}.png")
        captions = [(f"{i}.png", caption) for i in range(count) for caption in rotated(i)]
        write_rows(data / f"{folder}_captions.csv", ("image", "caption"), captions)
    write_rows(data / "texts.csv", ("caption",), [(caption,) for caption in CAPTIONS])
    questions = [
        ("0.png", "Is there a dog in the image?", "Yes.", "yes-no"),
        ("1.png", "How many dogs are there?", "Two.", "count"),
        ("1.png", "What color is the ball?", "Red.", "color"),
    ]
    write_rows(data / "dev_questions.csv", ("image", "question", "answer", "kind"), questions)
    for i in range(len(OBJECTS)):
        save("objects", f"{i}.png")
    objects = [(f"{i}.png", i, *names) for i, names in enumerate(OBJECTS)]
    write_rows(data / "objects.csv", ("image", "class", "label", "common_name"), objects)
    return data


def write_rows(path: Path, header: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
