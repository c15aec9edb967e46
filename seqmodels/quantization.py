"""Weights as a file has them: large matrices in eight bits, each row with a scale of its own, and all else as floating point."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

LARGE = 60_000  # numbers of a matrix from which on eight bits are worth it: it then takes 60 kB less
SCALES = ".scales"  # how the name of a matrix goes on in that of its scales
_LARGEST = 127


def quantize(values: Tensor) -> tuple[Tensor, Tensor]:
    """values (rows, size) -> int8 (rows, size), scales (rows,): a number is its integer, at most 127, times the scale of its row.

    A scale has the range of float32 and eight binary digits (bfloat16), so that products are exact in float32: what `restore` gives
    is quantized to the same integers and scales again.
    """
    scales = (values.float().abs().amax(dim=1) / _LARGEST).bfloat16()
    divisors = torch.where(scales == 0, 1, scales.float())
    return (values.float() / divisors.unsqueeze(1)).round().to(torch.int8), scales


def restore(values: Tensor, scales: Tensor) -> Tensor:
    """int8 (..., size), scales (...) -> float32 (..., size)."""
    return values.float().mul_(scales.float().unsqueeze(-1))  # twice as fast as a product of two types


def check(values: Tensor, scales: Tensor) -> None:
    """ValueError unless these may be what `quantize` gives; scales may be of any floating type."""
    if values.dtype != torch.int8 or values.dim() != 2:
        raise ValueError(f"it has scales, and is no matrix of int8 but {values.dim()}-dimensional {values.dtype}")
    if scales.shape != values.shape[:1]:
        raise ValueError(f"it has {len(values)} rows and scales of {tuple(scales.shape)}")
    if not (scales.is_floating_point() and scales.float().isfinite().all() and (scales >= 0).all()):
        raise ValueError("its scales are not finite numbers from 0 on")


def pack(weights: Mapping[str, Tensor], dtype: torch.dtype = torch.int8) -> dict[str, Tensor]:
    """Weights by name, each in the first of int8, float16 and float32 from `dtype` on that can hold it.

    int8 is for matrices of LARGE finite numbers or more, and float16 for what does not overflow there. Tensor by tensor, since one
    large weight is no reason to make a file twice as large.
    """
    packed: dict[str, Tensor] = {}
    for name, given in weights.items():
        value = given.contiguous()  # as a file holds them
        if dtype == torch.int8 and value.dim() == 2 and value.numel() >= LARGE and value.isfinite().all():
            packed[name], packed[name + SCALES] = quantize(value)
        else:
            rounded = value.to(torch.float16 if dtype == torch.int8 else dtype)
            packed[name] = rounded if rounded.isfinite().all() else value.float()
    return packed


def unpack(packed: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The inverse, in float32, of files without scales too. ValueError names the first tensor that is no weight."""
    weights = {}
    for name, value in packed.items():
        if name.endswith(SCALES):
            continue
        scales = packed.get(name + SCALES)
        if scales is not None:
            try:
                check(value, scales)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
            weights[name] = restore(value, scales)
        elif value.is_floating_point():
            weights[name] = value.float()
        elif value.dtype == torch.int8:
            raise ValueError(f"{name} is in eight bits, and there is no {name}{SCALES}")
        else:
            raise ValueError(f"{name} is of {value.dtype}, which is no type of weights")
    return weights


def packed_shapes(shapes: Mapping[str, tuple[int, ...]], found: Mapping[str, object]) -> dict[str, tuple[int, ...]]:
    """The shapes that a file of weights of these shapes has, which may have the scales that are among the names found in it."""
    scales = {name + SCALES: shape[:1] for name, shape in shapes.items() if name + SCALES in found}
    return {**shapes, **scales}
