"""What every stage's command line has in common."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from .config import DEFAULT_CONFIG, Config, read_config
from .errors import UserError


@dataclass(frozen=True)
class Run:
    data: Path
    out: Path
    config: Config
    device: torch.device
    arguments: argparse.Namespace

    @property
    def trunk_file(self) -> Path:
        return self.out / "trunk.safetensors"

    @property
    def tokenizer_file(self) -> Path:
        return self.out / "tokenizer.json"

    @property
    def labels_file(self) -> Path:
        return self.out / "labels.json"

    @property
    def has_more(self) -> bool:
        """Whether there are photos beside train/'s that others captioned."""
        return (self.data / "more").is_dir()

    @property
    def has_undescribed(self) -> bool:
        """Whether there are photos that nobody captioned."""
        return (self.data / "undescribed").is_dir()

    @property
    def has_texts(self) -> bool:
        """Whether there are captions without a photo."""
        return self.texts_file.exists()

    @property
    def texts_file(self) -> Path:
        return self.data / "texts.csv"

    @property
    def workers(self) -> int:
        """Processes that prepare batches beside a GPU; a CPU computes the steps itself, and has no time for both."""
        return 0 if self.device.type == "cpu" else self.arguments.threads

    @property
    def parts(self) -> int:
        """That a batch is packed in: a GPU waits for every part to be launched, a CPU for every token filled up."""
        return 4 if self.device.type == "cpu" else 2

    def autocast(self) -> torch.autocast:
        """bf16, but on a CPU without instructions for it: there it would take ten times as long as float32."""
        in_hardware = self.device.type != "cpu" or torch.cpu.get_capabilities().get("avx512_bf16", True)
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=in_hardware)


def run_stage(main: Callable[[], None]) -> None:
    """What the user can set right, a missing file among it, ends a stage with one line."""
    try:
        main()
    except (UserError, OSError) as error:
        raise SystemExit(f"error: {error}") from None


def parse_run(
    description: str | None,
    parser: argparse.ArgumentParser | None = None,
    reads_data: bool = True,
    on_device: bool = True,
) -> Run:
    """
    :param parser: with the stage's own options
    :param reads_data: whether the stage takes --data
    :param on_device: whether it takes --device, or computes on the CPU whatever there is
    """
    parser = parser or argparse.ArgumentParser()
    parser.description = description
    parser.set_defaults(data=Path(), device="cpu")
    if reads_data:
        parser.add_argument("--data", type=Path, required=True, help="the folder of captioned photos")
    parser.add_argument("--out", type=Path, required=True, help="the folder of all that the stages write")
    parser.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help="what differs from config.toml")
    if on_device:
        parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--threads", type=positive, default=2, help="of the CPU")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.device == "cuda" and not torch.cuda.is_available():
        raise UserError("--device cuda: torch finds none; give --device cpu")
    auto = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(auto if arguments.device == "auto" else arguments.device)
    return Run(arguments.data, arguments.out, read_config(arguments.config), device, arguments)


def positive(text: str) -> int:
    """:raises ValueError: as argparse expects it of an option"""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def elsewhere(run: Run, place: list[str]) -> tuple[Run, Path]:
    """
    :param place: a config file, the folder of all that the stages wrote by it, and weights
    """
    config, out, weights = map(Path, place)
    return replace(run, config=read_config(config), out=out), weights
