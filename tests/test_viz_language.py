"""What a language model expects, writes and is surprised by, as bars and coloured text."""

import html
import re
from dataclasses import replace

import numpy as np
import pytest

from seqmodels.checkpoints import Checkpoint
from seqmodels.inference import (
    GeneratedToken,
    NextWords,
    PromptScore,
    Sampling,
    ScoredToken,
    accept,
    candidates,
    changed,
    continue_text,
    next_words,
    score_prompt,
)
from seqmodels.text import EOS, UNK, join
from seqmodels.viz import language
from seqmodels.viz.format import percent

AS_IT_IS = Sampling(temperature=1.0)
DISTRIBUTION = NextWords((UNK, EOS, "the", "<b>", '"'), np.log(np.array([0.3, 0.2, 0.25, 0.15, 0.1], dtype=np.float32)))


def visible(markup: str) -> str:
    """The text that a browser would show."""
    return html.unescape(re.sub(r"<style>.*?</style>|<[^>]*>", "", markup, flags=re.DOTALL))


def scored(*words: tuple[str, float, bool]) -> tuple[PromptScore, str]:
    """A text of words with a space between, each (word, surprisal, known)."""
    tokens, text = [], ""
    for word, surprisal, known in words:
        start = len(text)
        tokens.append(ScoredToken(word, start, start + len(word), surprisal, known))
        text += f"{word} "
    return PromptScore(tuple(tokens), 42.0), text


def test_every_bar_of_a_row_tells_the_word_it_stands_for() -> None:
    found = candidates(DISTRIBUTION, AS_IT_IS)
    bars = [trace for trace in language.next_word_bars(found).data if trace.type == "bar"]
    assert len(bars) == 3
    assert {bar.orientation for bar in bars} == {"h"}
    assert all([row[0] for row in bar.customdata] == found.names for bar in bars)


def test_the_bars_are_as_long_as_the_probabilities_and_fit_the_axis() -> None:
    found = candidates(DISTRIBUTION, AS_IT_IS)
    figure = language.next_word_bars(found, longest=0.6)
    model, drawn, *_ = figure.data
    assert list(model.x) == pytest.approx([candidate.model for candidate in found.words], abs=1e-5)
    assert list(drawn.x) == pytest.approx([candidate.drawn for candidate in found.words], abs=1e-5)
    assert tuple(figure.layout.xaxis.range) == (0, 0.6)
    assert tuple(language.next_word_bars(found).layout.xaxis.range) == (0, found.largest)
    assert figure.layout.margin.r == language.A_NUMBER  # beside the longest bar


@pytest.mark.parametrize("runs", [None, ("without", "with")])
def test_the_number_of_the_longest_bar_stands_within_the_axis_however_it_is_rounded(runs: tuple[str, str] | None) -> None:
    shares = np.array([0.3, 0.05, 0.02, 0.1543213, 0.4756787], dtype=np.float32)
    found = candidates(replace(DISTRIBUTION, log_probabilities=np.log(shares)), AS_IT_IS)
    assert round(found.largest, 6) != found.largest
    ends = (found.largest, np.nextafter(round(found.largest, 6), 0))  # the second is less than what is drawn
    for end in ends:
        figure = language.next_word_bars(found, longest=float(end), runs=runs)
        (numbers,) = (trace.x for trace in figure.data if trace.type == "scatter")
        assert max(numbers) <= figure.layout.xaxis.range[1]


def test_bars_of_two_runs_name_both_and_say_both_numbers() -> None:
    after = replace(DISTRIBUTION, log_probabilities=np.log(np.array([0.3, 0.05, 0.02, 0.6, 0.03], dtype=np.float32)))
    found = changed(DISTRIBUTION, after, count=3)
    assert found.names == ["<b>", "the", EOS]  # by the larger of both, and never an unknown word
    figure = language.next_word_bars(found, runs=("without", "with"))
    assert [trace.name for trace in figure.data[:2]] == ["without", "with"]
    assert list(figure.data[0].x) == pytest.approx([0.15, 0.25, 0.2])
    assert list(figure.data[1].x) == pytest.approx([0.6, 0.02, 0.05])
    (numbers,) = (trace.text for trace in figure.data if trace.type == "scatter")
    assert [text.strip() for text in numbers] == ["15 → 60 %", "25 → 2.0 %", "20 → 5.0 %"]


