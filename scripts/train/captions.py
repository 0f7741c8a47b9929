"""People's captions, tidied: as training sees them and as they are scored."""

import re
from collections import defaultdict
from pathlib import Path

from .photos import list_photos
from .tables import check_rows, read_rows

FEWEST_WORDS = 3
"""Of fewer, a caption is no description."""


def read_captions(path: Path) -> dict[str, list[str]]:
    """By the photo's file name, in the file's order."""
    captions: dict[str, list[str]] = defaultdict(list)
    for row in read_rows(path, "image", "caption"):
        tidied = tidy(row["caption"])
        if tidied is not None:
            captions[row["image"]].append(tidied)
    return dict(captions)


def captions_by_photo(data: Path, folder: str) -> list[list[str]]:
    """
    Of a folder's photos, in their order.

    :raises UserError: if one has none, or one has no photo
    """
    table, photos = data / f"{folder}_captions.csv", list_photos(data / folder)
    captions = read_captions(table)
    check_rows(table, captions, photos)
    return [captions[path.name] for path in photos]


def read_texts(path: Path) -> list[str]:
    """Captions without photos."""
    tidied = (tidy(row["caption"]) for row in read_rows(path, "caption"))
    return [text for text in tidied if text is not None]


def tidy(caption: str) -> str | None:
    """
    The writers' spacing goes ("man 's", "dog , running") and their quotes; a capital and a full stop come.

    >>> tidy("a dog , running in the man 's yard .")
    "A dog, running in the man's yard."
    """
    text = re.sub(r'"|``|\'\'', "", caption)
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"\s+([.,;:!?]|'s\b)", r"\1", text).strip().rstrip(" .;,")
    return sentence(text) if len(text.split()) >= FEWEST_WORDS else None


def sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def scored_words(text: str) -> list[str]:
    """Lower case; letters, digits, hyphens and apostrophes kept, the rest split away."""
    return re.findall(r"[a-z0-9\-']+", text.lower())
