"""A run of one's own: every setting, a file of one's own, and the link that hands them all on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode

import streamlit as st

from pages.common import address, inputs
from pages.training import current, fields
from pages.training.fields import NONE, Fields, scale
from seqmodels.runs import list_runs
from seqmodels.viz import law

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from seqmodels.data import Source
    from seqmodels.runs import Settings

SETTINGS = "settings"  # of the address: all settings, as the command line takes them
FIRST_TASK = "pos"
LONGEST = 1000  # steps of a memory task
LARGEST = 10**9  # of a number in a link: a browser cannot hold every one
SEED = "seed "  # how an option that is no run's, but a seed's, begins

RATES, THRESHOLDS = scale(-5, 1), scale(-2, 2)
INITIALIZATIONS = {"torch": "torch's own", "normal": "Gaussian", "orthogonal": "orthogonal", "identity": "identity"}
OPTIMIZERS = {"adam": "Adam", "adamw": "AdamW", "sgd": "SGD with momentum"}
SCHEDULES = {"cosine": "cosine, down to 0", "linear": "straight down to 0", "step": "down in two steps", "constant": "constant"}
CLIPPINGS = {None: "off", "norm": "by global norm", "value": "by value"}
WATCHED = {"metric": "the score", "loss": "the loss"}
_VALUES, _START = "training-values", "training-start"  # in the session's state


@st.fragment
def form() -> None:
    """All settings, with the button that starts a run. A change redraws nothing else."""
    from seqmodels.runs import to_link
    from seqmodels.runs.settings import from_flat

    chosen = Fields(_start())
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="training-top"):
        _what(chosen)
        name = st.text_input("Name", max_chars=60, key="training-name", placeholder=_usual_name(chosen), help=NAME_HELP, width=260)
        go = st.button("Start", type="primary", icon=":material/play_arrow:", key="training-go")
    notes = st.container(gap="xsmall")
    groups = st.columns(4, gap="medium")
    for column, (title, draw) in zip(groups, GROUPS.items(), strict=True):
        with column:
            st.markdown(f"**{title}**")
            draw(chosen)
    st.session_state[_VALUES] = chosen.values
    with notes:
        try:
            settings = from_flat(chosen.values)
            if go:
                _begin(settings, name)
            _write_address(settings)
            _share(to_link(settings))
        except ValueError as problem:
            st.warning(inputs.plain(_sentence(problem)))


def fill(settings: Settings) -> None:
    """Put these settings into the form. Only between two runs of the page: in a callback."""
    from seqmodels.runs import to_flat

    _renew(to_flat(settings))


def examine(settings: Settings, name: str, content: bytes) -> str:
    """What is in a file of one's own, for these settings. ValueError says what is wrong with it, and in which line."""
    from seqmodels.corpora import open_upload
    from seqmodels.data import data_for
    from seqmodels.runs import Limits
    from seqmodels.tasks import TAGGING

    own = open_upload(content, name, largest=round(Limits.of_environment().upload_megabytes * 2**20))
    if settings.task not in TAGGING:
        return f"{len(own.text.split()):,} words"
    found = data_for(settings.task, settings.data, own)
    return f"{len(found.train):,} sentences to learn from, {len(found.dev):,} to check with"


def _what(chosen: Fields) -> None:
    """The task and the cell: what a run is of."""
    from seqmodels.tasks import TASKS

    titles = {task.name: task.title for task in TASKS.values()}
    key = fields.PREFIX + "task"
    st.session_state.setdefault(key, chosen.start["task"])
    chosen.values["task"] = st.selectbox(
        "Task", list(titles), format_func=titles.__getitem__, key=key, on_change=_change_task, help=TASK_HELP, width=260
    )
    cells = {cell: formula.title for cell, formula in law.FORMULAS.items()}
    key = fields.PREFIX + "cell"
    st.session_state.setdefault(key, chosen.start["cell"])
    chosen.values["cell"] = st.segmented_control(
        "Cell", list(cells), format_func=cells.__getitem__, key=key, required=True, help=CELL_HELP
    )


def _model(chosen: Fields) -> None:
    """The network."""
    from seqmodels.tasks import LANGUAGE, TAGGING

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
    from seqmodels.tasks import LANGUAGE, MEMORY, TAGGING

    values = chosen.values
    task = values["task"]
    offered = {source.name: source for source in _sources(task)}
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
NAME_HELP = "How the run is called in the list. Empty: after its task and cell."
TASK_HELP = "What is to be learned. Another task brings its own good settings."
CELL_HELP = "What decides, at each step, how much of the memory is kept and how much is written."
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
        st.warning(inputs.plain(_sentence(problem)))


FILE_HELP = "Plain text in UTF-8. It stays in the run's folder on this server and is deleted with the run."


