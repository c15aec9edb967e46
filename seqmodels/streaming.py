"""A text of any size to tags: in pieces and bounded memory, and into a file that goes on where it broke off."""

from __future__ import annotations

import codecs
import hashlib
import json
import os
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from seqmodels import export, inference, text
from seqmodels.checkpoints import Checkpoint
from seqmodels.corpora.opening import check_characters, check_kind, not_utf8
from seqmodels.fields import Count, parsed
from seqmodels.files import naming, read_regular, write_whole
from seqmodels.inference import Tagging
from seqmodels.runs.files import take_lock

PIECE = 1 << 16  # characters that are tagged at a time; only a sentence that is longer is cut
SAVE_EVERY = 1.0  # seconds of work that a kill may cost

_READ = 1 << 16  # bytes
_TAIL = 1 << 12  # characters in which the beginning of a piece's last sentence is looked for first


@dataclass(frozen=True)
class Progress:
    """How far a text is tagged: its bytes and characters up to there, with their SHA-256, its sentences and its tokens."""

    bytes: Count = 0
    characters: Count = 0
    digest: str = hashlib.sha256().hexdigest()
    sentences: Count = 0
    tokens: Count = 0


@dataclass(frozen=True)
class _MadeBy:
    """Of what a file is unfinished; `weights` is the SHA-256 of the model's."""

    model: str
    weights: str
    task: str
    format: str


@dataclass(frozen=True)
class _Notes:
    """How far an unfinished file is, and the bytes that were written by then."""

    made_by: _MadeBy
    progress: Progress
    written: Count


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
    """`tag_stream` into a file, yielding where it begins and how far it is after each piece. A link is followed.

    Until all is done, what is done stands beside the output as `.partial`, and in `.progress` how far it is. The next call with the
    same text, model and format goes on from there. ValueError if one of them is another, if those files are of something else, if
    another process is at it, or if there is no such folder.
    """
    output = Path(os.path.realpath(output))
    if output.is_dir():
        raise ValueError(f"{output} is a folder: give the name of a file in it")
    if not output.parent.is_dir():
        raise ValueError(f"there is no folder {output.parent}: make it, or give another")
    partial, notes = (output.with_name(f"{output.name}{suffix}") for suffix in (".partial", ".progress"))
    made_by = _MadeBy(checkpoint.name, _digest(checkpoint), checkpoint.info.task, form)
    with naming(output), _open_alone(partial, output) as file:
        try:
            begun = _where_it_stopped(partial, notes, made_by)
        except ValueError:
            if not partial.stat().st_size:  # it was made just now
                partial.unlink()
            raise
        held, saved = begun, time.monotonic()
        try:
            _note(file, notes, held)
            file.truncate(held.written)
            file.seek(held.written)
            yield held.progress
            for lines, progress in tag_stream(checkpoint, source, form, held.progress, name=name):
                file.write(lines.encode())
                held = _Notes(made_by, progress, file.tell())  # at once: broken off in between, a piece would be missing
                if time.monotonic() - saved >= SAVE_EVERY:
                    _note(file, notes, held)
                    saved = time.monotonic()
                yield progress
            _note(file, notes, held)
        except BaseException as error:
            if held.written:
                _note(file, notes, held)
            else:  # there is nothing to go on with
                notes.unlink(missing_ok=True)
                partial.unlink(missing_ok=True)
            if isinstance(error, OtherTextError):
                raise OtherTextError(f"{error}: give that again, or delete {notes} and {partial} to begin anew") from None
            raise
        partial.replace(output)
        notes.unlink()


def _pieces(source: BinaryIO, name: str) -> Iterator[str]:
    """The text in parts that end where a sentence does."""
    decode = codecs.getincrementaldecoder("utf-8")().decode
    rest, lines, first, ended = "", 0, True, False
    while not ended:
        while len(rest) <= PIECE and not ended:
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
        # where a piece ends depends on nothing before it, so that a text that is gone on with has the same pieces
        while len(rest) > PIECE:
            end = _end_of_sentences(rest[:PIECE])
            yield rest[:end]
            rest = rest[end:]
    if rest:
        yield rest


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


@contextmanager
def _open_alone(partial: Path, output: Path) -> Iterator[BinaryIO]:
    """The unfinished file, which no other process writes as long as this one has it open."""
    while True:
        descriptor = take_lock(partial, patience=0)
        if descriptor is None:
            raise ValueError(f"another process is writing {output}: wait for it, or give another name")
        with os.fdopen(descriptor, "r+b") as file:
            if not partial.exists() or not os.path.samestat(os.fstat(file.fileno()), partial.stat()):
                continue  # another has just ended, and what was opened is its output by now
            yield file
            return


def _where_it_stopped(partial: Path, notes: Path, made_by: _MadeBy) -> _Notes:
    """How far an earlier call came. ValueError if that was of something else, or cannot be told: nothing is lost unasked."""
    size = partial.stat().st_size
    try:
        noted = parsed(_Notes, read_regular(notes))
    except FileNotFoundError:
        if size:
            raise ValueError(f"{partial} is there already, and nothing tells of what: delete it, or give another output") from None
        return _Notes(made_by, Progress(), 0)
    except ValueError as error:
        raise ValueError(f"{notes} does not tell how far it was ({error}): delete it and {partial} to begin anew") from None
    if not size:  # it was made just now: a kill came when all was done, and left the notes alone
        return _Notes(made_by, Progress(), 0)
    if noted.made_by != made_by:
        before, now = (f"{made.model} {made.task} {made.format}" for made in (noted.made_by, made_by))
        other = now if now != before else "another model of that name"
        raise ValueError(f"{partial} was begun with {before}, not {other}: finish that first, or delete it and {notes}")
    if size < noted.written:
        raise ValueError(f"{partial} has lost its end: delete it and {notes} to begin anew")
    return noted


def _digest(checkpoint: Checkpoint) -> str:
    """What tells the weights of a model from those of another of its name."""
    digest = hashlib.sha256()
    for name, weight in checkpoint.model.state_dict().items():
        digest.update(name.encode())
        digest.update(weight.numpy(force=True).tobytes())
    return digest.hexdigest()


def _note(file: BinaryIO, notes: Path, noted: _Notes) -> None:
    """What the file holds by now, so that it is there even after a power cut."""
    file.flush()
    os.fsync(file.fileno())
    write_whole(notes, json.dumps(asdict(noted)).encode())
