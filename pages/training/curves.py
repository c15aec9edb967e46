"""What there is to see of a run: how far it is, its curves, and what its network makes of a text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.common import inputs, page
from seqmodels import runs
from seqmodels.cells import CELLS
from seqmodels.runs import History, Run, Status
from seqmodels.viz import training as viz
from seqmodels.viz.format import percent

if TYPE_CHECKING:
    from seqmodels.tasks import Task

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
    """How far it is, and its figures."""
    now = standing.progress
    epochs = now.epochs or int(run.settings["epochs"])
    done = min(1.0, (now.epoch + (now.step / now.steps if now.steps else 0)) / epochs)
    st.progress(done, _where(standing, known, epochs))
    name = task_of(run).metric
    live = live_settings(run, known)
    waited = known.epochs[-1]["waited"] if known.epochs else 0
    tokens = sum(step["tokens"] for step in known.steps)
    speed = known.tokens_per_second if standing.name == "running" else tokens / now.seconds if now.seconds else None
    share = runs.clipped_share(known.steps)
    at = f", epoch {now.best_epoch}" if now.best_epoch else ""
    facts = {
        f"Best dev {viz.metric_title(name)}": viz.score(name, now.best_score) + at,
        "Early stopping": "off" if live["patience"] is None else f"patience {waited} of {live['patience']}",
        "Clipped steps": "–" if share is None else percent(share),
        "Tokens per second": "–" if speed is None else f"{speed:,.0f}",
        "Trained for": viz.duration(now.seconds),
    }
    st.html(viz.facts(facts))


def _where(standing: Status, known: History, epochs: int) -> str:
    now = standing.progress
    if standing.name == "queued":
        return "Waiting for its turn" if not standing.ahead else f"Waiting: {standing.ahead} before it"
    if now.phase == "loading":
        return "Reading the data"
    if now.phase == "scoring" and standing.name == "running":
        return "Scoring the best weights"
    if standing.name in ("finished", "stopped"):
        return f"Ended after epoch {now.epoch} of {epochs}" if now.epoch else "Ended before its first whole epoch"
    where = f"Epoch {min(now.epoch + 1, epochs)} of {epochs}"
    if now.steps:
        where += f" · step {now.step} of {now.steps}"
    left = known.seconds_left(epochs) if standing.name == "running" else None
    return where if left is None else f"{where} · {viz.duration(left)} left at most"


def draw(run: Run, known: History) -> None:
    """Its loss, score, gradient norm and learning rate."""
    theme, task = page.theme(), task_of(run)
    clip = first_settings(run.settings)["clip"]
    share = runs.clipped_share(known.steps)
    left, right = st.columns(2, gap="medium")
    with left:
        losses = viz.losses(known, theme)
        scale = ", logarithmic" if losses["yAxis"]["type"] == "log" else ""
        st.markdown(f"**Loss**, {task.loss_unit}{scale}. Where train falls and dev rises, it learns by heart.")
        chart(losses, "watch-loss", "Train and dev loss over the epochs")
        title = viz.metric_title(task.metric)
        st.markdown(f"**Dev {title}** after each epoch, the best one marked.")
        chart(viz.scores(known, task.metric, theme), "watch-score", f"Dev {title} over the epochs")
    with right:
        clipped = "" if share is None else f" Clipped: {percent(share)} of the steps."
        st.markdown(f"**Gradient norm** before and after clipping, logarithmic.{clipped}")
        chart(viz.norms(known, clip, theme), "watch-norm", "Norm of the gradient before and after clipping")
        st.markdown("**Learning rate** at each step.")
        chart(viz.rates(known, theme), "watch-rate", "Learning rate over the epochs")
    marks = viz.marks(known)
    if marks:
        text = "  \n".join(f"**{at}** epoch {mark.x:.2f}: {inputs.plain(mark.text)}" for at, mark in enumerate(marks, 1))
        st.caption(text)


def probe(run: Run, known: History) -> None:
    """What the network made of a text after an epoch, and how its gates stood."""
    samples = known.samples
    at = _epoch(run, len(samples))
    sample, before = samples[at], samples[at - 1] if at else None
    if "tags" in sample:
        changed = f" {viz.changed_tags(sample, before)} not as after the epoch before (framed)." if before else ""
        st.markdown(f"**Its tags after epoch {sample['epoch']}.** The paler, the less sure.{changed}")
        st.html(viz.chips(sample, before))
    else:
        st.markdown(f"**What it writes after epoch {sample['epoch']}**, always drawn with the same dice.")
        st.html(viz.writing(sample))
    places = viz.places(samples)
    if not places or CELLS[run.settings["cell"]].fixed_gates:  # its gates are fixed: nothing forms
        return
    titles = {viz.place_title(place): place for place in places}
    theme = page.theme()
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Gates as they form:** the share of units and tokens at which a gate is wide open or shut.")
        picked = None
        if len(titles) > 1:
            picked = st.segmented_control(
                "Layer and direction", list(titles), default=next(iter(titles)), key=f"watch-place-{run.id}",
                label_visibility="collapsed",
            )  # fmt: skip
        chart(viz.saturation(samples, titles.get(picked or "", places[0]), theme), "watch-gates", "Open and shut gates", viz.SMALL)
    with right:
        st.markdown("**Half-life:** tokens until half of a memory is left, in the median unit.")
        chart(viz.half_lives(samples, theme), "watch-half-lives", "Half-life of the memory over the epochs", viz.SMALL)


def _epoch(run: Run, count: int) -> int:
    """The sample to show: the newest, until another one is asked for."""
    if count < 2:
        return 0
    asked = f"watch-epoch-asked-{run.id}"
    chosen = min(st.session_state.get(asked) or count, count)
    # the widget's own key holds the newest epoch: it is a new widget, at the same place, when there is one more
    key = f"watch-epoch-{run.id}-{count}"
    st.slider("After epoch", 1, count, chosen, key=key, on_change=_ask, args=(asked, key, count), width=400)
    return int(st.session_state[key]) - 1


def _ask(asked: str, key: str, count: int) -> None:
    value = st.session_state[key]
    st.session_state[asked] = None if value == count else value  # at the newest, it follows


def chart(option: viz.Option, key: str, alt: str, height: int = viz.HEIGHT) -> None:
    """A chart, with what it shows for those who cannot see it."""
    st.echarts_chart(option, height=height, key=key, alt=alt)
