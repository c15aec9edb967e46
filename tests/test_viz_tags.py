"""Strips of tags: complete, aligned, and safe whatever was typed."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqmodels.cells import CELLS
from seqmodels.corpora import ENTITY_TAGS, UPOS
from seqmodels.inference import TaggedToken, Tagging
from seqmodels.viz import law, tags, unit_texts
from seqmodels.viz.palette import (
    BACKGROUND,
    LAM,
    MU,
    NEGATIVE,
    POSITIVE,
    REVEAL,
    TAG_COLOURS,
    TEXT,
    Pair,
    Theme,
    safe,
    tag_colour,
)

PAIRS = list(TAG_COLOURS.values())


class Reading(HTMLParser):
    """The elements of a piece of HTML, and the words that it shows."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.shown = ""
        self._in_word = False
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "bdi":
            self._in_word = True
            self.words.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_word = self._in_word and tag != "bdi"

    def handle_data(self, data: str) -> None:
        self.shown += data
        if self._in_word:
            self.words[-1] += data

    def classes(self, name: str) -> int:
        return sum(name in (attributes.get("class") or "").split() for _, attributes in self.elements)


def tagging(sentences: list[list[tuple[str, str]]], cell: str = "gru", task: str = "pos", probability: float = 0.9) -> Tagging:
    text = ""
    tokens: list[TaggedToken] = []
    bounds: list[tuple[int, int]] = []
    for sentence in sentences:
        first = len(tokens)
        for word, tag in sentence:
            alternatives = ((tag, probability), ("X", 0.06), ("SYM", 0.04))
            tokens.append(TaggedToken(word, len(text), len(text) + len(word), tag, probability, alternatives))
            text += word + " "
        bounds.append((first, len(tokens)))
    return Tagging(text, task, cell, tuple(tokens), (), tuple(bounds))


def names(found: Reading) -> list[str]:
    """The names of the rows, from the string of CSS that draws them."""
    (style,) = [attributes["style"] or "" for _, attributes in found.elements if attributes.get("class") == "sm-strip"]
    string = style.removeprefix("--names:'").removesuffix("'")
    return re.sub(r"\\([0-9a-f]+) ", lambda match: chr(int(match[1], 16)), string).split("\n")


SAW = tagging([[("I", "PRON"), ("saw", "VERB"), ("her", "PRON"), ("duck", "NOUN")]])
SAW_TOO = tagging([[("I", "PRON"), ("saw", "VERB"), ("her", "PRON"), ("duck", "VERB")]], cell="lstm")
NEW_YORK = tagging([[("New", "B-LOC"), ("York", "I-LOC"), ("is", "O"), ("Rome", "B-LOC")]], task="ner")


def test_a_strip_shows_every_word_once_and_in_order() -> None:
    assert Reading(tags.strip([SAW, SAW_TOO])).words == ["I", "saw", "her", "duck"]


def test_each_word_has_one_tag_for_each_model() -> None:
    assert Reading(tags.strip([SAW, SAW_TOO])).classes("sm-tag") == 4 * 2


def test_only_words_on_which_models_differ_are_marked() -> None:
    assert Reading(tags.strip([SAW, SAW_TOO])).classes("sm-different") == 1
    assert Reading(tags.strip([SAW, SAW])).classes("sm-different") == 0


def test_the_card_of_a_word_holds_its_three_most_probable_tags() -> None:
    shown = Reading(tags.strip([SAW], (1, 2))).shown
    assert "VERB90.0 %X6.00 %SYM4.00 %" in shown


def test_a_word_can_be_reached_by_keyboard_and_says_its_tags() -> None:
    words = [attributes for _, attributes in Reading(tags.strip([SAW])).elements if attributes.get("role") == "listitem"]
    assert [word["tabindex"] for word in words] == ["0"] * 4
    assert words[3]["aria-label"] == "duck. GRU: NOUN 90 %"


def test_a_less_probable_tag_is_paler() -> None:
    def shade(probability: float) -> int:
        (style,) = [
            attributes["style"] or ""
            for _, attributes in Reading(tags.strip([tagging([[("duck", "NOUN")]], probability=probability)])).elements
            if attributes.get("class") == "sm-tag"
        ]
        return int(style.split("--p:")[1].rstrip("%"))

    assert 0 < shade(0.1) < shade(0.6) < shade(0.9) < shade(1.0) == 100


def test_an_entity_is_one_span_named_at_its_first_word() -> None:
    found = Reading(tags.strip([NEW_YORK]))
    assert (found.classes("sm-open"), found.classes("sm-inside"), found.classes("sm-outside")) == (1, 1, 1)


def test_the_words_of_an_entity_in_one_tagging_or_another_go_into_the_next_line_together() -> None:
    assert Reading(tags.strip([SAW, SAW_TOO])).classes("sm-together") == 0
    apart = tagging([[("New", "O"), ("York", "B-LOC"), ("is", "I-LOC"), ("Rome", "B-LOC")]], cell="lstm", task="ner")
    found = Reading(tags.strip([NEW_YORK, apart]))
    assert found.classes("sm-together") == 1
    assert found.words == ["New", "York", "is", "Rome"]
    together = tags.strip([NEW_YORK, apart]).split("sm-together", 1)[1].partition("Rome")[0]
    assert [word in together for word in ("New", "York", "is")] == [True, True, True]


def test_neighbouring_entities_stay_apart() -> None:
    found = Reading(tags.strip([tagging([[("Rome", "B-LOC"), ("Paris", "B-LOC")]], task="ner")]))
    assert found.classes("sm-open") == found.classes("sm-inside") == 0


