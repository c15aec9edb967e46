"""What is below the table, one part at a time: by label, confusions, differences, calibration, other systems, and the cards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.common import inputs, loading, page, shown
from pages.leaderboard.board import Board
from seqmodels.cards import BINS, FREQUENCY, RIVALS, Card, Difference, Rival, markdown
from seqmodels.cells import CELLS
from seqmodels.viz import leaderboard as viz
from seqmodels.viz import tags
from seqmodels.viz.format import percent

if TYPE_CHECKING:
    from seqmodels.checkpoints import CheckpointEntry

MOST = 12  # sentences at which two models differ
_OPEN = {  # what reads a quoted text: the page, and the key of its text
    "tags": ("pages/1_Tagging.py", "text"),
    "next token": ("pages/2_Language_model.py", "prompt"),
}


def show(board: Board) -> None:
    """A row of names, and the part that is picked."""
    parts: dict[str, Callable[[Board], None]] = {}
    result = board.cards[0].results["test"]
    if result.tallies:
        parts["By type" if any(found.of == "entities" for found in result.calibrations) else "By tag"] = by_label
    if result.bands:
        parts[f"By {result.banded_by}"] = by_band
    if result.confusion:
        parts["Confusions"] = confusions
    if board.task.differences:
        parts["Where they differ"] = where_they_differ
    if result.calibrations:
        parts["Calibration"] = calibration
    parts |= {"Other systems": other_systems, "Model cards": model_cards, "Your models": your_models}
    name = inputs.choice("Details", list(parts), key="detail", compact=True)
    parts[name](board)


def chart(figure: Any, key: str, alt: str) -> None:
    """A picture, with a button on it that saves it as PNG."""
    shown.chart(figure, key, alt, page="leaderboard", zoom=False)


def by_label(board: Board) -> None:
    """F1 by tag or type of entity."""
    split = _split()
    shown.markdown("F1 of each, the most frequent first; the axis is stretched towards 100. Point at a mark for its counts.")
    shown.html(viz.legend(board.cards))
    values = [viz.tally_values(card.results[split]) for card in board.cards]
    chart(
        viz.by_label(board.cards, values, "F1, %", stretched=True, theme=page.theme()),
        "by-label",
        f"F1 by label of each model, on {split}",
    )
    meanings = tags.PART_OF_SPEECH | tags.ENTITY
    told = [f"{label} {meanings[label][0]}" for label in values[0] if label in meanings]
    shown.caption(" · ".join(told))


def by_band(board: Board) -> None:
    """Surprisal by how frequent the word is, or by language."""
    split = _split()
    unit, by = board.task.unit, board.cards[0].results[split].banded_by
    rank = f"Rank 1 is the most frequent {unit} of the training text. " if by == FREQUENCY else ""
    shown.markdown(
        f"How much a {unit} surprises each model, in bits: less is better. {rank}"
        f"Point at a mark for how often it expected the {unit} most."
    )
    shown.html(viz.legend(board.cards))
    values = [viz.band_values(card.results[split], unit) for card in board.cards]
    chart(
        viz.by_label(board.cards, values, "surprise, bits", theme=page.theme()),
        f"by-{by}",
        f"Surprise by {by}, on {split}",
    )


def confusions(board: Board) -> None:
    """One model's confusion matrix."""
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        card, split = _pick(board), _split()
    found = card.results[split].confusion
    assert found is not None
    shown.markdown(
        "Rows: what people say. Columns: what the model says. Framed: right. The redder, the larger a share of its row goes wrong."
    )
    st.html(f"<style>.st-key-leaderboard-confusion {{ --needed: {viz.needed(found)}px; }}</style>")
    with st.container(key="leaderboard-confusion"):
        chart(viz.confusion(found, theme=page.theme()), "confusion", f"What {viz.title(card)} takes for what, on {split}")
    if card.errors:
        shown.markdown("**Its most frequent errors** on dev, each with a sentence")
        lines = [
            f"- **{error.gold} → {error.predicted}**, {error.count:,} times"
            + (f": {inputs.plain(error.example.text)} (**{inputs.plain(error.example.word)}**)" if error.example else "")
            for error in card.errors
        ]
        shown.markdown("\n".join(lines))
        shown.caption(f"The sentences are from {board.task.source}.")


def where_they_differ(board: Board) -> None:
    """Sentences in which two models say different things, each a click from the page that reads it."""
    names = list(board.titles)
    with st.container(horizontal=True, gap="medium"):
        first = inputs.choice("First", names, key="first")
        others = [name for name in names if name != first]
        usual = next(_gated({name: board.titles[name] for name in others}), others[-1]) if others else first
        second = inputs.choice("Second", others, key="second", default=usual) if others else first
    pair = [board.titles[first], board.titles[second]]
    _counts(board, *pair)
    quoted = [found for found in board.task.differences if found.between(*(card.name for card in pair))]
    quoted = sorted(quoted, key=lambda found: -_clear(found, pair))[:MOST]
    for number, found in enumerate(quoted):
        with st.container(key=f"leaderboard-difference-{number}", gap="xxsmall"):
            shown.html(viz.difference(found, pair))
            _open(board, found, [first, second])
    if not quoted:
        st.info("No sentence is kept at which these two differ.")
    shown.caption(f"The sentences are from {board.task.source}. Those are shown of which both models are most sure.")


