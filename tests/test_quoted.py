"""What the texts of the pages and the README say of the shipped models, of a recorded run or of a preset, worked out again.

A claim works out the phrases that its text holds, and asserts what the text says in words alone. Taken out of the text, these
phrases leave no digit: a number that nothing holds fails, as does one of a model that was trained anew.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from docs.record import explanation
from pages.explorer import VIEWS, clamps, regimes
from pages.language.shelves import SHELVES
from pages.training import recorded
from seqmodels import checkpoints, corpora, traces
from seqmodels.cells import CELLS
from seqmodels.checkpoints import Checkpoint
from seqmodels.data import load_dataset
from seqmodels.environment import entries
from seqmodels.inference import Sampling, candidates, next_words, score_prompt, tag
from seqmodels.runs.presets import PRESETS, find_preset, settings_of
from seqmodels.runs.settings import Settings, from_flat
from seqmodels.tasks import TASKS, generated
from seqmodels.tasks.memory import Example
from seqmodels.traces import BACKWARD, FORWARD, LayerTrace, Trace
from seqmodels.training import Clipping
from seqmodels.viz.format import percent, signed
from seqmodels.vocab import CharacterVocab, LanguageVocab, TaggerVocab
from tests.conftest import SHIPPED_CELLS, needs_corpora
from tests.paging import APP, LANGUAGE, TAGGING

State = Mapping[str, Any]
Claim = Callable[[State], Sequence[str]]

ROOT = APP.parent
CLAIMS: dict[str, Claim] = {}


def examples_of(page: str) -> dict[str, tuple[str, str]]:
    """Of a page that is no module: the text and what there is to see, by title."""
    calls = [node for node in ast.walk(ast.parse((ROOT / page).read_text("utf-8"))) if isinstance(node, ast.Call)]
    found = [call.args[:3] for call in calls if ast.unparse(call.func).endswith("Example")]
    return {title: (text, sees) for title, text, sees in (map(ast.literal_eval, args) for args in found)}


# the texts, and the state of the page in which each is true
TEXTS: dict[str, tuple[str, State]] = {
    **{f"{title}: {one.title}": (one.sees, one.state) for title, view in VIEWS.items() for one in view.examples},
    **{
        title: (" ".join(f"{aid.how} {aid.look_for}" for aid in (view.aid, *view.others.values())), {})
        for title, view in VIEWS.items()
    },
    **{f"Tagging: {title}": (sees, {"text": text}) for title, (text, sees) in examples_of(TAGGING).items()},
    **{f"Language model: {one.title}": (one.reason, {"text": one.text}) for shelf in SHELVES.values() for one in shelf.examples},
    **{f"Training: {preset.title}": (preset.look_for, {}) for preset in PRESETS},
    **{f"Cell: {cell.title}": (cell.where, {}) for cell in CELLS.values()},
    "Training: recorded": (recorded.read()["explanation"], {}),
}
CORPUS = {"Regimes: A unit that hardly moves", *(title for title in TEXTS if title.startswith("Moments: "))}  # read the addresses


def claim(title: str) -> Callable[[Claim], Claim]:
    def register(found: Claim) -> Claim:
        CLAIMS[title] = found
        return found

    return register


def never(state: State) -> Sequence[str]:
    return ()


@pytest.mark.parametrize(
    "title", [pytest.param(title, marks=[needs_corpora, pytest.mark.thorough] if title in CORPUS else []) for title in TEXTS]
)
def test_a_text_says_what_is_true_and_no_other_number(title: str) -> None:
    text, state = TEXTS[title]
    for phrase in CLAIMS.get(title, never)(state):
        assert phrase in text
        text = text.replace(phrase, "")
    assert not re.search(r"\d", text), f"no claim holds {text!r}"


def test_every_claim_is_of_a_text() -> None:
    assert CLAIMS.keys() <= TEXTS.keys()


@cache
def load(task: str, cell: str) -> Checkpoint:
    return checkpoints.load(ROOT / "checkpoints" / f"{task}-{cell}{checkpoints.SUFFIX}")


def model(state: State, cell: str) -> Checkpoint:
    found = load(state["task"], cell)
    return found.given(state["language"]) if "language" in state else found


def read(state: State, cell: str) -> Trace:
    return traces.trace(model(state, cell), state["text"])


def side(state: State, cell: str) -> LayerTrace:
    return read(state, cell).layer(0, state.get("direction", FORWARD))


def at(state: State) -> int:
    return int(state["token"]) - 1


def whole(share: float) -> str:
    """Of a hundred."""
    return f"{100 * share:.0f}"


# the law and the cells


@claim("Square: Where the cells live")
def where_the_cells_live(state: State) -> Sequence[str]:
    elman, gru, lstm = (read(state, cell).layers for cell in SHIPPED_CELLS)
    assert all((layer.mu == 0).all() and (layer.lam == 1).all() for layer in elman)
    assert all(np.allclose(layer.lam, 1 - layer.mu, atol=1e-6) for layer in gru)
    assert all((traces.regimes(layer).mean(axis=0) > 0.05).all() for layer in lstm)
    return ["λ = 1 − μ"]


@claim("Regimes")
def two_gates_of_gru_add_up(state: State) -> Sequence[str]:
    return [f"{traces.HIGH:g} or more", "its two gates add up to 1"]


@claim("Equation")
def ends_of_a_gate(state: State) -> Sequence[str]:
    return ["near 0 and whose write λ is near 1", "near 1 and 0"]


@claim("Compare")
def any_unit(state: State) -> Sequence[str]:
    return ["unit 17 of one", "unit 17 of another"]


@claim("Heatmaps")
def most_units(state: State) -> Sequence[str]:
    values = np.linspace(0, 1, 101, dtype=np.float32)[None]
    middle = traces.band(values)
    return [f"the middle {100 * float(middle.high[0] - middle.low[0]):.0f} % of them"]


def fixed(cell: str) -> list[float | None]:
    """Keep and write of a cell, where these are constants."""
    blocks = 8 * len(CELLS[cell].blocks)
    gates = CELLS[cell].gates(torch.randn(50, blocks), torch.randn(50, blocks))
    return [values.min().item() if values.min() == values.max() else None for values in (gates.mu, gates.lam)]


@claim("Cell: Elman")
def elman_is_a_point(state: State) -> Sequence[str]:
    keep, write = fixed("elman")
    return [f"Keep {keep:g}, write {write:g}"]


@claim("Cell: Ungated sum")
def the_ungated_sum_is_a_point(state: State) -> Sequence[str]:
    keep, write = fixed("residual")
    return [f"Keep {keep:g}, write {write:g}", f"the point ({keep:g}, {write:g})"]


@claim("Cell: Gated sum")
def the_gated_sum_is_an_edge(state: State) -> Sequence[str]:
    keep, write = fixed("gated")
    assert write is None
    return [f"Keep is always {keep:g}", f"μ = {keep:g}"]


def on_the_line(state: State) -> Sequence[str]:
    for cell in ("gru", "mingru"):
        blocks = 8 * len(CELLS[cell].blocks)
        gates = CELLS[cell].gates(torch.randn(50, blocks), torch.randn(50, blocks))
        torch.testing.assert_close(gates.lam, 1 - gates.mu)
    return ["λ = 1 − μ"]


CLAIMS |= {"Cell: GRU": on_the_line, "Cell: minGRU": on_the_line}


# views of the Gates page


@claim("Heatmaps: Hold at *the*")
def hold_at_the(state: State) -> Sequence[str]:
    for task in ("tales", "pos", "ner"):
        for cell in ("gru", "lstm"):
            found = read({**state, "task": task}, cell)
            keep = found.layers[0].mu.mean(axis=1)
            assert (found.tokens[int(keep.argmax())] == "the") == (task == "tales")
            assert task != "tales" or found.tokens[int(keep.argmin())] == "keys"
    return []


@claim("Heatmaps: Nothing new")
def nothing_new(state: State) -> Sequence[str]:
    for cell in ("gru", "lstm"):
        *repeated, stop = traces.turnover(side(state, cell))[: at(state) + 1]
        assert all(first > second for first, second in pairwise(repeated))
        assert stop > 4 * repeated[-1]
    return []


@claim("Ledger: Two words back")
def two_words_back(state: State) -> Sequence[str]:
    words = read(state, "lstm").tokens
    elman, lstm = (traces.attribute(model(state, cell), read(state, cell), at(state), state["next"]) for cell in ("elman", "lstm"))
    army, the = words.index("Army"), words.index("the")
    assert lstm.total[army] > lstm.total[the]
    assert elman.total[the] > 0.95 * elman.total.sum()
    return [f"*Army* gave {signed(lstm.total[army])} of the {signed(lstm.logit)} for *Navy*"]


@claim("Ledger: From the right")
def from_the_right(state: State) -> Sequence[str]:
    said = [tag(model(state, cell), state["text"]).tokens[at(state)].tag for cell in ("lstm", "gru")]
    assert said == [state["tag"]] * 2
    lstm, gru = (traces.attribute(model(state, cell), read(state, cell), at(state), state["tag"]) for cell in ("lstm", "gru"))
    return [
        f"gave {signed(lstm.gave[BACKWARD][1])} of the {signed(lstm.logit)} for that",
        f"gave {signed(gru.gave[BACKWARD][1])} of {signed(gru.logit)}",
    ]


@claim("Survival: Forgetting comes in steps")
def forgetting_comes_in_steps(state: State) -> Sequence[str]:
    words = read(state, "gru").tokens
    left = [whole(share) for share in traces.retention(side(state, "gru"), at(state))]
    country, men = words.index("country"), words.index("men")
    return [
        f"*country* takes what GRU holds of *people* from {left[country - 1]} to {left[country]} %",
        f"*and the* after it only to {left[country + 2]};",
        f"*men* takes it to {left[men]}, and *of the* only to {left[men + 2]}.",
    ]


@claim("Survival: How long *Russian* lasts")
def how_long_russian_lasts(state: State) -> Sequence[str]:
    left = {cell: traces.start_retention(side(state, cell)) for cell in ("elman", "gru", "lstm")}
    assert not left["elman"].any()
    assert all(0 < left[cell][2] < 0.5 for cell in ("gru", "lstm"))  # after the start symbol, the second letter
    return []


@claim("Survival: The one that remembers")
def the_one_that_remembers(state: State) -> Sequence[str]:
    tokens = traces.half_life(side(state, "lstm").mu)
    assert tokens.argmax() == state["unit"]
    return [f"within {traces.quantile(tokens, 0.5):.2f} tokens.", f"Unit {state['unit']} would take {tokens.max():,.0f}."]


def path(state: State, cell: str) -> traces.GradientPath:
    token = at(state) if "token" in state else len(read(state, cell).tokens) - 2
    return traces.gradient_path(model(state, cell), read(state, cell), token, layer=0, direction=FORWARD)


@claim("Gradient: Through closed gates")
def through_closed_gates(state: State) -> Sequence[str]:
    elman, lstm = path(state, "elman"), path(state, "lstm")
    tagger = path({"text": state["text"], "task": "pos"}, "elman")
    assert not elman.gates[:-1].any()
    carried, arrives = percent(lstm.gates[0]), percent(lstm.gradient[0])
    return [
        f"it loses only {percent(1 - traces.rate(elman.gradient))} of the gradient a word",
        f"the gates carry {carried} over these {len(lstm.sources) - 1} words, and {arrives} arrives",
        f"there Elman loses {percent(1 - traces.rate(tagger.gradient))} a word",
    ]


@claim("Gradient: A gradient that grows")
def a_gradient_that_grows(state: State) -> Sequence[str]:
    gru, lstm = path(state, "gru"), path(state, "lstm")
    assert lstm.gates[0] < 0.5
    assert abs(traces.rate(gru.gradient) - traces.rate(gru.gates)) < 0.05
    return [f"by {percent(traces.rate(lstm.gradient) - 1)} a word, to {lstm.gradient[0]:.1f} times the change"]


def probe(state: State, cell: str) -> traces.GapProbe:
    source = int(state["source"].split()[0]) - 1
    text, filler, longest = state["text"], state["filler"], state["longest"]
    return traces.gap_probe(model(state, cell), text, source, at(state), filler=filler, longest=longest)


@claim("Gap: And and and")
def and_and_and(state: State) -> Sequence[str]:
    found, gru, the = probe(state, "lstm"), probe(state, "gru"), probe({**state, "filler": "the"}, "lstm")
    assert found.prediction == "B-LOC"
    return [
        f"after {state['longest']} times *and*",
        f"by {signed(found.effect[-1])}; as typed it was {signed(found.effect[0])}.",
        f"In GRU it is {signed(gru.effect[-1])}.",
        f"{whole(the.retention[-1])} against {whole(found.retention[-1])} %",
        f"down to {signed(the.effect[-1])}.",
    ]


@claim("Gap: The the the")
def the_the_the(state: State) -> Sequence[str]:
    elman, lstm = probe(state, "elman"), probe(state, "lstm")
    assert not elman.retention.any()
    assert elman.prediction == "B-LOC"
    return [
        f"by {signed(elman.effect[0])} as typed",
        f"{whole(lstm.retention[-1])} % of *near* is kept",
        f"over {state['longest']} fillers",
        f"by no more than {signed(lstm.effect[-1])} then.",
    ]


@claim("Gap: More with a gap")
def more_with_a_gap(state: State) -> Sequence[str]:
    found = probe(state, "gated_forget")
    assert found.prediction == "$"
    assert (np.diff(found.retention) < 0).all()
    return [f"from {signed(found.effect[0])} to {signed(found.effect[20])} after twenty *very*"]


def operated(state: State, cell: str, held: str = "") -> tuple[traces.Intervention, traces.Intervention]:
    """Untouched, and with what is held."""
    clamp = clamps.read(held or state["clamps"], at(state))
    return traces.intervene(model(state, cell), state["text"]), traces.intervene(model(state, cell), state["text"], [clamp])


def tags_of(run: traces.Intervention) -> list[str]:
    assert run.tagging is not None
    return [token.tag for token in run.tagging.tokens]


@claim("Surgery: Forget the House")
def forget_the_house(state: State) -> Sequence[str]:
    expected = {}
    for cell in SHIPPED_CELLS:
        for run, when in zip(operated(state, cell), ("before", "after"), strict=True):
            assert run.next_words is not None
            word = run.next_words.words.index("Representatives")
            expected[cell, when] = float(np.exp(run.next_words.log_probabilities[word]))
    assert max(expected["gru", "after"], expected["lstm", "after"]) < 0.5
    assert expected["elman", "after"] == pytest.approx(expected["elman", "before"])
    return [f"({whole(expected['gru', 'before'])} and {whole(expected['lstm', 'before'])} % before)", "its keep is 0 anyway"]


@claim("Surgery: Forget the Church")
def forget_the_church(state: State) -> Sequence[str]:
    name = slice(at(state) - 1, at(state) + 2)  # Church of England
    for cell, kind in {"gru": "LOC", "lstm": "ORG"}.items():
        expected = [[f"B-{kind}", f"I-{kind}", f"I-{kind}"], ["O", "O", "B-LOC"]]
        assert [tags_of(run)[name] for run in operated(state, cell)] == expected
    return []


@claim("Surgery: A cut that heals")
def a_cut_that_heals(state: State) -> Sequence[str]:
    name = slice(at(state), at(state) + 2)  # Wesley boys
    found = {cell: [tags_of(run)[name] for run in operated(state, cell)] for cell in ("gru", "lstm")}
    both = ["B-ORG", "I-ORG"]
    assert found == {"gru": [both, both], "lstm": [both, ["B-PER", "O"]]}
    return []


@claim("Surgery: Never forget")
def never_forget(state: State) -> Sequence[str]:
    changed = {}
    for cell in SHIPPED_CELLS:
        for held in ("mu=1", "mu=0"):
            before, after = map(tags_of, operated(state, cell, held))
            changed[cell, held] = sum(one != other for one, other in zip(before, after, strict=True))
    kept = [changed[cell, "mu=1"] for cell in SHIPPED_CELLS]
    assert sum(kept) > len(before) * len(kept) / 2
    assert [changed[cell, "mu=0"] for cell in SHIPPED_CELLS] == [0, 0, 0]
    destroyed = f"{kept[0]} of Elman's {len(before)} tags, {kept[1]} of GRU's and {kept[2]} of LSTM's"
    return [f"keep held at 1 destroys {destroyed}", "Held at 0 (*Always forget*) it changes none"]


@claim("Regimes: Little words add")
def little_words_add(state: State) -> Sequence[str]:
    words, names = read(state, "lstm").tokens, [regime.name for regime in traces.REGIMES]
    both = [names.index("accumulate"), names.index("erase")]
    lstm, gru = (traces.regimes(side(state, cell))[:, both] for cell in ("lstm", "gru"))
    the, doors = lstm[words.index("table") - 1], lstm[words.index("doors")]
    assert not gru.any()
    little, noun = ([whole(share) for share in shares] for shares in (the, doors))
    return [
        f"at *the* before *table*, {little[0]} % of LSTM's units accumulate and {little[1]} % erase.",
        f"At *doors*, {noun[0]} % accumulate and {noun[1]} % erase",
    ]


@claim("Regimes: First name, surname")
def first_name_surname(state: State) -> Sequence[str]:
    words, names = read(state, "gru").tokens, [regime.name for regime in traces.REGIMES]
    found = traces.regimes(side(state, "gru"))
    john, smith = (
        whole(found[words.index("John"), names.index("overwrite")]),
        whole(found[words.index("Smith"), names.index("keep")]),
    )
    return [f"GRU overwrites {john} % of its units at *John* and keeps {smith} % at *Smith*"]


@cache
def addresses() -> list[list[str]]:
    return corpora.load_paragraphs("sotu", "dev")


@claim("Regimes: A unit that hardly moves")
def a_unit_that_hardly_moves(state: State) -> Sequence[str]:
    unit = int(state["unit"])
    read_so_far: list[LayerTrace] = []
    for words in addresses():
        read_so_far.append(traces.trace(model(state, "lstm"), " ".join(words)).layers[0])
        if sum(len(layer.mu) for layer in read_so_far) >= regimes.ENOUGH:
            break
    keep, write = (traces.saturation(np.concatenate([getattr(layer, gate) for layer in read_so_far])) for gate in ("mu", "lam"))
    assert keep.open.argmax() == unit
    return [
        f"over {regimes.ENOUGH:,} words",
        f"unit {unit} keeps more than {traces.OPEN:g} at {whole(keep.open[unit])} % of them",
        f"writes less than {traces.SHUT:g} at {whole(write.shut[unit])} %",
    ]


@claim("Equation: A unit that counts")
def a_unit_that_counts(state: State) -> Sequence[str]:
    lstm, unit = side(state, "lstm"), state["unit"]
    assert np.median(lstm.mu[:, unit]) > 0.95
    assert min(np.median(lstm.written[:, unit]), lstm.written[at(state), unit]) > 0.9
    assert np.abs(side(state, "gru").memory).max() <= 1
    counts = f"{lstm.memory[0, unit]:.3f} after the first, {lstm.memory[at(state), unit]:.3f} at *table*".replace("-", "−")
    return [f"unit {unit}", "adds almost 1", counts, "leaves −1 to 1"]


@claim("Equation: Replaced by one word")
def turned_over_by_one_word(state: State) -> Sequence[str]:
    gru, token = side(state, "gru"), at(state)
    unit = int(traces.most_changed(gru, token, 1)[0])
    before, after = gru.memory[token - 1, unit], gru.memory[token, unit]
    assert gru.mu[token, unit] < 1e-4
    return [f"unit {unit} keeps less than 0.01 % of {before:.3f} and becomes {after:.3f}".replace("-", "−")]


def moments(state: State) -> list[str]:
    """What the view finds in the addresses, as text."""
    (cell,) = (title.lower() for title in state["cells"])
    span = slice(at(state), at(state) + state["span"])
    wanted = traces.pattern(side(state, cell), span, "lam", state["span-least"])
    text = traces.trace_passages(model(state, cell), addresses(), 0, state["direction"])
    found = [" ".join(moment.span).replace(" ,", ",").replace(" n't", "n't") for moment in traces.find_matches(text, wanted)]
    assert len(found) == 20
    return found


@claim("Moments: A plural before its verb")
def a_plural_before_its_verb(state: State) -> Sequence[str]:
    found = moments(state)
    assert sum(moment.split()[-1] in {"are", "were", "have", "live", "lie"} for moment in found) >= 15
    return [f"*{found[found.index(moment)]}*" for moment in ("sales are", "nations are", "numbers are")]


@claim("Moments: A list of places")
def a_list_of_places(state: State) -> Sequence[str]:
    found = moments(state)
    assert sum("," in moment for moment in found) >= 18
    return [f"*{found[found.index('Toronto, Berlin, Moscow')]}*"]


@claim("Moments: A negated verb")
def a_negated_verb(state: State) -> Sequence[str]:
    found = moments(state)
    assert all(" not " in moment or "n't " in moment for moment in found)
    assert any(moment.startswith("don't") for moment in found)
    return ["All twenty moments"]


@claim("Compare: Jordan, and Jordan Smith")
def jordan_and_jordan_smith(state: State) -> Sequence[str]:
    said = [tag(model(state, "gru"), text).tokens[at(state)].tag for text in (state["text"], state["other"])]
    assert said == ["B-LOC", "B-PER"]
    forward, backward = (apart({**state, "direction": direction})[at(state)] for direction in (FORWARD, BACKWARD))
    return [f"nothing has come yet: {percent(forward)} apart", f"its memories at *Jordan* are {percent(backward)} apart"]


@claim("Compare: Not good, and good")
def not_good_and_good(state: State) -> Sequence[str]:
    good, stop = apart(state)[at(state) : at(state) + 2]
    return [f"GRU's memory is {percent(good)} apart at *good* and {percent(stop)} at the full stop"]


def apart(state: State) -> np.ndarray:
    """How far the memories of two texts are apart, for each word of the first."""
    one, other = read(state, "gru"), read({**state, "text": state["other"]}, "gru")
    columns = traces.align(one.tokens, other.tokens)
    ours, theirs = (traced.layer(0, state.get("direction", FORWARD)).memory for traced in (one, other))
    found = traces.distance(ours, theirs, columns)
    return found[[column for column, pair in enumerate(columns) if pair.first is not None]]


@claim("Compare: Who changes most")
def who_changes_most(state: State) -> Sequence[str]:
    elman, gru, lstm = (percent(traces.turnover(side(state, cell))[at(state)]) for cell in SHIPPED_CELLS)
    return [f"at *two*, {elman} of Elman's memory changes, {gru} of GRU's and {lstm} of LSTM's"]


# Tagging, Language model and Overview


Tagged = list[tuple[str, int]]  # of each word: its tag, and how sure a model is of it, in per cent


def tagged_by(task: str, state: State, *words: str) -> dict[str, list[Tagged]]:
    """Of each of these words, what each shipped cell says of it, wherever it stands in the text."""
    read_by = [tag(load(task, cell), state["text"]).tokens for cell in SHIPPED_CELLS]
    return {
        word: [
            [(token.tag, round(100 * token.probability)) for token in tokens if token.text.lower() == word] for tokens in read_by
        ]
        for word in words
    }


def tags_there(found: list[Tagged], place: int) -> list[str]:
    """By cell, in the order of SHIPPED_CELLS."""
    return [places[place][0] for places in found]


def surety(found: list[Tagged], place: int) -> str:
    shares = [places[place][1] for places in found]
    return f"at {min(shares)} to {max(shares)} %"


@claim("Tagging: Garden path")
def garden_path(state: State) -> Sequence[str]:
    found = tagged_by("pos", state, "man")["man"]
    assert tags_there(found, 0) == ["NOUN"] * 3
    return [surety(found, 0)]


@claim("Tagging: One word, two jobs")
def one_word_two_jobs(state: State) -> Sequence[str]:
    found = tagged_by("pos", state, "refuse", "permit")
    for word in found:
        assert [tags_there(found[word], place) for place in (0, 1)] == [["VERB"] * 3, ["NOUN"] * 3]
    return []


@claim("Tagging: A headline")
def a_headline(state: State) -> Sequence[str]:
    for cell in SHIPPED_CELLS:
        found = [token.tag for token in tag(load("pos", cell), state["text"]).tokens]
        assert found == ["PROPN", "VERB", "NOUN", "ADP", "NOUN"]
    return []


@claim("Tagging: Fruit flies")
def fruit_flies(state: State) -> Sequence[str]:
    found = tagged_by("pos", state, "flies", "like")
    assert [tags_there(found["flies"], place) for place in (0, 1)] == [["VERB"] * 3] * 2
    assert [tags_there(found["like"], place) for place in (0, 1)] == [["ADP"] * 3] * 2
    return [surety(found["flies"], 1), surety(found["like"], 1)]


@claim("Tagging: People and places")
def people_and_places(state: State) -> Sequence[str]:
    found = tagged_by("ner", state, "merkel", "macron", "strasbourg", "european", "parliament")
    assert tags_there(found["merkel"], 0) == tags_there(found["macron"], 0) == ["I-PER"] * 3
    assert tags_there(found["strasbourg"], 0) == ["B-LOC"] * 3
    assert (tags_there(found["european"], 0), tags_there(found["parliament"], 0)) == (["B-ORG"] * 3, ["I-ORG"] * 3)
    city = [
        next(one for one in tag(load("ner", cell), state["text"]).entities if one.text == "Strasbourg") for cell in ("gru", "lstm")
    ]
    return [f"at {percent(city[0].probability)}, and LSTM at {percent(city[1].probability)}"]


@claim("Tagging: Is it a place?")
def is_it_a_place(state: State) -> Sequence[str]:
    found = tagged_by("ner", state, "washington", "jordan")
    assert tags_there(found["washington"], 0) == ["I-PER"] * 3
    assert tags_there(found["washington"], 1) == ["B-LOC", "B-LOC", "B-PER"]
    assert [tags_there(found["jordan"], place) for place in (0, 1)] == [["B-PER"] * 3, ["B-LOC"] * 3]
    unsure = tag(load("ner", "lstm"), state["text"]).entities[1]
    return [f"at {percent(unsure.probability)}"]


@claim("Tagging: Misspelled")
def misspelled(state: State) -> Sequence[str]:
    known: set[str] = set()
    for task in ("pos", "ner"):
        vocabulary = load(task, "gru").vocabulary
        assert isinstance(vocabulary, TaggerVocab)
        known |= set(vocabulary.words.tokens)
    words = [token.text for token in tag(load("pos", "gru"), state["text"]).tokens if token.text.isalpha()]
    first, second, third = [word for word in words if word.lower() not in known]
    return [f"*{first.capitalize()}*, *{second}* and *{third}* are in no word list"]


@claim("Tagging: Far apart")
def far_apart(state: State) -> Sequence[str]:
    words = [token.text.lower() for token in tag(load("pos", "gru"), state["text"]).tokens]
    have, taken = ([place for place, word in enumerate(words) if word == wanted] for wanted in ("have", "taken"))
    assert [second - first for first, second in zip(have, taken, strict=True)] == [2, 7]
    found = tagged_by("pos", state, "have")["have"]
    assert [tags_there(found, place) for place in (0, 1)] == [["AUX"] * 3, ["VERB"] * 3]
    return [surety(found, 0), surety(found, 1)]


@claim("Language model: A fixed phrase")
def a_fixed_phrase(state: State) -> Sequence[str]:
    for cell in SHIPPED_CELLS:
        first = candidates(next_words(load("lm", cell), state["text"]), Sampling(temperature=1)).words[0]
        assert first.word == "States"
        assert first.model > 0.95
    return []


@claim("Language model: Agreement at a distance")
def agreement_at_a_distance(state: State) -> Sequence[str]:
    for cell in SHIPPED_CELLS:
        found = next_words(load("lm", cell), state["text"])
        has, have = (found.log_probabilities[found.words.index(word)] for word in ("has", "have"))
        assert bool(have > has) is (cell != "elman")
    return []


@claim("Language model: An amount")
def an_amount(state: State) -> Sequence[str]:
    for cell in SHIPPED_CELLS:
        assert candidates(next_words(load("lm", cell), state["text"]), Sampling()).unknown > 0.5
    return []


@claim("Language model: Nothing like it")
def nothing_like_it(state: State) -> Sequence[str]:
    words = [token for token in score_prompt(load("lm", "gru"), state["text"]).tokens if token.text.isalnum()]
    assert sum(not token.known for token in words) > len(words) / 2
    return []


def test_the_overview_says_what_its_sentence_is_an_example_of() -> None:
    constants = [node.value for node in ast.walk(ast.parse(APP.read_text("utf-8"))) if isinstance(node, ast.Constant)]
    (sentence,) = (text for text in constants if isinstance(text, str) and text.startswith("Will they"))
    for word in ("record", "play"):
        assert [token.tag for token in tag(load("pos", "gru"), sentence).tokens if token.text == word] == ["VERB", "NOUN"]


@pytest.mark.parametrize(
    ("title", "words", "share"),
    [
        ("Once upon a time", {"lived", "was"}, 0.75),
        ("Three of them", {"sons", "daughters"}, 0.85),
        ("The end", {"together", "ever"}, 0.4),
    ],
)
def test_the_tales_go_on_as_the_page_says(title: str, words: set[str], share: float) -> None:
    (text,) = (one.text for one in SHELVES["tales"].examples if one.title == title)
    first, second, *_ = candidates(next_words(checkpoints.load("tales-gru"), text), Sampling(temperature=1)).words
    assert {first.word, second.word} == words
    assert first.model + second.model > share


def test_the_language_page_says_how_rare_a_word_or_character_is_that_no_model_knows() -> None:
    page = (ROOT / LANGUAGE).read_text("utf-8")
    for vocabulary, unit, times, word in ((LanguageVocab, "words", 4, "four"), (CharacterVocab, "characters", 10, "ten")):
        known = vocabulary.build([["a"] * (times - 1) + ["b"] * 10 * times]).words.tokens
        assert "b" in known
        assert "a" not in known
        assert f"{unit} seen fewer than {word} times" in page


def words_by_year() -> dict[int, int]:
    """Of the addresses: how many words are of each year."""
    found: dict[int, int] = {}
    for path in corpora.fetch("sotu"):
        year = int(path.name[:4])
        found[year] = found.get(year, 0) + len(path.read_text("utf-8").split())
    return found


@claim("Language model: The year 1850")
def half_is_old(state: State) -> Sequence[str]:
    words = words_by_year()
    assert sum(count for year, count in words.items() if year < 1900) == pytest.approx(sum(words.values()) / 2, rel=0.1)
    return ["Half of what the models read was written before 1900"]


def test_the_language_page_says_what_the_models_have_read() -> None:
    words = words_by_year()
    assert sum(words.values()) == pytest.approx(2e6, rel=0.05)
    assert f"from {min(words)} to today, two million words" in SHELVES["lm"].note


# the Training page


def settings(key: str) -> list[Settings]:
    preset = find_preset(key)
    assert preset is not None
    return list(settings_of(preset).values())


def clipping_of(found: Settings) -> Clipping:
    assert found.training.clip is not None
    return found.training.clip


@claim("Training: recorded")
def the_recorded_runs(state: State) -> Sequence[str]:
    exploded, clipped = recorded.read()["runs"]
    (settings_of_clipped,) = settings("clipped")
    return [explanation(exploded, clipped, clipping_of(settings_of_clipped).threshold)]


@claim("Training: The same, clipped")
def the_same_clipped(state: State) -> Sequence[str]:
    runs = recorded.read()["runs"]
    (bare,), (clipped,) = settings("explodes"), settings("clipped")
    assert [from_flat(run["settings"]).training for run in runs] == [bare.training, clipped.training]
    threshold = clipping_of(clipped).threshold
    assert runs[0]["epochs"][-1]["epoch"] < runs[1]["epochs"][-1]["epoch"]
    above = [step["highest_norm"] > threshold for step in runs[1]["steps"]]
    assert sum(one != other for one, other in pairwise(above)) > 10
    return [f"cut down to {threshold:g}"]


@claim("Training: Overfit, then stop early")
def overfit(state: State) -> Sequence[str]:
    (found,) = settings("overfits")
    assert (found.training.patience, found.training.watch) == (8, "loss")
    return [f"its {found.data.sentences} paragraphs"]


def error_of_1(found: Sequence[Example]) -> float:
    """The squared error of the answer 1, the best without having read anything."""
    return float(torch.stack([one.target - 1 for one in found]).square().mean())


@claim("Training: Elman, GRU and LSTM race")
def race(state: State) -> Sequence[str]:
    assert {found.data.length for found in settings("race")} == {30}
    assert error_of_1(generated.AddingTask().generate(20_000, 30, seed=1)) == pytest.approx(1 / 6, abs=0.003)
    return [f"from {1 / 6:.3f}"]


@claim("Training: ReLU with identity initialization")
def identity(state: State) -> Sequence[str]:
    relu, tanh = settings("identity")
    assert relu.data.length is None
    assert generated.AddingTask.length == 50
    return [f"about {error_of_1(load_dataset(tanh.task, tanh.data).dev):.2f}"]


@claim("Training: Adam against SGD")
def optimizers(state: State) -> Sequence[str]:
    preset = find_preset("optimizers")
    assert preset is not None
    adam, slow, fast = (found.training.learning_rate for found in settings(preset.key))
    assert list(preset.runs) == [f"Adam, rate {adam:g}", f"SGD, rate {slow:g}", f"SGD, rate {fast:g}"]
    assert adam == slow
    return [f"a rate {fast / slow:g} times as high"]


# the README


def test_the_readme_gives_the_scores_that_the_models_carry() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for cell in SHIPPED_CELLS:
        scores = [load(task, cell).info.scores["test"][TASKS[task].metric] for task in ("pos", "ner", "lm")]
        assert f"| seqmodels, {CELLS[cell].title} | {' | '.join(f'{score:.2f}' for score in scores)} |" in readme


def test_the_readme_gives_the_scores_of_the_models_of_names() -> None:
    scores = {cell: load("names", cell).info.scores["test"]["bits_per_character"] for cell in CELLS}
    told = ", ".join(f"{CELLS[cell].title} {scores[cell]:.2f}" for cell in sorted(scores, key=scores.__getitem__))
    assert f"Bits per character on test: {told}." in " ".join((ROOT / "README.md").read_text("utf-8").split())


def test_the_readme_has_a_row_for_each_variable() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    rows = [f"| `{one.variable}` | {one.description} | {one.default} |" for one in entries()]
    assert [row for row in rows if row not in readme] == []
