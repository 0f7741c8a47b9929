"""
Quantises what is never trained: OUT/trunk.safetensors. The stem, the depthwise convolutions and the first blocks to
8 bits; the other frozen blocks to 4 bits by GPTQ, each on what the quantised layers before it give; ImageNet's
classifier to 4 bits.
"""

from random import Random

import torch
from torch import Tensor
from tqdm import tqdm

from .command import Run, parse_run, run_stage
from .gptq import gptq
from .imagenet import imagenet_encoder
from .layers import Convolution
from .photos import list_photos, pixel_values, read_pixels
from .quantization import quantize_q4
from .tensors import Tensors, load_module, module_tensors, q4_tensors, write_tensors
from .vision import Encoder


def main() -> None:
    run = parse_run(__doc__)
    write_tensors(run.trunk_file, quantize_trunk(imagenet_encoder(run.config.vision), calibration(run), run))


def calibration(run: Run) -> Tensor:
    """Photos of both kinds: [photos, 3, 224, 224]"""
    rng = Random(run.config.seed)
    folders = [list_photos(run.data / folder) for folder in ("train", "objects")]
    paths = [
        path for folder in folders for path in rng.sample(folder, min(len(folder), run.config.trunk.calibration_photos))
    ]
    return pixel_values(torch.stack([read_pixels(path, run.config.vision.image_size) for path in paths]))


def quantize_trunk(encoder: Encoder, images: Tensor, run: Run) -> Tensors:
    """The encoder's frozen weights become the quantised ones as it goes."""
    encoder.to(run.device, memory_format=torch.channels_last)
    images = images.to(run.device)
    tensors = q4_tensors("vision.fc", *quantize_q4(encoder.fc.weight)) | {"vision.fc.bias": encoder.fc.bias}
    parts = [
        ("stem", encoder.stem),
        *((f"blocks.{i}", block) for i, block in enumerate(encoder.blocks[: encoder.frozen])),
    ]
    layers = [
        (".".join(filter(None, (part, name))), layer)
        for part, module in parts
        for name, layer in module.named_modules()
        if isinstance(layer, Convolution)
    ]
    for name, layer in tqdm(layers, desc="trunk"):
        path = f"vision.{name}"
        found = module_tensors(path, layer)
        if layer.bits == 4:
            hessian = inputs_hessian(encoder, layer, images)
            found |= q4_tensors(path, *gptq(layer.weight.flatten(1).cpu(), hessian, run.config.trunk.damping))
        load_module(path, layer, found, run.trunk_file)
        tensors |= found
    return tensors


@torch.inference_mode()
def inputs_hessian(encoder: Encoder, layer: Convolution, images: Tensor) -> Tensor:
    """Of a 1x1 convolution's inputs: [k, k]"""
    width = layer.weight.shape[1]
    total = torch.zeros(width, width)

    def add(_: torch.nn.Module, inputs: tuple[Tensor]) -> None:
        rows = inputs[0].permute(0, 2, 3, 1).reshape(-1, width)
        total.add_((rows.T @ rows).cpu())

    hook = layer.register_forward_pre_hook(add)
    for part in images.split(32):
        encoder.trunk(part)
    hook.remove()
    return total


if __name__ == "__main__":
    run_stage(main)
