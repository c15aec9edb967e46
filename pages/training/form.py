"""Your own run: every setting, a file of yours, and the button that starts it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.common import address, files, inputs, long_texts, page
from pages.training import current, link, own_file, presets
from seqmodels import runs
from seqmodels.cells import CELLS
from seqmodels.corpora import Columns
from seqmodels.runs import Run, Upload

if TYPE_CHECKING:
    from seqmodels.data import Source
    from seqmodels.runs.settings import Settings

FIRST_TASK = "pos"
PREFIX = "training-set-"  # of the inputs' keys
LAYOUT: dict[str, dict[str | None, tuple[str, ...]]] = {  # settings by column; those under a title are closed at first
    "Model": {
        None: ("hidden_size", "layers", "dropout", "bidirectional", "transitions"),
        "Initial weights": ("activation", "initialization", "gain", "forget_bias", "chrono"),
        "Embedding sizes": ("word_size", "character_size", "spelling_size", "embedding_size"),
    },
    "Data": {
        None: ("source", "dev_share", "sentences", "length", "probe"),
        "Held-out data and seed": ("dev_sentences", "data_seed"),
    },
    "Optimizer": {
        None: ("optimizer", "learning_rate", "schedule", "epochs", "batch_size"),
        "More": ("momentum", "weight_decay", "average", "restarts", "warmup", "seed", "weights_seed"),
    },
    "Clipping and stopping": {
        None: ("clip", "clip_threshold", "patience", "watch", "least_improvement", "restore_best"),
    },
}
_VALUES, _START, _COPIED = "training-values", "training-start", "training-copied"  # in the session's state
_show_form = st.components.v2.component("seqmodels_show_form", js=page.script("show_form"))


@page.fragment
def draw() -> None:
    """All settings, with the button that starts a run. A change redraws nothing else."""
    from seqmodels.runs.settings import from_flat

    _show_copied()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="training-top"):
        form = Form(_start())
        help = "How the run is called in the list. Empty: after its task and cell."
        usual = f"{form.task.name} {form.cell.name}"
        name = st.text_input("Name", max_chars=60, key="training-name", placeholder=usual, help=help, width=180)
        go = st.button("Start", type="primary", icon=":material/play_arrow:", key="training-go")
    notes = st.container(gap="xsmall")
    for column, (title, parts) in zip(st.columns(len(LAYOUT), gap="medium"), LAYOUT.items(), strict=True):
        with column:
            st.markdown(f"**{title}**")
            form.draw(parts)
            if "source" in parts[None]:
                form.adapt()  # before what follows is drawn
    st.session_state[_VALUES] = form.values
    with notes:
        ahead = runs.ahead()
        if ahead:
            st.caption(f":material/hourglass_top: A run that is started now waits its turn, after {presets.names(ahead)}.")
        try:
            settings = from_flat(form.values)
            if go:
                _begin(settings, name)
            link.write(settings, _usual(FIRST_TASK))
            link.share(settings)
        except ValueError as problem:
            st.warning(inputs.plain(own_file.sentence(problem)))


def copy(run: Run) -> None:
    """Put a run's settings into the form, and open it. Only between two runs of the page: in a callback."""
    from seqmodels.runs.settings import from_flat, to_flat

    state, name = st.session_state, inputs.plain(run.name)
    state[current.TAB] = current.OWN_TAB
    try:
        _renew(to_flat(from_flat(run.settings)))
    except ValueError as problem:
        state[_COPIED] = f":material/info: The settings of {name} cannot be used here: {inputs.plain(str(problem))}"
        return
    state[_COPIED] = f":material/check: The settings of **{name}**, to change and to start again."
    if run.file_name is not None:
        state[_COPIED] += f" Its file {inputs.plain(run.file_name)} is not copied: choose yours under Data."


def _show_copied() -> None:
    """Say once what `copy` did, and show it: the button may be far above."""
    message = st.session_state.pop(_COPIED, None)
    if message is not None:
        st.markdown(message)
        _show_form(key="training-show-form", data=time.monotonic())


def _begin(settings: Settings, name: str) -> None:
    """Make the run, start it and show it. ValueError says why not."""
    upload = None
    if settings.data.source == "file":
        found = files.kept(own_file.KEY)
        if found is None:
            raise ValueError("there is no file yet: choose one under Data, or another source")
        upload = Upload(found.name, found.content)
    current.begin({name: settings}, upload=upload)
    st.rerun()