def test_bare_bars_are_the_rows_alone_and_say_the_same_on_hover() -> None:
    found = candidates(DISTRIBUTION, AS_IT_IS)
    bare, whole = language.next_word_bars(found, bare=True), language.next_word_bars(found)
    assert not bare.layout.showlegend
    assert not bare.layout.xaxis.visible
    assert bare.layout.height < whole.layout.height - 60
    assert [trace.hovertemplate for trace in bare.data] == [trace.hovertemplate for trace in whole.data]


def test_a_word_that_looks_like_html_is_a_label_and_not_html() -> None:
    figure = language.next_word_bars(candidates(DISTRIBUTION, AS_IT_IS))
    assert "&lt;b&gt;" in figure.layout.yaxis.ticktext
    assert '"' in figure.layout.yaxis.ticktext
    assert all("<b>" not in row[1] for row in figure.data[0].customdata)
    assert language.shown(EOS) in figure.layout.yaxis.ticktext


def test_the_two_themes_differ_in_colour_only() -> None:
    found = candidates(DISTRIBUTION, AS_IT_IS)
    light, dark = (language.next_word_bars(found, theme=theme) for theme in ("light", "dark"))
    assert light.data[1].marker.color != dark.data[1].marker.color
    assert list(light.data[1].x) == list(dark.data[1].x)


@pytest.mark.parametrize(
    "text", ["The people, they say (so): it isn't\nso.", "<b>HTML</b><script>alert(1)</script>", "שלום עולם 😀", "a\x07b"]
)
def test_the_strip_shows_the_typed_text_whole_and_runs_none_of_it(tiny: dict[str, Checkpoint], text: str) -> None:
    markup = language.surprisal_strip(score_prompt(tiny["lm-gru"], text), text, numbers=False)
    assert visible(markup) == text.replace("\x07", "␇")
    assert "<script" not in markup
    assert "<b>" not in markup


def test_the_ground_darkens_with_surprisal() -> None:
    score, text = scored(("a", 0.1, True), ("b", 5.0, True), ("c", 99.0, True))
    assert re.findall(r'class="word s(\d)', language.surprisal_strip(score, text)) == ["0", "2", str(language.STEPS - 1)]


def test_unknown_words_are_marked_and_the_bits_stand_under_each() -> None:
    score, text = scored(("the", 2.34, True), ("smartphone", 9.0, False))
    markup = language.surprisal_strip(score, text)
    assert re.findall(r"<small>(.*?)</small>", markup) == ["2.3", "9.0"]
    assert markup.count('unknown"') == 1
    assert "the model reads &lt;unk&gt;" in markup
    assert "<small>" not in language.surprisal_strip(score, text, numbers=False)


def test_of_a_long_text_the_end_is_drawn_and_the_cut_is_shown() -> None:
    score, text = scored(*[(f"w{number}", 1.0, True) for number in range(50)])
    shown = visible(language.surprisal_strip(score, text, numbers=False, most=10))
    assert shown == "… " + " ".join(f"w{number}" for number in range(40, 50))


def test_an_end_of_paragraph_is_shown_as_one(tiny: dict[str, Checkpoint]) -> None:
    text = "The end.\n\nThe state"
    assert visible(language.surprisal_strip(score_prompt(tiny["lm-gru"], text), text, numbers=False)) == "The end.¶\nThe state"


def test_no_words_make_an_empty_strip() -> None:
    assert visible(language.surprisal_strip(PromptScore((), float("nan")), "", numbers=False)) == ""


@pytest.mark.parametrize("prompt", ["", "The people", "They said (", "a dollar $", "A paragraph.\n\n", 'He said, "now'])
def test_the_continuation_reads_as_the_prompt_with_its_words_accepted(prompt: str) -> None:
    drawn = ["we", ",", "do", "n't", '"', "know", '"', "of", "$", "5", "."]
    tokens = [GeneratedToken(word, 0.25) for word in drawn]
    assert visible(language.continuation(prompt, tokens)) == accept(prompt, drawn)


