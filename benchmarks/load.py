"""What a click costs the server on the pages that read a text, and how long visitors wait when there are many.

    python -m benchmarks.load                                                # every page, one visitor after the other
    python -m benchmarks.load --pages Tagging --visitors 200 --seconds 60    # a crowd, each with a new sentence every 5 to 10 s
    python -m benchmarks.load --visitors 100 --seconds 600                   # on all pages, and what they leave behind
    python -m benchmarks.load --pages Tagging --visitors 200 --replicas 2    # with two processes of the app behind a proxy

The visitors are no browsers, but speak their protocol (tests/visiting.py). A click is a sentence that nobody has typed before, of
fourteen words, to the last part of the answer; on a page that reads none, the page anew. Processor time is the server's own, with
all its processes. A crowd comes in over some seconds to a server on which each page has been opened once, and its first pages are
counted apart; before and after it the server has 75 seconds to forget who left. The app runs on this machine, and all is bounded:
visitors, seconds, patience.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table
from websockets.exceptions import WebSocketException

from pages.explorer import VIEWS
from tests.browser.driver import ROOT, Server
from tests.visiting import Visitor

PAGES = {  # by name: page, query, and the key of its text if it reads one
    "Overview": ("", "", "text"),
    "Tagging": ("Tagging", "", "text"),
    "Language model": ("Language_model", "", "prompt"),
    **{f"Gates: {view}": ("Gates", f"view={view}", "text") for view in VIEWS},
    **{page.replace("_", " "): (page, "", "") for page in ("Training", "Leaderboard", "Memory_lab", "Gradient_lab", "Five_tips")},
}
WORDS = """
the old man a young woman boats keys cabinet near table present object record play will they must time flies like an
arrow fruit banana Angela Berlin London government people state union house garden river walked saw gave said that which
who when after before under over quickly slowly never always red green small large letters wrote read built broke sold
bought dog cat bird tree
""".split()
LENGTH = 14  # words of a sentence
MOST = 500  # visitors
PAUSE = (5.0, 10.0)  # seconds between two sentences of one visitor
COMING = 10.0  # seconds in which a crowd comes in
WARM_UP = 10  # clicks of the first visitor
EVERY = 5.0  # seconds between two looks at the memory
GONE = 75.0  # seconds after which the server has forgotten a visitor who left
PATIENCE = 60.0  # seconds for an answer
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Tally:
    """Seconds of first pages and of clicks, the bytes that the latter brought, and what went wrong."""

    first: list[float] = field(default_factory=list)
    clicks: list[float] = field(default_factory=list)
    bytes: int = 0
    errors: Counter[str] = field(default_factory=Counter)

    def click(self, seconds: float, visitor: Visitor) -> None:
        self.clicks.append(seconds)
        self.bytes += visitor.seen.bytes
        self.errors.update(visitor.seen.exceptions)


def processes(pid: int) -> Iterator[int]:
    """A process and all that it has started."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*"):
        with suppress(OSError):
            for child in (task / "children").read_text().split():
                yield from processes(int(child))


def processor_seconds(pid: int) -> float:
    """Of a process and all that it has started."""
    total = 0
    for one in processes(pid):
        with suppress(OSError):
            of_process = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            total += int(of_process[11]) + int(of_process[12])
    return total / _TICKS


def megabytes(pid: int) -> float:
    """The memory of the same, in use now."""
    total = 0
    for one in processes(pid):
        with suppress(OSError):
            total += int(Path(f"/proc/{one}/statm").read_text().split()[1])
    return total * os.sysconf("SC_PAGE_SIZE") / 2**20


def descriptors(pid: int) -> int:
    """Open files and connections of the same."""
    return sum(len(list(Path(f"/proc/{one}/fd").glob("*"))) for one in processes(pid))


def sentence(chance: random.Random) -> str:
    """One that nobody has typed before."""
    return f"{' '.join(chance.choices(WORDS, k=LENGTH)).capitalize()} {chance.getrandbits(40):x}."


async def click(visitor: Visitor, name: str, chance: random.Random) -> None:
    """What a visitor of a page does, up to the answer."""
    page, query, key = PAGES[name]
    await (visitor.type(sentence(chance), key) if key else visitor.open(page, query))


async def one_by_one(address: str, name: str, clicks: int, chance: random.Random, pid: int) -> tuple[Tally, float]:
    """So many clicks of one visitor, and the processor time of one in milliseconds."""
    page, query, _ = PAGES[name]
    tally = Tally()
    async with Visitor(address, patience=PATIENCE) as visitor:
        await visitor.open(page, query)
        for _ in range(WARM_UP):
            await click(visitor, name, chance)
        before = processor_seconds(pid)
        for _ in range(clicks):
            began = time.monotonic()
            await click(visitor, name, chance)
            tally.click(time.monotonic() - began, visitor)
    return tally, (processor_seconds(pid) - before) / clicks * 1000


