"""Byte-level BPE over captions, derived questions and object names: OUT/tokenizer.json; and OUT/labels.json."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from .captions import read_captions, sentence
from .command import Run, parse_run, run_stage
from .errors import UserError
from .model import SPECIAL_TOKENS
from .objects import OBJECT_QUESTIONS, read_objects
from .questions.negatives import Negatives
from .questions.of_photo import CAPTION_PROMPTS, questions_of_photo
from .questions.rules import lowered, present_and_absent

REPEATS = 20
"""Of the prompts, so that they get tokens of their own."""


def main() -> None:
    run = parse_run(__doc__, on_device=False)
    run.out.mkdir(parents=True, exist_ok=True)
    train_tokenizer(list(texts(run)), run.config.decoder.vocabulary).save(str(run.tokenizer_file))
    write_labels(run.data, run.labels_file)


def train_tokenizer(corpus: list[str], vocabulary: int) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=SPECIAL_TOKENS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=2,
    )
    tokenizer.train_from_iterator(corpus, trainer)
    return tokenizer


def texts(run: Run) -> Iterator[str]:
    """All that the decoder will read and write. Names of the held-out classes are among them: a name is no photo."""
    rng = Random(run.config.seed)
    photos = list(read_captions(run.data / "train_captions.csv").values())
    negatives = Negatives(present_and_absent(lowered(captions))[0] for captions in photos)
    for captions in photos:
        yield from captions
        for pair in questions_of_photo(captions, negatives, run.config.cross_entropy.batch, rng):
            yield from pair
    for photo in read_objects(run.data):
        yield from (sentence(photo.label), sentence(photo.common_name), f"What kind of {photo.common_name} is this?")
    yield from (*CAPTION_PROMPTS, *OBJECT_QUESTIONS) * REPEATS


def write_labels(data: Path, out: Path) -> None:
    """
    The classifier's classes in order, as scripts/build-bundle.ts takes them.

    :raises UserError: if one has no photo, or several
    """
    photos = sorted(read_objects(data), key=lambda photo: photo.label_class)
    for place, photo in enumerate(photos):
        if photo.label_class != place:
            wrong = "several rows" if photo.label_class < place else "no row"
            raise UserError(
                f"{data / 'objects.csv'} has {wrong} of class {min(photo.label_class, place)}: one is needed"
            )
    labels = [{"label": photo.label, "common_name": photo.common_name} for photo in photos]
    out.write_text(json.dumps(labels, indent=1) + "\n")


if __name__ == "__main__":
    run_stage(main)
