"""A book becomes its prose, with what is said between double quotes, and is cut into the same blocks whoever reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqmodels.corpora import CORPORA, CorpusError, load_paragraphs, load_texts
from seqmodels.corpora.books import read_book
from tests.conftest import needs_corpora

HEADER = "\ufeffThe Project Gutenberg EBook of Tales\r\n\r\nA word about it.\r\n\r\n*** START OF THIS EBOOK ***\r\n\r\n"
FOOTER = "\r\n\r\nEnd of the Project Gutenberg EBook of Tales, by Nobody\r\n\r\nThis and all that follows is no prose.\r\n"
PROSE = "He went home, and slept."


def book(folder: Path, *paragraphs: str, header: str = HEADER, footer: str = FOOTER) -> list[str]:
    path = folder / "book.txt"
    path.write_bytes((header + "\r\n\r\n".join(paragraphs) + footer).encode())
    return read_book(path)


@pytest.mark.parametrize(
    ("header", "footer"),
    [
        (HEADER, FOOTER),
        ("Small print.\n\n*END THE SMALL PRINT! OF ETEXTS*Ver.04*END*\n\n", "\n\n*** END OF THE TALES ***\n\nBye, all of you."),
        ("", ""),
    ],
)  # fmt: skip
def test_header_and_footer_are_left_out(tmp_path: Path, header: str, footer: str) -> None:
    assert book(tmp_path, PROSE, "It was\r\na  dark night.", header=header, footer=footer) == [PROSE, "It was a dark night."]


@pytest.mark.parametrize(
    "other",
    ["THE BRONZE RING", "By Various\r\nEdited by Andrew Lang", "CHAPTER ONE. A KING AND HIS SON.", "The Ring       12", "* * * * *",
     "[From the Folk Tales of the Magyars.]", "Yes, indeed."],
)  # fmt: skip
def test_headings_contents_notes_and_scraps_are_no_paragraphs(tmp_path: Path, other: str) -> None:
    assert book(tmp_path, PROSE, other, PROSE) == [PROSE, PROSE]


@pytest.mark.parametrize(
    ("printed", "read"),
    [
        ("A _very_ old man[1] of the [*] hills (2) sat there.", "A very old man of the hills sat there."),
        ("He waited—and slept--for a--- while.", "He waited -- and slept -- for a -- while."),
    ],
)
def test_marks_of_print_become_plain(tmp_path: Path, printed: str, read: str) -> None:
    assert book(tmp_path, printed.replace("[1]", " [1]")) == [read]


@pytest.mark.parametrize(
    ("printed", "read"),
    [
        ("“I am the King’s son,” said he.", '"I am the King\'s son," said he.'),
        ("“He said ‘no’ to me,” she cried.", '"He said \'no\' to me," she cried.'),
        ('"It\'s mine," said the brothers\' aunt.', '"It\'s mine," said the brothers\' aunt.'),
        ("‘Don’t go,’ said the brothers’ aunt, ‘not yet!’", '"Don\'t go," said the brothers\' aunt, "not yet!"'),
        ("‘She said “no” to me,’ he cried. ‘Oh!’", "\"She said 'no' to me,\" he cried. \"Oh!\""),
        ("‘’Tis mine,’ said he, and took ‘em all.", "\"'Tis mine,\" said he, and took 'em all."),
        ("They called him ‘Long Jack’ in the town.", 'They called him "Long Jack" in the town.'),
        ("'Who's there?' said he. ''Tis I--'", "\"Who's there?\" said he. \"'Tis I --\""),
        ("'Go!' cried the fairies' queen.", '"Go!" cried the fairies\' queen.'),
    ],
)  # fmt: skip
def test_what_is_said_stands_between_double_marks(tmp_path: Path, printed: str, read: str) -> None:
    assert book(tmp_path, printed) == [read]


def test_a_book_without_prose_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"book.txt: holds no paragraphs of a book"):
        book(tmp_path, "THE END")


def test_the_splits_are_blocks_of_each_book_and_share_none() -> None:
    splits = CORPORA["fairytales"].splits
    kept = [files.keep for files in splits.values()]  # type: ignore[union-attr]
    assert sorted(position for keep in kept for position in keep) == list(range(20))
    assert len({files.books for files in splits.values()}) == 1  # type: ignore[union-attr]


@pytest.mark.thorough
@needs_corpora
def test_the_fairy_tales_have_their_size_and_are_all_in_one_split_alone() -> None:
    found = {split: load_texts("fairytales", split) for split in ("train", "dev", "test")}
    assert {split: len(paragraphs) for split, paragraphs in found.items()} == {"train": 26_437, "dev": 1_462, "test": 1_471}
    assert sum(len(words) + 1 for words in load_paragraphs("fairytales", "dev")) == pytest.approx(85_814, abs=50)
    prose = [paragraph for paragraphs in found.values() for paragraph in paragraphs]
    assert not [paragraph for paragraph in prose if "Gutenberg" in paragraph or set("“”‘’_[]\n") & set(paragraph)]
    assert sum(paragraph.count('"') % 2 for paragraph in prose) / len(prose) < 0.025  # a speech of several paragraphs closes once
