"""Raw text to tokens: spaCy's English tokenizer, with character offsets into the user's own string.

A text is read in its normal form: NFC, without characters that no reader sees. So what looks the same is read the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from spacy.tokens import Doc

UNK = "<unk>"  # what a model reads for a token outside its vocabulary
EOS = "<eos>"  # what a language model reads and writes at the end of a paragraph

Unit = Literal["word", "character"]  # what a language model reads and writes one by one

_TYPEWRITTEN = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "‚": "'", "—": "--", "…": "..."})

# what shows nothing (Unicode's Default_Ignorable_Code_Point): soft hyphen, joiners, marks of direction, byte order mark, fillers
# of Hangul, selectors of a glyph such as those of emoji, tags
_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
INVISIBLE = re.compile(f"[{_INVISIBLE}]")
_LINE_BREAK = r"(?:\r{1,2}\n|\r(?!\r?\n)|[\n\x85\u2028])"  # some programs put a second CR before each LF
BLANK_LINE = re.compile(rf"{_LINE_BREAK}[\s{_INVISIBLE}]*{_LINE_BREAK}|\u2029")  # U+2029 is Unicode's own end of a paragraph

_PIECE = 20_000  # characters that spaCy reads at once: what it makes of them takes far more memory than they do
_SPACE = re.compile(r"\s")
_MARKS = 30  # on one character that are read with it, as in Unicode's stream-safe texts (UAX #15): NFC orders n of them in n² steps
_STACKED = re.compile(rf"[^\w\s\x00-\x7f]{{{_MARKS + 1},}}")  # marks are among what is no letter
_HALF = re.compile("[\ud800-\udfff]")  # surrogates, of which only a pair in UTF-16 is a character
_OVERLONG = re.compile(r"\S{501,}")
_RUNS = re.compile(r"\w{1,500}|\W{1,50}")


@dataclass(frozen=True)
class Token:
    """A token and where it stands: text == source[start:end]."""

    text: str
    start: int
    end: int


def first_upper(text: str) -> str:
    """The text with a capital at its beginning, and else as it is: str.capitalize would make iPhone Iphone."""
    return text[:1].upper() + text[1:]


def normal(text: str) -> str:
    """The normal form of a text or token: NFC, without invisible characters."""
    if text.isascii():
        return text
    visible = INVISIBLE.sub("", text)
    if _STACKED.search(visible):
        return "".join(unicodedata.normalize("NFC", match.group()) for match in _clusters().finditer(visible))
    return unicodedata.normalize("NFC", visible)


def typewritten(text: str) -> str:
    """With the quotes and dashes of a typewriter where phones and books have others."""
    return text.translate(_TYPEWRITTEN)


def cleaned(text: str) -> tuple[str, Sequence[int], Sequence[int]]:
    """The normal form, with the place in the text of each of its characters: it stands for text[starts[i]:ends[i]].

    Where several characters become one, such as a letter and its accent, that one stands for all of them, also for an invisible
    one among them. ValueError where the text holds half a character.
    """
    half = _HALF.search(text)
    if half:
        raise ValueError(
            f"the text holds half a character (a lone surrogate, U+{ord(half.group()):04X}) at place {half.start():,}: "
            "take it out, or put the whole character there"
        )
    if normal(text) == text:
        return text, range(len(text)), range(1, len(text) + 1)
    kept = [position for position, character in enumerate(text) if not INVISIBLE.match(character)]
    form: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for match in _clusters().finditer(INVISIBLE.sub("", text)):
        cluster = match.group()
        places = kept[match.start() : match.end()]
        composed = unicodedata.normalize("NFC", cluster)
        if composed == cluster:
            starts += places
            ends += [place + 1 for place in places]
        else:
            after = places[-1] + 1
            starts += [places[0], *[after] * (len(composed) - 1)]
            ends += [after] * len(composed)
        form.append(composed)
    return "".join(form), starts, ends


@cache
def _clusters() -> re.Pattern[str]:
    """A character with all that may compose with it, up to a number: NFC of a text is NFC of each of these.

    Those are combining marks, and what stands second in some composition, such as the vowels of Hangul. Found by
    `unicodedata`, as the standard library's `re` knows no such classes.
    """
    # above are ideographs and private characters, of which none composes
    characters = [chr(code) for code in range(0x300, 0x20000)]
    pairs = (unicodedata.decomposition(character).split() for character in characters)
    second = {chr(int(pair[1], 16)) for pair in pairs if len(pair) == 2 and not pair[0].startswith("<")}
    second |= {chr(code) for code in (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))}  # Hangul, which Unicode composes by rule
    first = ((character, unicodedata.normalize("NFD", character)[0]) for character in characters)
    joining = "".join(character for character, begins in first if unicodedata.combining(begins) or begins in second)
    return re.compile(f"(?s:.)[{joining}]{{0,{_MARKS}}}")


def tokenize(text: str) -> list[Token]:
    """The tokens of the text in order; white space is no token, nor is what is invisible."""
    return [token for token, _, _ in _read(text)]


def words(text: str) -> list[str]:
    """Just the token texts."""
    return [token.text for token in tokenize(text)]


def sentences(text: str) -> list[list[Token]]:
    """The tokens of the text by sentence, which ends at a blank line or, as in spaCy's sentencizer, after closing punctuation.

    A single line break is a space.
    """
    return divided(text, _read(text))


def divided(text: str, read: Iterable[tuple[Token, bool, bool]]) -> list[list[Token]]:
    """The tokens of a text by sentence; beside each stands whether it can close a sentence, and whether it is punctuation."""
    found: list[list[Token]] = []
    ended = False
    for token, closes, is_mark in read:
        if not found or (ended and not (is_mark or closes)) or is_blank_line(text[found[-1][-1].end : token.start]):
            found.append([])
            ended = False
        found[-1].append(token)
        ended = ended or closes
    return found


@cache
def closing_marks() -> frozenset[str]:
    """The tokens that can close a sentence."""
    from spacy.pipeline import Sentencizer

    return frozenset(Sentencizer.default_punct_chars)


def is_blank_line(gap: str) -> bool:
    """Whether what stands between two tokens ends a paragraph."""
    return gap not in ("", " ") and BLANK_LINE.search(gap) is not None


def _read(text: str) -> Iterator[tuple[Token, bool, bool]]:
    """Each token, whether it can close a sentence, and whether it is punctuation."""
    closing = closing_marks()
    clean, starts, ends = cleaned(text)
    for first, piece in _pieces(clean):
        for token in _tokenizer()(piece):
            if token.is_space:
                continue
            start, end = starts[first + token.idx], ends[first + token.idx + len(token) - 1]
            if start < end:  # else it is the rest of what a character of the text became
                yield Token(text[start:end], start, end), token.text in closing, token.is_punct


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """The text in parts, and where each begins. They are cut at white space, over which the tokenizer does not look.

    A run of hundreds of characters without white space is no word, and the tokenizer takes their square in time: its letters and
    its other characters are read apart.
    """
    start = 0
    for run in _OVERLONG.finditer(text):
        yield from _lines(text, start, run.start())
        for part in _RUNS.finditer(text, run.start(), run.end()):
            yield part.start(), part.group()
        start = run.end()
    yield from _lines(text, start, len(text))


def _lines(text: str, start: int, stop: int) -> Iterator[tuple[int, str]]:
    while start < stop:
        space = _SPACE.search(text, min(start + _PIECE, stop), stop)
        end = space.start() if space else stop
        yield start, text[start:end]
        start = end


@cache
def _tokenizer() -> Callable[[str], Doc]:
    # imported late: spaCy takes seconds, and `python -m seqmodels --help` should not
    import spacy

    return spacy.blank("en").tokenizer


def join(tokens: Sequence[str]) -> str:
    """Readable text of tokens: no space before a comma, none inside brackets, and a blank line for `<eos>`.

    Straight double quotes open and close in turn; a hyphen or dash joins both neighbours, as spaCy splits `well-being`,
    and `cannot`.
    """
    return "".join(spaced(tokens))


def spaced(tokens: Iterable[str]) -> Iterator[str]:
    """Each token with the space, if any, that `join` puts before it."""
    quoted, joined, broken, before = False, True, False, ""
    for token in tokens:
        if token == EOS:
            # two in a row are an empty paragraph, which no reader sees
            yield "" if broken else "\n\n"
            quoted, joined, broken, before = False, True, True, ""
            continue
        closes, opens = token in _CLOSING or token.lower() in CLITICS, token in _OPENING
        closes |= token == "not" and before.lower() == "can"
        if token == '"':
            opens, closes, quoted = not quoted, quoted, not quoted
        yield token if joined or closes or token in _JOINING else f" {token}"
        joined, broken, before = opens or token in _JOINING, False, token


def extend(text: str, tokens: Sequence[str]) -> str:
    """The text, as it was typed, with tokens added as `join` spaces them."""
    before = words(text)
    added = join([*before, *tokens])[len(join(before)) :]
    kept = text.rstrip(" \t")
    return kept + (added.lstrip(" ") if not kept or kept.endswith("\n") else added)


_CLOSING = frozenset(", . ; : ! ? ) ] } % ' '' ” ’ ... …".split())
_OPENING = frozenset("( [ { $ £ € # “ ‘ ``".split())
_JOINING = frozenset("- -- --- – — /".split())
CLITICS = frozenset("n't n’t 's ’s 're ’re 've ’ve 'll ’ll 'm ’m 'd ’d".split())
