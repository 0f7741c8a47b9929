"""
Every size and hyperparameter: config.toml's, or in another file what differs from them. An unknown name is an error.
"""

import dataclasses
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import UserError

DEFAULT_CONFIG = Path(__file__).with_name("config.toml")


@dataclass(frozen=True)
class Vision:
    network: str
    image_size: int
    grid: int
    stem_width: int
    stages: list[list[int]]
    head_width: int
    classes: int
    frozen_blocks: int
    eight_bit_blocks: int


@dataclass(frozen=True)
class Projector:
    hidden: int


@dataclass(frozen=True)
class Decoder:
    vocabulary: int
    hidden: int
    intermediate: int
    layers: int
    heads: int
    positions: int


@dataclass(frozen=True)
class LabelNames:
    names: int
    tokens: int
    least_probability: float


@dataclass(frozen=True)
class Trunk:
    calibration_photos: int
    damping: float


@dataclass(frozen=True)
class Features:
    train_views: int
    more_views: int
    undescribed_views: int
    object_views: int
    smallest_crop: float


@dataclass(frozen=True)
class Batch:
    photos: int
    more: int
    objects: int
    yes_no: int
    other_questions: int


@dataclass(frozen=True)
class Objects:
    held_out: float
    swapped: float


@dataclass(frozen=True)
class Training:
    batch: Batch
    epochs: float
    learning_rate: float
    encoder_learning_rate: float
    weight_decay: float
    warmup_steps: int
    quantise_from_epoch: float
    dropout: float
    image_dropout: float
    distillation: float
    average: float
    checkpoint_minutes: float


@dataclass(frozen=True)
class CrossEntropy(Training):
    label_smoothing: float
    texts: int


@dataclass(frozen=True)
class SelfCritical(Training):
    label_smoothing: float
    samples: int
    temperature: float
    weight: float
    bleu_weight: float


@dataclass(frozen=True)
class Distil(Training):
    undescribed: int
    samples: int
    temperature: float


@dataclass(frozen=True)
class Config:
    seed: int
    vision: Vision
    projector: Projector
    decoder: Decoder
    label_names: LabelNames
    trunk: Trunk
    features: Features
    objects: Objects
    align: Training
    cross_entropy: CrossEntropy
    self_critical: SelfCritical
    distil: Distil

    @property
    def image_tokens(self) -> int:
        """The mean of the features and each of them, and the names."""
        return 1 + self.vision.grid**2 + self.label_names.names * self.label_names.tokens


def read_config(path: Path) -> Config:
    values = _changed(tomllib.loads(DEFAULT_CONFIG.read_text()), tomllib.loads(path.read_text()))
    return _build(Config, values, str(path))


def _changed(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return values | {
        name: _changed(values.get(name, {}), change) if isinstance(change, dict) else change
        for name, change in changes.items()
    }


def _build(kind: Any, values: dict[str, Any], where: str) -> Any:
    fields = {field.name: field.type for field in dataclasses.fields(kind)}
    if fields.keys() != values.keys():
        raise UserError(f"{where}: these names are missing or unknown: {sorted(fields.keys() ^ values.keys())}")
    return kind(
        **{
            name: _build(fields[name], value, f"{where}, [{name}]") if isinstance(value, dict) else value
            for name, value in values.items()
        }
    )