async def crowd(
    address: str, names: list[str], visitors: int, seconds: float, chance: random.Random, pid: int
) -> tuple[Tally, float, list[float]]:
    """So many visitors at once, who spread over the pages; the same figures, and the server's memory every few seconds."""
    tally = Tally()
    memory: list[float] = []

    async def watch() -> None:
        while True:
            memory.append(megabytes(pid))
            await asyncio.sleep(EVERY)

    watching = asyncio.create_task(watch())
    end = time.monotonic() + COMING + seconds
    before = processor_seconds(pid)
    await asyncio.gather(
        *(stay(address, names[number % len(names)], COMING * number / visitors, end, chance, tally) for number in range(visitors))
    )
    watching.cancel()
    return tally, (processor_seconds(pid) - before) / max(1, len(tally.clicks)) * 1000, memory


async def look_around(address: str, names: list[str]) -> None:
    """One visitor who opens each page and goes, until the server has forgotten that."""
    for name in names:
        async with Visitor(address, patience=PATIENCE) as first:
            await first.open(*PAGES[name][:2])
    await asyncio.sleep(GONE)


def legacy(memory: list[float], before: tuple[int, int], after: tuple[int, int]) -> str:
    """What a crowd leaves behind. Its memory is that of its third minute against that of its last one."""
    minute = round(60 / EVERY)
    parts = [f"open files {before[0]} before, {after[0]} after; processes {before[1]} before, {after[1]} after"]
    if len(memory) >= 4 * minute:
        early, late = max(memory[2 * minute : 3 * minute]), max(memory[-minute:])
        parts.append(f"memory {early:.0f} MB at most in the third minute, {late:.0f} in the last: {late / early - 1:+.1%}")
    return "; ".join(parts)


async def stay(address: str, name: str, after: float, end: float, chance: random.Random, tally: Tally) -> None:
    """One of a crowd."""
    page, query, _ = PAGES[name]
    await asyncio.sleep(after)
    try:
        async with Visitor(address, patience=PATIENCE) as visitor:
            began = time.monotonic()
            await visitor.open(page, query)
            tally.first.append(time.monotonic() - began)
            while True:
                await asyncio.sleep(chance.uniform(*PAUSE))
                if time.monotonic() >= end:
                    return
                began = time.monotonic()
                await click(visitor, name, chance)
                tally.click(time.monotonic() - began, visitor)
    except (TimeoutError, WebSocketException, OSError, LookupError) as error:
        tally.errors[type(error).__name__] += 1


def row(name: str, tally: Tally, cost: float, memory: tuple[float, float]) -> list[str]:
    """A line of the table."""
    ordered = sorted(tally.clicks)
    shown = [f"{ordered[min(len(ordered) - 1, int(share * len(ordered)))]:.2f}" for share in (0.5, 0.95)] if ordered else ["-", "-"]
    first = f"{statistics.median(tally.first):.2f}" if tally.first else "-"
    errors = ", ".join(f"{count} x {what}" for what, count in tally.errors.most_common(3)) or "none"
    size = tally.bytes / max(1, len(tally.clicks)) / 1000
    return [name, str(len(ordered)), first, *shown, f"{cost:.0f}", f"{size:.0f}", f"{memory[0]:.0f} > {memory[1]:.0f}", errors]


def main() -> None:
    parser = argparse.ArgumentParser(description="Server time of a click, and seconds that visitors wait.")
    parser.add_argument("--pages", nargs="+", choices=PAGES, default=list(PAGES), metavar="PAGE", help=", ".join(PAGES))
    parser.add_argument("--clicks", type=int, default=20, help="of one visitor on each page")
    parser.add_argument("--visitors", type=int, default=0, help="a crowd, on all these pages at once")
    parser.add_argument("--seconds", type=float, default=60.0, help="that the crowd stays")
    parser.add_argument("--replicas", type=int, default=1, help="processes of the app, behind a proxy")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if not 0 <= given.visitors <= MOST:
        parser.error(f"--visitors is {given.visitors}: at most {MOST} can come, and 0 is one after the other")
    shown = Table()
    for heading in ("page", "clicks", "first page s", "p50 s", "p95 s", "server ms/click", "kB/click", "MB", "errors"):
        shown.add_column(heading, justify="left" if heading in ("page", "errors") else "right")
    chance = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as folder:
        options = () if given.replicas == 1 else ("--replicas", str(given.replicas))
        server = Server(ROOT, options, SEQMODELS_RUNS=str(Path(folder) / "runs"))
        try:
            remains = ""
            if given.visitors:
                asyncio.run(look_around(server.address, given.pages))
                held = megabytes(server.pid)
                open_files = descriptors(server.pid), len(list(processes(server.pid)))
                work = crowd(server.address, given.pages, given.visitors, given.seconds, chance, server.pid)
                tally, cost, memory = asyncio.run(work)
                name = given.pages[0] if len(given.pages) == 1 else f"{len(given.pages)} pages"
                shown.add_row(*row(f"{name}, {given.visitors} visitors", tally, cost, (held, megabytes(server.pid))))
                time.sleep(GONE)
                remains = legacy(memory, open_files, (descriptors(server.pid), len(list(processes(server.pid)))))
            else:
                for name in given.pages:
                    held = megabytes(server.pid)
                    tally, cost = asyncio.run(one_by_one(server.address, name, given.clicks, chance, server.pid))
                    shown.add_row(*row(name, tally, cost, (held, megabytes(server.pid))))
        finally:
            server.stop()
    Console(width=160).print(shown, remains)


if __name__ == "__main__":
    main()
