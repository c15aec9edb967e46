"""Fetching a pinned file: through pooch, resuming a broken transfer, once for all who ask at the same time."""

from __future__ import annotations

import time
from pathlib import Path

import pooch
import requests
from filelock import FileLock
from tqdm import tqdm

from seqmodels.corpora.opening import CorpusError
from seqmodels.corpora.registry import CorpusFile

PAUSES = (0.5, 1.0, 2.0)  # seconds before each further try of a broken transfer
CHUNK = 1 << 13  # bytes; small, because of a chunk that breaks off nothing is kept
_TIMEOUT = (10, 30)  # seconds: to connect, and for the next bytes


def fetch_file(file: CorpusFile, cache: Path, *, progress: bool) -> Path:
    """Bring a file from its official source into the cache, hash-checked. CorpusError says why it cannot be had."""
    pooch.get_logger().setLevel("WARNING")  # an error is one line, and the bar says the rest
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
                for part in answer.iter_content(CHUNK):
                    output.write(part)
                    bar.update(len(part))
        received = self.partial.stat().st_size
        if received < self.file.size:
            raise requests.exceptions.ChunkedEncodingError(f"{url} sent {received} of {self.file.size} bytes")


def _may_pass(error: Exception) -> bool:
    """Whether another try makes sense: after a broken transfer or a busy server, not after a refusal or where nobody answers."""
    if isinstance(error, requests.HTTPError):
        assert error.response is not None
        return error.response.status_code in (408, 416, 429) or error.response.status_code >= 500
    if isinstance(error, requests.ConnectTimeout):
        return False
    return isinstance(error, (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError))


def _reason(error: Exception) -> str:
    if isinstance(error, requests.HTTPError):
        assert error.response is not None
        return f"HTTP status {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the transfer broke off; what came is kept, and the next try goes on from there"
    return "no connection"
