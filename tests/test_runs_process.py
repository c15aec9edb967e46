"""A run's process: what it leaves, follows and survives."""

import json
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from seqmodels import checkpoints
from seqmodels.data import load_dataset
from seqmodels.runs import (
    Notice,
    Run,
    Upload,
    create,
    delete,
    export_csv,
    find_run,
    list_runs,
    make_at,
    read_history,
    root,
    session,
    start,
    status,
    trainer,
    work,
)
from seqmodels.runs.queue import Queue
from seqmodels.runs.settings import from_flat, to_flat
from seqmodels.runs.store import ENDED
from seqmodels.runs.trainer import TrainingSetup
from seqmodels.training import Epoch, TrainState, fit
from tests.running import (
    KEY,
    SENTENCE,
    files,
    finish,
    fork,
    interrupted,
    is_now,
    kill_all,
    make,
    order,
    settings,
    tagging,
    wait_until,
)


@pytest.fixture(autouse=True)
def _apart(own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SEQMODELS_RUNS_AT_ONCE", "4")
    yield
    kill_all()


@pytest.fixture
def long() -> Run:
    """A run that would take minutes."""
    return make(epochs=1000, sentences=4000)


@pytest.fixture
def going(long: Run) -> Run:
    """The same with a process, in the midst of it."""
    fork(long)
    wait_until(lambda: len(read_history(long).steps) > 3)
    return long


def kinds(run: Run) -> list[str]:
    path = run.folder / "events.jsonl"
    return [json.loads(line)["kind"] for line in path.read_text().splitlines()[1:]]


def told_steps(run: Run, count: int) -> bool:
    return len(read_history(run).steps) == count


# what a run leaves


def test_a_finished_run_holds_its_best_weights_and_all_that_was_told() -> None:
    run = make()
    finish(run)
    assert status(run).name == "finished"
    assert status(run).progress.message == "all epochs done"
    assert files(run.folder) == {"config.json", "commands", "events.jsonl", "status.json", "lock", "best.safetensors"}
    history = read_history(run)
    assert [epoch["epoch"] for epoch in history.epochs] == [1, 2, 3, 4]
    assert len(history.steps) == 4 * history.steps[0]["steps"]
    assert [mark["kind"] for mark in history.marks] == ["finished"]
    best = max(history.epochs, key=lambda epoch: epoch["score"])
    info = checkpoints.read_info(run.folder / "best.safetensors")
    assert info.epochs == best["epoch"]
    assert info.scores["dev"]["accuracy"] == pytest.approx(best["score"], abs=5)  # that of the rounded weights


def test_a_run_trains_as_the_bare_trainer_does() -> None:
    run = make()
    finish(run)

    wanted = settings()
    setup = TrainingSetup.build(wanted, load_dataset(wanted.task, wanted.data))
    state = TrainState()
    epochs = []
    for report in fit(setup.model, setup.objective, wanted.training, state):
        if isinstance(report, Epoch):
            epochs.append(report)
            last = {name: value.clone() for name, value in setup.model.state_dict().items()}
    setup.model.load_state_dict(last)
    assert read_history(run).marks[-1]["weights"] == session.fingerprint(setup.model, state)
    assert [told["score"] for told in read_history(run).epochs] == pytest.approx([epoch.score for epoch in epochs], rel=1e-5)


def test_before_the_first_epoch_and_after_each_a_tagger_shows_its_tags_and_its_gates() -> None:
    run = tagging()
    finish(run)
    assert status(run).name == "finished", status(run).progress.message
    samples = read_history(run).samples
    assert [sample["epoch"] for sample in samples if sample["step"] == 0] == [0, 1, 2, 3]
    for sample in samples:
        assert [word for word, _, _ in sample["tags"]] == SENTENCE.split()
        assert [gates["direction"] for gates in sample["gates"]] == ["forward", "backward"]
        for gates in sample["gates"]:
            assert all(0 <= gates[name] <= 1 for name in ("mu_open", "mu_shut", "lam_open", "lam_shut"))
            assert gates["half_life"] > 0


@pytest.mark.parametrize("task", ["lm", "char"])
def test_every_few_seconds_a_language_model_writes_on(task: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "SAMPLE_EVERY", 0.0)
    monkeypatch.setattr(session, "SAMPLE_SHARE", 1e9)
    small = {"task": task, "hidden_size": "8", "source": "file", "epochs": "2", "probe": "The state"}
    text = "The state of the union is strong . The people know it .\n\n" * 40
    run = create(from_flat(small), KEY, upload=Upload("own.txt", text.encode()))
    finish(run)
    assert status(run).name == "finished", status(run).progress.message
    samples = read_history(run).samples
    steps = samples[0]["steps"]
    assert steps > 1
    assert [sample["x"] for sample in samples] == pytest.approx([step / steps for step in range(2 * steps + 1)])
    assert all(sample["text"].startswith("The state") and len(sample["text"]) > 30 for sample in samples)


def test_watching_a_network_does_not_change_it() -> None:
    watched, unwatched = tagging(), tagging(probe="")
    finish(watched)
    finish(unwatched)
    assert read_history(watched).samples
    assert not read_history(unwatched).samples
    assert read_history(watched).marks[-1]["weights"] == read_history(unwatched).marks[-1]["weights"]


def test_the_same_weights_seed_starts_two_runs_from_the_same_weights() -> None:
    losses = []
    for changes in ({"seed": 1}, {"seed": 2, "weights_seed": 1}, {"seed": 1, "optimizer": "sgd"}):
        run = make(**changes, dropout="0.0", batch_size=400, epochs=1)  # one batch: the first loss is that of the first weights
        finish(run)
        losses.append(read_history(run).steps[0]["loss"])
    assert losses[1:] == pytest.approx([losses[0]] * 2, rel=1e-5)


def test_the_events_make_a_table() -> None:
    run = make()
    finish(run)
    lines = export_csv(run).splitlines()
    history = read_history(run)
    assert lines[0].startswith("kind,time,epoch,step,loss")
    assert len(lines) == 1 + len(history.steps) + len(history.epochs)


@pytest.mark.parametrize(("restore_best", "epochs"), [(True, 1), (False, 3)])
def test_a_checkpoint_says_how_many_epochs_made_its_weights(restore_best: bool, epochs: int) -> None:
    run = make(epochs=3, learning_rate=0, restore_best=str(restore_best).lower())  # nothing is learned: the first epoch is the best
    finish(run)
    assert checkpoints.read_info(run.folder / "best.safetensors").epochs == epochs


def test_early_stopping_says_why() -> None:
    run = make(epochs=50, patience=1, learning_rate=0)
    finish(run)
    assert status(run).name == "finished"
    assert "no better dev score" in status(run).progress.message


def test_a_run_that_diverges_fails_in_plain_words() -> None:
    run = make(cell="elman", activation="relu", optimizer="sgd", learning_rate=1e30, clip="none")
    finish(run)
    assert status(run).name == "failed"
    assert "clip the gradient" in status(run).progress.message
    assert kinds(run)[-1] == "failed"


def test_a_change_sent_while_no_process_lives_holds_when_the_run_goes_on(going: Run) -> None:
    os.kill(status(going).progress.pid or 0, signal.SIGKILL)
    wait_until(lambda: not going.alive)
    order(going, "change", learning_rate=0.0)
    fork(going)
    wait_until(lambda: "changed" in kinds(going) and kinds(going)[-1] == "step")
    assert read_history(going).steps[-1]["learning_rate"] == 0


# the commands that a run follows


def test_pause_holds_a_run_until_it_is_resumed(going: Run) -> None:
    order(going, "pause")
    wait_until(is_now(going, "paused"))
    assert (going.folder / "last.safetensors").exists()
    steps = len(read_history(going).steps)
    order(going, "resume")
    wait_until(lambda: len(read_history(going).steps) > steps)
    assert status(going).name == "running"
    assert [kind for kind in kinds(going) if kind != "step"][:3] == ["started", "paused", "resumed"]


def test_a_paused_run_takes_single_steps(going: Run) -> None:
    order(going, "pause")
    wait_until(is_now(going, "paused"))
    before = len(read_history(going).steps)
    for taken in (1, 2):
        order(going, "step")
        wait_until(partial(told_steps, going, before + taken))
        wait_until(lambda: not files(going.folder / "commands"))
        assert status(going).name == "paused"
    assert kinds(going).count("paused") == 1


def test_each_step_that_is_asked_for_is_taken(going: Run) -> None:
    order(going, "pause")
    wait_until(is_now(going, "paused"))
    before, pid = len(read_history(going).steps), status(going).progress.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)  # so that it sees all three at once
    for _ in range(3):
        order(going, "step")
    os.kill(pid, signal.SIGCONT)
    wait_until(lambda: not files(going.folder / "commands") and status(going).progress.step == before + 3)
    assert told_steps(going, before + 3)


