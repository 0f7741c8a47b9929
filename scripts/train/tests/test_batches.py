"""What a step trains on."""

import argparse
import shutil
from pathlib import Path

import pytest
import torch

from train import tokenizer
from train.batches import Batch, TrainingData
from train.command import Run
from train.config import Batch as Sizes
from train.config import Config
from train.errors import UserError
from train.features import Features, views_by_folder, write_features
from train.photos import list_photos
from train.tests.conftest import OBJECTS, write_rows

SIZES = Sizes(photos=1, more=3, objects=0, yes_no=2, other_questions=2)


def training_data(config: Config, data: Path, out: Path, undescribed: int = 0) -> TrainingData:
    run = Run(data, out, config, torch.device("cpu"), argparse.Namespace(threads=1))
    out.mkdir()
    corpus = list(tokenizer.texts(run))
    tokenizer.train_tokenizer(corpus, 300).save(str(run.tokenizer_file))
    tokenizer.write_labels(data, run.labels_file)
    for folder in views_by_folder(run):
        count = len(list_photos(data / folder))
        write_features(run, folder, {"trunk": torch.zeros(count, 2, 192, 7, 7), "teacher": torch.zeros(count, 2, 6)})
    return TrainingData(run, SIZES, Features(run), "fit", with_captions=True, undescribed=undescribed)


def branches_by_place(batch: Batch) -> dict[int, int]:
    """How much is asked, by a photo's place in the batch."""
    return {
        place: row.max().item()
        for part in batch.parts
        for place, row in zip(part.photos.tolist(), part.packed.branches, strict=True)
    }


def test_what_few_captions_do_not_name_is_not_said_to_be_absent(config: Config, photos: Path, tmp_path: Path) -> None:
    """Fewer than three of a photo of more/ leave too much unsaid to ask about it."""
    captions = photos / "more_captions.csv"
    header, *rows = captions.read_text().splitlines()
    captions.write_text("\n".join([header, *rows[1:]]))  # two of the first photo, three of each other
    data = training_data(config, photos, tmp_path / "out")
    for step in range(5):
        batch = data[step]
        asked = branches_by_place(batch)
        for place, photo in enumerate(batch.views[-1].photos.tolist(), SIZES.photos):
            captions_of_it = 2 if photo == 0 else 3
            assert (asked[place] > captions_of_it) == (photo != 0)


def test_photos_that_nobody_captioned_need_not_be_there(config: Config, photos: Path, tmp_path: Path) -> None:
    with_them = training_data(config, photos, tmp_path / "with", undescribed=2)[0]
    assert with_them.undescribed == 2
    shutil.rmtree(photos / "undescribed")
    without = training_data(config, photos, tmp_path / "without", undescribed=2)[0]
    assert without.undescribed == 0
    assert [views.folder for views in without.views] == ["train", "more"]


def test_one_name_alone_is_not_asked_about(config: Config, photos: Path, tmp_path: Path) -> None:
    write_rows(
        photos / "objects.csv",
        ("image", "class", "label", "common_name"),
        [(f"{i}.png", i, label, "thing") for i, (label, _) in enumerate(OBJECTS)],
    )
    with pytest.raises(UserError, match="objects.csv: give it objects of two"):
        training_data(config, photos, tmp_path / "out")
