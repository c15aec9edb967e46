"""What is too long for an answer in a few seconds and a gigabyte is cut on a page, and refused with the figures elsewhere."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pages.common import loading
from seqmodels.cells import CELLS
from seqmodels.checkpoints import Checkpoint
from seqmodels.cli import main, texts
from seqmodels.inference import encoding, excerpt
from seqmodels.traces import intervene, tag_and_trace, trace
from seqmodels.vocab import LanguageVocab
from tests.paging import GATES, GLOSSARY, LANGUAGE, OVERVIEW, TAGGING, UNITS, opened, sound

PASTE = "The old man and the boats of John Smith lie in Berlin, and nobody knows. " * 1400  # some 100 kB and 23,800 words
MOST = {TAGGING: 20_000, LANGUAGE: 2000, GATES: 1000}


@settings(deadline=None)
@given(st.text("ab. ,\n\u0301\u200b", max_size=300), st.integers(1, 30), st.booleans())
def test_an_excerpt_holds_the_first_or_the_last_tokens(text: str, most: int, last: bool) -> None:
    part, count = excerpt(text, most, last=last)
    tokens = LanguageVocab.read(text)
    if len(tokens) <= most:
        assert (part, count) == (text, len(tokens))
    assert text.endswith(part) if last else text.startswith(part)


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize(("unit", "least"), [("word", 32), ("character", 145)])
def test_of_a_longer_text_an_excerpt_holds_just_so_many(unit, least: int, last: bool) -> None:
    text = PASTE[: 145 * 10]
    part, count = excerpt(text, least, unit, last=last)
    again, all_of_it = excerpt(part, least, unit, last=last)
    assert (again, all_of_it) == (part, least)
    assert text.endswith(part) if last else text.startswith(part)
    assert count == pytest.approx(10 * least, rel=0.1)


@pytest.mark.usefixtures("fresh_cache", "tiny_checkpoints")
@pytest.mark.parametrize("path", MOST)
def test_a_page_says_how_much_of_a_long_text_it_reads(path: str) -> None:
    app = opened(path, table="true")  # which Tagging has
    key = "prompt" if path == LANGUAGE else "text"
    sound(app.text_area(key=key).set_value(PASTE).run())
    notes = " ".join(caption.value for caption in app.caption)
    assert f"at most {MOST[path]:,} words at once. Your text has about 23," in notes
    assert app.text_area(key=key).value == PASTE, "what was pasted stays"
    if path == TAGGING:
        assert len(app.dataframe[0].value) == MOST[path]
    sound(app.text_area(key=key).set_value("The old man.").run())
    assert "at most" not in " ".join(caption.value for caption in app.caption)


@pytest.mark.usefixtures("fresh_cache", "tiny_checkpoints")
@pytest.mark.parametrize("path", MOST)
def test_of_a_large_model_a_page_reads_a_shorter_text(
    path: str, tiny: dict[str, Checkpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    task = "lm" if path == LANGUAGE else "pos"
    largest = max(tiny[f"{task}-{cell}"].multiplications for cell in ("elman", "gru", "lstm"))
    monkeypatch.setattr(loading, "MOST_WORK", 50 * largest + largest // 2)
    app = opened(path)
    sound(app.text_area(key="prompt" if path == LANGUAGE else "text").set_value(PASTE).run())
    assert "at most 50 words at once. Your text has about 23," in " ".join(caption.value for caption in app.caption)


def test_the_shipped_models_read_as_long_a_text_as_any_page_takes() -> None:
    assert loading.at_once([f"pos-{cell}" for cell in CELLS], MOST[TAGGING]) == MOST[TAGGING]
    assert loading.at_once([f"lm-{cell}" for cell in CELLS], MOST[LANGUAGE]) == MOST[LANGUAGE]
    assert loading.at_once([f"tales-{cell}" for cell in CELLS], MOST[LANGUAGE]) == MOST[LANGUAGE]


@pytest.mark.usefixtures("fresh_cache", "tiny_checkpoints")
@pytest.mark.parametrize(
    ("path", "key", "most"),
    [
        (OVERVIEW, "text", 200_000),
        (GATES, "text", 200_000),
        (LANGUAGE, "prompt", 200_000),
        (UNITS, "words", 500),
        (GLOSSARY, "find", 500),
    ],
)
def test_of_ten_megabytes_a_session_keeps_a_part_and_says_so(path: str, key: str, most: int) -> None:
    app = opened(path, **({"that": "words of yours"} if path == UNITS else {}))
    kind = "text_area" if key in ("text", "prompt") else "text_input"
    pasted = (PASTE * 100)[:10_000_000]
    sound(getattr(app, kind)(key=key).set_value(pasted).run())
    end = "last" if path == LANGUAGE else "first"
    assert f"You gave 10,000,000 characters. The {end} {most:,} are kept" in " ".join(caption.value for caption in app.caption)
    assert app.session_state[key] == (pasted[-most:] if end == "last" else pasted[:most])
    assert getattr(app, kind)(key=key).proto.value == app.session_state[key], "the browser is told too"
    sound(getattr(app, kind)(key=key).set_value("he").run())
    assert "You gave" not in " ".join(caption.value for caption in app.caption)


@pytest.mark.usefixtures("fresh_cache", "tiny_checkpoints")
def test_a_link_brings_no_more_than_a_hand() -> None:
    assert opened(TAGGING, text="a " * 200_000).text_area(key="text").value == "a " * 100_000
    filler = opened(GATES, view="Gap", filler="of course " * 1000).session_state["filler"]
    assert filler == "of course " * 6


@pytest.mark.usefixtures("fresh_cache", "tiny_checkpoints")
def test_a_word_is_added_to_all_of_a_long_prompt() -> None:
    app = opened(LANGUAGE)
    app.text_area(key="prompt").set_value(PASTE).run()
    sound(app.button(key="keep-lm-gru").click().run())
    kept = str(app.text_area(key="prompt").value)
    assert kept.startswith(PASTE.rstrip())
    assert len(kept) > len(PASTE)


def test_a_trace_of_more_than_it_holds_is_refused_with_the_figures(
    tiny: dict[str, Checkpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding, "LARGEST_TRACE", 6 * 16 * 10)  # ten tokens of two directions of eight units
    for attempt in (trace, tag_and_trace, intervene):
        attempt(tiny["pos-gru"], "a " * 10)
        with pytest.raises(ValueError, match=r"has 11 tokens, and a trace of pos-gru holds .* at most 10: give a part"):
            attempt(tiny["pos-gru"], "a " * 11)


@pytest.mark.usefixtures("tiny_checkpoints")
def test_a_trace_of_more_than_json_takes_is_refused_with_the_figures(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "LARGEST_JSON", 5 * 16 * 10)
    arguments = ["--task", "pos", "--cell", "gru", "--json"]
    assert main(["trace", "a " * 10, *arguments]) == 0
    assert len(json.loads(capsys.readouterr().out)["tokens"]) == 10
    assert main(["trace", "a " * 11, *arguments]) == 2
    assert "has 11 tokens, and as JSON a trace of it takes at most 10: give a part" in capsys.readouterr().err
