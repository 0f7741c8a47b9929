"""
The file format between training and `scripts/build-bundle.ts`: safetensors of `NAME.q4` or `NAME.q8` with
`NAME.scale`, and everything else in float32 as `NAME` or `NAME.bias`.
"""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from .errors import UserError
from .quantization import (
    BLOCK,
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


def load_module(prefix: str, module: nn.Module, tensors: Tensors, source: Path) -> None:
    """
    The reverse of module_tensors; weights are dequantised to float32.

    :param source: the tensors' file
    :raises UserError: if one of the module's is missing or of another shape, or one besides has the prefix
    """
    state = module.state_dict()
    layers = {name: (f"{prefix}.{name}" if prefix else name).removesuffix(".weight") for name in state}
    _check_tensors(prefix, {layers[name]: value for name, value in state.items()}, tensors, source)
    for name, value in state.items():
        layer = layers[name]
        if f"{layer}.q4" in tensors:
            integers = unpack_q4(tensors[f"{layer}.q4"], value.flatten(1).shape[1])
            state[name] = dequantize_q4(integers, tensors[f"{layer}.scale"]).view_as(value)
        elif f"{layer}.q8" in tensors:
            state[name] = dequantize_q8(tensors[f"{layer}.q8"], tensors[f"{layer}.scale"])
        else:
            state[name] = tensors[layer]
    module.load_state_dict(state)


def _check_tensors(prefix: str, layers: Tensors, tensors: Tensors, source: Path) -> None:
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, value in layers.items():
        rows, width = len(value), value.numel() // len(value)
        if f"{layer}.q4" in tensors:
            shapes |= {f"{layer}.q4": (rows, -(-width // 2)), f"{layer}.scale": (rows, -(-width // BLOCK))}
        elif f"{layer}.q8" in tensors:
            shapes |= {f"{layer}.q8": tuple(value.shape), f"{layer}.scale": (rows,)}
        else:
            shapes[layer] = tuple(value.shape)
    remedy = "give another file, or the --config that it was made with"
    for name, shape in shapes.items():
        if name not in tensors:
            raise UserError(f"{source} has no {name}: {remedy}")
        if tensors[name].shape != shape:
            raise UserError(f"{source} has {name} in {tuple(tensors[name].shape)}, not in {shape}: {remedy}")
    for name in sorted(tensors.keys() - shapes.keys()):
        if name.startswith(f"{prefix}." if prefix else ""):
            raise UserError(f"{source} has {name}, which the model has not: {remedy}")


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
    """:raises UserError: if it is no such file"""
    try:
        return load_file(path)
    except SafetensorError as error:
        raise UserError(f"{path} is no whole safetensors file ({error}): delete it and make it anew") from None
