"""A table and a folder that are not of each other are refused."""

from pathlib import Path

import pytest

from train.captions import captions_by_photo
from train.errors import UserError
from train.objects import read_objects
from train.photos import list_photos
from train.tables import read_rows
from train.tests.conftest import CAPTIONS, OBJECTS, write_rows
from train.tokenizer import write_labels


def test_objects_have_the_places_of_their_photos(photos: Path) -> None:
    table = photos / "objects.csv"
    header, *rows = table.read_text().splitlines()
    table.write_text("\n".join([header, *reversed(rows)]))
    assert [(photo.index, photo.label) for photo in read_objects(photos)] == [
        (place, label) for place, (label, _) in enumerate(OBJECTS)
    ]


@pytest.mark.parametrize("table", ["objects", "train_captions"])
def test_a_photo_without_a_row_is_named(photos: Path, table: str) -> None:
    folder = table.removesuffix("_captions")
    (photos / folder / "00.png").write_bytes((photos / folder / "0.png").read_bytes())
    with pytest.raises(UserError, match=f"{table}.csv has no usable row of .*{folder}/00.png"):
        read_objects(photos) if folder == "objects" else captions_by_photo(photos, folder)


@pytest.mark.parametrize("table", ["objects", "train_captions"])
def test_a_row_without_a_photo_is_named(photos: Path, table: str) -> None:
    folder = table.removesuffix("_captions")
    (photos / folder / "2.png").unlink()
    with pytest.raises(UserError, match=f"{table}.csv has a row of 2.png"):
        read_objects(photos) if folder == "objects" else captions_by_photo(photos, folder)


def test_a_caption_of_two_words_is_none(photos: Path) -> None:
    rows = [(f"{i}.png", CAPTIONS[i] if i == 0 else "Two dogs .") for i in range(2)]
    write_rows(photos / "dev_captions.csv", ("image", "caption"), rows)
    with pytest.raises(UserError, match=r"no usable row of .*dev/1.png"):
        captions_by_photo(photos, "dev")


@pytest.mark.parametrize("cells", [("image", "text"), ("image", "caption")])
def test_a_column_that_is_missing_is_named(tmp_path: Path, cells: tuple[str, ...]) -> None:
    """In all rows or in one"""
    table = tmp_path / "captions.csv"
    write_rows(table, cells, [("0.png",)])
    with pytest.raises(UserError, match="captions.csv, line 2 has no caption"):
        read_rows(table, "image", "caption")


@pytest.mark.parametrize(
    ("classes", "wrong"), [((0, 1, 2, 2, 4, 5), "several rows of class 2"), ((0, 1, 2, 4, 5, 6), "no row of class 3")]
)
def test_every_class_has_one_photo(photos: Path, tmp_path: Path, classes: tuple[int, ...], wrong: str) -> None:
    rows = [(f"{i}.png", classes[i], *names) for i, names in enumerate(OBJECTS)]
    write_rows(photos / "objects.csv", ("image", "class", "label", "common_name"), rows)
    with pytest.raises(UserError, match=wrong):
        write_labels(photos, tmp_path / "labels.json")


def test_photos_end_in_capitals_too(photos: Path) -> None:
    (photos / "train" / "0.png").rename(photos / "train" / "A.PNG")
    assert list_photos(photos / "train")[-1].name == "A.PNG"


def test_a_folder_without_photos_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"{tmp_path} has no photo"):
        list_photos(tmp_path)