def test_the_continuation_tells_each_words_probability(tiny: dict[str, Checkpoint]) -> None:
    tokens = list(continue_text(tiny["lm-gru"], "The", max_tokens=6))
    markup = language.continuation("The", tokens, numbers=True)
    assert re.findall(r"<small>(.*?)</small>", markup) == [html.escape(percent(token.probability, 3)) for token in tokens]


def test_a_continuation_ends_a_paragraph_with_a_sign_and_a_new_line() -> None:
    tokens = [GeneratedToken(word, 0.5) for word in ("end", ".", EOS, "We")]
    assert visible(language.continuation("The", tokens)) == "The end.¶\nWe"


def test_of_a_long_prompt_only_the_end_precedes_the_continuation() -> None:
    shown = visible(language.continuation("word " * 500 + "end", [GeneratedToken(".", 0.5)], most=50))
    assert shown.startswith("…")
    assert shown.endswith("word end.")
    assert len(shown) < 60


def test_a_prompt_is_never_read_as_html() -> None:
    assert visible(language.continuation("<script>x</script>", [])) == "<script>x</script>"


def test_perplexity_says_over_how_many_words_and_how_many_are_unknown() -> None:
    one, _ = scored(("zorp", 9.0, False))
    three, _ = scored(("a", 1.0, True), ("b", 1.0, True), ("zorp", 9.0, False))
    assert language.overall(one) == "perplexity 42 over 1 word, all unknown"
    assert language.overall(three) == "perplexity 42 over 3 words, 1 of them unknown (33%)"


def test_a_blank_line_in_a_prompt_is_read_as_the_end_of_a_paragraph(tiny: dict[str, Checkpoint]) -> None:
    score = score_prompt(tiny["lm-gru"], "The end.\n\nThe")
    assert [token.text for token in score.tokens] == ["The", "end", ".", EOS, "The"]
    inside, after = (next_words(tiny["lm-gru"], text).log_probabilities for text in ("The end.", "The end.\n\n"))
    assert not np.allclose(inside, after)


def test_a_continuation_put_into_the_prompt_goes_on_as_if_it_had_never_stopped(tiny: dict[str, Checkpoint]) -> None:
    greedy = Sampling(temperature=0)
    whole = [token.text for token in continue_text(tiny["lm-lstm"], "The state", max_tokens=12, sampling=greedy)]
    prompt = accept("The state", whole[:5])
    assert [token.text for token in continue_text(tiny["lm-lstm"], prompt, max_tokens=7, sampling=greedy)] == whole[5:]
    assert prompt == join(["The", "state", *whole[:5]])


def test_a_characters_ground_darkens_twice_as_fast_and_the_legend_says_so() -> None:
    score, text = scored(("a", 3.0, True), ("b", 99.0, True))
    letters = replace(score, unit="character")
    assert re.findall(r'class="word s(\d)', language.surprisal_strip(letters, text)) == ["3", "7"]
    assert "7 bits and more" in language.legend(["character"])
    assert "14 bits, of a character 7 and more" in language.legend(["character", "word"])


def test_characters_are_written_as_they_come_and_a_paragraphs_end_is_visible() -> None:
    drawn = [GeneratedToken(text, 0.5) for text in ("s", ",", " ", "<", EOS, "A")]
    markup = language.continuation("It i", drawn, unit="character")
    assert visible(markup) == "It is, <¶\nA"
    assert 'title="space: 50.0 %"' in markup


def test_of_characters_the_bits_of_each_are_told_and_of_words_the_perplexity() -> None:
    score, _ = scored(("a", 3.0, True), ("b", 99.0, False))
    assert language.overall(replace(score, unit="character", perplexity=8.0)) == (
        "3.00 bits per character over 2 characters, 1 of them unknown (50%)"
    )
    assert language.overall(score).startswith("perplexity")
