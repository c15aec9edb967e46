"""Raw text to tokens: spaCy's English tokenizer, with character offsets into the user's own string."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from spacy.language import Language

UNK = "<unk>"  # what a model reads for a token outside its vocabulary
EOS = "<eos>"  # what a language model reads and writes at the end of a paragraph

Unit = Literal["word", "character"]  # what a language model reads and writes one by one


@dataclass(frozen=True)
class Token:
    """A token and where it stands: text == source[start:end]."""

    text: str
    start: int
    end: int


def tokenize(text: str) -> list[Token]:
    """The tokens of the text in order; white space is no token."""
    return [Token(token.text, token.idx, token.idx + len(token)) for token in _tokenizer().make_doc(text) if not token.is_space]


def words(text: str) -> list[str]:
    """Just the token texts."""
    return [token.text for token in tokenize(text)]


def sentences(text: str) -> list[list[Token]]:
    """The tokens of the text by sentence. A line break between lines ends one, as does spaCy's rule-based sentencizer."""
    found: list[list[Token]] = []
    for start, line in _lines(text):
        doc = _tokenizer()(line)  # runs the sentencizer too
        for span in doc.sents:
            kept = [Token(token.text, start + token.idx, start + token.idx + len(token)) for token in span if not token.is_space]
            if kept:
                found.append(kept)
    return found


def _lines(text: str) -> Iterator[tuple[int, str]]:
    start = 0
    for line in text.splitlines(keepends=True):
        yield start, line
        start += len(line)


@cache
def _tokenizer() -> Language:
    # imported late: spaCy takes seconds, and `python -m seqmodels --help` should not
    import spacy

    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.max_length = 100_000_000
    return nlp


def join(tokens: Sequence[str]) -> str:
    """Readable text of tokens: no space before a comma, none inside brackets, and a blank line for `<eos>`.

    Straight double quotes open and close in turn; a hyphen or dash joins both neighbours, as spaCy splits `well-being`.
    """
    return "".join(spaced(tokens))


def spaced(tokens: Iterable[str]) -> Iterator[str]:
    """Each token with the space, if any, that `join` puts before it."""
    quoted, joined, broken = False, True, False
    for token in tokens:
        if token == EOS:
            # two in a row are an empty paragraph, which no reader sees
            yield "" if broken else "\n\n"
            quoted, joined, broken = False, True, True
            continue
        closes, opens = token in _CLOSING or token.lower() in _CLITICS, token in _OPENING
        if token == '"':
            opens, closes, quoted = not quoted, quoted, not quoted
        yield token if joined or closes or token in _JOINING else f" {token}"
        joined, broken = opens or token in _JOINING, False


def extend(text: str, tokens: Sequence[str]) -> str:
    """The text, as it was typed, with tokens added as `join` spaces them."""
    before = words(text)
    added = join([*before, *tokens])[len(join(before)) :]
    kept = text.rstrip(" \t")
    return kept + (added.lstrip(" ") if not kept or kept.endswith("\n") else added)


_CLOSING = frozenset(", . ; : ! ? ) ] } % ' '' ” ’ ... …".split())
_OPENING = frozenset("( [ { $ £ € # “ ‘ ``".split())
_JOINING = frozenset("- -- --- – — /".split())
_CLITICS = frozenset("n't n’t 's ’s 're ’re 've ’ve 'll ’ll 'm ’m 'd ’d".split())
