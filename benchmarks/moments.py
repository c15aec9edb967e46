"""How long it takes to trace a larger text for "find moments like this one", and to search it.

    python -m benchmarks.moments [--models pos-gru ner-lstm lm-gru] [--searches 60]

The text is the validation part of the State of the Union addresses: reading and tokenizing it, tracing one layer and direction, and
searching it for spans of one to twelve tokens of its own, at thresholds drawn at random. One thread.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from dataclasses import dataclass

import torch
from rich.console import Console
from rich.table import Table

from seqmodels import checkpoints, trace
from seqmodels.corpora import load_paragraphs
from seqmodels.text import join
from seqmodels.traces import FORWARD, SEARCHED_GATES, Pattern, TracedText, find_matches, passages_of, pattern, trace_passages

MODELS = ("pos-gru", "ner-lstm", "lm-gru")
LONGEST_SPAN = 12
TENTHS = range(1, 10)  # the thresholds


@dataclass(frozen=True)
class Measured:
    """Seconds, tokens and bytes of one model."""

    read: float
    traced: float
    text: TracedText
    searches: list[float]


def measure(name: str, source: str, searches: int) -> Measured:
    """Tokenize, trace and search a text. A drawn span where every unit is on, or none, is drawn again."""
    checkpoint = checkpoints.load(checkpoints.path_of(*name.split("-")))
    trace(checkpoint, "warm")
    start = time.perf_counter()
    passages = passages_of(source)
    read = time.perf_counter()
    text = trace_passages(checkpoint, passages)
    traced = time.perf_counter()
    drawn = random.Random(7)
    layers = [trace(checkpoint, join(words)).layer(0, FORWARD) for words in drawn.sample(passages, 40)]
    seconds: list[float] = []
    while len(seconds) < searches:
        layer = drawn.choice(layers)
        first = drawn.randrange(len(layer.mu))
        span = slice(first, first + drawn.randint(1, LONGEST_SPAN))
        try:
            wanted: Pattern = pattern(layer, span, drawn.choice(SEARCHED_GATES), drawn.choice(TENTHS) / 10)
        except ValueError:
            continue
        begin = time.perf_counter()
        find_matches(text, wanted)
        seconds.append(time.perf_counter() - begin)
    return Measured(read - start, traced - read, text, seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description="Trace a larger text and search it for moments.")
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--searches", type=int, default=60)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    source = "\n\n".join(map(join, load_paragraphs("sotu", "dev")))
    table = Table(title=f"State of the Union, validation part; one thread, {asked.searches} searches each")
    table.add_column("model")
    for heading in ("tokens", "units", "tokenize s", "trace s", "search s, median", "worst", "MB"):
        table.add_column(heading, justify="right")
    for name, found in ((name, measure(name, source, asked.searches)) for name in asked.models):
        table.add_row(
            name,
            f"{len(found.text.tokens):,}",
            str(found.text.mu.shape[1]),
            f"{found.read:.1f}",
            f"{found.traced:.1f}",
            f"{statistics.median(found.searches):.3f}",
            f"{max(found.searches):.3f}",
            f"{found.text.nbytes / 1e6:.0f}",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
