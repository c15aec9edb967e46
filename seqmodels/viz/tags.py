"""Tags on the user's own text as safe HTML: strips of words with each model's tags under them, and their legend.

The strip wraps like text, and each of its lines names its rows. Each word carries its models' tags in rows of a fixed order, and a
card with the three most probable tags of each, which opens on hover, on focus from the keyboard, and on touch. Shade is
probability. The HTML stands alone: no script, no other file.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from seqmodels.viz import law, legends
from seqmodels.viz.format import NO_BREAK, percent
from seqmodels.viz.palette import Pair, safe, tag_colour, visible
from seqmodels.viz.style import styled

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from seqmodels.inference import TaggedToken, Tagging

PART_OF_SPEECH = {
    "NOUN": ("noun", "dog, freedom"),
    "PROPN": ("proper noun", "Berlin, Mary"),
    "PRON": ("pronoun", "she, who, this"),
    "VERB": ("verb", "run, saw, think"),
    "AUX": ("auxiliary", "is, has, would"),
    "ADJ": ("adjective", "old, green"),
    "ADV": ("adverb", "very, soon, not here"),
    "DET": ("determiner", "the, every"),
    "NUM": ("numeral", "two, 1990"),
    "ADP": ("adposition", "in, to, over"),
    "PART": ("particle", "not, 's, to (go)"),
    "CCONJ": ("coordinating conjunction", "and, but"),
    "SCONJ": ("subordinating conjunction", "if, while, that"),
    "INTJ": ("interjection", "oh, please"),
    "SYM": ("symbol", "$, %, :-)"),
    "X": ("other", "a foreign word, a list mark"),
    "PUNCT": ("punctuation", "., ?, ("),
}
ENTITY = {
    "PER": ("person", "Ada Lovelace"),
    "ORG": ("organization", "the United Nations"),
    "LOC": ("place", "Lake Geneva"),
}


@dataclass(frozen=True)
class Row:
    """Numbers from 0 to 1 under the tags, one a token, such as the mean of a gate."""

    title: str
    values: Sequence[float] | NDArray[np.float32]
    colour: Pair


_OUTSIDE = "O"
_PALEST = 16  # per cent of a tag's colour where the model is least sure


def strip(
    taggings: Sequence[Tagging], window: tuple[int, int] | None = None, rows: Sequence[Row] = (), *, titles: Sequence[str] = ()
) -> str:
    """The words of a text, with a row of tags for each of its taggings, one sentence after the other.

    The taggings are of one text and one task, and differ in the model, or in what `titles` say. `window` picks tokens
    (first, one past the last). Below the tags come `rows` of numbers. Where the models disagree the word is framed and marked.
    ValueError if the taggings are not of the same text.
    """
    if not taggings:
        raise ValueError("no tagging to show: give at least one")
    if any(tagging.text != taggings[0].text for tagging in taggings):
        raise ValueError("the taggings are of different texts: give those of one text")
    first, last = window or (0, len(taggings[0].tokens))
    titles = titles or [law.title(tagging.cell, tagging.model) for tagging in taggings]
    names = _css_string([*titles, *(row.title for row in rows)])
    found = []
    for number, (start, end) in enumerate(taggings[0].sentences, 1):
        shown = range(max(start, first), min(end, last))
        if shown:
            words = "".join(
                _together([_word(taggings, titles, position, rows, glued=position > start) for position in group])
                for group in _groups(taggings, shown)
            )
            direction = _direction(taggings[0].text[taggings[0].tokens[start].start : taggings[0].tokens[end - 1].end])
            found.append(
                f'<div class="sm-sentence" dir="{direction}"><div role="list" aria-label="Sentence {number}">{words}</div></div>'
            )
    return styled("tags", f'<div class="sm-strip" style="--names:{names}">{"".join(found)}</div>')


def legend(taggings: Sequence[Tagging]) -> str:
    """What each tag means, and what the shade means. Tags that no tagging holds step back; B-PER counts as PER."""
    tokens = [token for tagging in taggings for token in tagging.tokens]
    present = {_kind(token.tag) for token in tokens} - {_OUTSIDE}
    known = present or {_kind(tag) for token in tokens for tag, _ in token.alternatives}
    meanings = next((found for found in (PART_OF_SPEECH, ENTITY) if known & found.keys()), {})
    entries = [
        legends.chip(tag, tag_colour(tag), meaning, title=f"such as: {examples}", absent=bool(present) and tag not in present)
        for tag, (meaning, examples) in meanings.items()
    ]
    entries += [legends.chip(tag, tag_colour(tag), "a tag of your model") for tag in sorted(present - meanings.keys())]
    sample = next(iter(meanings or present), _OUTSIDE)
    return legends.legend([*entries, legends.shade(tag_colour(sample), "faint: unsure, full: certain")])


def meaning(tag: str) -> str:
    """In words, 'I-ORG: a later word of the name of an organization'; empty for a tag that is not known here."""
    kind = _kind(tag)
    name = (PART_OF_SPEECH | ENTITY).get(kind, ("",))[0]
    if not name or kind == tag:
        return name and f"{tag}: {name}"
    article = "an" if name[0] in "aeiou" else "a"
    return f"{tag}: {'the first word' if tag.startswith('B-') else 'a later word'} of the name of {article} {name}"


def _groups(taggings: Sequence[Tagging], shown: Iterable[int]) -> list[list[int]]:
    """The positions of words: together those with no blank between, and those of one entity in any tagging."""
    groups: list[list[int]] = []
    for position in shown:
        inside = any(tagging.tokens[position].tag.startswith("I-") for tagging in taggings)
        if groups and (inside or _glued(taggings[0], position)):
            groups[-1].append(position)
        else:
            groups.append([position])
    return groups


def _glued(tagging: Tagging, position: int) -> bool:
    """Whether nothing stands between a word and the one before, as before a full stop."""
    return tagging.tokens[position - 1].end == tagging.tokens[position].start


def _together(words: Sequence[str]) -> str:
    """Words that go into the next line together, unless they are longer than a line."""
    return words[0] if len(words) == 1 else f'<span class="sm-together" role="presentation">{"".join(words)}</span>'


def _word(taggings: Sequence[Tagging], names: Sequence[str], position: int, rows: Sequence[Row], *, glued: bool) -> str:
    """One word with its tags and its card."""
    tokens = [tagging.tokens[position] for tagging in taggings]
    glued = glued and _glued(taggings[0], position)
    differ = len({token.tag for token in tokens}) > 1
    classes = "sm-token" + (" sm-glued" if glued else "") + (" sm-different" if differ else "")
    spoken = "; ".join(f"{name}: {token.tag} {percent(token.probability)}" for name, token in zip(names, tokens, strict=True))
    tags = "".join(_tag(tagging, position) for tagging in taggings) + "".join(_number(row, position) for row in rows)
    card = "".join(map(_rows, names, tokens))
    word = safe(tokens[0].text)
    return (
        f'<span class="{classes}" role="listitem" tabindex="0" aria-label="{word}. {safe(spoken)}">'
        f'<bdi class="sm-word">{word}</bdi>{tags}<span class="sm-card" aria-hidden="true">{card}</span></span>'
    )


def _tag(tagging: Tagging, position: int) -> str:
    """A tag under a word. The tags of an entity join into one span, which is named at its first word."""
    token = tagging.tokens[position]
    if token.tag == _OUTSIDE:
        return '<span class="sm-tag sm-outside">·</span>'
    following = tagging.tokens[position + 1].tag if position + 1 < len(tagging.tokens) else _OUTSIDE
    inside = token.tag.startswith("I-")
    classes = "sm-tag" + (" sm-inside" if inside else "") + (" sm-open" if following == f"I-{token.tag[2:]}" else "")
    shade = _PALEST + (100 - _PALEST) * max(0.0, token.probability - 1 / 3) * 1.5
    colour, name = _drawn(_kind(token.tag))
    return f'<span class="{classes}" style="--c:{colour};--p:{shade:.0f}%">{NO_BREAK if inside else name}</span>'


def _number(row: Row, position: int) -> str:
    value = row.values[position]
    # at most half of the colour, so that the number on it stays legible
    return f'<span class="sm-tag" style="--c:{row.colour.css};--p:{50 * value:.0f}%">{value:.2f}</span>'


def _rows(name: str, token: TaggedToken) -> str:
    """The rows of a card: a model's most probable tags."""
    rows = []
    for tag, probability in token.alternatives:
        colour, label = _drawn(tag)
        rows.append(
            f'<i style="--c:{colour}">{label}</i><u style="--w:{probability:.1%}"></u><span>{percent(probability, 3)}</span>'
        )
    return f"<b>{safe(name)}</b>{''.join(rows)}"


@lru_cache(maxsize=256)
def _drawn(tag: str) -> tuple[str, str]:
    """Its colour and its name in HTML: there are few tags, and a page names them hundreds of times."""
    return tag_colour(tag).css, safe(tag)


def _direction(text: str) -> str:
    """The way a sentence runs, by its first letter that has a direction; the browser's own guess would count our labels."""
    classes = (unicodedata.bidirectional(character) for character in text)
    return "rtl" if next((found for found in classes if found in {"L", "R", "AL"}), "L") in {"R", "AL"} else "ltr"


def _css_string(lines: Sequence[str]) -> str:
    """Lines as a string of CSS inside an attribute of HTML: what could end either is written as its number."""
    text = "\n".join(map(visible, lines))
    return "'" + "".join(one if one.isalnum() else f"\\{ord(one):x} " for one in text) + "'"


def _kind(tag: str) -> str:
    return tag.removeprefix("B-").removeprefix("I-")
