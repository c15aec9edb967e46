"""A run that learns from a visitor's own file is theirs to see, until they share it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.training import current
from seqmodels.runs import Progress, Run, find_run, may_see, rename, share, store
from seqmodels.runs.files import take_lock
from tests.paging import MEMORY_LAB, TRAINING, linked, opened, sound
from tests.running import KEY, finish, make, tagging

pytestmark = pytest.mark.usefixtures("fresh_cache", "tiny_checkpoints", "own_folders")
SECRETS = ("Wexley", "Letters to", "own.conllu")


@pytest.fixture
def private() -> Run:
    """A run on a file, with a text to watch and a name that say what is in it."""
    return rename(tagging(probe="Wexley sings ."), KEY, "Letters to Wexley")


def everything(app: AppTest) -> str:
    """All that is sent to the browser, without what keeps Markdown from being read."""
    return " ".join(str(node.proto) for node in app.main if hasattr(node, "proto")).replace("\\", "")


def mine(page: str, **link: str) -> AppTest:
    """The page as who has started the run sees it, on the tab of all runs."""
    app = linked(page, **link)
    app.session_state["training-owner"] = KEY
    return sound(app.run())


def test_only_its_owner_sees_a_run_on_a_file_until_it_is_shared(private: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert may_see(private, KEY)
    assert not may_see(private, "another key")
    assert may_see(make(), "another key")
    with pytest.raises(ValueError, match="someone else"):
        share(private, "another key", True)
    assert may_see(share(private, KEY, True), "another key")
    rename(private, KEY, "x")  # by a page that has not heard of it
    assert may_see(find_run(private.id), "another key")
    assert not may_see(share(private, KEY, False), "another key")
    monkeypatch.setenv("SEQMODELS_SINGLE_USER", "1")
    assert may_see(private, "another key")


def test_others_see_no_more_of_it_than_that_it_is_there(private: Run) -> None:
    finish(private)
    app = linked(TRAINING, run=private.id)
    app.session_state[current.TAB] = "All runs"
    sound(app.run())
    assert "private" in app.warning[0].value
    assert "1 private" in " ".join(one.value for one in app.caption)
    for seen in (app, opened(TRAINING, settings="task=pos"), opened(MEMORY_LAB, run=private.id)):
        assert not [secret for secret in SECRETS if secret in everything(seen)]


def test_a_switch_on_the_run_shares_it(private: Run, own_folders: Path) -> None:
    finish(private)
    owner = mine(TRAINING, run=private.id)
    assert all(secret in everything(owner) for secret in SECRETS)
    sound(owner.toggle(key=f"watch-shared-{private.id}").set_value(True).run())
    other = opened(TRAINING, run=private.id)
    assert "Wexley" in everything(other)
    assert "training-download" not in everything(other)
    sound(owner.toggle(key=f"watch-shared-{private.id}").set_value(False).run())
    assert "Wexley" not in everything(opened(TRAINING, run=private.id))


def test_who_waits_for_a_private_run_is_not_told_its_name(private: Run) -> None:
    waiting = make()
    locks = [take_lock(run.folder / store.LOCK) for run in (private, waiting)]
    store.write_progress(private.folder, Progress(phase="training"))
    store.write_progress(waiting.folder, Progress(phase="waiting"))
    ticket = store.queue().join(waiting.id)
    shown = everything(opened(TRAINING, run=waiting.id))
    assert "a private run" in shown
    assert "Letters to" not in shown
    store.queue().leave(ticket)
    for lock in filter(None, locks):
        os.close(lock)
