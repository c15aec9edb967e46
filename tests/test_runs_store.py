"""A run's folder: commands, owners, the queue, limits. No process is started here."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from seqmodels.corpora import CorpusError
from seqmodels.runs import (
    Command,
    Progress,
    Upload,
    command,
    context,
    control,
    create,
    delete,
    find_run,
    list_runs,
    make_at,
    may_control,
    rename,
    start,
    status,
    store,
)
from seqmodels.runs.files import take_lock
from seqmodels.runs.queue import Queue
from seqmodels.runs.settings import default_settings, from_flat, to_flat
from seqmodels.runs.store import read_progress, write_progress
from tests.running import CONLLU, KEY, files, make, order, settings


@pytest.fixture(autouse=True)
def runs_folder(own_folders: Path) -> Path:
    return own_folders / "runs"


# folders


def test_a_run_is_found_as_it_was_made() -> None:
    run = make()
    assert find_run(run.id) == run
    assert from_flat(run.settings) == settings()
    assert list_runs() == [run]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": 5}, "name: 5: it should be a valid string"),
        ({"created": float("nan")}, "created: nan must be"),
        ({"created": "today"}, "created: 'today': it should be a valid number"),
        ({"file_name": ["a"]}, "file_name: .*it should be a valid string"),
        ({"settings": []}, "settings: "),
        ({"settings": {"epochs": {}}}, "settings.epochs"),
        ({"mystery": 1}, "mystery: no such field is known"),
    ],
)
def test_a_wrong_value_in_a_runs_config_is_named(change: dict[str, object], said: str) -> None:
    run = make()
    path = run.folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ValueError, match=rf"config\.json is damaged \(.*{said}"):
        find_run(run.id)
    assert list_runs() == []


@pytest.mark.parametrize("change", [{"epoch": "x"}, {"phase": "won"}, {"score": []}, {"seconds": -1}, {"step": True}])
def test_of_a_run_whose_status_is_damaged_the_weights_tell_where_it_stands(change: dict[str, object]) -> None:
    run = make()
    write_progress(run.folder, Progress(phase="paused", epoch=3))
    path = run.folder / "status.json"
    assert read_progress(run.folder).epoch == 3
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    assert read_progress(run.folder) == Progress()
    (run.folder / store.BEST).touch()
    assert (status(run).name, status(run).problem is None) == ("stopped", False)
    (run.folder / store.LAST).touch()
    assert (status(run).name, status(run).problem is None) == ("interrupted", False)


@pytest.mark.parametrize("damage", ["{", "[" * 100_000])
def test_runs_are_listed_newest_first_and_a_damaged_folder_is_none(damage: str) -> None:
    first, second, third = make(), make(), make()
    (second.folder / "config.json").write_text(damage)
    assert list_runs() == [third, first]


def test_nothing_brings_back_a_run_that_was_deleted(runs_folder: Path) -> None:
    run = make()
    delete(run, KEY)
    attempts: list[Callable[[], object]] = [
        lambda: rename(run, KEY, "x"),
        lambda: start(run, KEY),
        lambda: order(run, "stop"),
        lambda: order(run, "change", learning_rate=0.1),
    ]
    for attempt in attempts:
        with pytest.raises(ValueError, match="the folder is gone"):
            attempt()
    delete(run, KEY)  # once more is no mistake
    assert files(runs_folder) == {".queue", ".slots"}


@pytest.mark.parametrize("run_id", ["..", "../../etc", "", "a" * 16 + "/..", "A" * 16, "\x1b[31m", "0" * 16])
def test_only_an_id_finds_a_run(run_id: str) -> None:
    make()
    with pytest.raises(ValueError, match="no run"):
        find_run(run_id)


def test_a_run_remembers_its_preset_under_another_name() -> None:
    run = create(settings(), KEY, name="It explodes", preset="explodes")
    rename(run, KEY, "Mine")
    assert (find_run(run.id).name, find_run(run.id).preset) == ("Mine", "explodes")


def test_a_run_made_before_presets_had_keys_still_opens() -> None:
    run = make()
    config = json.loads((run.folder / "config.json").read_text())
    del config["preset"]
    (run.folder / "config.json").write_text(json.dumps(config))
    assert find_run(run.id) == run


@pytest.mark.parametrize(
    "name", ["../../../tmp/evil", "/etc/passwd", "..", "a\x00b", "x\n\x1b[31my\u202e", "\\\\server\\share", "n" * 5000]
)
def test_no_name_of_a_users_becomes_a_path(runs_folder: Path, tmp_path: Path, name: str) -> None:
    tagging = replace(default_settings("pos"), data=replace(default_settings("pos").data, source="file"))
    run = create(tagging, KEY, name=name, upload=Upload(name, CONLLU.encode()))
    run = rename(run, KEY, name)
    assert files(tmp_path) == {"runs"}
    assert files(runs_folder) == {run.id, ".queue", ".slots"}
    assert files(run.folder) == {"config.json", "commands", "data"}
    assert files(run.folder / "data") == {"corpus.txt"}
    assert run.name.isprintable()
    assert len(run.name) <= store.LONGEST_NAME
    assert run.file_name
    assert run.file_name.isprintable()
    assert not set(run.file_name) & {"/", "\\"}


def test_a_malformed_upload_makes_no_run(runs_folder: Path) -> None:
    tagging = replace(default_settings("pos"), data=replace(default_settings("pos").data, source="file"))
    with pytest.raises(CorpusError, match=r"own\.conllu, line 2"):
        create(tagging, KEY, upload=Upload("own.conllu", b"1\tHe\t_\tPRON\t_\t_\t_\t_\t_\t_\nnonsense\n"))
    assert not runs_folder.exists()


def test_an_upload_may_only_be_so_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQMODELS_UPLOAD_MB", "0.001")
    tagging = replace(default_settings("pos"), data=replace(default_settings("pos").data, source="file"))
    with pytest.raises(CorpusError, match="give at most"):
        create(tagging, KEY, upload=Upload("own.conllu", CONLLU.encode() * 10))


def test_any_folder_becomes_a_run_once(tmp_path: Path) -> None:
    run = make_at(tmp_path / "mine", to_flat(settings()))
    assert from_flat(run.settings) == settings()
    with pytest.raises(ValueError, match="a run already"):
        make_at(tmp_path / "mine", to_flat(settings()))


# who may


def test_only_the_owner_commands_renames_and_deletes() -> None:
    run = make()
    assert may_control(run, KEY)
    assert not may_control(run, "another key")
    assert KEY not in (run.folder / "config.json").read_text()
    attempts: list[Callable[[], object]] = [
        lambda: rename(run, "another key", "x"),
        lambda: delete(run, "another key"),
        lambda: start(run, "another key"),
        lambda: command(run, "another key", Command("stop")),
    ]
    for attempt in attempts:
        with pytest.raises(ValueError, match="someone else"):
            attempt()
    delete(run, KEY)
    assert list_runs() == []


def test_on_a_single_user_machine_everyone_is_the_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make()
    monkeypatch.setenv("SEQMODELS_SINGLE_USER", "1")
    assert may_control(run, "another key")


def test_a_run_without_an_owner_is_no_ones(tmp_path: Path) -> None:
    assert not may_control(make_at(tmp_path / "mine", to_flat(settings())), "")


# status


@pytest.mark.parametrize(
    ("phase", "living", "dead"),
    [
        ("waiting", "queued", "interrupted"),
        ("loading", "running", "interrupted"),
        ("training", "running", "interrupted"),
        ("scoring", "running", "interrupted"),
        ("paused", "paused", "paused"),
        ("finished", "finished", "finished"),
        ("stopped", "stopped", "stopped"),
        ("failed", "failed", "failed"),
    ],
)
def test_the_status_follows_from_the_last_word_and_from_whether_the_process_lives(
    phase: store.Phase, living: str, dead: str
) -> None:
    run = make()
    store.write_progress(run.folder, Progress(phase=phase))
    assert status(run).name == dead
    lock = take_lock(run.folder / store.LOCK)
    assert lock is not None
    assert status(run).name == living
    os.close(lock)


def test_progress_is_rewritten_in_place_whatever_the_message() -> None:
    run = make()
    for message in ("short", "😀" * 5000, "line\nline"):
        store.write_progress(run.folder, Progress(message=message))
        assert (run.folder / "status.json").stat().st_size == store.STATUS_SIZE
        assert store.read_progress(run.folder).message == message[: store.LONGEST_MESSAGE]


# commands


def test_commands_are_carried_out_in_the_order_of_sending_and_a_damaged_one_is_dropped() -> None:
    run = make()
    context.send(run.folder, Command("pause"))
    (run.folder / "commands" / "000.json").write_text("{")
    context.send(run.folder, Command("change", {"learning_rate": 0.1}))
    assert [found for _, found in context.pending(run.folder)] == [
        Command("pause"),
        Command("change", {"learning_rate": 0.1}),
    ]


def test_a_wrong_change_is_refused_where_it_is_sent() -> None:
    run = make()
    for changes, complaint in (({"learning_rate": -1}, "at least 0"), ({"clip_threshold": 0}, "positive"), ({"seed": 2}, "seed")):
        with pytest.raises(ValueError, match=complaint):
            order(run, "change", **changes)
    assert not files(run.folder / "commands")


# queue and limits


def test_who_came_first_is_first_and_no_more_than_the_slots_are_taken(tmp_path: Path) -> None:
    queue = Queue(tmp_path, 2)
    tickets = [queue.join(f"{number:016x}") for number in range(4)]
    assert queue.waiting() == [f"{number:016x}" for number in range(4)]
    assert queue.enter(tickets[1]) is None
    slots = [queue.enter(tickets[0]), queue.enter(tickets[1])]
    assert None not in slots
    assert queue.enter(tickets[2]) is None
    os.close(slots[0])  # type: ignore[arg-type]
    assert queue.enter(tickets[3]) is None
    assert queue.enter(tickets[2]) is not None


def test_runs_of_a_group_share_a_slot_and_no_other_is_kept_waiting_longer(tmp_path: Path) -> None:
    queue = Queue(tmp_path, 1)
    first, other, second = (queue.join(letter * 16) for letter in "abc")
    slots = [queue.enter(first, "race")]
    assert queue.enter(other) is None
    slots.append(queue.enter(second, "race"))
    assert None not in slots
    assert queue.enter(other) is None
    os.close(slots[0])  # type: ignore[arg-type]
    assert queue.enter(other) is None
    os.close(slots[1])  # type: ignore[arg-type]
    third = queue.join("d" * 16)
    assert queue.enter(third, "race") is None  # the group has no slot any more: it waits as everyone does
    assert queue.enter(other) is not None
    assert queue.enter(third, "race") is None


def test_a_place_in_the_queue_ends_with_its_process(tmp_path: Path) -> None:
    queue = Queue(tmp_path, 1)
    first, second = queue.join("a" * 16), queue.join("b" * 16)
    os.close(first.descriptor)  # as the kernel does when a process is killed
    assert queue.enter(second) is not None
    assert queue.waiting() == []


def test_a_run_in_any_folder_has_its_turn(tmp_path: Path) -> None:
    queue = Queue(tmp_path, 1)
    assert queue.enter(queue.join("mine.partial")) is not None


def test_the_runs_of_a_group_are_found_by_each_of_them() -> None:
    alone, *several = create(settings(), KEY), create(settings(), KEY, group="a"), create(settings(), KEY, group="a")
    assert [store.group_of(run) for run in several] == [several, several]
    assert store.group_of(alone) == [alone]


def test_a_run_that_ends_while_it_is_started_again_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make()
    store.write_progress(run.folder, Progress(phase="training"))
    lock = take_lock(run.folder / store.LOCK)
    assert lock is not None
    take = take_lock

    def take_after_the_end(path: Path, *, patience: float) -> int | None:
        store.write_progress(run.folder, Progress(phase="finished"))
        os.close(lock)
        return take(path, patience=patience)

    monkeypatch.setattr(control, "take_lock", take_after_the_end)
    with pytest.raises(ValueError, match="make a new one"):
        start(run, KEY)
    assert status(run).name == "finished"


@pytest.mark.parametrize("given", ["0", "-1", "many", "nan"])
def test_a_limit_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("SEQMODELS_RUNS_KEPT", given)
    with pytest.raises(ValueError, match="SEQMODELS_RUNS_KEPT"):
        make()
