"""One run, live: where it stands, what can be done with it, its curves, and what its network makes of a text."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from pages.common import inputs, page
from pages.training import current
from seqmodels import runs
from seqmodels.runs import Command, History, Run, Status
from seqmodels.viz import training as viz
from seqmodels.viz.law import FORMULAS

EVERY = 1.0  # seconds between two looks at a run that is alive
ANSWER = 0.6  # seconds that a press of a button waits for the run's process to do it
KEPT = 8  # histories in a session

_RECORDED = Path(__file__).with_name("recorded.json")
_HISTORIES, _PROBLEM = "training-histories", "training-problem"  # names in the session's state

_STATES = {("interrupted", "new"): "new", ("running", "scoring"): "scoring"}  # name of a status, phase of its process
_BADGES = {
    "new": ("gray", ":material/fiber_new:"),
    "scoring": ("blue", ":material/grading:"),
    "queued": ("gray", ":material/hourglass_top:"),
    "running": ("blue", ":material/play_circle:"),
    "paused": ("yellow", ":material/pause_circle:"),
    "interrupted": ("orange", ":material/power_off:"),
    "stopped": ("violet", ":material/stop_circle:"),
    "failed": ("red", ":material/error:"),
    "finished": ("green", ":material/check_circle:"),
}
_LOSSES = {"char": " in nats a character", "adding": ", the mean squared error"}
_CLIPPINGS = {"off": None, "by norm": "norm", "by value": "value"}


@dataclass(frozen=True)
class Button:
    """A command, and when it makes sense."""

    kind: str
    title: str
    icon: str
    when: tuple[str, ...]  # states of a run
    help: str | None = None


_BUTTONS = (
    Button("resume", "Start", ":material/play_arrow:", ("new",)),
    Button("resume", "Resume", ":material/play_arrow:", ("paused", "interrupted", "failed")),
    Button("pause", "Pause", ":material/pause:", ("running",)),
    Button("step", "One step", ":material/skip_next:", ("running", "paused"), "Take one step, then pause."),
    Button("stop", "Stop", ":material/stop:", ("running", "paused", "interrupted"), "End here, and keep the best weights."),
    Button("stop", "Leave the queue", ":material/stop:", ("queued",)),
)
_HELP = {
    ("resume", "failed"): "Goes on from the last good step. With the same settings it may fail again: change one first.",
}
_CHANGEABLE = ("queued", "running", "paused", "interrupted", "failed")


def show(run: Run) -> None:
    """The whole view. While the run is alive, what moves is drawn anew every second; the controls stay as they are."""
    standing = runs.status(run)
    mine = runs.may_control(run, current.owner_key())
    with st.container(key="watch-head", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            _head(run, standing)
            if mine and _state(standing) not in _CHANGEABLE:
                _controls(run, standing)
        if standing.name == "failed":
            said = inputs.plain(_sentence(standing.progress.message))
            st.error(f"**This run failed.** {said}", icon=":material/error:")
        if not mine:
            st.caption(":material/visibility: Started by someone else: you watch. You can start one with the same settings.")
        elif _state(standing) in _CHANGEABLE:
            with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="watch-controls"):
                _controls(run, standing)
                with st.form(f"watch-live-{run.id}", border=False, width="content"):
                    _live_settings(run)
    problem = st.session_state.pop(_PROBLEM, None)
    if problem:
        st.warning(inputs.plain(problem))
    look = st.fragment(_look, run_every=EVERY if run.alive else None)
    look(run, _state(standing))


def show_recorded() -> None:
    """Two short runs that were recorded, so that there is something to see where nothing has been trained yet."""
    recorded = recording()
    st.subheader("What clipping is for", anchor=False)
    st.caption(":material/history: Recorded from two runs of this program. Press a button above to see it happen.")
    st.markdown(recorded["explanation"])
    histories = {entry["name"]: entry["history"] for entry in recorded["runs"]}
    theme = page.theme()
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Train loss** at each step, in nats a character")
        _chart(viz.overlay(histories, "Train loss", theme), "recorded-loss", "Train loss of the two recorded runs")
    with right:
        st.markdown("**Gradient norm** before clipping, on a logarithmic scale")
        _chart(viz.overlay(histories, "Gradient norm", theme), "recorded-norm", "Gradient norm of the two recorded runs")
    for entry in recorded["runs"]:
        st.caption(f"**{inputs.plain(entry['name'])}:** {inputs.plain(entry['message'])}.")


def recording() -> dict[str, Any]:
    """The recorded runs, with their histories."""
    found: dict[str, Any] = json.loads(_RECORDED.read_text(encoding="utf-8"))
    for entry in found["runs"]:
        parts = {name: entry[name] for name in ("steps", "epochs", "samples", "marks")}
        entry["history"] = History(**parts)
    return found


def history(run: Run) -> History:
    """What is known of a run in this session, read on from where it was read last."""
    known: dict[str, History] = st.session_state.setdefault(_HISTORIES, {})
    found = known.pop(run.id, None) or History()
    known[run.id] = found  # last: the one used most recently
    while len(known) > KEPT:
        known.pop(next(iter(known)))
    runs.refresh(run, found)
    return found


def metric(run: Run) -> str:
    """The name of the dev figure of the run's task."""
    from seqmodels.tasks import find_task

    return find_task(str(run.settings["task"])).metric


