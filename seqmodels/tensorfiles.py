"""A .safetensors file: written whole or not at all, and its header read in bounded memory, whoever made the file."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from seqmodels.files import PARTIAL, naming, open_regular

# bytes: twenty times that of a shipped model. To read a header takes tens of times its size in memory
LARGEST_HEADER = 4 * 2**20
_CHECKSUM = "sha256"  # of the header's entry with a hash of all else in the file; earlier files have none
_LENGTH = 8  # bytes at the beginning, which say how long the header is


@dataclass(frozen=True)
class Header:
    """What a file says of itself: texts by name, and the shape of each of its tensors."""

    metadata: dict[str, str]
    shapes: dict[str, tuple[int, ...]]


def read_header(path: Path) -> Header:
    """The header, without the tensors. ValueError says what is wrong with it; OSError if the file cannot be read."""
    with os.fdopen(open_regular(path), "rb") as begun:
        length = int.from_bytes(begun.read(_LENGTH), "little")
    if LARGEST_HEADER < length <= path.stat().st_size:
        raise ValueError(f"its header has {length / 2**20:,.1f} MB, and {LARGEST_HEADER / 2**20:g} MB at most are read")
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            names = file.keys()
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in names}
            return Header(file.metadata() or {}, shapes)
    except safetensors.SafetensorError as error:
        raise ValueError(str(error)) from None


def write_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """A .safetensors file with a checksum, written whole or not at all; OSError, with its name, if it cannot be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}{PARTIAL}")
    with naming(path):
        try:
            partial.touch()
            usual = partial.stat().st_mode  # safetensors lets nobody else read its files, whatever the umask
            safetensors.torch.save_file(tensors, partial, {**metadata, _CHECKSUM: _checksum(tensors, metadata)})
            partial.chmod(usual)
            with partial.open("rb+") as file:
                os.fsync(file.fileno())  # before the rename, or a power cut could leave the new name without its content
            partial.replace(path)
        except safetensors.SafetensorError as error:
            raise _system_error(error) from None
        finally:
            partial.unlink(missing_ok=True)


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of a .safetensors file and its metadata.

    ValueError or SafetensorError if it is not what was written, OSError if it cannot be read.
    """
    os.close(open_regular(path))
    with safetensors.safe_open(path, framework="pt") as file:
        metadata, names = file.metadata() or {}, file.keys()
        tensors = {name: file.get_tensor(name) for name in names}
    expected = metadata.pop(_CHECKSUM, None)
    if expected is not None and expected != _checksum(tensors, metadata):
        raise ValueError("its content is not what was saved: the checksum differs")
    return tensors, metadata


def _system_error(error: safetensors.SafetensorError) -> OSError:
    """What a disk did not take, of which safetensors gives the system's number in words only."""
    found = re.search(r"os error (\d+)", str(error))
    return OSError(int(found[1]), os.strerror(int(found[1]))) if found else OSError(errno.EIO, str(error))


def _checksum(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> str:
    digest = hashlib.sha256(json.dumps(metadata, sort_keys=True).encode())
    for name, value in sorted(tensors.items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.detach().reshape(-1).view(torch.uint8).numpy(force=True).data)
    return digest.hexdigest()
