"""Checkpoint files that are damaged, or made to do harm: as many as are asked for, the same for the same seed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

WRONG: tuple[Any, ...] = (
    None, True, -1, 0, 3, 2.5, 1e30, -1e308, 10**400, "", "no", "NaN", "\x00", "é" * 500, "\ud800", "x" * 10_000, [], [1],
    ["a", "a"], {}, {"a": None}, {"k" * 5000: 1}, [[[]]], ["w" * 5000], "../../etc/passwd", "<b>",
)  # fmt: skip
LENGTH = 8  # bytes at the beginning of a file that say how long its header is

Damage = Callable[[random.Random, bytes], bytes]


def damaged(content: bytes, count: int, seed: int) -> Iterator[bytes]:
    """So many files made of a sound one."""
    draw = random.Random(seed)
    for _ in range(count):
        yield draw.choice(KINDS)(draw, content)


def taken_apart(content: bytes) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What a file says of its model, and its tensors."""
    length = int.from_bytes(content[:LENGTH], "little")
    described = json.loads(content[LENGTH : LENGTH + length])["__metadata__"]["seqmodels"]
    return json.loads(described), safetensors.torch.load(content)


def put_together(described: object, tensors: dict[str, Tensor]) -> bytes:
    """The inverse, of whatever is to stand there."""
    text = described if isinstance(described, str) else json.dumps(described)
    return safetensors.torch.save(tensors, {"seqmodels": text})


def places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Each place in nested values; of a list, its first items."""
    items = list(value.items()) if isinstance(value, dict) else list(enumerate(value[:3])) if isinstance(value, list) else []
    return [found for key, inner in items for found in ((*place, key), *places(inner, (*place, key)))]


def _value(draw: random.Random, content: bytes) -> bytes:
    """A value of the description is another, or gone."""
    described, tensors = taken_apart(content)
    *outer, last = draw.choice(places(described))
    inner: Any = described
    for key in outer:
        inner = inner[key]
    if draw.random() < 0.15:
        inner.pop(last)
    else:
        inner[last] = draw.choice(WRONG)
    return put_together(described, tensors)


def _list(draw: random.Random, content: bytes) -> bytes:
    """A list of the vocabulary has other things in it, or many more."""
    described, tensors = taken_apart(content)
    name = draw.choice([name for name, value in described["vocabulary"].items() if isinstance(value, list)])
    tokens = described["vocabulary"][name]
    described["vocabulary"][name] = draw.choice(
        (
            tokens[::-1],
            tokens[: len(tokens) // 2],
            [*tokens, *map(str, range(5000))],
            [*tokens, *(f"B-{number}" for number in range(5000))],
            [*tokens, draw.choice(WRONG)],
            [token.upper() for token in tokens],
        )
    )
    return put_together(described, tensors)


def _tensor(draw: random.Random, content: bytes) -> bytes:
    """A tensor is missing, has another name, shape or type, or holds what no network can compute with."""
    described, tensors = taken_apart(content)
    name = draw.choice(list(tensors))
    value = tensors.pop(name)
    kind = draw.randrange(8)
    if kind == 1:
        tensors[name + draw.choice(("2", "\n", "x" * 3000))] = value
    elif kind == 2:
        tensors[name] = value.repeat(2, *[1] * (value.dim() - 1))
    elif kind == 3:
        tensors[name] = value.flatten()[:0]
    elif kind == 4:
        tensors[name] = value.to(draw.choice((torch.int64, torch.bool, torch.float64, torch.bfloat16, torch.complex64)))
    elif kind == 5:
        kept = value if value.is_floating_point() else value.half()
        tensors[name] = torch.full_like(kept, draw.choice((torch.nan, torch.inf, -6e4, 0.0)))
    elif kind == 6:
        tensors |= {name: value, "more": value.clone()}
    elif kind == 7:
        tensors[name] = value.unsqueeze(0)
    return put_together(described, tensors)


def _bits(draw: random.Random, content: bytes) -> bytes:
    """Bytes are others: in the length of the header, in the header or in the tensors."""
    length = int.from_bytes(content[:LENGTH], "little")
    first, last = draw.choice(((0, LENGTH), (LENGTH, LENGTH + length), (LENGTH + length, len(content))))
    found = bytearray(content)
    for _ in range(draw.randint(1, 8)):
        found[draw.randrange(first, last)] = draw.randrange(256)
    return bytes(found)


def _cut(draw: random.Random, content: bytes) -> bytes:
    """The file ends too early, or goes on."""
    return content[: draw.randrange(len(content))] if draw.random() < 0.7 else content + draw.randbytes(100)


def _text(draw: random.Random, content: bytes) -> bytes:
    """The description is no JSON, or one that is deep, long or no object."""
    _, tensors = taken_apart(content)
    text = draw.choice(
        (
            "",
            "[" * 50_000,
            '{"a":' * 5000,
            "7",
            "null",
            '"seqmodels"',
            "[" + "[]," * 1000 + "[]]",
            '{"format": 1}',
            '{"format": 1e999}',
        )
    )
    return put_together(text, tensors)


KINDS: tuple[Damage, ...] = (_value, _value, _value, _list, _tensor, _tensor, _bits, _bits, _cut, _text)
