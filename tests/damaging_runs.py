"""Damage to the folder of a run, drawn at random: what a failing disk, a hand that edits, or an unkind one may leave."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

# JSON as it may stand in a file, much of which no value of ours can be
VALUES = (
    "null", "true", "-1", "0", "0.5", "3", "1e30", "1e308", "-1e308", "1e999", "NaN", "-Infinity", "9223372036854775808", "1" * 400,
    '""', '"x"', '"pos"', '"\\u0000\\u001b[31m"', '"\\ud800"', '"<script>alert(1)</script>"', '"' + "y" * 5000 + '"', "[]", "[[]]",
    '["a", "b", 2]', "{}", '{"a": {"b": []}}', "[" * 100_000, '{"a":' * 100_000, "nul", "{",
)  # fmt: skip
_FILES = ("config.json", "status.json", *("events.jsonl",) * 3, "commands", "last.safetensors", "lock")
_HERE = "\0here"  # where such a value is to stand


def damage(folder: Path, draw: random.Random) -> str:
    """Damage one file of a run's folder, or several. Returns what was done."""
    done = []
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        name = draw.choice(_FILES)
        way = draw.choice(_WAYS.get(name, _OF_FILES))
        path = folder / name
        if name == "commands" and path.is_dir() and way is not _folder:
            path /= "00000000000000000001-00000000.json"
            path.write_text('{"kind": "change", "changes": {"learning_rate": 0.1}}')
        if path.is_file() or (way in (_missing, _folder) and not path.is_dir()):
            way(path, draw)
            done.append(f"{name}: {way.__name__}")
    return ", ".join(done)


def _change_value(path: Path, draw: random.Random) -> None:
    path.write_text(_changed(path.read_text(errors="replace"), draw))


def _change_lines(path: Path, draw: random.Random) -> None:
    lines = path.read_text(errors="replace").splitlines() or [""]
    for _ in range(draw.choice((1, 1, 2, 20))):
        at = draw.randrange(len(lines))
        lines[at] = _changed(lines[at], draw)
    path.write_text("\n".join(lines) + "\n")


def _changed(text: str, draw: random.Random) -> str:
    """The text of some JSON with one of its parts taken away, or in its place a value that may be of any kind."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text[: len(text) // 2]
    place: Any = found
    while isinstance(place, dict | list) and place:
        key = draw.choice(list(place) if isinstance(place, dict) else range(len(place)))
        if isinstance(place[key], dict | list) and place[key] and draw.random() < 0.8:
            place = place[key]
            continue
        if draw.random() < 0.2:
            del place[key]
        elif isinstance(place, dict) and draw.random() < 0.1:
            place["mystery"] = _HERE
        else:
            place[key] = _HERE
        break
    return json.dumps(found).replace(json.dumps(_HERE), draw.choice(VALUES))


def _mix_lines(path: Path, draw: random.Random) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    draw.shuffle(lines)
    path.write_bytes(b"".join(lines))


def _repeat_lines(path: Path, draw: random.Random) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(line * draw.choice((1, 1, 40)) for line in lines))


def _cut(path: Path, draw: random.Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: draw.randrange(len(content) + 1)])


def _flip(path: Path, draw: random.Random) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(draw.choice((1, 10))):
        if content:
            content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    path.write_bytes(content)


def _other(path: Path, draw: random.Random) -> None:
    path.write_bytes(draw.choice((b"", b"\xff\xfe{\x00", b"\xef\xbb\xbf{}", b"\0" * 4096, b"[]", b"{}", draw.randbytes(100))))


def _missing(path: Path, draw: random.Random) -> None:
    if path.exists() and not path.is_dir():
        path.unlink()


def _folder(path: Path, draw: random.Random) -> None:
    _missing(path, draw)
    path.mkdir(exist_ok=True)


def _pipe(path: Path, draw: random.Random) -> None:
    _missing(path, draw)
    os.mkfifo(path)


def _device(path: Path, draw: random.Random) -> None:
    _missing(path, draw)
    path.symlink_to(draw.choice(("/dev/zero", "/dev/null", "/dev/full")))


_Way = Callable[[Path, random.Random], None]
_OF_FILES: tuple[_Way, ...] = (_cut, _flip, _other, _missing, _folder, _pipe, _device)
_WAYS: dict[str, tuple[_Way, ...]] = {
    "config.json": (*_OF_FILES, *(_change_value,) * 10),
    "status.json": (*_OF_FILES, *(_change_value,) * 10),
    "commands": (*_OF_FILES, *(_change_value,) * 10),
    "events.jsonl": (*_OF_FILES, *(_change_lines,) * 15, _mix_lines, _repeat_lines),
}
