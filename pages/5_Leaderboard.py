"""Leaderboard: the checkpoints of a task beside each other, by what was measured of them."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.common import inputs, page, shown, takeaway
from pages.leaderboard import board, details
from pages.leaderboard.board import Board
from seqmodels.cards import markdown
from seqmodels.viz import leaderboard as viz

_TRAINED = "How long it took: of the shipped models, those of words on a graphics card, the others on two processor cores."


def main() -> None:
    page.start("Leaderboard")
    found, damaged = board.boards()
    for problem in damaged:
        st.info(inputs.plain(inputs.as_sentence(problem)))
    if not found:
        st.info(f"No model has been measured here yet: {board.MAKE} does it.")
        return
    named = {one.task.title: one for one in found}
    with page.header(), page.pickers():
        name = inputs.choice(
            "Task",
            list(named),
            key="task",
            also=lambda title: (named[title].task.task, *named[title].task.aliases),
            compact=True,
        )
    shown.markdown("How good, how large and how fast each model is with one recipe, on text that it never saw; and where it errs.")
    chosen = named[name]
    pictures(chosen)
    for note in board.notes(chosen):
        st.caption(f":material/info: {note}")
    table(chosen)
    details.show(chosen)
    takeaway.menu("leaderboard", f"Leaderboard: {chosen.task.title}", key="leaderboard-take-away")


def pictures(chosen: Board) -> None:
    """The score against size, and against speed."""
    metric = viz.metric_title(chosen.task.metric)
    for quantity, column in zip(viz.QUANTITIES, st.columns(2, gap="medium"), strict=True):
        with column:
            figure = viz.against(chosen.cards, quantity, higher_is_better=chosen.task.higher_is_better, theme=page.theme())
            details.chart(figure, quantity, f"{metric} on test against {quantity} of each model")


def table(chosen: Board) -> None:
    """A row for each checkpoint."""
    metric = viz.metric_title(chosen.task.metric)
    metric = metric[:1].upper() + metric[1:]
    speed = chosen.cards[0].speed
    rows = []
    for card in chosen.cards:
        rows.append(
            {
                "Model": viz.title(card),
                "test": card.results["test"].scores[card.metric],
                "dev": card.results["dev"].scores[card.metric],
                "size": card.bytes / 1e6,
                "parameters": card.parameters,
                "speed": card.speed.words,
                "ratio": card.speed.ratio,
                "training": markdown.training_time(card.seconds),
                **{found.of: found.error for found in card.results["test"].calibrations},
            }
        )
    number = st.column_config.NumberColumn
    columns: dict[str, Any] = {
        "test": number(metric, format="%.2f", help="On test, which is read once all is decided."),
        "dev": number("on dev", format="%.2f", help="On what early stopping and all choices went by."),
        "size": number("Size, MB", format="%.1f"),
        "parameters": number("Parameters", format="localized"),
        "speed": number(f"{chosen.task.unit.capitalize()}s/s", format="localized", help=f"{speed.what.capitalize()} a second."),
        "ratio": number("× rival", format="%.2f", help=f"Times the speed of {speed.rival}." if speed.rival else None),
        "training": st.column_config.TextColumn("Training", help=_TRAINED),
    }
    calibrations = chosen.cards[0].results["test"].calibrations
    for found in calibrations:
        columns[found.of] = number(
            "Calibration" if len(calibrations) == 1 else f"Calibration, {found.of}",
            format="%.1f",
            help=f"Expected calibration error of {found.of} in points, on test: see Calibration below.",
        )
    if not speed.rival:
        rows = [{name: value for name, value in row.items() if name != "ratio"} for row in rows]
    st.dataframe(
        rows, column_config=columns, hide_index=True, placeholder="–", key="leaderboard-table", alt="The checkpoints of this task"
    )
    rival = f" The dotted line is {speed.rival}, untrained." if speed.rival else ""
    shown.explain(f"Up is better in both pictures. Speed: {speed.machine}, median of {speed.rounds} rounds.{rival}")


page.run(main)
