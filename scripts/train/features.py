"""
Features of the frozen trunk for some views of every photo, so that training never runs the trunk:
OUT/features/{train,objects,more,undescribed}.safetensors, and beside them the photos' names. A file that is there
already is kept.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from .command import Run, parse_run, run_stage
from .errors import UserError
from .imagenet import imagenet_encoder
from .photos import list_photos, pixel_values, read_view
from .tensors import Tensors, load_module, read_tensors, write_tensors
from .vision import Encoder

BATCH = 32


@dataclass(frozen=True)
class Views:
    """Of photos of a folder, a view each."""

    folder: str
    photos: Tensor
    views: Tensor


class Features:
    """
    What the stage wrote, where training computes.

    :raises UserError: if it is not of DATA's photos
    """

    def __init__(self, run: Run) -> None:
        self.by_folder: dict[str, Tensors] = {}
        for folder in views_by_folder(run):
            check_photos(run, folder)
            tensors = read_tensors(features_file(run.out, folder))
            self.by_folder[folder] = {name: value.to(run.device) for name, value in tensors.items()}
        self.views = {folder: found["trunk"].shape[1] for folder, found in self.by_folder.items()}

    def of(self, drawn: list[Views]) -> tuple[Tensor, Tensor]:
        """:return: the trunk's features [photos, 192, 7, 7] and the teacher's logits [photos, classes]"""
        found = [self._of_folder(views) for views in drawn]
        trunk, teacher = (torch.cat(tensors) for tensors in zip(*found, strict=True))
        return trunk, teacher

    def _of_folder(self, drawn: Views) -> tuple[Tensor, Tensor]:
        trunk, teacher = self.by_folder[drawn.folder]["trunk"], self.by_folder[drawn.folder]["teacher"]
        rows = drawn.photos.to(trunk.device), drawn.views.to(trunk.device)
        return trunk[rows].float(), teacher[rows].float()


def features_beside(run: Run, own: Features) -> Features:
    """Another network's, of the same views of the same photos: a batch draws them for both."""
    found = Features(run)
    if found.views != own.views:
        raise UserError(f"{run.out}/features: {found.views} views of a photo, {own.views} are needed")
    return found


def main() -> None:
    run = parse_run(__doc__)
    encoder = imagenet_encoder(run.config.vision)
    load_frozen(encoder, run.trunk_file)
    encoder.to(run.device, memory_format=torch.channels_last)
    for folder, count in views_by_folder(run).items():
        if features_file(run.out, folder).exists():
            check_photos(run, folder)
        else:
            write_features(run, folder, compute_features(encoder, run, folder, count))


def views_by_folder(run: Run) -> dict[str, int]:
    """Of the folders that DATA has"""
    settings = run.config.features
    views = {"objects": settings.object_views, "train": settings.train_views}
    if run.has_more:
        views["more"] = settings.more_views
    if run.has_undescribed:
        views["undescribed"] = settings.undescribed_views
    return views


def write_features(run: Run, folder: str, features: Tensors) -> None:
    names = names_file(run.out, folder)
    names.parent.mkdir(parents=True, exist_ok=True)
    names.write_text(json.dumps(photo_names(run, folder)) + "\n")
    write_tensors(features_file(run.out, folder), features)


def check_photos(run: Run, folder: str) -> None:
    """A photo more or fewer would give all behind it another's features."""
    if not features_file(run.out, folder).exists():
        raise UserError(f"{features_file(run.out, folder)} is missing: run the features stage")
    names = names_file(run.out, folder)
    if not names.exists() or json.loads(names.read_text()) != photo_names(run, folder):
        raise UserError(
            f"{run.out / 'features'} is of other photos than {run.data / folder} has: "
            "delete it, and run the features stage again"
        )


def photo_names(run: Run, folder: str) -> list[str]:
    return [path.name for path in list_photos(run.data / folder)]


def names_file(out: Path, folder: str) -> Path:
    return out / "features" / f"{folder}.json"


def features_file(out: Path, folder: str) -> Path:
    return out / "features" / f"{folder}.safetensors"


def load_frozen(encoder: Encoder, path: Path) -> None:
    """The quantised stem, frozen blocks and classifier; the tail is left as it is."""
    tensors = read_tensors(path)
    for name in encoder.frozen_names():
        load_module(f"vision.{name}", encoder.get_submodule(name), tensors, path)


@torch.inference_mode()
def compute_features(encoder: Encoder, run: Run, folder: str, views: int) -> Tensors:
    """
    :return: `trunk` float16 [photos, views, 192, 7, 7], and `teacher` float16 [photos, views, classes]: the logits
        of ImageNet's tail over them
    """
    pixels = DataLoader(Pixels(run, folder, views), batch_size=BATCH, num_workers=run.workers)
    trunk, teacher = [], []
    for of_some in tqdm(pixels, desc=folder, mininterval=5):
        with run.autocast():
            features = encoder.trunk(pixel_values(of_some.to(run.device)))
        trunk.append(features.half().cpu())
        teacher.append(encoder.classify(encoder.tail(features.float())).half().cpu())
    by_photo = (-1, views)
    return {"trunk": torch.cat(trunk).unflatten(0, by_photo), "teacher": torch.cat(teacher).unflatten(0, by_photo)}


class Pixels(Dataset[Tensor]):
    """All views of a folder's first photo, then of the next"""

    def __init__(self, run: Run, folder: str, views: int) -> None:
        self.config, self.views, self.paths = run.config, views, list_photos(run.data / folder)

    def __len__(self) -> int:
        return len(self.paths) * self.views

    def __getitem__(self, index: int) -> Tensor:
        photo, view = divmod(index, self.views)
        size, smallest = self.config.vision.image_size, self.config.features.smallest_crop
        return read_view(self.paths[photo], size, view, smallest, self.config.seed)


if __name__ == "__main__":
    run_stage(main)
