"""One run, live: where it stands, what can be done with it, and all that it shows."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.common import inputs, lesson, page, takeaway
from pages.training import advice, current, curves, damaged, form, messages, presets, whole
from pages.training.curves import history, live_settings
from seqmodels import runs
from seqmodels.runs import Command, Run, Status

ANSWER = 0.6  # seconds that a press of a button waits for the run's process to do it
_CHANGE = "watch-change"
_RUN = "run"  # where messages about it are shown

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
_CLIPPINGS = {None: "off", "norm": "by norm", "value": "by value"}


@dataclass(frozen=True)
class Button:
    """A command, and when it makes sense. Those that take turns in one place of the row share a key."""

    key: str
    kind: str
    title: str
    icon: str
    when: tuple[str, ...]  # states of a run
    help: str | None = None


_GO_ON = "Goes on from the last good step. With the same settings it may fail again: change one first."
_BUTTONS = (
    Button("go", "resume", "Start", ":material/play_arrow:", ("new",)),
    Button("go", "resume", "Resume", ":material/play_arrow:", ("paused", "interrupted")),
    Button("go", "resume", "Resume", ":material/play_arrow:", ("failed",), _GO_ON),
    Button("go", "pause", "Pause", ":material/pause:", ("running",)),
    Button("step", "step", "One step", ":material/skip_next:", ("running", "paused"), "Take one step, then pause."),
    Button("stop", "stop", "Stop", ":material/stop:", ("running", "paused", "interrupted"), "End here, and keep the best weights."),
    Button("stop", "stop", "Leave the queue", ":material/stop:", ("queued",)),
)
_SHARED = "Shows its settings, curves and samples to everyone who opens this app. Its weights stay yours."
_CHANGEABLE = ("queued", "running", "paused", "interrupted", "failed")


def show(run: Run) -> None:
    """The whole view. While the run is alive, what moves is drawn anew every second; the controls stay as they are."""
    standing = runs.status(run)
    mine = runs.may_control(run, current.owner_key())
    with st.container(key="watch-head", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            _head(run, standing)
            if mine:
                _controls(run, standing)
            _more(run, mine)
        if standing.name == "failed":
            why = inputs.plain(inputs.as_sentence(standing.progress.message))
            st.error(f"**This run failed.** {why}", icon=":material/error:")
        if not mine:
            st.caption(":material/visibility: Started by someone else: you watch. You can start one with the same settings.")
        elif run.file_name is not None:
            _share(run)
    messages.show(_RUN)
    damaged.warn(standing, history(run))
    refresh = page.fragment(_refresh, run_every=curves.EVERY if run.alive else None)
    refresh(run, _state(standing))


def _state(standing: Status) -> str:
    """What the page around the curves depends on: a run that was never started, or is being scored, cannot be steered."""
    return _STATES.get((standing.name, standing.progress.phase), standing.name)


def _head(run: Run, standing: Status) -> None:
    st.header(inputs.plain(run.name), anchor=False, width="content")
    colour, icon = _BADGES[_state(standing)]
    st.badge(_state(standing), icon=icon, color=colour)  # type: ignore[arg-type]
    if standing.after:
        st.caption(f"after {presets.names(standing.after)}", width="content")
    if standing.name in ("stopped", "finished", "interrupted") and standing.progress.message:
        st.caption(inputs.plain(inputs.as_sentence(standing.progress.message)), width="content")


def _share(run: Run) -> None:
    """Who sees a run that learns from a file of the visitor's own."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.toggle("Share this run", run.shared, key=f"watch-shared-{run.id}", on_change=_set_shared, args=(run,), help=_SHARED)
        file = inputs.plain(run.file_name or "")
        st.caption(
            f":material/public: Whoever opens this app sees it, with what it makes of your text and the name of {file}."
            if run.shared
            else f":material/lock: Private, for it learns from {file}: others see only that there is a run.",
            width="content",
        )


def _set_shared(run: Run) -> None:
    shared = bool(st.session_state[f"watch-shared-{run.id}"])
    messages.attempt(_RUN, lambda: runs.share(run, current.owner_key(), shared))


def _controls(run: Run, standing: Status) -> None:
    """The commands that make sense now.

    A button that takes another's place has its key: it is the same to the browser, and keeps the focus. With a key of its own it
    stood beside the old one until the page was drawn, and pushed the rest of the row aside, under a pointer on its way there.
    """
    for button in _BUTTONS:
        if _state(standing) in button.when:
            st.button(
                button.title,
                key=f"watch-{button.key}",
                icon=button.icon,
                help=button.help,
                type="primary" if button.kind == "resume" else "secondary",
                on_click=_order,
                args=(run, button.kind),
            )
    if _state(standing) in _CHANGEABLE:
        with (
            st.popover(
                "Change", icon=":material/tune:", key=_CHANGE, on_change="rerun", help="Learning rate, clipping and stopping"
            ),
            st.form(f"watch-live-{run.id}", border=False, width="content"),
        ):
            _live_settings(run)


