"""Lists of names are read once each, and no name is in two splits."""

from __future__ import annotations

import dataclasses
import hashlib
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqmodels.corpora import CORPORA, CorpusError, CorpusFile, Name, corpus_hash, load_names, load_texts, read_names, split_names
from seqmodels.corpora.registry import Lists
from tests.conftest import needs_corpora
from tests.test_corpora import Server

SPLITS = ("train", "dev", "test")


def test_a_list_gives_each_name_once_in_order_and_leaves_out_what_is_none(tmp_path: Path) -> None:
    path = tmp_path / "Some.txt"
    path.write_text("Zed \nO'Neal\nDe  la\u00a0cruz\nZed\nMaxa/B\nA\u0301bel\n\nR2D2\nLevi-Civita\n", encoding="utf-8")
    assert read_names(path) == ["De la cruz", "Levi-Civita", "O'Neal", "Zed", "Ábel"]


def test_a_file_without_names_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "Some.txt"
    path.write_text("1\n2\n")
    with pytest.raises(CorpusError, match=r"Some.txt: holds no names: give a list with one on each line"):
        read_names(path)


@given(
    st.dictionaries(st.sampled_from("ABCD"), st.lists(st.text("abAB", min_size=1, max_size=3), min_size=1, unique=True), min_size=1)
)
def test_no_name_is_in_two_splits_and_each_is_in_one(lists: dict[str, list[str]]) -> None:
    kept = [files.keep for files in CORPORA["names"].splits.values() if isinstance(files, Lists)]
    splits = [split_names(lists, keep, 20) for keep in kept]
    for one, other in combinations(splits, 2):
        assert not {name.text.casefold() for name in one} & {name.text.casefold() for name in other}
    assert sorted((name.language, name.text) for names in splits for name in names) == sorted(
        (language, name) for language, names in lists.items() for name in names
    )


def test_the_splits_are_positions_and_share_none() -> None:
    kept = [files.keep for files in CORPORA["names"].splits.values() if isinstance(files, Lists)]
    assert sorted(position for keep in kept for position in keep) == list(range(20))


def test_the_lists_are_fetched_from_their_source_and_their_files_name_the_languages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQMODELS_CACHE", str(tmp_path))
    monkeypatch.delenv("SEQMODELS_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    content = "".join(f"{first}{second}\n" for first in "ABCDEFGHIJ" for second in "abcdefghij").encode()
    server = Server(content)
    with server.running() as url:
        files = tuple(
            CorpusFile(f"names/{one}.txt", len(content), hashlib.sha256(content).hexdigest(), url) for one in ("One", "Two")
        )
        splits = {
            split: dataclasses.replace(of, files=files) for split, of in CORPORA["names"].splits.items() if isinstance(of, Lists)
        }
        monkeypatch.setitem(CORPORA, "names", dataclasses.replace(CORPORA["names"], splits=splits))
        found = {split: load_names("names", split) for split in SPLITS}
    assert len(server.asked) == 2  # each file once
    assert {split: len(names) for split, names in found.items()} == {"train": 160, "dev": 20, "test": 20}
    assert found["dev"][:2] == [Name("Ah", "One"), Name("Bh", "One")]
    assert {name.language for name in found["dev"]} == {"One", "Two"}
    assert corpus_hash("names")


def test_names_are_asked_for_as_names() -> None:
    with pytest.raises(CorpusError, match=r"corpus 'names' holds names, not plain text: choose one of sotu, fairytales$"):
        load_texts("names", "dev")
    with pytest.raises(CorpusError, match=r"corpus 'sotu' holds plain text, not names: choose one of names$"):
        load_names("sotu", "dev")


@needs_corpora
def test_the_surnames_have_their_size_and_every_language_is_in_every_split() -> None:
    found = {split: load_names("names", split) for split in SPLITS}
    assert {split: len(names) for split, names in found.items()} == {"train": 14_425, "dev": 1_786, "test": 1_800}
    for one, other in combinations(found.values(), 2):
        assert not {name.text.casefold() for name in one} & {name.text.casefold() for name in other}
        assert {name.language for name in one} == {name.language for name in other}
    assert all(len(set(names)) == len(names) for names in found.values())
