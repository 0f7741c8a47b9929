"""The loop of every stage that trains: schedule, averaged weights, checkpoints, log and plot."""

import hashlib
import json
import math
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from .config import Training
from .errors import UserError
from .model import Glimpse
from .plots import plot_losses

Losses = dict[str, Tensor]
"""What a step's loss is the sum of."""
Figures = dict[str, float]
"""What else of a step goes into the log."""
Batch = TypeVar("Batch")
LossOf = Callable[[Batch], tuple[Losses, Figures]]

CLIP = 1.0
BETAS = (0.9, 0.98)
LAST_RATE = 0.02
"""Of the learning rate, what the cosine ends at."""


class Trainer:
    """
    :param folder: gets checkpoint.pt, log.jsonl and losses.png, and is gone on from where it has a checkpoint
    :param teachers: that the losses ask
    :raises UserError: if there is no step to train, or the checkpoint is of other weights or settings
    """

    def __init__(
        self,
        model: Glimpse,
        settings: Training,
        steps_per_epoch: int,
        seed: int,
        folder: Path,
        teachers: Sequence[Glimpse] = (),
    ) -> None:
        self.model, self.settings, self.seed, self.folder = model, settings, seed, folder
        self.steps_per_epoch = steps_per_epoch
        self.total = round(settings.epochs * steps_per_epoch)
        if self.total < 1:
            raise UserError(
                f"{folder.name}: {settings.epochs} epochs of {steps_per_epoch} steps are no step. "
                f"A step takes {settings.batch.photos} photos of train/: lower batch.photos, or raise epochs"
            )
        self.trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self.average = [parameter.detach().clone() for parameter in self.trained]
        on_gpu = self.trained[0].device.type != "cpu"
        self.optimizer = torch.optim.AdamW(self._groups(), betas=BETAS, fused=on_gpu)
        self.step = 0
        self.made_with = {
            **{name: value for name, value in asdict(settings).items() if name != "checkpoint_minutes"},
            "seed": seed,
            "steps_per_epoch": steps_per_epoch,
            "weights to begin with": weights_digest(model),
            "teachers": [weights_digest(teacher) for teacher in teachers],
        }
        folder.mkdir(parents=True, exist_ok=True)
        if self.checkpoint_file.exists():
            self._resume()
        else:
            self.log_file.unlink(missing_ok=True)  # of a run that was interrupted before its first checkpoint

    @property
    def checkpoint_file(self) -> Path:
        return self.folder / "checkpoint.pt"

    @property
    def log_file(self) -> Path:
        return self.folder / "log.jsonl"

    def fit(self, data: Dataset[Batch], loss_of: LossOf[Batch], workers: int = 0, until: int | None = None) -> None:
        """
        Leaves the averaged weights in the model.

        :param data: by step its batch
        :param workers: processes that prepare batches
        :param until: a step to stop at, as if interrupted
        """
        steps = range(self.step, self.total if until is None else until)
        batches = DataLoader(data, batch_size=None, sampler=steps, num_workers=workers)
        saved = time.monotonic()
        for batch in tqdm(batches, initial=self.step, total=self.total, desc=self.folder.name, mininterval=5):
            self._train(self.step, batch, loss_of)
            self.step += 1
            if time.monotonic() - saved > self.settings.checkpoint_minutes * 60:
                self._save()
                saved = time.monotonic()
        self._save()
        for parameter, average in zip(self.trained, self.average, strict=True):
            parameter.data.copy_(average)

    def _train(self, step: int, batch: Batch, loss_of: LossOf[Batch]) -> None:
        torch.manual_seed(hash((self.seed, step)))  # a step's randomness is its own: resumed runs need no more
        if step >= self.settings.quantise_from_epoch * self.steps_per_epoch:
            self.model.quantize_in_loop()
        rate = self._rate(step)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * rate
        self.model.train()
        losses, figures = loss_of(batch)
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        norm = nn.utils.clip_grad_norm_(self.trained, CLIP)
        self.optimizer.step()
        # Early on, the average forgets the start as fast as it moves away from it.
        keep = min(self.settings.average, (step + 1) / (step + 10))
        with torch.no_grad():
            torch._foreach_lerp_(self.average, self.trained, 1 - keep)
        numbers = torch.stack([norm, *losses.values()]).tolist()  # one wait for the device
        self._log({"step": step, **dict(zip(("gradient", *losses), numbers, strict=True)), **figures})

    def _rate(self, step: int) -> float:
        """Up in a line, down with a cosine."""
        warm = min(1.0, (step + 1) / max(1, self.settings.warmup_steps))
        return warm * (LAST_RATE + (1 - LAST_RATE) * (1 + math.cos(math.pi * step / self.total)) / 2)

    def _groups(self) -> list[dict[str, Any]]:
        settings = self.settings
        groups: dict[tuple[float, float], list[nn.Parameter]] = defaultdict(list)
        for name, parameter in self.model.named_parameters():
            if parameter.requires_grad:
                peak = settings.encoder_learning_rate if name.startswith("vision.") else settings.learning_rate
                groups[peak, settings.weight_decay if parameter.ndim > 1 else 0].append(parameter)
        return [
            {"params": parameters, "peak": peak, "weight_decay": decay} for (peak, decay), parameters in groups.items()
        ]

    def _log(self, entry: dict[str, float]) -> None:
        with self.log_file.open("a") as log:
            log.write(json.dumps(entry) + "\n")

    def _save(self) -> None:
        unfinished = self.checkpoint_file.with_suffix(".new")
        torch.save(
            {
                "step": self.step,
                "made_with": self.made_with,
                "model": self.model.state_dict(),
                "average": self.average,
                "optimizer": self.optimizer.state_dict(),
            },
            unfinished,
        )
        unfinished.replace(self.checkpoint_file)
        plot_losses(self.folder)

    def _resume(self) -> None:
        checkpoint = torch.load(self.checkpoint_file, map_location=self.trained[0].device, weights_only=True)
        before = checkpoint.get("made_with", {})
        others = [name for name, value in self.made_with.items() if before.get(name) != value]
        if others:
            raise UserError(
                f"{self.folder} was begun with other settings ({', '.join(others)}): "
                "take another --out, or delete this folder to begin anew"
            )
        self.step = checkpoint["step"]
        self.model.load_state_dict(checkpoint["model"])
        self.average = checkpoint["average"]
        self.optimizer.load_state_dict(checkpoint["optimizer"])
        lines = self.log_file.read_text().splitlines(keepends=True)
        self.log_file.write_text("".join(lines[: self.step]))


def weights_digest(model: Glimpse) -> str:
    digest = hashlib.sha256()
    for value in model.state_dict().values():
        digest.update(value.cpu().contiguous().numpy())
    return digest.hexdigest()
