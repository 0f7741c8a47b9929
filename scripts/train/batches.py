"""
What a step trains on. Everything random in it follows from the seed and the step, so a run that was interrupted
goes on exactly as it would have.
"""

from dataclasses import dataclass, replace
from random import Random

import torch
from tokenizers import Tokenizer
from torch.utils.data import Dataset

from .captions import captions_by_photo, read_texts
from .command import Run
from .config import Batch as Sizes
from .errors import UserError
from .features import Features, Views
from .label_names import LabelNames, Told
from .model import ASSISTANT, END
from .objects import ObjectPhoto, questions_of_object, read_objects, split_objects, well_known
from .packing import Branch, Part, in_groups, pack_in_parts
from .photos import list_photos
from .questions.negatives import Negatives
from .questions.of_photo import caption_prompt, questions_of_photo
from .questions.rules import lowered, present_and_absent

TEXTS_A_ROW = 16
"""Captions without a photo that stand behind one prefix"""
WITNESSES = 3
"""Captions of a photo of more/: fewer leave too much unsaid for what they do not name to be absent."""


@dataclass(frozen=True)
class Batch:
    views: list[Views]
    captioned: list[int]
    """The photos of train/, which stand first; those of undescribed/, of objects and of more/ follow."""
    undescribed: int
    """How many photos that nobody captioned"""
    parts: list[Part]
    """What people said about the photos"""
    told: Told
    texts: list[Part]
    """Captions without a photo"""


class TrainingData(Dataset[Batch]):
    """By step its batch."""

    def __init__(
        self,
        run: Run,
        sizes: Sizes,
        features: Features,
        stage: str,
        with_captions: bool,
        texts: int = 0,
        undescribed: int = 0,
    ) -> None:
        """
        :param with_captions: whether people's captions of train/ are among the branches, or questions only
        :param texts: captions without a photo, a step
        :param undescribed: photos that nobody captioned, a step
        """
        self.sizes, self.swapped, self.seed = sizes, run.config.objects.swapped, run.config.seed
        self.stage, self.with_captions = stage, with_captions
        self.image_tokens, self.views, self.parts = run.config.image_tokens, features.views, run.parts
        self.tokenizer = Tokenizer.from_buffer(run.tokenizer_file.read_bytes())
        self.label_names = LabelNames.of(run)
        self.captions = captions_by_photo(run.data, "train")
        self.more = captions_by_photo(run.data, "more") if run.has_more else []
        self.texts = read_texts(run.texts_file) if run.has_texts and texts > 0 else []
        self.undescribed = len(list_photos(run.data / "undescribed")) if undescribed > 0 and run.has_undescribed else 0
        self.texts_a_step, self.undescribed_a_step = texts, undescribed
        self.negatives = Negatives(present_and_absent(lowered(caption))[0] for caption in self.captions)
        objects = read_objects(run.data)
        self.objects, _ = split_objects(objects, run.config.objects.held_out, self.seed)
        self.object_names = [photo.common_name for photo in self.objects]
        if len(set(self.object_names)) < 2:
            raise UserError(f"{run.data / 'objects.csv'}: give it objects of two common names at least")
        self.known = well_known(self.captions + self.more)

    @property
    def steps_per_epoch(self) -> int:
        return len(self.captions) // self.sizes.photos

    def __getitem__(self, step: int) -> Batch:
        epoch, place = divmod(step, self.steps_per_epoch)
        order = list(range(len(self.captions)))
        Random(f"{self.seed}/{self.stage}/{epoch}").shuffle(order)
        photos = order[place * self.sizes.photos : (place + 1) * self.sizes.photos]
        rng = Random(f"{self.seed}/{self.stage}/step {step}")
        objects = rng.sample(self.objects, min(self.sizes.objects, len(self.objects)))
        undescribed = rng.sample(range(self.undescribed), min(self.undescribed_a_step, self.undescribed))
        branches = [self._of_photo(self.captions[photo], self.with_captions, True, rng) for photo in photos]
        branches += [[] for _ in undescribed]
        told: dict[int, list[str]] = {}
        for row, photo in enumerate(objects, len(branches)):
            shown = photo
            if rng.random() < self.swapped:
                shown = self._renamed(rng)
                beside = rng.sample(self.objects, rng.randrange(2))
                told[row] = [shown.common_name, *(other.common_name for other in beside)]
            branches.append(self._of_object(shown, rng))
        more = rng.sample(range(len(self.more)), min(self.sizes.more, len(self.more)))
        for captions in (self.more[photo] for photo in more):
            branches.append(self._of_photo(captions, True, len(captions) >= WITNESSES, rng))
        views = [
            self._drawn("train", photos, rng),
            self._drawn("undescribed", undescribed, rng),
            self._drawn("objects", [photo.index for photo in objects], rng),
            self._drawn("more", more, rng),
        ]
        texts = rng.sample(self.texts, min(self.texts_a_step, len(self.texts)))
        return Batch(
            [of_folder for of_folder in views if len(of_folder.photos) > 0],
            photos,
            len(undescribed),
            pack_in_parts(branches, 1 + self.image_tokens, self.parts),
            self.label_names.told(told),
            pack_in_parts(self._in_rows(texts), 1, parts=1),
        )

    def encode(self, text: str) -> list[int]:
        return self.tokenizer.encode(text).ids

    def questions(self, captions: list[str], rng: Random) -> list[Branch]:
        """By rule from what is said about one photo"""
        return [self._branch(*pair) for pair in questions_of_photo(captions, self.negatives, self.sizes, rng)]

    def _of_photo(self, captions: list[str], with_captions: bool, with_questions: bool, rng: Random) -> list[Branch]:
        said = [self._branch(caption_prompt(rng), caption) for caption in captions] if with_captions else []
        return said + (self.questions(captions, rng) if with_questions else [])

    def _of_object(self, photo: ObjectPhoto, rng: Random) -> list[Branch]:
        return [self._branch(*pair) for pair in questions_of_object(photo, self.object_names, self.known, rng)]

    def _renamed(self, rng: Random) -> ObjectPhoto:
        """Any object under any of its names: the more names, the less can be known by heart."""
        photo = rng.choice(self.objects)
        name = rng.choice((photo.label, photo.common_name))
        return replace(photo, label=name, common_name=name)

    def _branch(self, question: str, answer: str) -> Branch:
        return Branch([*self.encode(question), ASSISTANT], [*self.encode(answer), END])

    def _in_rows(self, texts: list[str]) -> list[list[Branch]]:
        branches = [Branch([ASSISTANT], [*self.encode(text), END]) for text in texts]
        return in_groups(branches, TEXTS_A_ROW)

    def _drawn(self, folder: str, photos: list[int], rng: Random) -> Views:
        views = [rng.randrange(self.views[folder]) for _ in photos]
        return Views(folder, torch.tensor(photos, dtype=torch.long), torch.tensor(views, dtype=torch.long))
