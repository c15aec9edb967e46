"""The inputs of all settings, in groups: each group is a column of the form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.common import inputs
from pages.training import fields
from pages.training.fields import NONE, Fields, scale
from pages.training.link import LONGEST
from seqmodels.runs import list_runs

if TYPE_CHECKING:
    from seqmodels.data import Source
    from seqmodels.runs.settings import Settings

RATES, THRESHOLDS = scale(-5, 1), scale(-2, 2)
INITIALIZATIONS = {"torch": "torch's own", "normal": "Gaussian", "orthogonal": "orthogonal", "identity": "identity"}
OPTIMIZERS = {"adam": "Adam", "adamw": "AdamW", "sgd": "SGD with momentum"}
SCHEDULES = {"cosine": "cosine, down to 0", "linear": "straight down to 0", "step": "down in two steps", "constant": "constant"}
CLIPPINGS = {None: "off", "norm": "by global norm", "value": "by value"}
WATCHED = {"metric": "the score", "loss": "the loss"}
SEED = "seed "  # how an option that is no run's, but a seed's, begins


def _model(chosen: Fields) -> None:
    """The network."""
    from seqmodels.tasks import tasks_that_predict

    LANGUAGE, TAGGING = tasks_that_predict("next token"), tasks_that_predict("tags")

    values = chosen.values
    task, cell = values["task"], values["cell"]
    chosen.number("hidden_size", "Memory units", 4, 512, 4, "How many numbers the network remembers from step to step.")
    chosen.number("layers", "Layers", 1, 4, 1, "Each layer reads what the one below puts out.")
    chosen.number(
        "dropout", "Dropout", 0.0, 0.9, 0.05, "The share of features left out at random while training, against overfitting."
    )
    if task in TAGGING:
        ways = {True: "both", False: "forward only"}
        chosen.pick("bidirectional", "Directions", ways, "Both: a second memory reads the sentence from its end.")
    with st.expander("Start of the weights"):
        if cell == "elman":
            shapes = {"tanh": "tanh", "relu": "relu"}
            chosen.pick("activation", "Activation", shapes, "What new content goes through: tanh is bounded, relu is not.")
        else:
            values["activation"] = "tanh"
        chosen.pick("initialization", "Recurrent weights", INITIALIZATIONS, "How the matrices from memory to memory begin.")
        if values["initialization"] != "torch":
            chosen.slide("gain", "Gain", scale(-1, 1), "Scales those matrices: above 1 signals tend to grow, below 1 to fade.")
        if cell == "lstm":
            chosen.optional(
                "forget_bias",
                "Forget-gate bias",
                -10.0,
                10.0,
                0.5,
                NONE,
                "Added to the forget gate: 1 or more lets it begin by keeping.",
            )
        else:
            values["forget_bias"] = None
    if task in TAGGING:
        with st.expander("Embedding sizes"):
            chosen.number("word_size", "Words", 4, 512, 4, "Numbers that stand for a word.")
            chosen.number("character_size", "Characters", 4, 256, 4, "Numbers that stand for a character.")
            chosen.number("spelling_size", "Spelling", 4, 512, 4, "Numbers that sum up the characters of a word.")
    elif task in LANGUAGE:
        with st.expander("Embedding sizes"):
            chosen.optional(
                "embedding_size",
                "Embedding",
                4,
                512,
                4,
                "as the memory",
                "Numbers that stand for a word or character. Empty: as many as the memory has.",
            )


def _data(chosen: Fields) -> None:
    """What is learned from, and the text to watch."""
    from seqmodels.tasks import tasks_that_predict

    LANGUAGE, TAGGING = tasks_that_predict("next token"), tasks_that_predict("tags")
    MEMORY = tasks_that_predict("answer")

    values = chosen.values
    task = values["task"]
    offered = {source.name: source for source in sources_of(task)}
    titles = {name: source.title if source.here else f"{source.title} (not here yet)" for name, source in offered.items()}
    chosen.pick("source", "Source", titles, "What the network learns from.")
    source = offered[values["source"]]
    st.caption(inputs.plain(_note(source)))
    if source.name == "file":
        _file(chosen)
        chosen.number("dev_share", "Held out", 0.05, 0.5, 0.05, "The share of your file that is kept to check with.")
    unit = {**dict.fromkeys(LANGUAGE, "Paragraphs"), **dict.fromkeys(MEMORY, "Sequences")}.get(task, "Sentences")
    chosen.optional("sentences", unit, 1, 100_000, 100, "all", "How many to learn from, drawn by the seed. Few show overfitting.")
    if task in MEMORY:
        chosen.optional(
            "length", "Steps", 2, LONGEST, 10, "the task's own", "How long a sequence is: how far back the memory must reach."
        )
    if task in (*TAGGING, *LANGUAGE):
        chosen.text("probe", "Text to watch", 300, PROBE_HELP["tags" if task in TAGGING else "text"])
    with st.expander("Check and seed"):
        chosen.optional("dev_sentences", f"{unit} to check with", 1, 100_000, 100, "as usual", "How many the scores are taken on.")
        chosen.number("data_seed", "Data seed", 0, 10_000, 1, "Draws the data: the same seed, the same data.")


def _optimizer(chosen: Fields) -> None:
    """How the weights move."""
    values = chosen.values
    chosen.pick(
        "optimizer", "Optimizer", OPTIMIZERS, "How a gradient becomes a step: Adam scales it for each weight, SGD does not."
    )
    chosen.slide(
        "learning_rate",
        "Learning rate",
        RATES,
        "How large the steps are, at their largest. It can be changed while the run goes on.",
    )
    chosen.pick("schedule", "Schedule", SCHEDULES, "What becomes of the rate in the course of the run.")
    chosen.number("epochs", "Most epochs", 1, 200, 1, "How often all data are read, unless the run stops earlier.")
    chosen.optional("batch_size", "Batch size", 1, 1024, 8, "the task's own", "How many sequences make one step together.")
    with st.expander("More"):
        if values["optimizer"] == "sgd":
            chosen.number("momentum", "Momentum", 0.0, 0.99, 0.05, "How much of the last step goes on in the next.")
        chosen.slide("weight_decay", "Weight decay", (0.0, *scale(-6, -1)), "Draws all weights towards 0, against overfitting.")
        chosen.number("warmup", "Warm-up", 0.0, 0.9, 0.05, "The share of all steps in which the rate rises from 0.")
        chosen.number("seed", "Seed", 0, 10_000, 1, "Draws weights, order and dropout: the same seed, the same run.")
        _first_weights(chosen)


def _stopping(chosen: Fields) -> None:
    """What keeps a step from being too large, and a run from being too long."""
    values = chosen.values
    chosen.pick("clip", "Gradient clipping", CLIPPINGS, "Shortens a gradient that is too large: as a whole, or each number of it.")
    if values["clip"] is not None:
        chosen.slide(
            "clip_threshold", "Threshold", THRESHOLDS, "The largest norm, or the largest number, that goes through unchanged."
        )
    key = fields.PREFIX + "early-stopping"
    st.session_state.setdefault(key, chosen.start["patience"] is not None)
    if st.toggle("Early stopping", key=key, help="Ends the run when the watched figure has not become better for a while."):
        chosen.start = {**chosen.start, "patience": chosen.start["patience"] or 3}
        chosen.number(
            "patience", "Patience, epochs", 1, 50, 1, "How many epochs to wait for a better figure, counted from the best so far."
        )
        chosen.pick(
            "watch",
            "Watched figure",
            WATCHED,
            "Of the held-out data: the task's score, or the loss, which sees overfitting sooner.",
        )
        chosen.slide(
            "least_improvement", "Least improvement", (0.0, *scale(-4, 1)), "What is less than this does not count as better."
        )
    else:
        values["patience"] = None
    chosen.toggle("restore_best", "Restore the best weights", "The model that is left is that of the best epoch, not of the last.")


GROUPS = {"Model": _model, "Data": _data, "Optimizer": _optimizer, "Clipping and stopping": _stopping}
PROBE_HELP = {
    "tags": "After every epoch you see the tags that the network gives this sentence.",
    "text": "After every epoch the network continues this text.",
}


def _first_weights(chosen: Fields) -> None:
    """Start from the same weights as another run, which is to draw them by the same seed."""
    runs = {run.id: run for run in list_runs() if run.settings.get("task") == chosen.values["task"]}
    asked = chosen.start["weights_seed"]
    options = {"": "drawn by the seed"} | ({} if asked is None else {f"{SEED}{asked}": f"drawn by seed {asked}"})
    options |= {run.id: f"as {run.name}" for run in runs.values()}
    key = fields.PREFIX + "weights"
    if st.session_state.get(key) not in options:  # at first, or where that run has been deleted
        st.session_state[key] = "" if asked is None else f"{SEED}{asked}"
    help = "Two runs with the same first weights differ by nothing but what you change."
    picked = st.selectbox("First weights", list(options), format_func=options.__getitem__, key=key, help=help)
    run = runs.get(picked)
    if run is None:
        chosen.values["weights_seed"] = asked if picked else None
        return
    theirs = run.settings
    seed = theirs.get("weights_seed")
    chosen.values["weights_seed"] = theirs.get("seed") if seed is None else seed
    if any(theirs.get(setting) != chosen.values[setting] for setting in _DRAWN):
        st.caption("The same only with the same network and data: here they differ.")


# what the first weights hang on, besides the seed
_DRAWN = (
    "cell", "hidden_size", "layers", "bidirectional", "word_size", "character_size", "spelling_size", "embedding_size",
    "activation", "initialization", "gain", "forget_bias", "source", "sentences", "data_seed",
)  # fmt: skip


def _file(chosen: Fields) -> None:
    """A file of the visitor's, looked at as soon as it is here."""
    from seqmodels.runs import Limits
    from seqmodels.runs.settings import from_flat

    megabytes = Limits.of_environment().upload_megabytes
    uploaded = st.file_uploader("Your file", key="training-file", max_upload_size=max(1, int(megabytes)), help=FILE_HELP)
    if uploaded is None:
        return
    try:
        told = examine(from_flat(chosen.values), uploaded.name, uploaded.getvalue())
        st.caption(f":material/check: {inputs.plain(told)}")
    except ValueError as problem:
        st.warning(inputs.plain(sentence(problem)))


