"""The training inside a run's process: what it reads, tells, obeys, saves, and leaves behind."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from torch import nn

from seqmodels import checkpoints
from seqmodels.runs import commands, probe, store
from seqmodels.runs.commands import Command
from seqmodels.runs.events import FILE, EventLog, StepThinner
from seqmodels.runs.files import StorageError, told_plainly
from seqmodels.runs.limits import Limits
from seqmodels.runs.process import PAUSE, Desk, DiscardedRunError, Notice
from seqmodels.runs.saving import load_state, save_state
from seqmodels.runs.settings import Settings, change, from_flat, recipe_of
from seqmodels.runs.setup import Setup, describe, read_material, set_up, write_scored
from seqmodels.runs.signals import InterruptedRunError
from seqmodels.training import DivergedError, Epoch, Report, Step, TrainState, fit

SAVE_EVERY = 20.0  # seconds of training that a kill may cost
LOOK_EVERY = 0.05  # seconds between two looks at the commands
LONGEST_PAUSE = 600.0  # seconds until a paused run gives its slot to others; it stays paused


class Stopwatch:
    """Seconds spent training, over all processes of a run, without pauses."""

    def __init__(self, before: float) -> None:
        self._before = before
        self._since: float | None = time.monotonic()

    @property
    def seconds(self) -> float:
        return self._before + (0.0 if self._since is None else time.monotonic() - self._since)

    def hold(self) -> None:
        self._before, self._since = self.seconds, None

    def go(self) -> None:
        self._since = time.monotonic()


@dataclass
class Leave:
    """How many more steps the run may take before it pauses; None for as many as it likes."""

    steps: int | None = None

    @property
    def paused(self) -> bool:
        return self.steps == 0

    def took(self, report: Report) -> None:
        if self.steps and isinstance(report, Step):
            self.steps -= 1


class Session:
    """From the corpus to the checkpoint."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.folder = desk.run.folder
        self.settings: Settings = from_flat(desk.run.settings)
        self.leave = Leave()
        self.resting = False  # paused, or between single steps
        self.stopping: str | None = None  # why, once it has been decided
        self.ending: store.StatusName = "finished"
        self._saved, self._looked = time.monotonic(), 0.0

    def reports(self) -> Iterator[Report | Notice]:
        """Train, or go on, and tell. Whatever ends it early leaves the last good weights."""
        desk = self.desk
        desk.tell(phase="loading")
        yield Notice("reading the corpus")
        with desk.signals.heard_at_once():
            material = read_material(self.settings.task, self.settings.data, store.own_file(desk.run))
            self.setup: Setup = set_up(recipe_of(self.settings), material)
            self._resume()
        try:
            yield from self._train()
            yield Notice("scoring the best weights")
            self._finish()
        except (InterruptedRunError, DiscardedRunError, StorageError):
            raise
        except Exception as error:
            self.log.append("failed", message=str(error))
            raise
        finally:
            self.log.close()

    def _resume(self) -> None:
        """Go on from the saved state, if there is one; what was told after it is no longer true."""
        last = self.folder / store.LAST
        identity = {"settings": dict(self.desk.run.settings), "corpus_hash": self.setup.material.hash}
        self.header: dict[str, Any] = {**identity, "seconds": 0.0, "events": 0, "told": 0, "stopping": None, "ending": self.ending}
        self.state = TrainState()
        if last.exists():
            saved = load_state(last)
            if {name: saved.header[name] for name in identity} != identity:
                raise ValueError(f"the settings or the corpus of {self.folder} have changed since it was saved: start a new run")
            self.setup.model.load_state_dict(saved.weights)
            self.state, self.header = saved.state, saved.header
        self.state.live = self.state.live or self.settings.training.live()
        self.stopping, self.ending = self.header["stopping"], self.header["ending"]
        self.log = EventLog(self.folder / FILE, keep=self.header["events"])
        self.watch = Stopwatch(self.header["seconds"])
        self.thinner = StepThinner(self.header["seconds"], self.header["told"])
        epochs, steps = self.settings.training.epochs, self.setup.objective.steps
        self.desk.tell(phase="training", epoch=self.state.epoch, epochs=epochs, step=self.state.step, steps=steps)
        kind = "resumed" if last.exists() else "started"
        self.log.append(kind, epoch=self.state.epoch, step=self.state.step, epochs=epochs, steps=steps)

    def _train(self) -> Iterator[Report]:
        limit = 60 * Limits.of_environment().minutes
        if self.stopping is None:  # else it was killed while it was being scored
            self._obey()
        if self.stopping is not None:
            return
        for report in self._fitted():
            self._tell(report)
            self.leave.took(report)
            if isinstance(report, Epoch) or time.monotonic() - self._saved >= SAVE_EVERY:
                self._save()
            yield report
            if self.stopping is None:
                self._obey()
            if self.stopping is None and self.watch.seconds >= limit:
                self._stop(f"the longest time for a run, {limit / 60:g} minutes, is over: the best weights are kept")
            if self.stopping is not None:
                return

    def _fitted(self) -> Iterator[Report]:
        try:
            yield from fit(self.setup.model, self.setup.objective, self.settings.training, self.state)
        except DivergedError:
            self._save()  # as before the step that failed: with a lower rate the run can go on from here
            raise

    def _tell(self, report: Report) -> None:
        if isinstance(report, Step):
            values = self.thinner.take(report, always=self.leave.steps is not None)
            if values is not None:
                self.log.append("step", **values)
                self.desk.tell(step=report.step, seconds=self.watch.seconds)
            return
        self.stopping = report.stopped
        self.log.append("epoch", **asdict(report), seconds=self.watch.seconds)
        if report.best_epoch == report.epoch:
            self._keep_best(report)
        sample = probe.look(self.setup, self.settings.probe)
        if sample is not None:
            self.log.append("sample", epoch=report.epoch, **sample)
        best = {"best_score": report.best_score, "best_epoch": report.best_epoch}
        self.desk.tell(epoch=report.epoch, step=0, score=report.score, **best, seconds=self.watch.seconds)

    def _keep_best(self, report: Epoch) -> None:
        """A checkpoint that can be used at once, even of a run that goes on or is killed."""
        info = describe(self.setup, report.epoch, {"dev": {self.setup.recipe.task.metric: report.score}})
        with told_plainly("the best weights"):
            checkpoints.save(self.folder / store.BEST, self.setup.model, self.setup.vocabulary, info)

    def _save(self) -> None:
        self.header |= {
            "seconds": self.watch.seconds,
            "events": self.log.size,
            "told": self.thinner.told,
            "stopping": self.stopping,
            "ending": self.ending,
        }
        with told_plainly("where the run stands"):
            save_state(self.folder / store.LAST, self.setup.model, self.state, self.header)
        self._saved = time.monotonic()

    def _obey(self) -> None:
        """Carry out commands; while the run is paused, wait for them."""
        self._look()
        if not self.leave.paused:
            return
        self.watch.hold()
        if not self.resting:  # else it has only taken a single step
            self.log.append("paused", epoch=self.state.epoch, step=self.state.step)
            self._save()
        self.resting = True
        self.desk.tell(phase="paused", step=self.state.step, seconds=self.watch.seconds)
        since = time.monotonic()
        while self.leave.paused and self.stopping is None:
            if time.monotonic() - since > LONGEST_PAUSE:
                self._save()
                raise InterruptedRunError
            time.sleep(PAUSE)
            self._look()
        self.watch.go()
        if self.leave.steps is None and self.stopping is None:
            self.resting = False
            self.log.append("resumed", epoch=self.state.epoch, step=self.state.step)
            self.desk.tell(phase="training")

    def _look(self) -> None:
        if self.desk.signals.asked:
            self._save()
            raise InterruptedRunError
        now = time.monotonic()
        if now - self._looked < LOOK_EVERY and not self.leave.paused:
            return
        self._looked = now
        for path, command in commands.pending(self.folder):
            self._carry_out(command)
            path.unlink(missing_ok=True)

    def _carry_out(self, command: Command) -> None:
        if command.kind == "discard":
            raise DiscardedRunError
        if command.kind == "stop":
            self._stop("stopped by hand: the best weights are kept")
        elif command.kind == "pause":
            self.leave.steps = 0
        elif command.kind == "step":
            self.leave.steps = (self.leave.steps or 0) + 1
        elif command.kind == "resume":
            self.leave.steps = None
        else:
            self._change(command)

    def _change(self, command: Command) -> None:
        assert self.state.live is not None
        before = asdict(self.state.live)
        try:
            self.state.live = change(self.state.live, command.changes)
        except ValueError:  # refused where it was sent already
            return
        self.log.append("changed", epoch=self.state.epoch, step=self.state.step, before=before, after=asdict(self.state.live))
        self._save()  # before the command's file goes: a kill loses neither

    def _stop(self, reason: str) -> None:
        self.stopping, self.ending = reason, "stopped"
        self._save()

    def _finish(self) -> None:
        """Keep the best weights, calibrated and scored; without a whole epoch, the weights as they are."""
        trained = fingerprint(self.setup.model, self.state)
        self.desk.tell(phase="scoring", seconds=self.watch.seconds)
        if self.state.best_weights and self.settings.training.restore_best:
            self.setup.model.load_state_dict(self.state.best_weights)
        self.setup.model.eval()
        with self.desk.signals.heard_at_once(), told_plainly("the best weights"):
            scores = write_scored(self.folder / store.BEST, self.setup, self.state)
        self.log.append(self.ending, message=self.stopping, scores=scores, seconds=self.watch.seconds, weights=trained)
        self.desk.tell(phase=self.ending, message=self.stopping)
        (self.folder / store.LAST).unlink(missing_ok=True)


def fingerprint(model: nn.Module, state: TrainState) -> str:
    """A hash of the model's weights and of the best ones, to the last bit."""
    digest = hashlib.sha256()
    for weights in (model.state_dict(), state.best_weights):
        for name, value in sorted(weights.items()):
            digest.update(name.encode())
            digest.update(value.detach().numpy().tobytes())
    return digest.hexdigest()
