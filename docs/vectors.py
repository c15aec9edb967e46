"""Make the file of word vectors that ships: `python -m docs.vectors FOLDER`.

The folder holds `glove-6b-100d-100k.safetensors`, one tensor `vectors` (words, 100), and `words.txt`, a word a line, most frequent
first: of GloVe 6B (Stanford's glove.6B.zip), 100 dimensions, the 100,000 most frequent words.
"""

from __future__ import annotations

import sys
from pathlib import Path

import safetensors.torch

from seqmodels.vectors import GLOVE, path_of, save_vectors


def main(folder: Path) -> None:
    vectors = safetensors.torch.load_file(folder / f"{GLOVE}-100k.safetensors")["vectors"]
    words = (folder / "words.txt").read_text(encoding="utf-8").removesuffix("\n").split("\n")
    if len(words) != len(vectors):
        raise ValueError(f"{folder} has {len(words):,} words and {len(vectors):,} vectors: they must be as many")
    save_vectors(path_of(GLOVE), words, vectors)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
