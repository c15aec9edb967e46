"""What there is to see of a run: how far it is, its curves, and what its network makes of a text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.common import glossary, inputs, page
from pages.training import current
from seqmodels import runs
from seqmodels.cells import CELLS
from seqmodels.runs import History, Run, Status
from seqmodels.viz import training as viz
from seqmodels.viz.format import percent

if TYPE_CHECKING:
    from seqmodels.tasks import Task
    from seqmodels.viz.palette import Theme

EVERY = 1.0  # seconds between two looks at a run that is alive
KEPT = 8  # histories in a session
_HISTORIES = "training-histories"  # a name in the session's state


def history(run: Run) -> History:
    """What is known of a run in this session, read on from where it was read last."""
    known: dict[str, History] = st.session_state.setdefault(_HISTORIES, {})
    known[run.id] = found = runs.read_history(run, known.pop(run.id, None))  # last: the one used most recently
    while len(known) > KEPT:
        known.pop(next(iter(known)))
    return found


def task_of(run: Run) -> Task:
    """The run's task."""
    from seqmodels.tasks import find_task

    return find_task(str(run.settings["task"]))


def cell_title(run: Run) -> str:
    """How the run's cell is called on the page."""
    cell = str(run.settings["cell"])
    return CELLS[cell].title if cell in CELLS else cell


def live_settings(run: Run, known: History) -> dict[str, Any]:
    """learning_rate, clip (kind and threshold, or None) and patience as they are now."""
    changed = [mark["after"] for mark in known.marks if mark["kind"] == "changed"]
    return dict(changed[-1]) if changed else first_settings(run.settings)