def cell_title(run: Run) -> str:
    """How the run's cell is called on the page."""
    cell = str(run.settings["cell"])
    return FORMULAS[cell].title if cell in FORMULAS else cell


def badge(name: str, ahead: int | None = None) -> None:
    """A state in one word; of a run in the queue, its place."""
    colour, icon = _BADGES[name]
    place = "" if ahead is None else ", next" if ahead == 0 else f", {ahead} before it"
    st.badge(f"{name}{place}", icon=icon, color=colour)  # type: ignore[arg-type]


def _state(standing: Status) -> str:
    """What the page around the curves depends on: a run that was never started, or is being scored, cannot be steered."""
    return _STATES.get((standing.name, standing.progress.phase), standing.name)


def _head(run: Run, standing: Status) -> None:
    from seqmodels.tasks import find_task

    task = find_task(str(run.settings["task"])).title
    st.subheader(inputs.plain(run.name), anchor=False, width="content")
    st.caption(f"{task} · {cell_title(run)}", width="content")
    badge(_state(standing), standing.ahead)
    if standing.name in ("stopped", "finished", "interrupted") and standing.progress.message:
        st.caption(inputs.plain(_sentence(standing.progress.message)), width="content")


def _controls(run: Run, standing: Status) -> None:
    """The commands that make sense now."""
    for button in _BUTTONS:
        if _state(standing) in button.when:
            st.button(
                button.title,
                key=f"watch-{button.kind}",
                icon=button.icon,
                help=_HELP.get((button.kind, standing.name), button.help),
                type="primary" if button.kind == "resume" else "secondary",
                on_click=_order,
                args=(run, button.kind),
            )
    with st.popover("Discard", icon=":material/delete:", key="watch-discard-ask"):
        st.markdown("The run, its curves and its weights are deleted. A model that you have taken into use stays.")
        st.button("Discard it", key="watch-discard", type="primary", on_click=_order, args=(run, "discard"))


def _live_settings(run: Run) -> None:
    """What may be changed while it runs, as it is now."""
    live = live_settings(run, history(run))
    clip = live["clip"] or {}
    keys = {name: f"watch-{name}-{run.id}" for name in ("rate", "clip", "threshold", "patience")}
    kinds = list(_CLIPPINGS)
    threshold = float(clip.get("threshold", run.settings.get("clip_threshold", 1.0)))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.number_input(
            "Learning rate",
            min_value=0.0,
            max_value=1e3,
            value=float(live["learning_rate"]),
            step=_step(live["learning_rate"]),
            format="%.6g",
            key=keys["rate"],
            width=150,
            help="The schedule multiplies it.",
        )
        st.selectbox(
            "Clipping",
            kinds,
            list(_CLIPPINGS.values()).index(clip.get("kind")),
            key=keys["clip"],
            width=130,
            help="By norm: the whole gradient is scaled down to the threshold. By value: each number is cut off there.",
        )
        st.number_input(
            "Threshold",
            min_value=1e-6,
            max_value=1e6,
            value=threshold,
            step=_step(threshold),
            format="%.6g",
            key=keys["threshold"],
            width=140,
        )
        st.number_input(
            "Patience",
            min_value=1,
            max_value=1000,
            value=live["patience"],
            key=keys["patience"],
            placeholder="off",
            width=140,
            help="Epochs without a better dev figure until it stops. Empty: it never stops early.",
        )
        st.form_submit_button("Apply", icon=":material/tune:", key=f"watch-apply-{run.id}", on_click=_apply, args=(run, keys, live))