def test_rows_of_numbers_stand_under_the_tags() -> None:
    found = Reading(tags.strip([SAW], rows=[tags.Row("keep μ", np.array([0.1, 0.2, 0.3, 0.4]), MU)]))
    assert found.classes("sm-tag") == 4 * 2
    assert names(found) == ["GRU", "keep μ"]
    assert "0.40" in found.shown


def test_the_names_of_the_rows_stand_as_they_are_whatever_they_are() -> None:
    title = 'it\'s "mine" </div><b>x</b> \\ } ; a1 שלום & \n'
    found = Reading(tags.strip([SAW], titles=[title]))
    assert names(found) == [title.replace("\n", "␊")]
    assert len(found.elements) == len(Reading(tags.strip([SAW])).elements)


def test_taggings_of_different_texts_are_refused() -> None:
    with pytest.raises(ValueError, match="different texts"):
        tags.strip([SAW, replace(SAW, text="another")])
    with pytest.raises(ValueError, match="at least one"):
        tags.strip([])


@given(st.lists(st.text(min_size=1), min_size=1, max_size=6))
def test_no_text_adds_an_element_or_an_attribute(words: list[str]) -> None:
    def build(texts: list[str]) -> list[tuple[str, list[str]]]:
        found = Reading(tags.strip([tagging([[(text, "NOUN") for text in texts]])]))
        return [(element, sorted(attributes)) for element, attributes in found.elements]

    assert build(words) == build(["word"] * len(words))


@pytest.mark.parametrize(
    "text", ["<b>HTML</b>", "<script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "&amp;", "😀", "שלום"]
)
def test_what_was_typed_is_shown_as_it_is(text: str) -> None:
    assert Reading(tags.strip([tagging([[(text, "X")]])])).words == [text]


@pytest.mark.parametrize(("word", "direction"), [("שלום", "rtl"), ("مرحبا", "rtl"), ("hello", "ltr"), ("1 😀", "ltr")])
def test_a_sentence_runs_the_way_of_its_script(word: str, direction: str) -> None:
    (sentence,) = [attributes for _, attributes in Reading(tags.strip([tagging([[(word, "X")]])])).elements if "dir" in attributes]
    assert sentence["dir"] == direction


def test_a_control_character_is_shown_as_its_picture() -> None:
    assert safe("a\x00b\x1b") == "a␀b␛"
    assert safe("\u200b") == "U+200B"
    assert safe(" ") == "␣"


def test_the_legend_explains_every_tag() -> None:
    assert set(tags.PART_OF_SPEECH) == set(UPOS)
    assert {f"B-{kind}" for kind in tags.ENTITY} <= set(ENTITY_TAGS)
    assert {f"I-{kind}" for kind in tags.ENTITY} <= set(ENTITY_TAGS)
    for meanings, tagged in ((tags.PART_OF_SPEECH, SAW), (tags.ENTITY, NEW_YORK)):
        shown = Reading(tags.legend([tagged])).shown
        assert all(tag in shown and meaning in shown for tag, (meaning, _) in meanings.items())


def test_the_legend_steps_back_from_tags_that_are_absent() -> None:
    assert Reading(tags.legend([NEW_YORK])).classes("sm-absent") == 2
    assert Reading(tags.legend([SAW, SAW_TOO])).classes("sm-absent") == len(UPOS) - 3


def test_the_legend_names_a_tag_that_it_does_not_know() -> None:
    found = Reading(tags.legend([tagging([[("kinase", "B-<GENE>")]], task="ner")]))
    assert "<GENE>" in found.shown


def test_every_tag_has_a_colour_of_its_own() -> None:
    assert set(UPOS) <= set(TAG_COLOURS)
    assert len({pair.light for pair in PAIRS}) == len({pair.dark for pair in PAIRS}) == len(PAIRS)
    assert tag_colour("I-PER") == tag_colour("B-PER") == TAG_COLOURS["PER"]


@pytest.mark.parametrize("pair", PAIRS, ids=list(TAG_COLOURS))
def test_text_on_a_tag_meets_the_contrast_that_wcag_asks_for(pair: Pair) -> None:
    assert contrast(pair.light, TEXT.light) >= 4.5
    assert contrast(pair.dark, TEXT.dark) >= 4.5


@pytest.mark.parametrize("pair", [MU, LAM, REVEAL, POSITIVE, NEGATIVE])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_word_on_the_deepest_colour_of_a_unit_meets_it_too(pair: Pair, theme: Theme) -> None:
    def channels(colour: str) -> list[int]:
        return [int(colour[start : start + 2], 16) for start in (1, 3, 5)]

    share = unit_texts.DEEPEST / 100
    both = zip(channels(pair.on(theme)), channels(BACKGROUND.on(theme)), strict=True)
    ground = "#" + "".join(f"{round(share * colour + (1 - share) * under):02x}" for colour, under in both)
    assert contrast(ground, TEXT.on(theme)) >= 4.5


def test_the_table_of_cells_holds_the_cells_of_the_library_in_their_order() -> None:
    shown = Reading(law.cells_table()).shown
    places = [shown.index(cell.title + cell.formulas.memory) for cell in CELLS.values()]
    assert places == sorted(places)


def test_a_cell_that_is_not_known_is_called_by_its_name() -> None:
    assert law.title("gru") == "GRU"
    assert law.title("gru", "mine") == "mine (GRU)"
    assert law.title("its-own", "mine") == "mine (its-own)"


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio of two '#rrggbb' colours."""

    def luminance(colour: str) -> float:
        channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
        red, green, blue = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def test_a_tag_is_told_in_words() -> None:
    assert tags.meaning("I-ORG") == "I-ORG: a later word of the name of an organization"
    assert tags.meaning("B-PER") == "B-PER: the first word of the name of a person"
    assert tags.meaning("ADP") == "ADP: adposition"
    assert tags.meaning("O") == tags.meaning("B-WORK") == ""
