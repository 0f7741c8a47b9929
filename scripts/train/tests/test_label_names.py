import argparse
import dataclasses
import json
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers

from train.command import Run
from train.config import Config
from train.errors import UserError
from train.label_names import LabelNames
from train.model import PAD, SPECIAL_TOKENS, Glimpse

NAMES = ["dog", "dog", "timber wolf", "mug", "ice cream cone with a cherry"]
WORDS = sorted({word for name in NAMES for word in name.split()})
IDS = {word: place for place, word in enumerate(WORDS, len(SPECIAL_TOKENS))}


@pytest.fixture
def label_names(config: Config, tmp_path: Path) -> LabelNames:
    """A token for every word."""
    vocabulary = {token: place for place, token in enumerate(SPECIAL_TOKENS)} | IDS
    tokenizer = Tokenizer(models.WordLevel(vocabulary))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    labels = [{"label": f"label {i}", "common_name": name} for i, name in enumerate(NAMES)]
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    return read_names(config, tmp_path, len(NAMES))


def read_names(config: Config, out: Path, classes: int) -> LabelNames:
    of_classes = dataclasses.replace(config, vision=dataclasses.replace(config.vision, classes=classes))
    return LabelNames.of(Run(out, out, of_classes, torch.device("cpu"), argparse.Namespace()))


def slot(*words: str) -> list[int]:
    return [IDS[word] for word in words] + [PAD] * (6 - len(words))


def logits(*probabilities: float) -> torch.Tensor:
    return torch.tensor([probabilities]).log()


@pytest.mark.parametrize(
    ("probabilities", "names", "ids"),
    [
        ((0.3, 0.25, 0.4, 0.03, 0.02), ["dog", "timber wolf"], slot("dog") + slot("timber", "wolf")),
        ((0.05, 0.02, 0.01, 0.9, 0.02), ["mug"], slot("mug") + slot()),
        ((0.05, 0.04, 0.09, 0.09, 0.73), [NAMES[4]], slot("ice", "cream", "cone", "with", "a", "cherry") + slot()),
        ((0.2, 0.2, 0.2, 0.2, 0.2), ["dog", "timber wolf"], slot("dog") + slot("timber", "wolf")),
    ],
)
def test_the_likeliest_names_by_all_their_classes(
    label_names: LabelNames, probabilities: tuple[float, ...], names: list[str], ids: list[int]
) -> None:
    assert label_names.names_seen(logits(*probabilities)) == [names]
    assert label_names.seen(logits(*probabilities)).tolist() == [ids]
    assert label_names.told({3: names}).label_ids.tolist() == [ids]


def test_every_class_needs_a_name(config: Config, label_names: LabelNames, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="labels.json names 5 classes, and the encoder knows 1000: .*a photo of each"):
        read_names(config, tmp_path, 1000)


def test_nothing_is_told_where_nothing_is_likely(config: Config, label_names: LabelNames) -> None:
    unsure = torch.zeros(1, 40)
    of_class = torch.arange(40)
    names = [f"thing {i}" for i in range(40)]
    input_ids = torch.full((41, 6), PAD)
    unlikely = LabelNames(config.label_names, label_names.tokenizer, of_class, input_ids, names)
    assert unlikely.names_seen(unsure) == [[]]


def test_their_embeddings_stand_behind_the_projected_rows(config: Config, label_names: LabelNames) -> None:
    model = Glimpse(dataclasses.replace(config, vision=dataclasses.replace(config.vision, classes=len(NAMES))))
    features = torch.randn(2, config.vision.head_width, 2, 2)
    told = label_names.told({1: ["mug"]})
    embeds = label_names.image_embeds(model, features, told)
    assert embeds.shape == (2, model.image_tokens, config.decoder.hidden)
    expected = model.dec.emb.weight[told.label_ids[0]] + model.lpos
    assert torch.equal(embeds[1, -12:], expected)
