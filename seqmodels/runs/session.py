"""The training inside a run's process: what it reads, reports, is asked to do, saves, and leaves behind."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Annotated

from torch import nn

from seqmodels import checkpoints
from seqmodels.data import load_dataset
from seqmodels.environment import environment
from seqmodels.fields import Count, Range, validated
from seqmodels.runs import probe, store
from seqmodels.runs.context import PAUSE, Command, DiscardedRunError, InterruptedRunError, Notice, RunContext
from seqmodels.runs.events import FILE, EventLog, StepThinner, growing_gap
from seqmodels.runs.files import StorageError, friendly_errors
from seqmodels.runs.settings import change, from_flat
from seqmodels.runs.trainer import DamagedStateError, Trainer, TrainingSetup
from seqmodels.tasks import caution
from seqmodels.training import DivergedError, Epoch, Report, Step, TrainState, holding
from seqmodels.vocab import Vocabulary

SAVE_EVERY = 20.0  # seconds of training that a kill may cost
SAMPLE_EVERY = 4.0  # seconds between two samples of what the network makes of the text to watch; more in a long run
SAMPLE_SHARE = 0.05  # of the time at most that samples may take
POLL_EVERY = 0.05  # seconds between two polls of the commands
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


@dataclass(frozen=True)
class Kept:
    """What is kept of a run beside its training's state, to go on with."""

    seconds: Annotated[float, Range(0)] = 0.0  # spent training
    events: Count = 0  # bytes of the log
    told: Count = 0  # steps reported
    stopping: str | None = None  # why, once it has been decided
    ending: store.StatusName = "finished"