def test_a_change_is_marked_and_holds_from_the_next_step_on(going: Run) -> None:
    order(going, "change", learning_rate=0.0, clip="value", clip_threshold=0.5, patience=None)
    wait_until(lambda: bool(read_history(going).marks))
    (mark,) = read_history(going).marks
    assert mark["after"] == {"learning_rate": 0.0, "clip": {"kind": "value", "threshold": 0.5}, "patience": None}
    at = (mark["epoch"] + 1, mark["step"])
    wait_until(lambda: (last := read_history(going).steps[-1])["learning_rate"] == 0 and (last["epoch"], last["step"]) > at)


def test_stop_keeps_the_best_weights(going: Run) -> None:
    wait_until(lambda: len(read_history(going).epochs) > 1)
    order(going, "stop")
    wait_until(is_now(going, "stopped"))
    best = checkpoints.load(going.folder / "best.safetensors").info
    assert best.epochs == read_history(going).epochs[-1]["best_epoch"]
    assert "stopped by hand" in status(going).progress.message


def test_a_run_stopped_in_its_first_epoch_keeps_what_it_has() -> None:
    run = make(epochs=3, sentences=4000)
    reports = work(run.folder)
    for report in reports:
        if not isinstance(report, Notice) and report.step == 2:  # type: ignore[union-attr]
            order(run, "stop")
    assert status(run).name == "stopped"
    assert checkpoints.load(run.folder / "best.safetensors").info.epochs == 0