def _begin(settings: Settings, name: str) -> None:
    """Make the run, start it and show it. ValueError says why not."""
    from seqmodels.runs import Upload, create, start

    upload = None
    if settings.data.source == "file":
        uploaded: UploadedFile | None = st.session_state.get("training-file")
        if uploaded is None:
            raise ValueError("there is no file yet: choose one under Data, or another source")
        upload = Upload(uploaded.name, uploaded.getvalue())
    run = create(settings, current.owner_key(), name=name, upload=upload)
    current.select(run.id)
    start(run, current.owner_key())
    st.rerun()


def _start() -> Mapping[str, Any]:
    """The values with which the inputs begin: those of an earlier visit, else of the link, else the task's own."""
    state = st.session_state
    if fields.PREFIX + "task" in state and _START in state:
        return state[_START]
    state[_START] = state[_VALUES] if _VALUES in state else _asked() or _usual(FIRST_TASK)
    return state[_START]


def _asked() -> Mapping[str, Any] | None:
    """What the link asks for; with a note, nothing, where it is damaged."""
    from seqmodels.runs import to_flat

    if SETTINGS not in st.query_params:
        return None
    try:
        return to_flat(read_link(st.query_params[SETTINGS]))
    except ValueError as problem:
        told = inputs.plain(str(problem))
        st.caption(f":material/link_off: The settings in this link cannot be used, so you see the usual ones: {told}")
        return None


def read_link(text: str) -> Settings:
    """The settings that a link holds. ValueError says what is wrong with it."""
    from seqmodels.data import sources
    from seqmodels.runs import from_link

    if len(text) > address.LONGEST:
        raise ValueError(f"the link has {len(text):,} characters: settings need at most {address.LONGEST:,}")
    try:
        parameters = dict(parse_qsl(text, keep_blank_values=True, strict_parsing=True, max_num_fields=100))
    except ValueError:
        raise ValueError("it is cut off or damaged: ask for it once more") from None
    settings = from_link(parameters)
    known = [source.name for source in sources(settings.task)]
    if settings.data.source not in (None, *known):
        raise ValueError(f"unknown source {settings.data.source!r}: choose one of {', '.join(known)}")
    for name, value in _numbers(settings).items():
        largest = LONGEST if name == "length" else LARGEST
        if abs(value) > largest:
            raise ValueError(f"{name} is {value}: give at most {largest:,}")
    return settings


def _numbers(settings: Settings) -> dict[str, float]:
    from seqmodels.runs import to_flat

    return {name: value for name, value in to_flat(settings).items() if isinstance(value, int | float)}


def _usual(task: str, **changes: object) -> dict[str, Any]:
    """The task's settings for watching, on the first of its data that is here."""
    from seqmodels.runs import to_flat
    from seqmodels.runs.presets import live_settings

    here = [source.name for source in _sources(task) if source.here]
    return to_flat(live_settings(task, {"source": here[0], **changes}))


def _change_task() -> None:
    state = st.session_state
    cell = state.get(fields.PREFIX + "cell") or "gru"
    _renew(_usual(state[fields.PREFIX + "task"], cell=cell))


def _renew(values: Mapping[str, Any]) -> None:
    fields.forget()
    st.session_state[_START] = st.session_state[_VALUES] = dict(values)


def _write_address(settings: Settings) -> None:
    """The address holds the settings, once they are no longer the usual ones."""
    from seqmodels.runs import to_flat, to_link

    text = None if to_flat(settings) == _usual(FIRST_TASK) else urlencode(to_link(settings))
    address.keep(SETTINGS, text)
    if text is not None:
        st.query_params[SETTINGS] = text
    elif SETTINGS in st.query_params:
        del st.query_params[SETTINGS]


def _share(link: Mapping[str, str]) -> None:
    """The settings to hand on."""
    text = urlencode(link)
    with st.popover("Share these settings", icon=":material/link:", type="tertiary"):
        st.markdown("As a link:")
        here = (st.context.url or "").partition("?")[0]
        st.code(f"{here}?{SETTINGS}={quote(text, safe='')}", language=None, wrap_lines=True)
        st.markdown("The same run without the app:")
        st.code(f"python -m seqmodels run FOLDER --settings '{text}'", language=None, wrap_lines=True)


def _usual_name(chosen: Fields) -> str:
    return f"{chosen.values['task']} {chosen.values['cell']}"


def _note(source: Source) -> str:
    end = "." if source.here else ". Not on this machine yet: the run fetches it first, if its official source can be reached."
    return source.note[:1].upper() + source.note[1:] + end


def _sentence(problem: ValueError) -> str:
    from seqmodels.corpora import CorpusError

    text = str(problem)
    if isinstance(problem, CorpusError):  # begins with the file's name, which stays as it is
        return f"This file cannot be used: {text}"
    return text[:1].upper() + text[1:]


@st.cache_data(ttl=60, show_spinner=False)
def _sources(task: str) -> tuple[Source, ...]:
    from seqmodels.data import sources

    return sources(task)
