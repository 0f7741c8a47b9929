"""
What the encoder's own classifier sees, as rows of image_embeds behind the projected ones: common names, of which the
decoder learns to copy also those that its captions never had.

A name's probability is the sum of its classes'. The likeliest `names` are told, each in `tokens` tokens of its own,
cut or filled up with `<pad>`; a name below `least_probability` is not.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from torch import Tensor

from .command import Run
from .config import LabelNames as Settings
from .model import PAD, Glimpse


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
        common = [one["common_name"] for one in json.loads(run.labels_file.read_text())]
        names = list(dict.fromkeys(common))
        tokenizer = Tokenizer.from_file(str(run.tokenizer_file))
        settings = run.config.label_names
        places = {name: place for place, name in enumerate(names)}
        rows = [told_ids(tokenizer, name, settings.tokens) for name in names]
        input_ids = torch.tensor([*rows, [PAD] * settings.tokens])
        return LabelNames(settings, tokenizer, torch.tensor([places[name] for name in common]), input_ids, names)

    def places(self, logits: Tensor) -> Tensor:
        """:return: [photos, classes] -> the names seen, len(names) for none: [photos, names told]"""
        probabilities = logits.detach().float().softmax(1).cpu()
        by_name = torch.zeros(len(logits), len(self.names)).index_add_(1, self.of_class, probabilities)
        told = by_name.sort(dim=1, descending=True, stable=True)
        seen = told.values[:, : self.settings.names] >= self.settings.least_probability
        return told.indices[:, : self.settings.names].where(seen, len(self.names))

    def seen(self, logits: Tensor) -> Tensor:
        """[photos, classes] -> label_ids [photos, names told * tokens]"""
        return self.input_ids[self.places(logits)].flatten(1).to(logits.device)

    def names_seen(self, logits: Tensor) -> list[list[str]]:
        """By photo, the likeliest first."""
        seen = self.places(logits).tolist()
        return [[self.names[place] for place in photo if place < len(self.names)] for photo in seen]

    def image_embeds(self, model: Glimpse, features: Tensor, told: Mapping[int, list[str]] | None = None) -> Tensor:
        """
        :param features: the encoder's, [photos, 1280, 7, 7]
        :param told: by photo, names in the place of those that the classifier sees
        :return: [photos, 50 + 12, hidden]
        """
        with torch.no_grad():
            label_ids = self.seen(model.vision.classify(features))
        for photo, names in (told or {}).items():
            label_ids[photo] = self.told(names).to(label_ids.device)
        return model.image_embeds(features, label_ids)

    def told(self, names: list[str]) -> Tensor:
        """As if these were seen, the likeliest first: [names told * tokens]"""
        rows = [told_ids(self.tokenizer, name, self.settings.tokens) for name in names[: self.settings.names]]
        missing = [[PAD] * self.settings.tokens] * (self.settings.names - len(rows))
        return torch.tensor(rows + missing).flatten()


def told_ids(tokenizer: Tokenizer, name: str, tokens: int) -> list[int]:
    ids = tokenizer.encode(f" {name}").ids[:tokens]
    return ids + [PAD] * (tokens - len(ids))
