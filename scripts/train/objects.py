"""Photos of objects: which classes are held out, and what is asked of the others."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from .captions import scored_words, sentence
from .errors import UserError
from .photos import list_photos
from .questions.of_photo import caption_prompt, yes_no
from .questions.rules import QuestionAnswer
from .tables import check_rows, read_rows

OBJECT_QUESTION = "What object is this?"
OBJECT_QUESTIONS = (
    OBJECT_QUESTION,
    "What is the main object in the image?",
    "Name the object in the photo.",
    "Classify the image.",
    "What kind of thing is shown?",
)
OFTEN = 100
"""Captions that have a word, for it to be known well."""


@dataclass(frozen=True)
class ObjectPhoto:
    index: int
    """Of the photo in its folder, and so of its features."""
    label_class: int
    label: str
    common_name: str


def read_objects(data: Path) -> list[ObjectPhoto]:
    """
    In the order of the photos' names.

    :raises UserError: if DATA/objects.csv is not of DATA/objects, or its rows are no objects
    """
    table, photos = data / "objects.csv", list_photos(data / "objects")
    rows = sorted(read_rows(table, "image", "class", "label", "common_name"), key=lambda row: row["image"])
    check_rows(table, (row["image"] for row in rows), photos)
    places = {path.name: place for place, path in enumerate(photos)}
    for row in rows:
        if not (row["class"].isdecimal() and row["label"] and row["common_name"]):
            raise UserError(f"{table}: the row of {row['image']} is to have a class's number and both of its names")
    return [ObjectPhoto(places[row["image"]], int(row["class"]), row["label"], row["common_name"]) for row in rows]


def split_objects(photos: list[ObjectPhoto], held_out: float, seed: int) -> tuple[list[ObjectPhoto], list[ObjectPhoto]]:
    """
    Of a common name with several classes, `held_out` of them but at least one is held out, and at least one kept;
    names of one class are drawn until the held out are `held_out` of all.

    :return: those to train on, and those never trained on
    """
    by_name: dict[str, list[ObjectPhoto]] = defaultdict(list)
    for photo in photos:
        by_name[photo.common_name].append(photo)
    rng = Random(f"{seed}/objects")
    away: set[int] = set()
    for group in (group for group in by_name.values() if len(group) > 1):
        count = max(1, round(held_out * len(group)))
        away.update(photo.index for photo in rng.sample(group, count))
    single = [group[0].index for group in by_name.values() if len(group) == 1]
    away.update(rng.sample(single, min(len(single), max(0, round(held_out * len(photos)) - len(away)))))
    return [photo for photo in photos if photo.index not in away], [photo for photo in photos if photo.index in away]


def questions_of_object(
    photo: ObjectPhoto, names: list[str], well_known: set[str], rng: Random
) -> list[QuestionAnswer]:
    """
    Its name, its label, a description, and whether it is there. The absent thing is any other object, as common as
    its classes are many: one that stands in the photo all the same is rare.

    :param names: the common name of every class that is trained on
    :param well_known: names that captions have often: such photos are described as the captions do
    """
    absent = rng.choice([name for name in names if name != photo.common_name])
    asked = [
        (rng.choice(OBJECT_QUESTIONS), sentence(_indefinite(photo.common_name))),
        yes_no(photo.common_name, True, rng),
        yes_no(absent, False, rng),
    ]
    if photo.label != photo.common_name:
        asked.append((f"What kind of {photo.common_name} is this?", sentence(_indefinite(photo.label))))
    if photo.common_name not in well_known:
        asked.append((caption_prompt(rng), sentence(f"a photo of {_indefinite(photo.common_name)}")))
    return asked


def well_known(captions: Iterable[list[str]]) -> set[str]:
    """Words of at least `OFTEN` captions"""
    counts = Counter(word for photo in captions for caption in photo for word in set(scored_words(caption)))
    return {word for word, count in counts.items() if count >= OFTEN}


def names_object(answer: str, photo: ObjectPhoto) -> bool:
    """Whether a short answer is the label or the common name, with an article or without."""
    words = scored_words(answer)
    return words[words[:1] in (["a"], ["an"]) :] in (scored_words(photo.label), scored_words(photo.common_name))


def mentions_object(caption: str, photo: ObjectPhoto) -> bool:
    """Whether a caption has the common name's words, one behind the other; the last may stand in the plural."""
    text = f" {' '.join(scored_words(caption))} "
    name = " ".join(scored_words(photo.common_name))
    return any(f" {name}{end} " in text for end in ("", "s", "es"))


def _indefinite(phrase: str) -> str:
    return f"{'an' if phrase[0].lower() in 'aeiou' else 'a'} {phrase}"
