"""Gates: what each unit keeps and writes at every word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from pages.common import inputs, loading, page, reading
from pages.common.inputs import Example
from seqmodels.viz import gates, law
from seqmodels.viz.palette import Theme

PART = 60  # tokens in a picture: more words than that can't be read side by side
CELL_NOTES = {
    "elman": "Elman has no gates: keep μ is 0 and write λ is 1 at every word. It still has a memory, but inside the new content: "
    "F = tanh(W x + U h + b) reads the old memory h, where no gate shows it.",
    "gru": "GRU has one gate for both: λ = 1 − μ. To write, a unit must let go of as much, so orange mirrors blue.",
    "lstm": "LSTM's keep and write are free: a unit may keep and write at once, or do neither, and so count or hold. "
    "A third gate, reveal (o), says how much of the memory the output shows.",
}
BACKWARD = " :gray-badge[:material/arrow_back: time runs from right to left]"
BELOW = {"pos": "its tag", "ner": "the name it is part of, if any", "lm": "its surprisal in bits"}
VIEWS = {
    "heatmap": (
        "a column is a word, a row one unit: the deeper the colour, the more of its memory it keeps (blue) and of the new content "
        "it writes (orange).",
        "a pale column in the blue map is a word where most units let go of what came before; "
        "a long blue row is a unit that holds on.",
    ),
    "lines": (
        "a line is the mean of a gate over the units, word by word; its band holds the middle 80 % of the units (10 to 90 %).",
        "words where blue falls and orange rises start something new; a wide band means that the units disagree.",
    ),
}
EXAMPLES = (
    Example(
        "Keys and doors",
        "The keys to the cabinet in the old office near the two big doors are on the table.",
        "Pick the task *Language model*: its units keep at each *the* and write at *cabinet* and *table*. A tagger's do not.",
    ),
    Example(
        "Nothing new", "no no no no no no no no no no stop no no no", "A word that repeats changes less and less, until *stop*."
    ),
    Example(
        "Fish and can",
        "They fish where the fish fish, and can can the fish in a can.",
        "One word, two roles: do the gates treat them alike?",
    ),
    Example(
        "A garden path", "The old man the boats.", "*Man* is the verb here. The tags below the words show whether a model sees it."
    ),
    Example(
        "Two sentences",
        "She said yes. Then the rain came, and the river rose, and the bridge was gone.",
        "What is kept over a full stop? Compare the two directions.",
    ),
    Example(
        "An address",
        "My fellow citizens, the United States of America is at peace with all nations, and the Congress has met in Washington.",
        "The style that the language models learned: pick that task.",
    ),
)


@dataclass(frozen=True)
class Choice:
    """What is to be drawn."""

    layer: int
    direction: str
    view: str
    order: str
    gates: Sequence[gates.Gate]


def main() -> None:
    page.start("Gates")
    st.title("Gates")
    st.markdown(
        "At each word, every unit **keeps** a share μ of its memory and **writes** a share λ of new content F: "
        "memory ← μ · memory + λ · F."
    )
    typed, ready_made = st.columns([3, 2])
    with typed:
        text = inputs.sentence(EXAMPLES[0].text, height=104)
    with ready_made:
        inputs.examples(EXAMPLES)
    controls = st.container(horizontal=True, gap="xsmall", key="gates-controls")
    with controls:
        task = inputs.task(tuple(loading.TASK_TITLES))
        cells = inputs.cells(task)
    if not text.strip():
        st.info("Type a sentence above, or take one of the examples.")
        return
    try:
        with st.spinner("Reading"):
            readings = {name: reading.read(name, text) for name in (f"{task}-{cell}" for cell in cells)}
    except ValueError as problem:
        st.info(inputs.plain(str(problem).capitalize()))
        return
    with controls:
        choice = choose([found for read in readings.values() for found in read.layers])
    if readings and choice.gates:
        show(task, text, readings, choice)
    else:
        st.info("Pick at least one cell and one gate.")


def choose(layers: Sequence[gates.LayerGates]) -> Choice:
    """The controls that depend on the models: a direction or a layer is asked for only where there are several."""
    directions = list(dict.fromkeys(found.direction for found in layers)) or ["forward"]
    numbers = sorted({found.layer for found in layers}) or [0]
    direction = inputs.choice("Direction", directions, key="direction") if len(directions) > 1 else directions[0]
    layer = inputs.choice("Layer", numbers, key="layer", show=lambda number: str(number + 1)) if len(numbers) > 1 else numbers[0]
    view = inputs.choice("View", list(VIEWS), key="view")
    order = inputs.choice("Order of units", list(gates.ORDERS), key="order") if view == "heatmap" else ""
    shown = inputs.choices("Gates", list(gates.GATES), key="gates", default=["keep", "write"])
    return Choice(layer, direction, view, order, [gates.GATES[title] for title in shown])


def show(task: str, text: str, readings: dict[str, gates.Reading], choice: Choice) -> None:
    """How to read the pictures, then a picture for each cell."""
    how, look_for = VIEWS[choice.view]
    st.markdown(f"**How to read it:** {how}  \n**What to look for:** {look_for}")
    columns = next(iter(readings.values())).columns
    part = window(len(columns.words))
    below = f"under each word: {BELOW[task]}" if columns.below else f"no surprisal for more than {reading.LONGEST_SCORED:,} words"
    st.html(gates.legend(choice.gates if choice.view == "heatmap" else (), below))
    st.html(gates.side_by_side("gates-pictures", part.stop - part.start))
    with st.container(key="gates-pictures"):
        for name, read in readings.items():
            with st.container(key=f"gates-{name}", gap="xxsmall"):
                picture(name, text, read, part, choice)


def window(tokens: int) -> slice:
    """The part of a long text that is drawn, with a pager where there are more."""
    parts = gates.windows(tokens, PART)
    if len(parts) == 1:
        return parts[0]
    with st.container(horizontal=True, vertical_alignment="center"):
        part = parts[st.pagination(len(parts), key="part", bind="query-params") - 1]
        st.caption(
            f"Words {part.start + 1:,} to {part.stop:,} of {tokens:,}. The text is read as one sequence: "
            "the memory goes on from part to part, and over the ends of sentences."
        )
    return part


def picture(name: str, text: str, read: gates.Reading, part: slice, choice: Choice) -> None:
    """One cell: its name, its gates, and what is particular about it."""
    cell = name.split("-")[1]
    title = law.FORMULAS[cell].title
    st.markdown(f"**{title}**" + (BACKWARD if choice.direction == "backward" else ""))
    found = read.find(choice.layer, choice.direction)
    if found is None:
        st.caption(f"This model has no layer {choice.layer + 1} that reads {choice.direction}.")
        return
    drawn, columns = found.window(part), read.columns.window(part)
    theme: Theme = "dark" if st.context.theme.type == "dark" else "light"
    if not drawn.drawn(choice.gates):
        st.caption(f"{title} has no gate of this kind.")
    elif choice.view == "heatmap":
        order = reading.unit_order(name, text, choice.layer, choice.direction, choice.order)
        figure = gates.heatmaps(drawn, columns, order, show=choice.gates, theme=theme)
        st.plotly_chart(figure, key=f"gates-{name}-heatmap", alt=f"{title}: gates of every unit at every word")
    else:
        figure = gates.lines(drawn, columns, show=choice.gates, theme=theme)
        st.plotly_chart(figure, key=f"gates-{name}-lines", alt=f"{title}: mean gates at every word")
    st.caption(CELL_NOTES[cell])


main()