def _more(run: Run, mine: bool) -> None:
    """What is done with it rarely."""
    with st.popover("More", icon=":material/more_horiz:", key="watch-more"):
        st.button(
            "Use these settings",
            key="training-copy",
            icon=":material/edit_note:",
            help="Puts all settings of this run into the form below, to change and to start again.",
            on_click=form.copy,
            args=(run,),
        )
        takeaway.save(whole.file(run), help="Its settings, curves and samples. Opens without a network.", key="watch-save")
        if mine:
            st.button("Discard it", key="watch-discard", icon=":material/delete:", on_click=_order, args=(run, "discard"))
            st.caption("Its curves and weights are deleted. A model that you have taken into use stays.")


def _live_settings(run: Run) -> None:
    """What may be changed while it runs, as it is now."""
    live = live_settings(run, history(run))
    clip = live["clip"] or {}
    now = {name: live[name] for name in ("learning_rate", "patience")}
    now |= {"clip": clip.get("kind"), "clip_threshold": clip.get("threshold")}
    keys = {name: f"watch-{name}-{run.id}" for name in now}
    rate, threshold = float(live["learning_rate"]), float(clip.get("threshold", run.settings.get("clip_threshold", 1.0)))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.number_input(
            "Peak learning rate", 0.0, max(1e3, rate), rate, step=_step(rate), format="%.6g", key=keys["learning_rate"], width=150,
            help="Warm-up and schedule scale it: the chart shows the rate of each step, and this as a dashed line.",
        )  # fmt: skip
        st.selectbox(
            "Clipping", list(_CLIPPINGS), list(_CLIPPINGS).index(now["clip"]), format_func=_CLIPPINGS.__getitem__, key=keys["clip"],
            placeholder=_CLIPPINGS[None], width=130,
            help="By norm: the whole gradient is scaled down to the threshold. By value: each number is cut off there.",
        )  # fmt: skip
        st.number_input(
            "Threshold", min(1e-6, threshold), max(1e6, threshold), threshold, step=_step(threshold), format="%.6g",
            key=keys["clip_threshold"], width=140,
        )  # fmt: skip
        st.number_input(
            "Patience", 1, max(1000, now["patience"] or 1), now["patience"], key=keys["patience"], placeholder="off", width=140,
            help="Epochs without a better dev figure until it stops. Empty: it never stops early.",
        )  # fmt: skip
        st.form_submit_button("Apply", icon=":material/tune:", key=f"watch-apply-{run.id}", on_click=_apply, args=(run, keys, now))


def _step(value: float) -> float:
    """What one press of a plus or minus adds: at most half of the value."""
    return float(10.0 ** math.floor(math.log10(value / 2))) if value > 1e-300 else 0.001


def _apply(run: Run, keys: Mapping[str, str], now: Mapping[str, Any]) -> None:
    """Send what differs from what holds."""
    st.session_state[_CHANGE] = False  # closed, so that what comes of it is seen
    wanted = {name: st.session_state[key] for name, key in keys.items()}
    if wanted["clip"] is None:  # then its threshold says nothing
        wanted["clip_threshold"] = now["clip_threshold"]
    changes = {name: value for name, value in wanted.items() if value != now[name]}
    marks = len(history(run).marks)
    if changes and _send(run, Command("change", changes)):
        _wait(lambda: len(history(run).marks) > marks, run)


def _order(run: Run, kind: str) -> None:
    """Do what a button says, and give the process a moment for it, so that the page shows it done."""
    before = runs.status(run)
    if _state(before) == "new" and kind == "resume":
        done = messages.attempt(_RUN, lambda: runs.start(run, current.owner_key()))
    else:
        done = _send(run, Command(kind))  # type: ignore[arg-type]
    if not done:
        return
    if kind == "step":
        _wait(lambda: runs.status(run).progress.step != before.progress.step, run)
    elif kind == "discard":
        _wait(lambda: not run.folder.exists(), run)
    else:
        _wait(lambda: _state(runs.status(run)) != _state(before), run)


def _send(run: Run, command: Command) -> bool:
    return messages.attempt(_RUN, lambda: runs.command(run, current.owner_key(), command))


def _wait(done: Callable[[], bool], run: Run) -> None:
    end = time.monotonic() + ANSWER
    while run.alive and not done() and time.monotonic() < end:
        time.sleep(0.03)


def _refresh(run: Run, shown: str) -> None:
    """All that moves. Where the status is no longer the one that is shown, the page around it is drawn anew."""
    if not run.folder.exists():
        st.rerun()
    from seqmodels.tasks import caution

    standing, known = runs.status(run), history(run)
    if _state(standing) != shown:
        st.rerun()
    if runs.may_control(run, current.owner_key()):
        lesson.check("training", (standing, known))
    curves.progress(run, standing, known)
    problem = advice.on(run, standing, known)
    if problem:
        st.warning(problem, icon=":material/troubleshoot:")
    if known.steps or known.epochs or known.samples:
        curves.draw(run, standing, known)
    elif run.alive:
        turn = (
            "It starts by itself when its turn comes." if standing.after else "The first point comes as soon as the data is read."
        )
        st.info(turn, icon=":material/hourglass_top:")
    doubt = caution(known.epochs[-1]) if known.epochs else None
    if doubt:
        st.caption(f":material/warning: {doubt}.")
