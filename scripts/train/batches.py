"""
What a step trains on. Everything random in it follows from the seed and the step, so a run that was interrupted
goes on exactly as it would have.
"""

from dataclasses import dataclass, replace
from random import Random

import torch
from tokenizers import Tokenizer
from torch import Tensor

from .captions import read_captions
from .command import Run
from .config import Batch as Sizes
from .features import features_file
from .label_names import LabelNames
from .model import ASSISTANT, END
from .objects import ObjectPhoto, questions_of_object, read_objects, split_objects, well_known
from .packing import Branch
from .photos import list_photos
from .questions.negatives import Negatives
from .questions.of_photo import caption_prompt, questions_of_photo
from .questions.rules import QuestionAnswer, lowered, present_and_absent
from .tensors import read_tensors

WITNESSES = 3
"""Captions of a photo of more/: fewer leave too much unsaid for what they do not name to be absent."""


@dataclass(frozen=True)
class Batch:
    trunk: Tensor
    """[photos, 192, 7, 7]"""
    teacher: Tensor
    """[photos, classes]"""
    captioned: list[int]
    """The photos of train/, which stand first; those of objects and of more/ follow."""
    branches: list[list[Branch]]
    told: dict[int, list[str]]
    """By photo, names in the place of those that the classifier sees."""


class TrainingData:
    def __init__(self, run: Run, sizes: Sizes) -> None:
        self.sizes, self.swapped, self.seed = sizes, run.config.objects.swapped, run.config.seed
        self.tokenizer = Tokenizer.from_file(str(run.tokenizer_file))
        self.label_names = LabelNames.of(run)
        self.captions, self.photo_features = _read(run, "train")
        self.more, self.more_features = _read(run, "more") if run.has_more else ([], {})
        self.negatives = Negatives(present_and_absent(lowered(caption))[0] for caption in self.captions)
        objects = read_objects(run.data / "objects.csv")
        self.objects, _ = split_objects(objects, run.config.objects.held_out, self.seed)
        self.object_names = [photo.common_name for photo in self.objects]
        self.known = well_known(self.captions + self.more)
        self.object_features = read_tensors(features_file(run.out, "objects"))

    @property
    def steps_per_epoch(self) -> int:
        return len(self.captions) // self.sizes.photos

    def batch(self, stage: str, step: int, with_captions: bool) -> Batch:
        """:param with_captions: whether people's captions are among the branches, or questions only"""
        epoch, place = divmod(step, self.steps_per_epoch)
        order = list(range(len(self.captions)))
        Random(f"{self.seed}/{stage}/{epoch}").shuffle(order)
        photos = order[place * self.sizes.photos : (place + 1) * self.sizes.photos]
        rng = Random(f"{self.seed}/{stage}/step {step}")
        objects = rng.sample(self.objects, min(self.sizes.objects, len(self.objects)))
        branches = [self._of_photo(self.captions[photo], with_captions, True, rng) for photo in photos]
        told: dict[int, list[str]] = {}
        for row, photo in enumerate(objects, len(photos)):
            shown = photo
            if rng.random() < self.swapped:
                shown = self._renamed(rng)
                beside = rng.sample(self.objects, rng.randrange(2))
                told[row] = [shown.common_name, *(other.common_name for other in beside)]
            branches.append(self._of_object(shown, rng))
        more = rng.sample(range(len(self.more)), min(self.sizes.more, len(self.more)))
        for captions in (self.more[photo] for photo in more):
            branches.append(self._of_photo(captions, True, len(captions) >= WITNESSES, rng))
        views = [self._view(self.photo_features, photo, rng) for photo in photos]
        views += [self._view(self.object_features, photo.index, rng) for photo in objects]
        views += [self._view(self.more_features, photo, rng) for photo in more]
        trunk, teacher = zip(*views, strict=True)
        return Batch(torch.stack(trunk).float(), torch.stack(teacher).float(), photos, branches, told)

    def encode(self, text: str) -> list[int]:
        return self.tokenizer.encode(text).ids

    def _of_photo(self, captions: list[str], with_captions: bool, with_questions: bool, rng: Random) -> list[Branch]:
        asked: list[QuestionAnswer] = []
        if with_captions:
            asked += [(caption_prompt(rng), caption) for caption in captions]
        if with_questions:
            asked += questions_of_photo(captions, self.negatives, self.sizes, rng)
        return [self._branch(*pair) for pair in asked]

    def _of_object(self, photo: ObjectPhoto, rng: Random) -> list[Branch]:
        return [self._branch(*pair) for pair in questions_of_object(photo, self.object_names, self.known, rng)]

    def _renamed(self, rng: Random) -> ObjectPhoto:
        """Any object under any of its names: the more names, the less can be known by heart."""
        photo = rng.choice(self.objects)
        name = rng.choice((photo.label, photo.common_name))
        return replace(photo, label=name, common_name=name)

    def _branch(self, question: str, answer: str) -> Branch:
        return Branch([*self.encode(question), ASSISTANT], [*self.encode(answer), END])

    def _view(self, features: dict[str, Tensor], photo: int, rng: Random) -> tuple[Tensor, Tensor]:
        view = rng.randrange(features["trunk"].shape[1])
        return features["trunk"][photo, view], features["teacher"][photo, view]


def _read(run: Run, folder: str) -> tuple[list[list[str]], dict[str, Tensor]]:
    """The captions of its photos, and the photos' features."""
    captions = read_captions(run.data / f"{folder}_captions.csv")
    of_photos = [captions[path.name] for path in list_photos(run.data / folder)]
    return of_photos, read_tensors(features_file(run.out, folder))
