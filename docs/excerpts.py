"""Write the excerpts that the Units page reads: paragraphs of corpora in the public domain, evenly from a held-out split.

python -m docs.excerpts
"""

from __future__ import annotations

from seqmodels import text
from seqmodels.corpora import excerpts, load_texts

TOKENS = 15_000  # of an excerpt
LEAST = 20  # words of a paragraph


def choose(name: str) -> list[list[str]]:
    """Paragraphs from the first to the last of the dev split, about TOKENS tokens in all."""
    paragraphs = [words for one in load_texts(name, "dev")[::3] if len(words := text.words(one)) >= LEAST]
    step = -(-sum(map(len, paragraphs)) // TOKENS)
    return paragraphs[::step]


if __name__ == "__main__":
    for name in excerpts.NAMES:
        chosen = choose(name)
        excerpts.path_of(name).write_text("".join(f"{' '.join(words)}\n" for words in chosen), encoding="utf-8")
