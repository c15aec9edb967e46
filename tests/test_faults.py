"""Faults of the machine around the program: what stood there stays whole, and whoever is told anything is told it in a sentence."""

from __future__ import annotations

import copy
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import anyio
import pytest
import torch
from streamlit.testing.v1 import AppTest
from torch import Tensor

from seqmodels import checkpoints
from seqmodels.checkpoints import Checkpoint, CheckpointError
from seqmodels.cli import main, scores, training
from seqmodels.experiments import catalogue, read_results, trials
from seqmodels.experiments.record import Outcome
from seqmodels.experiments.trials import Experiment, Trial
from seqmodels.runs import (
    Command,
    StorageError,
    context,
    create,
    export_csv,
    keeper,
    list_runs,
    read_history,
    start,
    status,
    store,
    work,
)
from seqmodels.runs.publishing import import_checkpoint, kept, publish, unused
from tests.browser.driver import ROOT, Server
from tests.paging import TAGGING, TRAINING, linked, sound
from tests.running import CONLLU, KEY, files, finish, make, settings, wait_until
from tests.visiting import Visitor

SIZES = (4, 8, 12, 16, 24, 32, 48, 64, 128, 512, 4096)  # kilobytes of a disk
SMALL = "task=recall&cell=gru&epochs=2&hidden_size=8&length=5&sentences=100&dev_sentences=20"


@dataclass(frozen=True)
class Disk:
    """A disk of its own, of a size that can be changed."""

    place: Path

    def resize(self, kilobytes: int) -> None:
        subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", self.place], check=True)

    def fill(self) -> Path:
        """Take all the room that is left; the file that does."""
        filler = self.place / "filler"
        with filler.open("wb", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                return filler
        raise AssertionError


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    place = tmp_path / "disk"
    place.mkdir()
    mounted = shutil.which("mount") and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4096k", "tmpfs", place], check=False)
    if not mounted or mounted.returncode:
        pytest.skip("a small disk can be mounted by root only")
    yield Disk(place)
    subprocess.run(["umount", "--lazy", place], check=True)


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., bool]:
    """Give a command: whether it did what it was to do. If not, it says why, and what to do, in one line."""
    monkeypatch.setattr(training, "_give_way", lambda: None)  # or all tests after this one would be slow

    def give(*arguments: object) -> bool:
        code = main([str(argument) for argument in arguments])
        told = capsys.readouterr().err
        assert (code, told) == (0, "") or (
            code == 2 and told.count("\n") == 1 and "disk is full" in told and "ree some space" in told
        )
        return code == 0

    return give


def unfinished(folder: Path) -> list[str]:
    """What is in a folder that nobody can use."""
    found = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in found if ".partial" in path.name or path.name.startswith((".tmp", ".new-", "."))]


# a disk that is full


