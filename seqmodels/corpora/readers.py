"""Files to sentences and paragraphs. Every error names the file, the line, and what was expected there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from seqmodels import text
from seqmodels.corpora.checks import MOST, check_lengths
from seqmodels.corpora.columns import Columns
from seqmodels.corpora.conllu import FORM, TAG, UNIVERSAL, UPOS, is_conllu, parse_conllu
from seqmodels.corpora.entities import (
    ENTITY_TYPES,
    is_entity_tag,
    is_phrase,
    match_types,
    plain_name,
    rename_types,
    scheme_of,
    to_iob2,
    usual_spelling,
)
from seqmodels.corpora.opening import CorpusError, TextFile, open_file, shorten
from seqmodels.corpora.reports import OUTSIDE, SHOWN_TYPES, Contents, FileReport, Sentence, begins, entity_counts
from seqmodels.corpora.tables import Table, TagKind, read_table

MOST_TYPES = 30  # of entities

Reader = Callable[[Path], list[Sentence]]
_ALL_FOUND = Columns()
_USER_NAME = re.compile(r"(?!https?:|[\d.]+$)\w")


def read_own_parts_of_speech(path: Path | TextFile, columns: Columns = _ALL_FOUND, *, training: bool = False) -> Contents[Sentence]:
    """A user's file, CoNLL-U or columns, as most of its lines are. One to train on must have blank lines between its sentences."""
    file = open_file(path)
    if columns.types:
        raise ValueError("types are of entities: parts of speech keep their names, so leave --types out")
    if is_conllu(file):
        lines, sentences, notes = parse_conllu(file, columns)
        form, word, tag = "CoNLL-U", columns.word_column or FORM + 1, columns.tag_column or TAG + 1
    else:
        table = read_table(file, _PARTS_OF_SPEECH, columns)
        lines, notes = table.lines, table.notes
        sentences = [Sentence(*both) for both in zip(table.words, table.tags, strict=True)]
        form, word, tag = _format(table), table.word + 1, table.tag + 1
    notes += check_lengths(file, lines, [sentence.words for sentence in sentences], training=training)
    counts = Counter(tag for sentence in sentences for tag in sentence.tags)
    report = replace(_report(file, form, sentences, word, tag), types=dict(counts.most_common()), notes=tuple(notes))
    return Contents(sentences, report)


def read_own_entities(
    path: Path | TextFile, columns: Columns = _ALL_FOUND, known: Sequence[str] | None = None, *, training: bool = False
) -> Contents[Sentence]:
    """A user's column file with entity tags in whatever scheme, as IOB2.

    `known` are the types of a model: the file's are read as those (`match_types`), and the others as no entity. Without it a model
    may learn the file's own types; persons, places and organizations are PER, LOC and ORG.
    """
    file = open_file(path)
    table, found = _entity_table(file, columns)
    types, given = entity_counts(found), columns.renamed()
    if known is None or not training:  # a file to check a training with need not have all types of that to learn from
        _check_given(file, types, known, given)
    if known is None:
        names = {kind: given.get(kind) or plain_name(kind) for kind in types}
        names = {kind: name for kind, name in names.items() if OUTSIDE not in (kind, name)}
    else:
        names = match_types(types, known, given)
    sentences = rename_types(found, names.get)
    _check_types(file, types, names, known, table.notes)
    notes = table.notes + check_lengths(file, table.lines, table.words, training=training)
    scheme, stray = scheme_of(table.tags)
    if stray:
        notes.append(f"entities begin with I- in place of B- {stray:,} times: read as if with B-")
    ignored = {kind: count for kind, count in types.items() if kind not in names}
    if not training and known is not None and (kind := next((kind for kind in ignored if kind not in given), None)):
        notes.append(f"to the model, {kind} is no type: --types {kind}=NAME reads it as one of {', '.join(known)}")
    report = replace(
        _report(file, _format(table), sentences, table.word + 1, table.tag + 1),
        scheme=scheme,
        types=types,
        read_as={kind: name for kind, name in names.items() if kind != name},
        ignored=ignored,
        notes=tuple(notes),
    )
    return Contents(sentences, report)


def read_entities(path: Path | TextFile, *, rename: Mapping[str, str] | None = None) -> list[Sentence]:
    """A column file of a known corpus to IOB2 over PER, ORG and LOC: as `rename` says; a type that it leaves out becomes O."""
    found = _entity_table(open_file(path), _ALL_FOUND)[1]
    return rename_types(found, ({kind: kind for kind in ENTITY_TYPES} if rename is None else rename).get)


def read_tweets(path: Path) -> list[Sentence]:
    """Broad Twitter Corpus: `@` and the user name after it become one token, tagged O as in the other corpora.

    What the file marks as the rest of that entity becomes O too. An `@` before a place that it is no part of reads "at", and stays.
    """
    return [_join_user_names(sentence) for sentence in read_entities(path)]


def read_paragraphs(path: Path | TextFile) -> list[list[str]]:
    """Plain text to tokens by paragraph: spaCy's tokens of `read_texts`."""
    return [text.words(paragraph) for paragraph in read_texts(path)]


def read_texts(path: Path | TextFile) -> list[str]:
    """Plain text by paragraph, white space folded: the parts between blank lines, or the lines where there is no blank one.

    A part of invisible characters alone is none.
    """
    return read_own_texts(path).items


