"""
Every size and hyperparameter: config.toml's, or in another file what differs from them.
"""

import dataclasses
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_origin

from .errors import UserError

DEFAULT_CONFIG = Path(__file__).with_name("config.toml")
IN_WORDS = {
    int: "a whole number",
    float: "a number",
    str: "a text",
    list[list[int]]: "a list of lists of whole numbers",
}


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
    average: float
    checkpoint_minutes: float


@dataclass(frozen=True)
class WholeTraining(Training):
    """Of encoder's tail, projector and decoder"""

    dropout: float
    image_dropout: float
    distillation: float


@dataclass(frozen=True)
class CrossEntropy(WholeTraining):
    label_smoothing: float
    texts: int


@dataclass(frozen=True)
class SelfCritical(WholeTraining):
    label_smoothing: float
    samples: int
    temperature: float
    weight: float
    bleu_weight: float


@dataclass(frozen=True)
class Distil(WholeTraining):
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
    """:raises UserError: naming what cannot be read, is missing, unknown or of another type"""
    try:
        changes = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path} is no TOML: {error}") from None
    return _build(Config, _changed(tomllib.loads(DEFAULT_CONFIG.read_text(encoding="utf-8")), changes), str(path))


def _changed(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    changed = dict(values)
    for name, change in changes.items():
        tables = isinstance(values.get(name), dict) and isinstance(change, dict)
        changed[name] = _changed(values[name], change) if tables else change
    return changed


def _build(kind: Any, value: Any, where: str) -> Any:
    """A table becomes its dataclass."""
    if not _is_of(kind, value):
        raise UserError(f"{where}: {IN_WORDS.get(kind, 'a table')} is needed, not {value!r}")
    if not dataclasses.is_dataclass(kind):
        return value
    fields = {field.name: field.type for field in dataclasses.fields(kind)}
    if fields.keys() != value.keys():
        raise UserError(f"{where}: these names are missing or unknown: {sorted(fields.keys() ^ value.keys())}")
    return kind(**{name: _build(fields[name], each, f"{where}, {name}") for name, each in value.items()})


def _is_of(kind: Any, value: Any) -> bool:
    if get_origin(kind) is list:
        return isinstance(value, list) and all(_is_of(*get_args(kind), each) for each in value)
    if dataclasses.is_dataclass(kind):
        return isinstance(value, dict)
    return type(value) is kind or (kind is float and type(value) is int)
