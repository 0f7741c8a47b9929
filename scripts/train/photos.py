"""Photos as pixel_values, and the views of them that training sees."""

import random
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .errors import UserError

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
MEAN, DEVIATION = 127, 128
Box = tuple[float, float, float, float]


def list_photos(folder: Path) -> list[Path]:
    """
    In order of their names, so that a photo's index means the same to every stage.

    :raises UserError: if there is none
    """
    photos = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not photos:
        raise UserError(f"{folder} has no photo: put some there that end in {', '.join(SUFFIXES)}")
    return photos


def read_pixels(path: Path, size: int, box: Box | None = None, mirrored: bool = False) -> Tensor:
    """:return: uint8 [size, size, 3], squeezed to a square as PIL's BILINEAR does"""
    image = Image.open(path).convert("RGB")
    if image.size != (size, size) or box is not None:
        image = image.resize((size, size), Image.Resampling.BILINEAR, box)
    if mirrored:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return torch.from_numpy(np.array(image))


def pixel_values(pixels: Tensor) -> Tensor:
    """uint8 [photos, size, size, 3] -> [photos, 3, size, size]"""
    return ((pixels.float() - MEAN) / DEVIATION).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)


def read_view(path: Path, size: int, view: int, smallest_crop: float, seed: int) -> Tensor:
    """View 0 is the photo, 1 its mirror image; every other is a random crop, mirrored or not."""
    if view < 2:
        return read_pixels(path, size, mirrored=view == 1)
    rng = random.Random(f"{seed}/{path.stem}/{view}")
    with Image.open(path) as image:
        box = _crop(image.size, smallest_crop, rng)
    return read_pixels(path, size, box, mirrored=rng.random() < 0.5)


def _crop(size: tuple[int, int], smallest: float, rng: random.Random) -> Box:
    """A part of `smallest` to 0.95 of each side, up to a tenth wider or higher than the photo's shape."""
    side, shape = rng.uniform(smallest, 0.95), rng.uniform(0.95, 1.05)
    width, height = size[0] * min(1, side * shape), size[1] * min(1, side / shape)
    left, top = rng.uniform(0, size[0] - width), rng.uniform(0, size[1] - height)
    return left, top, left + width, top + height
