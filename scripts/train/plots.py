"""The losses of a run as a picture."""

import json
from pathlib import Path

import matplotlib

matplotlib.use("agg")
from matplotlib import pyplot  # noqa: E402 (the backend comes first)

SMOOTHING = 20


def plot_losses(folder: Path) -> None:
    """folder/log.jsonl -> folder/losses.png, each a running mean"""
    entries = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    names = [name for name in entries[0] if name != "step"]
    figure, axes = pyplot.subplots(len(names), sharex=True, figsize=(8, 2 * len(names)), layout="constrained")
    for name, axis in zip(names, axes, strict=True):
        values = [entry[name] for entry in entries]
        means = [
            sum(part) / len(part)
            for end in range(1, len(values) + 1)
            if (part := values[max(0, end - SMOOTHING) : end])
        ]
        axis.plot([entry["step"] for entry in entries], means)
        axis.set_ylabel(name)
    axes[-1].set_xlabel("step")
    axes[-1].xaxis.get_major_locator().set_params(integer=True)
    figure.savefig(folder / "losses.png", dpi=100)
    pyplot.close(figure)