def read_own_texts(path: Path | TextFile) -> Contents[str]:
    """The same, with what is to be told of it."""
    file = open_file(path)
    parts = re.split(r"\n\s*\n", file.text.strip())
    by_line = len(parts) == 1 and "\n" in parts[0]
    if by_line:
        parts = parts[0].split("\n")
    paragraphs = [folded for part in parts if text.normal(folded := " ".join(part.split())).strip()]
    if not paragraphs:
        raise CorpusError(f"{file}: holds no paragraphs: give a text")
    notes = ("each line is a paragraph, for no blank line is between them",) if by_line else ()
    report = FileReport(file.name, "plain text", len(paragraphs), first_sentence=begins(paragraphs[0].split()), notes=notes)
    return Contents(paragraphs, report)


def _entity_table(file: TextFile, columns: Columns) -> tuple[Table, list[Sentence]]:
    """The file's own types in IOB2: neighbours of two types stay two entities even when both are renamed to one."""
    table = read_table(file, _ENTITIES, columns)
    return table, [Sentence(words, tuple(to_iob2(tags))) for words, tags in zip(table.words, table.tags, strict=True)]


def _choose_entities(values: dict[int, Counter[str]]) -> list[int]:
    """Columns with entities before those without, and all before phrase chunks; the outer layer comes first."""
    phrases: list[int] = []
    others: list[int] = []
    entities: list[int] = []
    for column, tags in values.items():
        counts = Counter({tag: count for tag, count in tags.items() if tag != OUTSIDE and is_entity_tag(tag)})
        if counts and sum(count for tag, count in counts.items() if is_phrase(tag[2:])) >= MOST * counts.total():
            phrases.append(column)
        else:
            (entities if counts else others).append(column)
    return entities or others[-1:] or phrases


def _choose_parts_of_speech(values: dict[int, Counter[str]]) -> list[int]:
    """A column of one value says nothing of words."""
    return [column for column, tags in values.items() if len(tags) > 1] or list(values)


_ENTITIES = TagKind(
    is_entity_tag,
    missing="no column of entity tags",
    row="a word and a tag such as O, B-PER or I-LOC, separated by a tab or spaces",
    tag="a word and a tag such as O, B-PER or I-LOC",
    choose=_choose_entities,
    spell=usual_spelling,
)
_PARTS_OF_SPEECH = TagKind(
    UNIVERSAL.__contains__,
    missing="",
    row=f"a word and a universal tag, separated by a tab or spaces: {', '.join(UPOS)}",
    tag=f"a universal tag: {', '.join(UPOS)}",
    choose=_choose_parts_of_speech,
    spell=str.upper,
)


def _check_given(file: TextFile, types: Mapping[str, int], known: Sequence[str] | None, given: Mapping[str, str]) -> None:
    """The names that a user gives to types, against those that there are."""
    for kind, name in given.items():
        if kind not in types:
            raise CorpusError(f"{file} has no type {shorten(kind)} to read as {shorten(name)}: its types are {', '.join(types)}")
        if known is not None and name != OUTSIDE and not match_types([name], known, {}):
            choices = ", ".join((*known, OUTSIDE))
            raise ValueError(f"--types reads {kind} as {shorten(name)}, which the model does not know: choose one of {choices}")


def _check_types(
    file: TextFile, types: Mapping[str, int], names: Mapping[str, str], known: Sequence[str] | None, notes: Sequence[str]
) -> None:
    """There are entities, and no more types than can be learned."""
    if not types:
        raise CorpusError(f"{file}: every tag is O: there is no entity to {'learn' if known is None else 'find'}")
    if not names:
        found = ", ".join(f"{kind} ({count:,})" for kind, count in list(types.items())[:SHOWN_TYPES])
        if known is None:
            raise CorpusError(f"{file}: none of its types is read as an entity, and it has {found}: let --types keep one")
        raise CorpusError(
            f"{file}: no entity is of a type that the model knows: the file has {found}, the model {', '.join(known)}: "
            f"{'; '.join((f'say which is which, such as --types {next(iter(types))}={known[0]}', *notes))}"
        )
    kinds = sorted(set(names.values()))
    if known is None and len(kinds) > MOST_TYPES:
        raise CorpusError(f"{file}: {len(kinds)} types of entities, such as {shorten(kinds[0])}: give at most {MOST_TYPES}")


def _format(table: Table) -> str:
    return f"columns separated by {table.separator}"


def _report(file: TextFile, form: str, sentences: Sequence[Sentence], word: int, tag: int) -> FileReport:
    tokens = sum(len(sentence.words) for sentence in sentences)
    shown = begins(sentences[0].words, sentences[0].tags)
    return FileReport(file.name, form, len(sentences), tokens, word, tag, first_sentence=shown)


def _join_user_names(sentence: Sentence) -> Sentence:
    words: list[str] = []
    tags: list[str] = []
    in_user_name = False
    for word, tag in zip(sentence.words, sentence.tags, strict=True):
        if words and words[-1] == "@" and _USER_NAME.match(word) and (tags[-1], tag) != (OUTSIDE, "B-LOC"):
            words[-1] += word
            tags[-1] = OUTSIDE
            in_user_name = True
        else:
            in_user_name = in_user_name and tag.startswith("I-")
            words.append(word)
            tags.append(OUTSIDE if in_user_name else tag)
    return Sentence(tuple(words), tuple(tags))
