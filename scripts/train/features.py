"""
Features of the frozen trunk for some views of every photo, so that training never runs the trunk:
OUT/features/{train,objects,more}.safetensors. A file that is there already is kept.
"""

from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from .command import Run, parse_run
from .imagenet import imagenet_encoder
from .photos import list_photos, pixel_values, read_view
from .tensors import load_module, read_tensors, write_tensors
from .vision import Encoder

BATCH = 32


def main() -> None:
    run = parse_run(__doc__)
    encoder = imagenet_encoder(run.config.vision)
    load_frozen(encoder, run.trunk_file)
    encoder.to(run.device, memory_format=torch.channels_last)
    settings = run.config.features
    views = {"objects": settings.object_views, "train": settings.train_views}
    if run.has_more:
        views["more"] = settings.more_views
    for folder, count in views.items():
        if not features_file(run.out, folder).exists():
            write_tensors(features_file(run.out, folder), compute_features(encoder, run, folder, count))


def features_file(out: Path, folder: str) -> Path:
    return out / "features" / f"{folder}.safetensors"


def load_frozen(encoder: Encoder, path: Path) -> None:
    """The quantised stem, frozen blocks and classifier; the tail is left as it is."""
    load_module("vision", encoder, encoder.frozen_tensors(read_tensors(path)))


@torch.inference_mode()
def compute_features(encoder: Encoder, run: Run, folder: str, views: int) -> dict[str, Tensor]:
    """
    :return: `trunk` float16 [photos, views, 192, 7, 7], and `teacher` float16 [photos, views, classes]: the logits
        of ImageNet's tail over them
    """
    paths = [(path, view) for path in list_photos(run.data / folder) for view in range(views)]
    trunk, teacher = [], []
    for start in tqdm(range(0, len(paths), BATCH), desc=folder, mininterval=5):
        pixels = [
            read_view(path, run.config.vision.image_size, view, run.config.features.smallest_crop, run.config.seed)
            for path, view in paths[start : start + BATCH]
        ]
        with run.autocast():
            features = encoder.trunk(pixel_values(torch.stack(pixels)).to(run.device))
        trunk.append(features.half().cpu())
        teacher.append(encoder.classify(encoder.tail(features.float())).half().cpu())
    by_photo = (-1, views)
    return {"trunk": torch.cat(trunk).unflatten(0, by_photo), "teacher": torch.cat(teacher).unflatten(0, by_photo)}


if __name__ == "__main__":
    main()