def _start() -> Mapping[str, Any]:
    """The values with which the inputs begin: those of the link, else of an earlier visit, else the task's own."""
    state = st.session_state
    asked = link.asked()
    if asked is not None:
        _renew(asked or _usual(FIRST_TASK))
    elif f"{PREFIX}task" not in state or _START not in state:
        state[_START] = state[_VALUES] if _VALUES in state else _usual(FIRST_TASK)
    return state[_START]


def _usual(task: str, **changes: object) -> dict[str, Any]:
    """The task's settings for watching, on the first of its data that is here."""
    from seqmodels.runs.settings import demo_settings, to_flat

    here = [source.name for source in sources_of(task) if source.here]
    return to_flat(demo_settings(task, {"source": here[0], **changes}))


def _change_task() -> None:
    state = st.session_state
    _renew(_usual(state[f"{PREFIX}task"], cell=state.get(f"{PREFIX}cell") or "gru"))


def _renew(values: Mapping[str, Any]) -> None:
    """Let every input begin anew. Only before they are drawn, such as in a callback."""
    for key in [key for key in st.session_state if str(key).startswith(PREFIX)]:
        del st.session_state[key]
    st.session_state[_START] = st.session_state[_VALUES] = dict(values)
    address.keep(link.SETTINGS, None)  # these lead now; once drawn, the address says them


class Form:
    """Inputs for settings. `start` holds the values at first; `values` what is set now, also of those without an input."""

    def __init__(self, start: Mapping[str, Any]) -> None:
        """Draws the first two: what a run is of."""
        from seqmodels.tasks import TASKS

        self.start = {**vars(Columns()), **start}
        self.items: int | None = None  # to learn from in the visitor's file
        self.values = dict(self.start)
        tasks = {task.name: task.title for task in TASKS.values()}
        cells = {cell.name: cell.title for cell in CELLS.values()}
        task_help = "What is to be learned. Another task brings its own good settings."
        cell_help = "What decides, at each step, how much of the memory is kept and how much is written."
        show, key = tasks.__getitem__, self.key("task")
        name = st.selectbox("Task", list(tasks), format_func=show, key=key, on_change=_change_task, help=task_help, width=230)
        show, key = cells.__getitem__, self.key("cell")
        cell = st.segmented_control("Cell", list(cells), format_func=show, key=key, required=True, help=cell_help)
        self.task, self.cell = TASKS[name], CELLS[str(cell)]
        self.values |= {"task": name, "cell": cell}

    def key(self, name: str) -> str:
        """Of a setting's input, which shows the first value when it is drawn anew."""
        st.session_state.setdefault(PREFIX + name, self.start[name])
        return PREFIX + name

    def draw(self, parts: Mapping[str | None, tuple[str, ...]]) -> None:
        """The inputs of a column."""
        for title, names in parts.items():
            if any(map(self._may_apply, names)):
                with nullcontext() if title is None else st.expander(title):
                    for name in names:
                        _SPECIAL.get(name, Form.input)(self, name)

    def adapt(self) -> None:
        """Give a run on few items more epochs, and more patience, where the visitor has not set these."""
        state, key = st.session_state, f"{PREFIX}size"
        size = min(filter(None, (self.values.get("sentences"), self.items)), default=None)
        before = state.setdefault(key, size)
        state[key] = size
        old, new = self.task.demo.training_for(before), self.task.demo.training_for(size)
        for name in ("epochs", "patience"):
            if state.get(PREFIX + name, self.start[name]) == getattr(old, name):
                state[PREFIX + name] = getattr(new, name)
        if size is not None and new != self.task.demo.training:
            st.caption(f":material/info: {size:,} make few steps: {new.epochs} epochs are usual then.")

    def _may_apply(self, name: str) -> bool:
        from seqmodels.runs.settings import SETTINGS

        known = SETTINGS.get(name)
        return known is None or (known.tasks(self.task) and known.cells(self.cell))

    def input(self, name: str) -> None:
        """The input of a setting, as it is described, if it applies."""
        from seqmodels.runs.settings import SETTINGS

        known = SETTINGS[name]
        if not known.cells(self.cell):
            self.values[name] = known.default
        if not self._may_apply(name) or not known.when(self.values):
            return
        label = known.label.format(items=self.task.items)
        help = known.help if isinstance(known.help, str) else known.help.get(self.task.predicts)
        choices = known.choices(self.cell) if callable(known.choices) else known.choices
        if choices is not None:
            self.pick(name, label, choices, help)
        elif known.slider:
            start = float(self.start[name])
            options = sorted({*known.slider, start})  # also what a link asks for
            st.session_state.setdefault(PREFIX + name, start)
            self.values[name] = float(
                st.select_slider(label, options, start, format_func="{:g}".format, key=PREFIX + name, help=help)
            )
        elif known.steps is not None:
            self._number(name, label, help, known.steps, known.none)
        elif isinstance(self.start[name], bool):
            self.values[name] = st.toggle(label, key=self.key(name), help=help)
        else:
            key, most = self.key(name), known.longest or inputs.LONGEST_LINE
            self.values[name] = st.text_input(label, key=key, help=help, placeholder=known.none, **long_texts.bounded(key, most))
            long_texts.say_cut(key, self.values[name], most)

    def pick(self, name: str, label: str, choices: Mapping[Any, str], help: str | None) -> None:
        """One of a few values, each shown as it is called."""
        st.session_state.setdefault(PREFIX + name, self.start[name] if self.start[name] in choices else next(iter(choices)))
        self.values[name] = st.selectbox(
            label,
            list(choices),
            format_func=lambda value: choices.get(value, str(value)),
            key=PREFIX + name,
            help=help,
            placeholder=choices.get(None),  # to Streamlit, None is no choice yet
        )

    def _number(self, name: str, label: str, help: str | None, steps: tuple[Any, Any, Any], none: str | None) -> None:
        """All of from, to and by are whole, or none is. With `none` the field may be empty, and says what that means."""
        low, high, step = steps
        start = self.start[name]
        if start is not None:  # a link may go further than a hand
            start = type(step)(start)
            low, high = min(low, start), max(high, start)
        st.session_state.setdefault(PREFIX + name, start)
        shape = "%d" if isinstance(step, int) else "%g"
        value = st.number_input(label, low, high, None, step=step, format=shape, key=PREFIX + name, help=help, placeholder=none)
        self.values[name] = self.start[name] if value is None and none is None else value


