"""
The file format between training and `scripts/build-bundle.ts`: safetensors of `NAME.q4` or `NAME.q8` with
`NAME.scale`, and everything else in float32 as `NAME` or `NAME.bias`.
"""

from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from .quantization import (
    Stored,
    dequantize_q4,
    dequantize_q8,
    pack_q4,
    quantize_q4,
    quantize_q8,
    unpack_q4,
)

Tensors = dict[str, Tensor]


def quantized_tensors(name: str, weight: Tensor, bits: int) -> Tensors:
    """As the kernels have them."""
    if bits == 4:
        return q4_tensors(name, *quantize_q4(weight.flatten(1)))
    integers, scale = quantize_q8(weight)
    return {f"{name}.q8": integers, f"{name}.scale": scale}


def q4_tensors(name: str, integers: Tensor, scale: Tensor) -> Tensors:
    return {f"{name}.q4": pack_q4(integers), f"{name}.scale": scale}


def module_tensors(prefix: str, module: nn.Module) -> Tensors:
    """All of a module's tensors, those of its quantised layers rounded."""
    tensors: Tensors = {}
    for name, value in module.state_dict().items():
        owner, _, kind = name.rpartition(".")
        path = f"{prefix}.{name}" if prefix else name
        bits = getattr(module.get_submodule(owner), "bits", None)
        if kind == "weight" and bits is not None:
            tensors |= quantized_tensors(path.removesuffix(".weight"), value, bits)
        else:
            tensors[path.removesuffix(".weight")] = value
    return tensors


def load_module(prefix: str, module: nn.Module, tensors: Tensors) -> None:
    """The reverse of module_tensors, as far as the tensors are there; weights are dequantised to float32."""
    state = module.state_dict()
    for name, value in state.items():
        path = f"{prefix}.{name}" if prefix else name
        layer = path.removesuffix(".weight")
        if f"{layer}.q4" in tensors:
            integers = unpack_q4(tensors[f"{layer}.q4"], value.flatten(1).shape[1])
            state[name] = dequantize_q4(integers, tensors[f"{layer}.scale"]).view_as(value)
        elif f"{layer}.q8" in tensors:
            state[name] = dequantize_q8(tensors[f"{layer}.q8"], tensors[f"{layer}.scale"])
        elif layer in tensors:
            state[name] = tensors[layer]
    module.load_state_dict(state)


def stored_integers(tensors: Tensors) -> dict[str, Stored]:
    """Of an export's tensors, by layer; convolutions larger than 1x1 as rows."""
    stored = {}
    for name, value in tensors.items():
        layer, _, kind = name.rpartition(".")
        scale = tensors.get(f"{layer}.scale")
        if kind == "q4" and scale is not None:
            stored[layer] = Stored.of(unpack_q4(value, 2 * value.shape[1]), scale)
        elif kind == "q8" and scale is not None:
            stored[layer] = Stored.of(value.flatten(1), scale[:, None])
    return stored


def write_tensors(path: Path, tensors: Tensors) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, path)


def read_tensors(path: Path) -> Tensors:
    return load_file(path)
