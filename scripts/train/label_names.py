"""
What the encoder's own classifier sees, as rows of image_embeds behind the projected ones: common names, of which the
decoder learns to copy also those that its captions never had.

A name's probability is the sum of its classes'. The likeliest `names` are told, each in `tokens` tokens of its own,
cut or filled up with `<pad>`; a name below `least_probability` is not.
"""

import json
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from torch import Tensor

from .command import Run
from .config import LabelNames as Settings
from .errors import UserError
from .model import PAD, Glimpse


@dataclass(frozen=True)
class Told:
    """Names that some photos of a batch are shown under, in the place of those that the classifier sees."""

    photos: Tensor
    """Their places in the batch"""
    label_ids: Tensor
    """[photos, names told * tokens]"""


@dataclass(frozen=True)
class LabelNames:
    settings: Settings
    tokenizer: Tokenizer
    of_class: Tensor
    """By class its name's place among the names. // [classes]"""
    input_ids: Tensor
    """By name, and behind them for no name: [names + 1, tokens]"""
    names: list[str]

    @staticmethod
    def of(run: Run) -> "LabelNames":
        """:raises UserError: if not every class has a name"""
        common = [one["common_name"] for one in json.loads(run.labels_file.read_text())]
        if len(common) != run.config.vision.classes:
            raise UserError(
                f"{run.labels_file} names {len(common)} classes, and the encoder knows {run.config.vision.classes}: "
                "give DATA/objects a photo of each, and run the tokenizer stage again"
            )
        names = list(dict.fromkeys(common))
        tokenizer = Tokenizer.from_buffer(run.tokenizer_file.read_bytes())
        settings = run.config.label_names
        places = {name: place for place, name in enumerate(names)}
        rows = [told_ids(tokenizer, name, settings.tokens) for name in names]
        input_ids = torch.tensor([*rows, [PAD] * settings.tokens])
        return LabelNames(settings, tokenizer, torch.tensor([places[name] for name in common]), input_ids, names)

    def places(self, logits: Tensor) -> Tensor:
        """:return: [photos, classes] -> the names seen, len(names) for none: [photos, names told]"""
        probabilities = logits.detach().float().softmax(1)
        by_name = probabilities.new_zeros(len(logits), len(self.names))
        by_name.index_add_(1, self.of_class.to(logits.device), probabilities)
        told = by_name.sort(dim=1, descending=True, stable=True)
        seen = told.values[:, : self.settings.names] >= self.settings.least_probability
        return told.indices[:, : self.settings.names].where(seen, len(self.names))

    def seen(self, logits: Tensor) -> Tensor:
        """[photos, classes] -> label_ids [photos, names told * tokens]"""
        return self.input_ids.to(logits.device)[self.places(logits)].flatten(1)

    def names_seen(self, logits: Tensor) -> list[list[str]]:
        """By photo, the likeliest first."""
        seen = self.places(logits).tolist()
        return [[self.names[place] for place in photo if place < len(self.names)] for photo in seen]

    def image_embeds(self, model: Glimpse, features: Tensor, told: Told | None = None) -> Tensor:
        """
        :param features: the encoder's, [photos, 1280, 7, 7]
        :return: [photos, 50 + 12, hidden]
        """
        with torch.no_grad():
            label_ids = self.seen(model.vision.classify(features))
        if told is not None:
            label_ids[told.photos.to(label_ids.device)] = told.label_ids.to(label_ids.device)
        return model.image_embeds(features, label_ids)

    def told(self, by_photo: dict[int, list[str]]) -> Told:
        """As if these were seen, the likeliest first"""
        label_ids = [self._told(names) for names in by_photo.values()]
        none = torch.empty(0, self.settings.names * self.settings.tokens, dtype=torch.long)
        return Told(torch.tensor(list(by_photo), dtype=torch.long), torch.stack(label_ids) if label_ids else none)

    def _told(self, names: list[str]) -> Tensor:
        """[names told * tokens]"""
        rows = [told_ids(self.tokenizer, name, self.settings.tokens) for name in names[: self.settings.names]]
        missing = [[PAD] * self.settings.tokens] * (self.settings.names - len(rows))
        return torch.tensor(rows + missing).flatten()


def told_ids(tokenizer: Tokenizer, name: str, tokens: int) -> list[int]:
    ids = tokenizer.encode(f" {name}").ids[:tokens]
    return ids + [PAD] * (tokens - len(ids))