def test_a_training_on_a_full_disk_leaves_the_model_that_was_there_and_goes_on_once_there_is_room(
    disk: Disk, command: Callable[..., bool], tmp_path: Path, tiny_folder: Path
) -> None:
    (tmp_path / "own.conllu").write_text(CONLLU)
    output, before = disk.place / "a.safetensors", tiny_folder / "pos-gru.safetensors"
    corpus = ("--corpus", tmp_path / "own.conllu", "--dev", tmp_path / "own.conllu")
    give = ("train", "--task", "pos", "--cell", "gru", "--epochs", 1, "--hidden-size", 8, *corpus, "--output", output)
    shutil.copy(before, output)
    done = []
    for size in SIZES:
        disk.resize(size + 4 * -(-before.stat().st_size // 4096))
        done.append(command(*give))
        assert unfinished(disk.place) == []
        if done[-1]:
            break
        assert output.read_bytes() == before.read_bytes()
    assert done == [*[False] * (len(done) - 1), True]
    assert len(done) > 2
    assert checkpoints.load(output).info.epochs == 1
    assert files(disk.place) == {output.name}


def test_a_run_on_a_full_disk_ends_in_a_line_and_goes_on_once_there_is_room(disk: Disk, command: Callable[..., bool]) -> None:
    folder, done = disk.place / "run", []
    for size in SIZES:
        disk.resize(size)
        made = (folder / store.CONFIG).exists()
        done.append(command("run", folder, *(() if made else ("--settings", SMALL))))
        assert unfinished(disk.place) == []
        if done[-1]:
            break
    assert done == [*[False] * (len(done) - 1), True]
    assert len(done) > 2
    assert status(store.open_folder(folder)).name == "finished"
    checkpoints.load(folder / store.BEST)


def test_a_text_is_tagged_onto_a_full_disk_as_far_as_it_takes_and_to_the_end_once_there_is_room(
    disk: Disk, command: Callable[..., bool], tmp_path: Path, tiny_checkpoints: Path
) -> None:
    text, output, done = tmp_path / "text.txt", disk.place / "out.conllu", []
    text.write_text("John Smith flew to Berlin on Monday, and back.\n\n" * 200)
    give = ("tag", "--task", "pos", "--cell", "gru", "--input", text, "--output")
    for size in SIZES:
        disk.resize(size)
        done.append(command(*give, output))
        if done[-1]:
            break
        assert files(disk.place) in (set(), {"out.conllu.partial", "out.conllu.progress"})
    assert done == [*[False] * (len(done) - 1), True]
    assert len(done) > 2
    assert command(*give, tmp_path / "whole.conllu")
    assert output.read_bytes() == (tmp_path / "whole.conllu").read_bytes()
    assert files(disk.place) == {output.name}


@pytest.mark.usefixtures("tiny_checkpoints")
@pytest.mark.parametrize(
    "arguments",
    [
        ("trace", "The old man the boats.", "--task", "pos", "--cell", "gru"),
        ("trace", "The old man the boats.", "--task", "pos", "--cell", "gru", "--json"),
        ("tag", "The old man the boats.", "--task", "pos", "--cell", "gru"),
        ("checkpoints",),
        ("settings",),
    ],
)
def test_what_is_printed_onto_a_full_disk_is_told_in_a_line(
    arguments: tuple[str, ...], command: Callable[..., bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    full = Path("/dev/full").open("w")  # noqa: SIM115 (it cannot be closed in peace)
    monkeypatch.setattr(sys, "stdout", full)
    assert not command(*arguments)
    with suppress(OSError):
        full.close()


def test_the_table_of_scores_stays_as_it_was(disk: Disk, command: Callable[..., bool], tiny_folder: Path, monkeypatch) -> None:
    monkeypatch.setenv("SEQMODELS_CHECKPOINTS", str(disk.place))
    disk.resize(4096)
    shutil.copy(tiny_folder / "pos-gru.safetensors", disk.place)
    table = disk.place / "README.md"
    table.write_text("as it was")
    filler = disk.fill()
    assert not command("checkpoints", "--write-table")
    assert table.read_text() == "as it was"
    assert files(disk.place) == {"pos-gru.safetensors", "README.md", "filler"}
    filler.unlink()
    monkeypatch.setattr(scores.show, "complain", lambda message: None)  # where it was written
    assert command("checkpoints", "--write-table")
    assert "pos-gru" in table.read_text()


@dataclass(frozen=True)
class Told(Trial):
    """A trial whose outcome takes some room, and no time."""

    def carry_out(self) -> Outcome:
        room = {f"score-{number}": 0.5 for number in range(200)}
        return Outcome(self.name, self.factors, {}, "accuracy", 0.5, room, (), 1, 0.0)


def test_an_experiment_on_a_full_disk_keeps_each_outcome_whole(disk: Disk, command: Callable[..., bool], monkeypatch) -> None:
    def tried(toy: bool) -> list[Trial]:
        return [Told({"seed": seed}, settings()) for seed in range(8)]

    path, done, kept = disk.place / "results.json", [], [0]
    monkeypatch.setitem(catalogue.EXPERIMENTS, "memory", Experiment("memory", "", "", tried))
    monkeypatch.setattr(trials, "to_link", lambda settings: {})
    for size in SIZES:
        disk.resize(size)
        done.append(command("experiment", "memory", "--output", path))
        if done[-1]:
            break
        lines = (disk.place / "results.json.unfinished").read_text().splitlines()
        assert all(line.endswith("}") for line in lines)
        assert len(lines) >= kept[-1]
        kept.append(len(lines))
        assert files(disk.place) == {"results.json.unfinished"}
    assert done == [*[False] * (len(done) - 1), True]
    assert kept[-1] > 0
    assert len(read_results(path).outcomes) == 8
    assert files(disk.place) == {path.name}


@pytest.mark.usefixtures("own_folders")
def test_a_run_that_does_not_fit_on_the_disk_is_refused_and_nothing_is_left_of_it(disk: Disk, monkeypatch) -> None:
    monkeypatch.setenv("SEQMODELS_RUNS", str(disk.place))
    disk.resize(4096)
    there = make()
    filler = disk.fill()
    with pytest.raises(StorageError, match="the run cannot be saved: the disk is full"):
        make()
    for group in (None, "a group"):
        with pytest.raises(StorageError, match="the run cannot be saved: the disk is full"):
            start(replace(there, group=group), KEY)
    assert list_runs() == [there]
    assert {path.name for path in disk.place.iterdir()} == {there.id, "filler", ".queue", ".slots"}
    assert files(disk.place / ".queue") == {"lock"}
    assert unfinished(there.folder) == []
    assert store.queue().free(), "no slot is held by what did not start"
    filler.unlink()
    finish(there)
    assert status(there).name == "finished"


@pytest.mark.usefixtures("own_folders", "tiny_checkpoints", "fresh_cache")
def test_a_model_that_does_not_fit_on_the_disk_is_refused_on_the_page_and_by_hand(
    disk: Disk, monkeypatch: pytest.MonkeyPatch, tiny_folder: Path
) -> None:
    monkeypatch.setenv("SEQMODELS_OWN_CHECKPOINTS", str(disk.place))
    disk.resize(4096)
    content = (tiny_folder / "pos-gru.safetensors").read_bytes()
    import_checkpoint(content, "before", KEY)
    run = make()
    finish(run)
    filler = disk.fill()
    for room in (0, 4096):  # nothing fits; or who it belongs to does, and the model does not
        filler.write_bytes(b"")
        disk.fill()
        os.truncate(filler, filler.stat().st_size - room)
        before = files(disk.place)
        assert "The checkpoint cannot be saved: the disk is full" in told(brought(content))
        with pytest.raises(StorageError, match="the disk is full"):
            publish(run, KEY, "of-a-run")
        assert files(disk.place) == before
    filler.unlink()
    assert "**brought** is added" in told(brought(content))
    publish(run, KEY, "of-a-run")
    assert {path.stem for path in disk.place.glob("*.safetensors")} == {"before", "brought", "of-a-run"}


def brought(content: bytes) -> AppTest:
    """The Training page after a model was brought."""
    app = linked(TRAINING)
    app.session_state["training-owner"], app.session_state["training-tab"] = KEY, "Your models"
    sound(app.run())
    app.file_uploader(key="training-checkpoint").set_value(("brought.safetensors", content, "application/octet-stream"))
    sound(app.run())
    return sound(app.button(key="training-add").click().run())


def told(app: AppTest) -> str:
    return " ".join(element.value for element in [*app.warning, *app.success, *app.info]).replace("\\", "")


# a model whose file is replaced while it is read

REPLACE = """
import os, shutil, sys, itertools
target, *files = sys.argv[1:]
for file in itertools.cycle(files):
    shutil.copyfile(file, target + ".new")
    os.replace(target + ".new", target)
"""


@pytest.fixture
def replaced(tmp_path: Path, tiny: dict[str, Checkpoint]) -> Iterator[tuple[Path, dict[float, Tensor]]]:
    """A file that another process replaces all the time, by two models and by what is left of one; the weights by temperature."""
    models = {}
    for temperature in (1.0, 2.0):
        model = copy.deepcopy(tiny["pos-gru"].model)
        model.head.weight.data.fill_(temperature)
        info = replace(tiny["pos-gru"].info, temperature=temperature)
        checkpoints.save(tmp_path / f"{temperature}", model, tiny["pos-gru"].vocabulary, info)
        models[temperature] = model.head.weight
    (tmp_path / "damaged").write_bytes((tmp_path / "1.0").read_bytes()[:-100])
    target = tmp_path / "models" / "pos-gru.safetensors"
    target.parent.mkdir()
    shutil.copy(tmp_path / "1.0", target)
    files = [str(tmp_path / name) for name in ("1.0", "2.0", "damaged", "2.0")]
    process = subprocess.Popen([sys.executable, "-c", REPLACE, str(target), *files])
    try:
        yield target, models
    finally:
        process.kill()
        process.wait()


def test_a_model_that_is_replaced_while_it_is_read_is_the_old_one_or_the_new_one(
    replaced: tuple[Path, dict[float, Tensor]],
) -> None:
    path, models = replaced
    seen = set()
    for _ in range(300):
        with suppress(CheckpointError):  # that which is damaged
            found = checkpoints.load(path)
            assert torch.equal(found.model.head.weight, models[found.info.temperature])
            seen.add(found.info.temperature)
    assert seen == {1.0, 2.0}


@pytest.mark.usefixtures("fresh_cache")
def test_a_page_of_a_model_that_is_replaced_meanwhile_stays_sound(
    replaced: tuple[Path, dict[float, Tensor]], monkeypatch: pytest.MonkeyPatch, nine_folder: Path
) -> None:
    folder = replaced[0].parent
    for other in ("pos-elman", "pos-lstm"):
        shutil.copy(nine_folder / f"{other}.safetensors", folder)
    monkeypatch.setenv("SEQMODELS_CHECKPOINTS", str(folder))
    app = sound(linked(TAGGING, table="true").run())
    for number in range(10):
        sound(app.text_area(key="text").set_value(f"The old man has {number} boats.").run())
        assert app.dataframe or app.info, "an answer, or why there is none"


# a clock that jumps

DAY = 24 * 3600


class Clock:
    """What the time is, beside what it would be."""

    def __init__(self) -> None:
        self.ahead = 0  # seconds
        self._time, self._time_ns = time.time, time.time_ns

    def time(self) -> float:
        return self._time() + self.ahead

    def time_ns(self) -> int:
        return self._time_ns() + self.ahead * 10**9


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "time", clock.time)
    monkeypatch.setattr(time, "time_ns", clock.time_ns)
    return clock


@pytest.mark.usefixtures("own_folders")
def test_runs_stay_in_their_order_whatever_the_clock_says(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQMODELS_RUNS_AT_ONCE", "1")
    monkeypatch.setattr(keeper, "ensure", lambda: None)
    slot, runs = store.queue().enter(), []
    for clock.ahead in (0, DAY, -DAY, 0):
        runs.append(make())
        start(runs[-1], KEY)
    assert store.queue().waiting() == [run.id for run in runs]
    assert list_runs() == runs[::-1]
    assert slot is not None
    os.close(slot)
    due = store.queue().due()
    first, slot = next(due)
    os.close(slot)
    assert first == runs[0].id


@pytest.mark.usefixtures("own_folders")
def test_commands_are_carried_out_in_the_order_of_sending_whatever_the_clock_says(clock: Clock) -> None:
    run, kinds = make(), ("pause", "resume", "step", "stop")
    for clock.ahead, kind in zip((0, DAY, -DAY, 0), kinds, strict=True):
        context.send(run.folder, Command(kind))  # type: ignore[arg-type]
    assert [command.kind for _, command in context.pending(run.folder)] == list(kinds)


@pytest.mark.usefixtures("own_folders")
def test_a_run_trains_as_long_as_it_may_whatever_the_clock_says(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQMODELS_RUN_MINUTES", "10")
    run = make()
    for number, _ in enumerate(work(run.folder)):
        clock.ahead = DAY * (-1) ** number
    assert status(run).name == "finished", status(run).progress.message
    assert status(run).progress.seconds < 600
    history = read_history(run)
    assert (len(history.epochs), history.problems) == (4, [])
    assert export_csv(run).count("\nepoch,") == 4
    assert sound(linked(TRAINING, run=run.id).run())


@pytest.mark.usefixtures("own_folders", "tiny_checkpoints")
def test_nothing_is_deleted_for_a_clock_that_jumps_by_a_day(
    clock: Clock, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQMODELS_RUNS_EACH", "3")
    monkeypatch.setenv("SEQMODELS_RUNS_KEPT", "3")
    content = (tiny_folder / "pos-gru.safetensors").read_bytes()
    theirs = [create(settings(), "another's key") for _ in range(2)]
    for number, clock.ahead in enumerate((0, DAY, -DAY, DAY, 0)):
        import_checkpoint(content, f"mine-{number}", KEY)
        newest = make()
        assert {run.id for run in list_runs()} == {newest.id, *(run.id for run in theirs)}, "the starter's own went, and no other"
    assert len(kept()) == 5
    assert unused() == []


# a checkout and a home that nobody can write to, and a crowd that leaves


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app of a checkout that cannot be written, for a user whose home cannot be written; it forgets who left after a second."""
    checkout, home = (str(tmp_path_factory.mktemp(name)) for name in ("checkout", "home"))
    config = tmp_path_factory.mktemp("config") / "config.toml"
    usual = (ROOT / ".streamlit" / "config.toml").read_text()
    config.write_text(usual.replace("disconnectedSessionTTL = 60", "disconnectedSessionTTL = 1"))
    mounted = [
        ("--bind", str(ROOT), checkout),
        ("-o", "remount,bind,ro", checkout),
        ("--bind", str(config), f"{checkout}/.streamlit/config.toml"),
        ("-t", "tmpfs", "-o", "ro", "tmpfs", home),
    ]
    if not shutil.which("mount") or any(subprocess.run(["mount", *one], check=False).returncode for one in mounted):
        pytest.skip("a checkout can be made read-only by root only")
    unset = ("XDG_CACHE_HOME", "XDG_DATA_HOME", "SEQMODELS_RUNS", "SEQMODELS_OWN_CHECKPOINTS", "SEQMODELS_CHECKPOINTS")
    started = Server(Path(checkout), (), HOME=home, **dict.fromkeys(unset, ""))
    try:
        yield started
    finally:
        started.stop()
        for place in (f"{checkout}/.streamlit/config.toml", checkout, home):
            subprocess.run(["umount", "--lazy", place], check=True)


@pytest.mark.timeout(300)
def test_pages_of_a_read_only_checkout_open_and_start_says_what_is_wrong(server: Server) -> None:
    async def look() -> None:
        for page in ("", "Tagging", "Gates", "Leaderboard", "Training"):
            async with Visitor(server.address) as visitor:
                await visitor.open(page)
                assert (visitor.seen.exceptions, visitor.seen.alerts) == ([], []), page
                if page == "Training":
                    await visitor.press("training-go")
                    assert "disk is read" in " ".join(visitor.seen.alerts)
                    assert visitor.seen.exceptions == []

    anyio.run(look)


@pytest.mark.thorough
@pytest.mark.timeout(300)
def test_of_twenty_visitors_who_leave_in_the_middle_of_an_answer_nothing_is_left(server: Server) -> None:
    async def leave(number: int) -> None:
        async with Visitor(server.address) as visitor:
            await visitor.open("Tagging")
            await visitor.type(f"The old man {number} and the boats of John Smith lie in Berlin. " * 500, wait=False)

    async def stay() -> None:
        async with Visitor(server.address) as visitor:
            await visitor.open("Tagging")
            await visitor.type("The one who stays is answered.")
            assert visitor.seen.exceptions == []
            assert "stays" in " ".join(visitor.seen.html)

    async def crowd() -> None:
        async with anyio.create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(leave, number)
            tasks.start_soon(stay)

    def held() -> tuple[int, int, str]:
        """Open files, threads, and the processes that it started."""
        process = Path(f"/proc/{server.pid}")
        children = (process / "task" / str(server.pid) / "children").read_text()
        return len(list((process / "fd").iterdir())), len(list((process / "task").iterdir())), children

    anyio.run(stay)
    files, threads, children = held()  # with what one visitor left, who may not be forgotten yet
    anyio.run(crowd)
    wait_until(lambda: held()[0] <= files and held()[1] <= threads + 1)  # although nobody comes any more
    assert held()[2] == children
