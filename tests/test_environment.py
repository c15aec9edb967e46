"""The SEQMODELS_* variables: checked, told apart from defaults, and never silently misspelled."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from seqmodels.cli import main
from seqmodels.environment import PREFIX, Environment, entries, environment, held, variable


@pytest.mark.parametrize(
    ("name", "given", "meant"),
    [
        ("SEQMODELS_RUN_MINUTES", "soon", "valid number"),
        ("SEQMODELS_RUN_MINUTES", "inf", "less than or equal"),
        ("SEQMODELS_RUNS_AT_ONCE", "0", "greater than 0"),
        ("SEQMODELS_RUNS_AT_ONCE", "1001", "less than or equal to 1000"),
        ("SEQMODELS_RUNS_KEPT", "1.5", "valid integer"),
        ("SEQMODELS_RUNS_ON", "mars", "'local' or 'ray'"),
        ("SEQMODELS_SINGLE_USER", "perhaps", "valid boolean"),
        ("SEQMODELS_DATA", "/no/such/folder", "it is no folder"),
    ],
)
def test_a_wrong_value_is_named_with_what_it_may_be(monkeypatch: pytest.MonkeyPatch, name: str, given: str, meant: str) -> None:
    monkeypatch.setenv(name, given)
    with pytest.raises(ValueError, match=f"^{name} .*{meant}"):
        environment()


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQMODELS_RUN_MINUTES", "")
    assert environment().run_minutes == Environment.model_fields["run_minutes"].default


def test_folders_are_absolute_and_a_users_home_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    monkeypatch.setenv("SEQMODELS_RUNS", "runs")
    monkeypatch.setenv("SEQMODELS_CACHE", "~/cache")
    assert environment().runs == tmp_path / "runs"
    assert environment().cache == tmp_path / "me" / "cache"


def test_the_command_says_where_each_value_comes_from(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in Environment.model_fields:
        monkeypatch.delenv(variable(name), raising=False)
    monkeypatch.setenv("SEQMODELS_HOSTS", "here.example, there.example")
    monkeypatch.setenv("SEQMODELS_RUN_MINUTE", "3")
    assert main(["settings", "--json"]) == 0
    told = capsys.readouterr()
    found = json.loads(told.out)
    assert found.pop("SEQMODELS_HOSTS") == {"value": ["here.example", "there.example"], "from": "environment"}
    assert {one["from"] for one in found.values()} == {"default"}
    assert told.err == "warning: SEQMODELS_RUN_MINUTE sets nothing: did you mean SEQMODELS_RUN_MINUTES?\n"


def test_every_variable_that_the_library_reads_is_one_of_them() -> None:
    """The processes of runs are handed two more, and nothing else looks into the environment."""
    known = {*(entry.variable for entry in entries()), f"{PREFIX}RUN_TICKET", f"{PREFIX}RUN_DESCRIPTORS"}
    root = Path(__file__).parent.parent
    source = "".join(path.read_text("utf-8") for folder in ("seqmodels", "pages") for path in (root / folder).rglob("*.py"))
    assert set(re.findall(f"{PREFIX}[A-Z_]+", source)) <= known


def test_what_a_page_asks_for_many_times_is_read_once_and_anew_after_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    first = environment()
    assert environment() is first
    monkeypatch.setenv("SEQMODELS_RUN_MINUTES", "7")
    assert environment().run_minutes == 7
    monkeypatch.undo()
    assert environment() is first


def test_while_it_is_held_a_change_is_not_seen_by_its_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQMODELS_RUN_MINUTES", "7")
    with held():
        monkeypatch.setenv("SEQMODELS_RUN_MINUTES", "8")
        with held():
            assert environment().run_minutes == 7
        assert environment().run_minutes == 7
        with ThreadPoolExecutor() as others:
            assert others.submit(environment).result().run_minutes == 8
    assert environment().run_minutes == 8


def test_it_is_not_held_where_it_is_wrong_or_what_held_it_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyError), held():
        raise KeyError
    monkeypatch.setenv("SEQMODELS_RUN_MINUTES", "many")
    for _ in range(2):
        with pytest.raises(ValueError, match="SEQMODELS_RUN_MINUTES"), held():
            pass