def _source(form: Form, name: str) -> None:
    """What is learned from; a file of the visitor's is looked at as soon as it is here."""
    offered = {source.name: source for source in sources_of(form.task.name)}
    titles = {key: source.title if source.here else f"{source.title} (not here yet)" for key, source in offered.items()}
    form.pick(name, "Source", titles, "What the network learns from.")
    source = offered[form.values[name]]
    end = "." if source.here else ". Not on this machine yet: the run fetches it first, if its official source can be reached."
    st.caption(inputs.plain(source.note[:1].upper() + source.note[1:] + end))
    if source.name != "file":
        form.values |= vars(Columns())
        return
    own_file.draw(form)


def _patience(form: Form, name: str) -> None:
    """Early stopping, and how long it waits."""
    key = f"{PREFIX}early-stopping"
    st.session_state.setdefault(key, form.start[name] is not None)
    form.values[name] = None
    if st.toggle("Early stopping", key=key, help="Ends the run when it has not become better on held-out data for a while."):
        form.start = {**form.start, name: form.start[name] or 3}
        form.input(name)


def _first_weights(form: Form, name: str) -> None:
    """Start from the same weights as another run, which is to draw them by the same seed."""
    key = current.owner_key()
    others = {run.id: run for run in runs.list_runs() if run.settings.get("task") == form.task.name and runs.may_see(run, key)}
    asked = form.start[name]
    by_seed = f"seed {asked}"  # an option that is no run's
    options = {"": "drawn by the seed"} | ({} if asked is None else {by_seed: f"drawn by {by_seed}"})
    options |= {run.id: f"as {run.name}" for run in others.values()}
    key = f"{PREFIX}weights"
    if st.session_state.get(key) not in options:  # at first, or where that run has been deleted
        st.session_state[key] = "" if asked is None else by_seed
    help = "Two runs with the same first weights differ by nothing but what you change."
    picked = st.selectbox("Initial weights", list(options), format_func=options.__getitem__, key=key, help=help)
    run = others.get(picked)
    if run is None:
        form.values[name] = asked if picked else None
        return
    theirs = run.settings
    seed = theirs.get(name)
    form.values[name] = theirs.get("seed") if seed is None else seed
    network = [setting for parts in LAYOUT["Model"].values() for setting in parts if setting != "dropout"]
    if any(theirs.get(setting) != form.values[setting] for setting in ("cell", *network, "source", "sentences", "data_seed")):
        st.caption("The same only with the same network and data: here they differ.")


_SPECIAL: dict[str, Callable[[Form, str], None]] = {"source": _source, "patience": _patience, "weights_seed": _first_weights}


@st.cache_data(ttl=60, show_spinner=False)
def sources_of(task: str) -> tuple[Source, ...]:
    from seqmodels.data import sources

    return sources(task)