FILE_HELP = "Plain text in UTF-8. It stays in the run's folder on this server and is deleted with the run."


def examine(settings: Settings, name: str, content: bytes) -> str:
    """What is in a file of one's own, for these settings. ValueError says what is wrong with it, and in which line."""
    from seqmodels.corpora import open_upload
    from seqmodels.data import load_dataset
    from seqmodels.runs import Limits
    from seqmodels.tasks import tasks_that_predict

    own = open_upload(content, name, largest=round(Limits.of_environment().upload_megabytes * 2**20))
    if settings.task not in tasks_that_predict("tags"):
        return f"{len(own.text.split()):,} words"
    found = load_dataset(settings.task, settings.data, own)
    return f"{len(found.train):,} sentences to learn from, {len(found.dev):,} to check with"


def _note(source: Source) -> str:
    end = "." if source.here else ". Not on this machine yet: the run fetches it first, if its official source can be reached."
    return source.note[:1].upper() + source.note[1:] + end


@st.cache_data(ttl=60, show_spinner=False)
def sources_of(task: str) -> tuple[Source, ...]:
    from seqmodels.data import sources

    return sources(task)


def sentence(problem: ValueError) -> str:
    """What is wrong, to be shown."""
    from seqmodels.corpora import CorpusError

    if isinstance(problem, CorpusError):  # begins with the file's name, which stays as it is
        return f"This file cannot be used: {problem}"
    return inputs.as_sentence(problem)