class Session:
    """From the corpus to the checkpoint."""

    def __init__(self, context: RunContext) -> None:
        self.context = context
        self.folder = context.run.folder
        self.settings = from_flat(context.run.settings)
        self.allowed: int | None = None  # steps until it pauses; None for no limit
        self.resting = False  # paused, or between single steps
        self._saved, self._polled = time.monotonic(), 0.0
        self._next_sample = 0.0  # when, by the watch

    def reports(self) -> Iterator[Report | Notice]:
        """Train, or go on, and report. Whatever ends it early leaves the last good weights."""
        self.context.update(phase="loading")
        yield Notice("reading the corpus")
        with self.context.signals.interruptible():
            self._set_up()
        doubt = caution(self.facts)
        if doubt:
            yield Notice(f"warning: {doubt}")
        try:
            yield from self._train()
            yield Notice("scoring the best weights")
            self._finish()
        except (InterruptedRunError, DiscardedRunError, StorageError):
            raise
        except DivergedError as error:
            self._save()  # as before the step that failed: with a lower rate the run can go on from here
            kept = f". The weights of epoch {self.state.best_epoch}, the best so far, are kept" if self.state.best_weights else ""
            self.log.append("failed", message=f"{error}{kept}", diverged=True)
            raise DivergedError(f"{error}{kept}") from None
        except Exception as error:
            self.log.append("failed", message=str(error))
            raise
        finally:
            self.log.close()

    def _set_up(self) -> None:
        """Begin, or go on from the saved state; what was reported after it is no longer true."""
        run = self.context.run
        dataset = load_dataset(self.settings.task, self.settings.data, store.own_file(run))
        best = store.best_weights(run) if (self.folder / store.LAST).exists() else None
        # one that goes on has the words it began with, also where this version would choose others
        vocabulary = None if best is None else self._vocabulary(best)
        self.setup = TrainingSetup.build(self.settings, dataset, vocabulary)
        self.facts = self.setup.task.facts(self.setup.vocabulary, dataset.dev)
        self.baseline = self.setup.task.baseline(self.setup.vocabulary, dataset.train, dataset.dev)
        identity = {"settings": store.without_later(run.settings), "corpus_hash": dataset.hash}
        refusal = "the settings or the corpus of this run have changed since it was saved: start a new run"
        try:
            self.trainer = Trainer(self.setup, self.folder / store.LAST, identity, asdict(Kept()), refusal=refusal)
            self.state = self.trainer.state
            kept = _kept(self.trainer)
        except DamagedStateError as error:
            weights = "" if best is None else ". Its best weights so far can still be used"
            raise ValueError(_damaged(store.LAST, error.reason) + weights) from None
        self.stopping, self.ending = kept.stopping, kept.ending
        self.log = EventLog(self.folder / FILE, keep=kept.events)
        self.watch = Stopwatch(kept.seconds)
        self.thinner = StepThinner(kept.seconds, kept.told)
        sizes = {"epochs": self.settings.training.epochs, "steps": self.setup.objective.steps}
        self.context.update(phase="training", **self._place(), **sizes)
        self.log.append("resumed" if self.trainer.resumed else "started", **self._place(), **sizes)
        if not self.trainer.resumed:
            self._sample(steps=self.setup.objective.steps)  # what it makes of the text before it has learned anything

    def _vocabulary(self, best: Path) -> Vocabulary:
        try:
            return checkpoints.load(best).vocabulary
        except checkpoints.CheckpointError as error:
            raise ValueError(_damaged(store.BEST, str(error).replace(str(best), "it"))) from None

    def _place(self) -> dict[str, int]:
        return {"epoch": self.state.epoch, "step": self.state.step}

    def _train(self) -> Iterator[Report]:
        limit = 60 * environment().run_minutes
        if self.stopping is None:  # else it was killed while it was being scored
            self._follow_commands()
        if self.stopping is not None:
            return
        for report in self.trainer.reports():
            self._report(report)
            if self.allowed and isinstance(report, Step):
                self.allowed -= 1
            if isinstance(report, Epoch) or time.monotonic() - self._saved >= SAVE_EVERY:
                self._save()
            yield report
            if self.stopping is None:
                self._follow_commands()
            if self.stopping is None and self.watch.seconds >= limit:
                self._stop(f"the longest time for a run, {limit / 60:g} minutes, is over: the best weights are kept")
            if self.stopping is not None:
                return

    def _report(self, report: Report) -> None:
        if isinstance(report, Step):
            values = self.thinner.take(report, always=self.allowed is not None)
            if values is not None:
                self.log.append("step", **values)
                self.context.update(step=report.step, seconds=self.watch.seconds)
            if report.step < report.steps and self.watch.seconds >= self._next_sample:
                with holding(self.setup.model, self.state.average):
                    self._sample(steps=report.steps)
            return
        self.stopping = report.stopped
        self.log.append("epoch", **asdict(report), **self.facts, baseline=self.baseline, seconds=self.watch.seconds)
        with holding(self.setup.model, self.state.average):
            if report.best_epoch == report.epoch:
                self._keep_best(report)
            self._sample()
        best = {"best_score": report.best_score, "best_epoch": report.best_epoch}
        self.context.update(epoch=report.epoch, step=0, score=report.score, **best, seconds=self.watch.seconds)

    def _sample(self, **values: int) -> None:
        """Report what the model as it is makes of the text to watch, after so many whole epochs and steps of the next."""
        started = time.monotonic()
        sample = probe.sample(self.setup, self.settings.probe)
        if sample is not None:
            self.log.append("sample", **self._place(), **values, **sample)
        pause = max(growing_gap(SAMPLE_EVERY, self.watch.seconds), (time.monotonic() - started) / SAMPLE_SHARE)
        self._next_sample = self.watch.seconds + pause

    def _keep_best(self, report: Epoch) -> None:
        """A checkpoint that can be used at once, even of a run that goes on or is killed."""
        info = self.setup.describe(
            report.epoch, {"dev": {self.setup.task.metric: report.score, **self.facts}}, seconds=self.state.seconds
        )
        # not in eight bits: the score is that of the weights before they are rounded
        info = replace(info, format=checkpoints.FLOATING_FORMAT)
        with friendly_errors("the best weights"):
            checkpoints.save(self.folder / store.BEST, self.setup.model, self.setup.vocabulary, info)

    def _save(self) -> None:
        reported = {"seconds": self.watch.seconds, "events": self.log.size, "told": self.thinner.reported}
        self.trainer.save(**reported, stopping=self.stopping, ending=self.ending)
        self._saved = time.monotonic()

    def _follow_commands(self) -> None:
        """Carry out commands; while the run is paused, wait for them."""
        self._poll_commands()
        if self.allowed != 0:
            return
        self.watch.hold()
        if not self.resting:  # else it has only taken a single step
            self.log.append("paused", **self._place())
            self._save()
        self.resting = True
        self.context.update(phase="paused", step=self.state.step, seconds=self.watch.seconds)
        since = time.monotonic()
        while self.allowed == 0 and self.stopping is None:
            if time.monotonic() - since > LONGEST_PAUSE:
                self._save()
                raise InterruptedRunError
            time.sleep(PAUSE)
            self._poll_commands()
        self.watch.go()
        if self.allowed is None and self.stopping is None:
            self.resting = False
            self.log.append("resumed", **self._place())
            self.context.update(phase="training")

    def _poll_commands(self) -> None:
        if self.context.signals.asked:
            self._save()
            raise InterruptedRunError
        now = time.monotonic()
        if now - self._polled < POLL_EVERY and self.allowed != 0:
            return
        self._polled = now
        for path, command in self.context.poll_commands():
            self._carry_out(command)
            path.unlink(missing_ok=True)

    def _carry_out(self, command: Command) -> None:
        if command.kind == "stop":
            self._stop("stopped by hand: the best weights are kept")
        elif command.kind == "change":
            self._change(command)
        else:
            self.allowed = {"pause": 0, "step": (self.allowed or 0) + 1, "resume": None}[command.kind]

    def _change(self, command: Command) -> None:
        assert self.state.live is not None
        before = asdict(self.state.live)
        try:
            self.state.live = change(self.state.live, command.changes)
        except ValueError:  # refused where it was sent already
            return
        self.log.append("changed", **self._place(), before=before, after=asdict(self.state.live))
        self._save()  # before the command's file goes: a kill loses neither

    def _stop(self, reason: str) -> None:
        self.stopping, self.ending = reason, "stopped"
        self._save()

    def _finish(self) -> None:
        trained = fingerprint(self.setup.model, self.state)
        self.context.update(phase="scoring", seconds=self.watch.seconds)
        with self.context.signals.interruptible(), friendly_errors("the best weights"):
            kept = self.trainer.finish(self.folder / store.BEST)
        message = "; ".join(part for part in (self.stopping, kept.note) if part)
        self.log.append(self.ending, message=message, scores=kept.scores, seconds=self.watch.seconds, weights=trained)
        self.context.update(phase=self.ending, message=message)
        self.trainer.file.unlink(missing_ok=True)


def _kept(trainer: Trainer) -> Kept:
    """What the header of a state file says beside the training's state."""
    try:
        return validated(Kept, {field.name: trainer.header[field.name] for field in fields(Kept) if field.name in trainer.header})
    except ValueError as error:
        raise DamagedStateError(trainer.file, error) from None


def _damaged(file: str, reason: str) -> str:
    return f"its {file} is damaged ({reason}), so this run cannot go on: start a new one with the same settings"


def fingerprint(model: nn.Module, state: TrainState) -> str:
    """A hash of the model's weights and of the best ones, to the last bit."""
    digest = hashlib.sha256()
    for weights in (model.state_dict(), state.best_weights):
        for name, value in sorted(weights.items()):
            digest.update(name.encode())
            digest.update(value.detach().numpy().tobytes())
    return digest.hexdigest()