def test_discard_deletes_a_running_run(going: Run) -> None:
    order(going, "discard")
    wait_until(lambda: not going.folder.exists())
    assert list_runs() == []


def test_a_run_that_is_deleted_while_it_is_scored_is_gone_afterwards() -> None:
    run = make()
    for report in work(run.folder):
        if isinstance(report, Notice) and report.text.startswith("scoring"):
            delete(run, KEY)
    assert list_runs() == []
    assert not run.folder.exists()


def test_a_run_that_waits_can_be_seen_and_discarded(long: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQMODELS_RUNS_AT_ONCE", "1")
    second = make()
    fork(long)
    wait_until(is_now(long, "running"))
    fork(second)
    wait_until(lambda: status(second).after == (long,))
    assert status(second).name == "queued"
    delete(second, KEY)
    wait_until(lambda: not second.folder.exists())


def test_the_next_in_the_queue_starts_when_a_run_ends(going: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQMODELS_RUNS_AT_ONCE", "1")
    second = make()
    fork(second)
    wait_until(lambda: Queue(root(), 1).waiting() == [second.id])
    order(going, "stop")
    wait_until(is_now(second, "finished"))
    assert status(going).name == "stopped"


def test_a_run_ends_at_its_longest_time_and_keeps_the_best(long: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQMODELS_RUN_MINUTES", "0.005")
    finish(long)
    assert status(long).name == "stopped"
    assert "longest time" in status(long).progress.message
    checkpoints.load(long.folder / "best.safetensors")


@pytest.mark.parametrize("name", ["finished", "stopped"])
def test_a_run_that_has_ended_takes_no_commands(name: str) -> None:
    run = make(epochs=1)
    finish(run)
    for kind in ("resume", "stop", "step"):
        with pytest.raises(ValueError, match="can no longer"):
            order(run, kind)
    before = (run.folder / "best.safetensors").read_bytes()
    for again in (lambda: start(run, KEY), lambda: finish(run)):
        with pytest.raises(ValueError, match="make a new one"):
            again()
    assert (run.folder / "best.safetensors").read_bytes() == before


def test_two_processes_never_train_one_run(going: Run) -> None:
    with pytest.raises(ValueError, match="already"):
        start(going, KEY)
    with pytest.raises(ValueError, match="another process"):
        finish(going)


# what a run survives


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_asked_to_end_saves_first(going: Run, number: signal.Signals) -> None:
    pid = status(going).progress.pid
    assert pid is not None
    before = len(read_history(going).steps)
    os.kill(pid, number)
    wait_until(is_now(going, "interrupted"))
    assert (going.folder / "last.safetensors").exists()
    fork(going)
    wait_until(lambda: "resumed" in kinds(going))
    history = read_history(going)
    assert len(history.steps) >= before
    places = [(step["epoch"], step["step"]) for step in history.steps]
    assert places == sorted(set(places))


def test_a_paused_run_that_is_killed_stays_paused_and_resumes(going: Run) -> None:
    order(going, "pause")
    wait_until(is_now(going, "paused"))
    os.kill(status(going).progress.pid or 0, signal.SIGKILL)
    wait_until(lambda: not going.alive)
    assert status(going).name == "paused"


def finish_with_files_no_larger_than(size: int, run: Run) -> None:
    """As on a disk with so little left; in a process of its own."""
    limits = (size, size)
    fork(run, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limits))
    # it is not alive either before the process has it
    wait_until(lambda: status(run).name in ENDED and not run.alive)


def test_a_disk_that_is_full_fails_a_run_in_plain_words_and_the_last_good_weights_stay() -> None:
    run = make(hidden_size=64, epochs=6)
    reports = work(run.folder)
    for report in reports:
        if isinstance(report, Epoch) and report.epoch == 2:
            break
    reports.close()  # type: ignore[attr-defined]
    before = (run.folder / "last.safetensors").read_bytes()
    # well below: the numbers in a state's header take a few bytes more or less from one save to the next
    finish_with_files_no_larger_than(len(before) * 3 // 4, run)
    assert status(run).name == "failed"
    assert "cannot be saved: the file would be larger than is allowed" in status(run).progress.message
    assert (run.folder / "last.safetensors").read_bytes() == before
    checkpoints.load(run.folder / "best.safetensors")
    assert not [name for name in files(run.folder) if name.endswith(".partial") or name.startswith(".tmp")]
    finish(run)
    whole = make(hidden_size=64, epochs=6)
    finish(whole)
    assert read_history(run).marks[-1]["weights"] == read_history(whole).marks[-1]["weights"]


def test_not_even_the_events_fit_on_the_disk_and_the_run_still_says_so() -> None:
    run = make()
    finish_with_files_no_larger_than(4500, run)
    assert status(run).name == "failed"
    assert "cannot be saved" in status(run).progress.message
    assert all(json.loads(line) for line in (run.folder / "events.jsonl").read_text().splitlines())


def test_a_state_file_that_was_damaged_is_named() -> None:
    run = make()
    (run.folder / "last.safetensors").write_bytes(b"nonsense")
    finish(run)
    assert status(run).name == "failed"
    assert "last.safetensors is damaged" in status(run).progress.message


@pytest.mark.parametrize(("setting", "value"), [("learning_rate", 1.0), ("hidden_size", 16)])
def test_a_run_whose_settings_were_changed_by_hand_does_not_go_on(setting: str, value: float) -> None:
    run = interrupted(make())
    config = json.loads((run.folder / "config.json").read_text())
    config["settings"][setting] = value
    (run.folder / "config.json").write_text(json.dumps(config))
    finish(find_run(run.id))
    assert "have changed" in status(run).progress.message


def test_an_unexpected_error_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(trainer, "fit", broken)
    run = make()
    finish(run)
    assert status(run).name == "failed"
    assert "RuntimeError: a bug" in status(run).progress.message
    assert kinds(run)[-1] == "failed"
    assert "Traceback" in (run.folder / "run.log").read_text()
    assert not capfd.readouterr().err, "whoever started it from a terminal sees the sentence"


# the real process


def test_a_started_run_is_a_process_of_its_own_that_goes_on_without_its_parent(long: Run) -> None:
    code = "import sys; from seqmodels.runs import find_run, start; start(find_run(sys.argv[1]), sys.argv[2])"
    subprocess.run([sys.executable, "-c", code, long.id, KEY], check=True)  # the server: it is gone now
    assert long.alive
    assert status(long).name in ("queued", "running")
    wait_until(lambda: len(read_history(long).steps) > 3)
    pid = status(long).progress.pid
    assert pid is not None
    assert os.getsid(pid) == pid
    assert os.getpriority(os.PRIO_PROCESS, pid) >= 10
    os.kill(pid, signal.SIGKILL)
    wait_until(is_now(long, "interrupted"))
    start(long, KEY)
    assert long.alive
    wait_until(is_now(long, "running"))
    wait_until(lambda: bool(read_history(long).steps))
    order(long, "stop")
    wait_until(is_now(long, "stopped"))
    wait_until(lambda: not [thread for thread in threading.enumerate() if thread.name == f"run {long.folder}"])


def test_the_command_line_makes_a_run_and_trains_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "seqmodels", "run", str(tmp_path / "mine")]
    short = "task=recall&cell=elman&hidden_size=8&length=5&sentences=100&dev_sentences=20&epochs=2"
    done = subprocess.run([*command, "--settings", short], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [line.split("  ")[0] for line in done.stdout.splitlines() if line.startswith("epoch")] == ["epoch 1/2", "epoch 2/2"]
    checkpoints.load(tmp_path / "mine" / "best.safetensors")
    again = subprocess.run([*command, "--settings", short], capture_output=True, text=True, check=False)
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)


def test_a_process_that_waits_has_not_imported_torch(tmp_path: Path) -> None:
    make_at(tmp_path / "mine", to_flat(settings()))
    code = (
        "import sys; from pathlib import Path; from seqmodels.runs import work, root; from seqmodels.runs.queue import Queue;"
        "queue = Queue(root(), 4); slots = [queue.enter(queue.join('x')) for _ in range(4)];"
        "print(next(work(Path(sys.argv[1]))).text, {'torch', 'spacy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "mine")], capture_output=True, text=True, check=True)
    assert done.stdout == "waiting for other runs to end set()\n"
