"""A text of any size to tags: in pieces and bounded memory, and into a file that goes on where it broke off."""

from __future__ import annotations

import codecs
import hashlib
import json
import os
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from seqmodels import export, inference, text
from seqmodels.checkpoints import Checkpoint
from seqmodels.corpora.opening import check_characters, check_kind, not_utf8
from seqmodels.files import naming, write_whole
from seqmodels.inference import Tagging

PIECE = 1 << 16  # characters that are tagged at a time; only a sentence that is longer is cut
SAVE_EVERY = 1.0  # seconds of work that a kill may cost

_READ = 1 << 16  # bytes
_TAIL = 1 << 12  # characters in which the beginning of a piece's last sentence is looked for first


@dataclass(frozen=True)
class Progress:
    """How far a text is tagged: its bytes and characters up to there, with their SHA-256, its sentences and its tokens."""

    bytes: int = 0
    characters: int = 0
    digest: str = hashlib.sha256().hexdigest()
    sentences: int = 0
    tokens: int = 0


class OtherTextError(ValueError):
    """A text is not the one that was begun with."""


Writer = Callable[[Tagging, Progress], str]
"""What is written of a piece of a text; the progress is that before it."""


def _conllu(tagging: Tagging, before: Progress) -> str:
    return export.to_conllu(tagging, sentences=before.sentences, characters=before.characters)


def _jsonl(tagging: Tagging, before: Progress) -> str:
    rows = export.sentence_rows(tagging, tokens=before.tokens, sentences=before.sentences, characters=before.characters)
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _csv(tagging: Tagging, before: Progress) -> str:
    rows = export.token_rows([tagging], tokens=before.tokens, sentences=before.sentences, characters=before.characters)
    return export.rows_to_csv(rows, heading=before.sentences == 0)


FORMATS: Mapping[str, Writer] = {"conllu": _conllu, "jsonl": _jsonl, "csv": _csv}


def tag_stream(
    checkpoint: Checkpoint, source: BinaryIO, form: str, start: Progress | None = None, *, name: str = "the text"
) -> Iterator[tuple[str, Progress]]:
    """Tag a text in UTF-8, yielding what is to be written of each piece, and how far that is.

    `form` is one of FORMATS. From `start` on: the text up to there is read again, and must be the same. ValueError where it is
    another, and CorpusError, which is one too, where it is no text in UTF-8; `name` is what it calls the text.
    """
    write = FORMATS[form]
    progress = start or Progress()
    digest = hashlib.sha256()
    left = progress.bytes
    while left and (content := source.read(min(left, _READ))):
        digest.update(content)
        left -= len(content)
    if digest.hexdigest() != progress.digest:
        raise OtherTextError(f"{name} is not the text that was begun with")
    for piece in _pieces(source, name):
        tagging = inference.tag(checkpoint, piece) if text.normal(piece).strip() else None
        content = piece.encode()
        digest.update(content)
        after = Progress(
            progress.bytes + len(content),
            progress.characters + len(piece),
            digest.hexdigest(),
            progress.sentences + (0 if tagging is None else len(tagging.sentences)),
            progress.tokens + (0 if tagging is None else len(tagging.tokens)),
        )
        yield "" if tagging is None else write(tagging, progress), after
        progress = after


def tag_file(checkpoint: Checkpoint, source: BinaryIO, output: Path, form: str, *, name: str = "the text") -> Generator[Progress]:
    """`tag_stream` into a file, yielding how far it is after each piece.

    Until all is done, what is done stands beside the output as `.partial`, and in `.progress` how far it is. The next call with the
    same text, model and format goes on from there. ValueError if one of them is another.
    """
    partial, notes = (output.with_name(f"{output.name}{suffix}") for suffix in (".partial", ".progress"))
    made_by = {"model": checkpoint.name, "task": checkpoint.info.task, "format": form}
    start, written = _where_it_stopped(partial, notes, made_by)
    progress, saved = start, time.monotonic()
    try:
        with naming(output), partial.open("r+b" if written else "wb") as file:
            file.truncate(written)
            file.seek(written)
            try:
                for lines, progress in tag_stream(checkpoint, source, form, start, name=name):
                    file.write(lines.encode())
                    written = file.tell()
                    if time.monotonic() - saved >= SAVE_EVERY:
                        _note(file, notes, {**made_by, "written": written, "progress": asdict(progress)})
                        saved = time.monotonic()
                    yield progress
            except OtherTextError as error:
                raise OtherTextError(f"{error}: give that again, or delete {notes} to begin anew") from None
            finally:
                _note(file, notes, {**made_by, "written": written, "progress": asdict(progress)})
    except OSError:
        if not notes.exists():  # there is nothing to go on with
            partial.unlink(missing_ok=True)
        raise
    partial.replace(output)
    notes.unlink()


def _pieces(source: BinaryIO, name: str) -> Iterator[str]:
    """The text in parts that end where a sentence does."""
    decode = codecs.getincrementaldecoder("utf-8")().decode
    rest, lines, first, ended = "", 0, True, False
    while not ended:
        while len(rest) < PIECE and not ended:
            content = source.read(_READ)
            ended = not content
            if first:
                check_kind(content, name)
            try:
                more = decode(content, ended)
            except UnicodeDecodeError as error:
                raise not_utf8(error, name, lines=lines) from None
            check_characters(more, name, lines=lines)
            rest, lines, first = rest + more, lines + more.count("\n"), False
        end = len(rest) if ended else _end_of_sentences(rest)
        if end:
            yield rest[:end]
        rest = rest[end:]


def _end_of_sentences(piece: str) -> int:
    """Where the last sentence begins that may go on after the piece; without one, where the last word does."""
    blank_lines = [match.end() for match in text.BLANK_LINE.finditer(piece)]
    if blank_lines and blank_lines[-1] > len(piece) // 2:
        return blank_lines[-1]
    for start in (max(0, len(piece) - _TAIL), 0):
        sentences = text.sentences(piece[start:])
        if len(sentences) > 1:
            return start + sentences[-1][0].start
    return max(piece.rfind(space) for space in " \t\r\n") + 1 or len(piece)


def _where_it_stopped(partial: Path, notes: Path, made_by: Mapping[str, str]) -> tuple[Progress, int]:
    """How far an earlier call came, and the bytes that it had written by then."""
    try:
        noted: dict[str, Any] = json.loads(notes.read_text())
        progress, written = Progress(**noted.pop("progress")), int(noted.pop("written"))
        if partial.stat().st_size < written:
            return Progress(), 0
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):  # the notes are damaged: what they are of is lost
        return Progress(), 0
    if noted != made_by:
        before, now = (" ".join(values.values()) for values in (noted, made_by))
        raise ValueError(f"{partial} was begun with {before}, not {now}: finish that first, or delete it and {notes}")
    return progress, written


def _note(file: BinaryIO, notes: Path, noted: Mapping[str, Any]) -> None:
    """What the file holds by now, so that it is there even after a power cut."""
    file.flush()
    os.fsync(file.fileno())
    write_whole(notes, json.dumps(noted).encode())