def _counts(board: Board, *cards: Card) -> None:
    """At how many words two models differ, and which is right there."""
    names = {card.name for card in cards}
    pair = next((pair for pair in board.task.pairs if {pair.first, pair.second} == names), None)
    if pair is None:
        return
    right = {pair.first: pair.first_right, pair.second: pair.second_right}
    told = ", ".join(f"{viz.title(card)} is right at {right[card.name]:,}" for card in cards)
    neither = pair.differ - sum(right.values())
    shown.markdown(
        f"Of the {pair.words:,} {board.task.unit}s of dev they say different things at {pair.differ:,} "
        f"({percent(pair.differ / max(pair.words, 1))}): {told}, neither at {neither:,}."
    )


def _clear(found: Difference, pair: list[Card]) -> float:
    """How clear a difference is: how sure the less sure one is, or of language models how far apart they are."""
    one, other = (found.guesses[card.name].probability for card in pair)
    return abs(one - other) if found.start >= len(found.text) else min(one, other)


def _open(board: Board, found: Difference, cells: list[str]) -> None:
    """A link to the page that reads the text, with these models."""
    if board.task.predicts not in _OPEN:
        return
    path, key = _OPEN[board.task.predicts]
    task = {"task": board.task.title} if board.task.predicts == "tags" else {}
    page.link(path, {key: found.text, "cells": cells, **task}, label="Open in {}")


def calibration(board: Board) -> None:
    """How true the probabilities are."""
    kinds = [found.of for found in board.cards[0].results["test"].calibrations]
    of = inputs.choice("Of", kinds, key="of") if len(kinds) > 1 else kinds[0]
    shown.markdown(
        "On the diagonal a model is right as often as it says. Above it, it is too modest; below, too sure. Each point stands for "
        f"one in {BINS} of its answers on test, from the least sure to the surest."
    )
    shown.html(viz.legend(board.cards))
    chart(
        viz.reliability(board.cards, of, theme=page.theme()), "reliability", f"How often {of} are right, by how sure each model is"
    )
    errors = {
        name: next(found.error for found in card.results["test"].calibrations if found.of == of)
        for name, card in board.titles.items()
    }
    told = ", ".join(f"{name} {error:.1f}" for name, error in errors.items())
    shown.caption(f"Expected calibration error in points, over {BINS} bins of as many answers each: {told}.")


def other_systems(board: Board) -> None:
    """The rivals' figures, and how they were got."""
    scored = [rival for rival in RIVALS if board.task.task in rival.figures]
    scores = {f"seqmodels, {name}": card.results["test"].scores[card.metric] for name, card in board.titles.items()}
    scores |= {_plain_name(rival): rival.figures[board.task.task] for rival in scored}
    if not scored:
        st.info("No other system was measured on this task.")
    ranked = sorted(scores.items(), key=lambda item: item[1], reverse=board.task.higher_is_better)
    config = {
        "System": st.column_config.TextColumn(width="large"),
        "score": st.column_config.NumberColumn(f"{viz.metric_title(board.task.metric)}, test", format="%.2f"),
    }
    rows = [{"System": name, "score": score} for name, score in ranked]
    st.dataframe(rows, hide_index=True, column_config=config, key="leaderboard-rivals", alt="Systems on the same test split")
    for rival in scored:
        shown.markdown(f"**{inputs.plain(_plain_name(rival))}**: {inputs.plain(rival.how)}")
    speeds = [card.speed for card in board.cards if card.speed.rival]
    if speeds:
        shown.caption(f"Speed: {speeds[0].rival}, untrained, read the same words in turn with each model.")


def _plain_name(rival: Rival) -> str:
    return rival.system.replace("`", "")


def model_cards(board: Board) -> None:
    """One model's card to read, and to save."""
    card = _pick(board)
    text = markdown.of(card)
    st.download_button(
        "Save as Markdown",
        text,
        f"{card.name}.md",
        "text/markdown",
        key="leaderboard-card",
        icon=":material/download:",
        on_click="ignore",
    )
    with st.container(border=True, key="leaderboard-card-text"):
        shown.markdown(text.replace("\n## ", "\n### ").replace("# ", "## ", 1))


def your_models(board: Board) -> None:
    """The user's own models of the task, with what their files say."""
    own = [(one, one.info) for one in loading.own() if one.info is not None and one.info.task == board.task.task]
    if not own:
        st.info("You have no models of this task. A run of the Training page becomes one.")
        st.page_link("pages/4_Training.py", label="Training", icon=":material/model_training:")
        return
    shown.markdown("What their files say of themselves: they may have been trained and scored on other texts.")
    rows = [_own_row(one, board) for one, _ in own]
    st.dataframe(rows, hide_index=True, placeholder="–", key="leaderboard-own", alt="Your models of this task")


def _own_row(one: CheckpointEntry, board: Board) -> dict[str, Any]:
    info = one.info
    assert info is not None
    scores = {
        f"{split}, {viz.metric_title(board.task.metric)}": found.get(board.task.metric) for split, found in info.scores.items()
    }
    return {
        "Model": one.name,
        "Cell": loading.title(one.name),
        **scores,
        "Size, MB": round(one.bytes / 1e6, 2),
        "Parameters": info.parameters,
        "Training": markdown.training_time(info.seconds),
        "Trained on": ", ".join(info.corpus),
    }


def _split() -> str:
    return inputs.choice("Split", ["test", "dev"], key="split", show=lambda split: f"on {split}", compact=True)


def _pick(board: Board) -> Card:
    """One of the models."""
    found = board.titles
    usual = next(_gated(found), next(iter(found)))
    return found[inputs.choice("Model", list(found), key="model", default=usual)]


def _gated(found: Mapping[str, Card]) -> Iterator[str]:
    """Those that are gated and fused, as the best are: one of them is shown at first."""
    cells = ((name, CELLS.get(card.cell)) for name, card in found.items())
    return (name for name, cell in cells if cell is not None and not cell.fixed_gates and cell.kernel)
