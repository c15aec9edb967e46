"""Books of Project Gutenberg to paragraphs in one plain form: prose alone, with what is said between straight double quotes."""

from __future__ import annotations

import re
from pathlib import Path

from seqmodels.corpora.opening import CorpusError, open_file

LEAST_WORDS = 4  # of a paragraph

_BEGIN = re.compile(r"^(?:\*\*\* ?START OF .*|\*END THE SMALL PRINT!.*\*END\*.*)$", re.MULTILINE)
_END = re.compile(r"^(?:\*\*\* ?END OF .*|End of (?:the|this|The) Project\s+Gutenberg .*)$", re.MULTILINE)
_BLANK_LINE = re.compile(r"\n\s*\n")
_ENDS_AS_PROSE = re.compile(r"[.!?:;,-][\"'’”)]*$")  # a heading does not, nor does a line of contents
_NOTE = re.compile(r"\[[^\]]*\]|\(\*\)|\(\d+\)|\*+")  # sources, pictures and the marks of footnotes
_ROUND = str.maketrans("[]", "()")  # brackets of the text's own, some without their other half
_BEFORE_MARK = re.compile(r"\s+(?=[.,;:!?])")
_DASH = re.compile(r"\s*(?:-{2,}|—|–)\s*")
_BROKEN_OFF = re.compile(r"-- (?=[\"'’”](?!\w))")  # what is said ends with the dash
_INNER = "\0"  # stands for the marks of a quotation inside of another, until the outer ones are found

_ELISIONS = "tis|twas|twere|twill|em|til|cause|bout|ee|un"  # words that begin with an apostrophe
_OPENING = re.compile(rf"(?<![^\s(-])'(?!(?:{_ELISIONS})\b)(?=[\w'{_INNER}])", re.IGNORECASE)
_CURLY_ELISION = re.compile(rf"‘(?=(?:{_ELISIONS})\b)", re.IGNORECASE)
_CLOSING = re.compile(r"(?<=[.,!?;:-])'(?!\w)")  # what is said ends with a mark
_CLOSING_A_WORD = re.compile(r'("[^"\']*(?:\'\w[^"\']*)*)\'(?!\w)')


def read_book(path: Path) -> list[str]:
    """The paragraphs of a book, white space folded, without header and footer, title pages, headings and notes.

    British books quote with single marks, American ones with double ones: here the outer marks are double, the inner ones single.
    """
    text = open_file(path).text
    begin = max((match.end() for match in _BEGIN.finditer(text)), default=0)
    end = _END.search(text, begin)
    body = text[begin : end.start() if end else None].replace("_", "").replace("`", "'")
    british = body.count("‘") > body.count("“") if "“" in body or "‘" in body else body.count("'") > 2 * body.count('"')
    found = [_quoted(plain, british=british) for part in _BLANK_LINE.split(body) if (plain := _plain(part))]
    if not found:
        raise CorpusError(f"{path}: holds no paragraphs of a book")
    return found


def _plain(part: str) -> str:
    """A paragraph on one line, dashes as --; nothing of one that is no prose."""
    folded = _BEFORE_MARK.sub("", " ".join(_NOTE.sub("", part).split())).translate(_ROUND)
    prose = _ENDS_AS_PROSE.search(folded) and folded != folded.upper() and len(folded.split()) >= LEAST_WORDS
    return _BROKEN_OFF.sub("--", _DASH.sub(" -- ", folded)).strip() if prose else ""


def _quoted(paragraph: str, *, british: bool) -> str:
    """The paragraph with straight marks, double ones around what is said."""
    if not british:
        return paragraph.translate(str.maketrans("“”‘’", "\"\"''"))
    text = paragraph.translate(str.maketrans('“”"’', f"{_INNER * 3}'"))
    text = _CURLY_ELISION.sub("'", text).replace("‘", '"') if "‘" in text else _OPENING.sub('"', text)
    text = _CLOSING.sub('"', text)
    if text.count('"') % 2:  # a quoted word or phrase closes without a mark before it
        text = _CLOSING_A_WORD.sub(r'\1"', text)
    return text.replace(_INNER, "'")