def _step(value: float) -> float:
    """What one press of a plus or minus adds: at most half of the value."""
    return float(10.0 ** math.floor(math.log10(value / 2))) if value > 0 else 0.001


def live_settings(run: Run, known: History) -> dict[str, Any]:
    """learning_rate, clip (kind and threshold, or None) and patience as they are now."""
    changed = [mark["after"] for mark in known.marks if mark["kind"] == "changed"]
    return dict(changed[-1]) if changed else first_settings(run.settings)


def first_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The same as the run began."""
    kind = settings.get("clip")
    clip = None if kind is None else {"kind": kind, "threshold": settings["clip_threshold"]}
    return {"learning_rate": settings["learning_rate"], "clip": clip, "patience": settings["patience"]}


def _apply(run: Run, keys: Mapping[str, str], live: Mapping[str, Any]) -> None:
    """Send what differs from what holds."""
    state = st.session_state
    clip = live["clip"] or {}
    before = {
        "learning_rate": live["learning_rate"],
        "clip": clip.get("kind"),
        "clip_threshold": clip.get("threshold"),
        "patience": live["patience"],
    }
    wanted = {
        "learning_rate": state[keys["rate"]],
        "clip": _CLIPPINGS[state[keys["clip"]]],
        "clip_threshold": state[keys["threshold"]],
        "patience": state[keys["patience"]],
    }
    if wanted["clip"] is None:  # then its threshold says nothing
        wanted["clip_threshold"] = before["clip_threshold"]
    changes = {name: value for name, value in wanted.items() if value != before[name]}
    if changes:
        _send(run, Command("change", changes))
        marks = len(history(run).marks)
        _wait(lambda: len(history(run).marks) > marks, run)


def _order(run: Run, kind: str) -> None:
    """Do what a button says, and give the process a moment for it, so that the page shows it done."""
    before = runs.status(run)
    if _state(before) == "new" and kind == "resume":
        _tell(lambda: runs.start(run, current.owner_key()))
    else:
        _send(run, Command(kind))  # type: ignore[arg-type]
    if kind == "step":
        _wait(lambda: runs.status(run).progress.step != before.progress.step, run)
    elif kind == "discard":
        _wait(lambda: not run.folder.exists(), run)
    else:
        _wait(lambda: _state(runs.status(run)) != _state(before), run)


def _send(run: Run, command: Command) -> None:
    _tell(lambda: runs.command(run, current.owner_key(), command))


def _tell(act: Callable[[], object]) -> None:
    """Do it, or keep in mind why it cannot be done."""
    try:
        act()
    except ValueError as problem:
        st.session_state[_PROBLEM] = _sentence(str(problem))


def _wait(done: Callable[[], bool], run: Run) -> None:
    end = time.monotonic() + ANSWER
    while _PROBLEM not in st.session_state and run.alive and not done() and time.monotonic() < end:
        time.sleep(0.03)


def _look(run: Run, shown: str) -> None:
    """All that moves. Where the status is no longer the one that is shown, the page around it is drawn anew."""
    if not run.folder.exists():
        st.rerun()
    standing, known = runs.status(run), history(run)
    if _state(standing) != shown:
        st.rerun()
    _progress(run, standing, known)
    if known.steps or known.epochs:
        _curves(run, known)
    elif run.alive:
        st.info("The first point comes as soon as the data is read.", icon=":material/hourglass_top:")
    if known.samples:
        _probe(run, known)


def _progress(run: Run, standing: Status, known: History) -> None:
    """How far it is, and its figures."""
    told = standing.progress
    epochs = told.epochs or int(run.settings["epochs"])
    done = min(1.0, (told.epoch + (told.step / told.steps if told.steps else 0)) / epochs)
    st.progress(done, _where(standing, known, epochs))
    name = metric(run)
    live = live_settings(run, known)
    waited = known.epochs[-1]["waited"] if known.epochs else 0
    tokens = sum(step["tokens"] for step in known.steps)
    speed = known.tokens_per_second if standing.name == "running" else tokens / told.seconds if told.seconds else None
    share = viz.clipped_share(known.steps)
    at = f", epoch {told.best_epoch}" if told.best_epoch else ""
    facts = {
        f"Best dev {viz.metric_title(name)}": viz.score(name, told.best_score) + at,
        "Early stopping": "off" if live["patience"] is None else f"patience {waited} of {live['patience']}",
        "Clipped steps": viz.percent(share),
        "Tokens per second": "–" if speed is None else f"{speed:,.0f}",
        "Trained for": viz.duration(told.seconds),
    }
    st.html(viz.facts(facts))


def _where(standing: Status, known: History, epochs: int) -> str:
    told = standing.progress
    if standing.name == "queued":
        return "Waiting for its turn" if not standing.ahead else f"Waiting: {standing.ahead} before it"
    if told.phase == "loading":
        return "Reading the data"
    if told.phase == "scoring" and standing.name == "running":
        return "Scoring the best weights"
    if standing.name in ("finished", "stopped"):
        return f"Ended after epoch {told.epoch} of {epochs}" if told.epoch else "Ended before its first whole epoch"
    where = f"Epoch {min(told.epoch + 1, epochs)} of {epochs}"
    if told.steps:
        where += f" · step {told.step} of {told.steps}"
    left = known.seconds_left(epochs) if standing.name == "running" else None
    return where if left is None else f"{where} · {viz.duration(left)} left at most"


def _curves(run: Run, known: History) -> None:
    theme, name = page.theme(), metric(run)
    clip = first_settings(run.settings)["clip"]
    share = viz.clipped_share(known.steps)
    left, right = st.columns(2, gap="medium")
    with left:
        unit = _LOSSES.get(str(run.settings["task"]), " in nats a token")
        st.markdown(f"**Loss**{unit}. Where train falls and dev rises, it learns by heart.")
        _chart(viz.losses(known, theme), "watch-loss", "Train and dev loss over the epochs")
        title = viz.metric_title(name)
        st.markdown(f"**Dev {title}** after each epoch, the best one marked.")
        _chart(viz.scores(known, name, theme), "watch-score", f"Dev {title} over the epochs")
    with right:
        clipped = "" if share is None else f" Clipped: {viz.percent(share)} of the steps."
        st.markdown(f"**Gradient norm** before and after clipping, logarithmic.{clipped}")
        _chart(viz.norms(known, clip, theme), "watch-norm", "Norm of the gradient before and after clipping")
        st.markdown("**Learning rate** at each step.")
        _chart(viz.rates(known, theme), "watch-rate", "Learning rate over the epochs")
    marks = viz.marks(known)
    if marks:
        told = "  \n".join(f"**{at}** epoch {mark.x:.2f}: {inputs.plain(mark.text)}" for at, mark in enumerate(marks, 1))
        st.caption(told)


def _probe(run: Run, known: History) -> None:
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
    if not places:
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
        _chart(viz.saturation(samples, titles.get(picked or "", places[0]), theme), "watch-gates", "Open and shut gates", viz.SMALL)
    with right:
        st.markdown("**Half-life:** tokens until half of a memory is left, in the median unit.")
        _chart(viz.half_lives(samples, theme), "watch-half-lives", "Half-life of the memory over the epochs", viz.SMALL)


def _epoch(run: Run, count: int) -> int:
    """The sample to show: the newest, until another one is asked for."""
    if count < 2:
        return 0
    asked = f"watch-epoch-asked-{run.id}"
    chosen = min(st.session_state.get(asked) or count, count)
    # the widget's own key tells the newest epoch: it is a new widget, at the same place, when there is one more
    key = f"watch-epoch-{run.id}-{count}"
    st.slider("After epoch", 1, count, chosen, key=key, on_change=_ask, args=(asked, key, count), width=400)
    return int(st.session_state[key]) - 1


def _ask(asked: str, key: str, count: int) -> None:
    value = st.session_state[key]
    st.session_state[asked] = None if value == count else value  # at the newest, it follows


def _chart(option: viz.Option, key: str, alt: str, height: int = viz.HEIGHT) -> None:
    st.echarts_chart(option, height=height, key=key, alt=alt)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}".rstrip(".") + "." if text else ""