def first_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The same as the run began."""
    kind = settings.get("clip")
    clip = None if kind is None else {"kind": kind, "threshold": settings["clip_threshold"]}
    return {"learning_rate": settings["learning_rate"], "clip": clip, "patience": settings["patience"]}


def progress(run: Run, standing: Status, known: History) -> None:
    """How far it is."""
    now = standing.progress
    epochs = now.epochs or int(run.settings["epochs"])
    done = min(1.0, (now.epoch + (now.step / now.steps if now.steps else 0)) / epochs)
    st.progress(done, f"{task_of(run).title} · {cell_title(run)} · {where(standing, known, epochs)}")


def facts(run: Run, standing: Status, known: History) -> str:
    """Its figures, as HTML."""
    now, name = standing.progress, task_of(run).metric
    live = live_settings(run, known)
    waited = known.epochs[-1]["waited"] if known.epochs else 0
    tokens = sum(step["tokens"] for step in known.steps)
    speed = known.tokens_per_second if standing.name == "running" else tokens / now.seconds if now.seconds else None
    share = runs.clipped_share(known.steps)
    at = f", epoch {now.best_epoch}" if now.best_epoch else ""
    values = {
        f"Best dev {viz.metric_title(name)}": viz.score(name, now.best_score) + at,
        "Early stopping": "off" if live["patience"] is None else f"patience {waited} of {live['patience']}",
        "Clipped steps": "–" if share is None else percent(share),
        "Tokens per second": "–" if speed is None else f"{speed:,.0f}",
        "Trained for": viz.duration(now.seconds),
    }
    return viz.facts(values)


def where(standing: Status, known: History, epochs: int) -> str:
    """How far it is, in words."""
    now = standing.progress
    if standing.name == "queued":
        return f"Queued after {' and '.join(map(current.name_of, standing.after))}" if standing.after else "Waiting for its turn"
    if now.phase == "loading":
        return "Reading the data"
    if now.phase == "scoring" and standing.name == "running":
        return "Scoring the best weights"
    if standing.name in ("finished", "stopped"):
        return f"Ended after epoch {now.epoch} of {epochs}" if now.epoch else "Ended before its first whole epoch"
    at = f"Epoch {min(now.epoch + 1, epochs)} of {epochs}"
    if now.steps:
        at += f" · step {now.step} of {now.steps}"
    if standing.name == "failed":
        return f"Failed in {at[:1].lower()}{at[1:]}"
    left = known.seconds_left(epochs) if standing.name == "running" else None
    return at if left is None else f"{at} · {viz.duration(left)} left at most"


@dataclass(frozen=True)
class Panel:
    """A chart, what stands over it in Markdown, and what it shows for those who cannot see it."""

    key: str
    title: str
    option: viz.Option
    alt: str
    help: str | None = None
    height: int = viz.HEIGHT

    def show(self) -> None:
        """On the page."""
        st.markdown(self.title, help=self.help)
        chart(self.option, self.key, self.alt, self.height)


def panels(run: Run, known: History, theme: Theme) -> list[Panel]:
    """Its loss, gradient norm, score and learning rate."""
    return [part(run, known, theme) for part in (_losses, _norms, _scores, _rates)]


def draw(run: Run, standing: Status, known: History) -> None:
    """All its charts; what a language model writes is beside its loss."""
    writes = bool(known.samples) and known.samples[-1].get("text") is not None
    drawn: list[Callable[[], None]] = [panel.show for panel in panels(run, known, page.theme())]
    if writes:
        drawn.insert(1, partial(_writing, run, standing, known))
    for start in range(0, len(drawn), 2):
        row = drawn[start : start + 2]
        for column, show in zip(st.columns(2, gap="medium"), row, strict=False):
            with column:
                show()
        if start == 0:
            st.html(facts(run, standing, known))
    marked = marks(known)
    if marked:
        st.caption(glossary.linked(marked))
    if known.samples:
        if not writes:
            _tags(run, standing, known)
        _gates(run, known)


def marks(known: History) -> str:
    """What the numbers on the charts stand for, in Markdown."""
    return "  \n".join(f"**{at}** epoch {mark.x:.2f}: {inputs.plain(mark.text)}" for at, mark in enumerate(viz.marks(known), 1))


def _losses(run: Run, known: History, theme: Theme) -> Panel:
    losses = viz.losses(known, theme)
    scale = ", logarithmic" if losses["yAxis"]["type"] == "log" else ""
    title, help = f"**Loss**, {task_of(run).loss_unit}{scale}", "Where train falls and dev rises, it learns by heart."
    return Panel("watch-loss", title, losses, "Train and dev loss over the epochs", help)


def _scores(run: Run, known: History, theme: Theme) -> Panel:
    name = task_of(run).metric
    title = viz.metric_title(name)
    option, help = viz.scores(known, name, theme), "On held-out data. The best epoch is marked."
    return Panel("watch-score", f"**Dev {title}** after each epoch", option, f"Dev {title} over the epochs", help)


def _norms(run: Run, known: History, theme: Theme) -> Panel:
    share = runs.clipped_share(known.steps)
    clipped = "" if share is None else f", {percent(share)} of the steps clipped"
    title, help = f"**Gradient norm**, logarithmic{clipped}", "Before and after clipping; of steps drawn as one, the extremes."
    option = viz.norms(known, first_settings(run.settings)["clip"], theme)
    return Panel("watch-norm", title, option, "Norm of the gradient before and after clipping", help)


def _rates(run: Run, known: History, theme: Theme) -> Panel:
    peak = live_settings(run, known)["learning_rate"]
    now = f"now {known.steps[-1]['learning_rate']:.3g}, " if known.steps else ""
    title, help = f"**Learning rate**, {now}peak {peak:.3g}", "Warm-up and schedule scale the peak, which you can change."
    option = viz.rates(known, run.settings["learning_rate"], theme)
    return Panel("watch-rate", title, option, "Learning rate over the epochs", help)


def _writing(run: Run, standing: Status, known: History) -> None:
    """What a language model wrote; once it rests, of any time."""
    at = _sample(run, standing, known)
    st.markdown(f"**What it writes** {viz.when(known.samples[at])}", help="Always drawn with the same random numbers.")
    st.html(viz.writing(known.samples[at]))


def _tags(run: Run, standing: Status, known: History) -> None:
    """The tags that a network gave to a sentence; once it rests, of any time."""
    at = _sample(run, standing, known)
    sample, before = known.samples[at], known.samples[at - 1] if at else None
    changed = f" {viz.changed_tags(sample, before)} not as in the sample before (framed)." if before else ""
    st.markdown(f"**Its tags {viz.when(sample)}.** The paler, the less sure.{changed}")
    st.html(viz.chips(sample, before))


def gate_panels(run: Run, known: History, theme: Theme, place: tuple[int, str] | None = None) -> list[Panel]:
    """How its gates stood over the text, from sample to sample, in a layer and direction; nothing where they are fixed."""
    places = viz.places(known.samples)
    if not places or CELLS[run.settings["cell"]].fixed_gates:  # nothing forms
        return []
    found = place or places[0]
    where = f" ({viz.place_title(found)})" if len(places) > 1 else ""
    title = f"**Gates as they form{where}:** the share of units and tokens at which a gate is wide open or shut."
    gates = Panel("watch-gates", title, viz.saturation(known.samples, found, theme), "Open and shut gates", height=viz.SMALL)
    title = "**Half-life:** tokens until half of a memory is left, in the median unit."
    alt = "Half-life of the memory over the epochs"
    return [gates, Panel("watch-half-lives", title, viz.half_lives(known.samples, theme), alt, height=viz.SMALL)]


def _gates(run: Run, known: History) -> None:
    titles = {viz.place_title(place): place for place in viz.places(known.samples)}
    left, right = st.columns(2, gap="medium")
    picked = None
    if len(titles) > 1 and not CELLS[run.settings["cell"]].fixed_gates:
        with left:
            picked = st.segmented_control(
                "Layer and direction", list(titles), default=next(iter(titles)), key=f"watch-place-{run.id}",
                label_visibility="collapsed",
            )  # fmt: skip
    for panel, column in zip(gate_panels(run, known, page.theme(), titles.get(picked or "")), (left, right), strict=False):
        with column:
            panel.show()


def _sample(run: Run, standing: Status, known: History) -> int:
    """The sample to show: the newest; while none is added, also an earlier one that is asked for."""
    count = len(known.samples)
    if standing.name == "running" or count < 2:
        return count - 1
    times = [viz.when(sample) for sample in known.samples]
    key = f"watch-sample-{run.id}-{count}"
    return int(st.select_slider("Sample", range(count), count - 1, format_func=times.__getitem__, key=key))


def chart(option: viz.Option, key: str, alt: str, height: int = viz.HEIGHT) -> None:
    """A chart, with what it shows for those who cannot see it."""
    # a stage makes it larger, and a canvas would blur
    st.echarts_chart(option, height=height, key=key, alt=alt, renderer="svg" if page.on_stage() else "canvas")
