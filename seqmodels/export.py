"""Taggings and traces as files: CSV, JSON, CoNLL-U and npz. The trace formats are described in docs/trace_format.md."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from seqmodels.inference import Entity, TaggedToken, Tagging
    from seqmodels.traces import LayerTrace, Trace

TRACE_FORMAT = 1  # raised when a name or a shape changes
LONGEST_LEDGER = 2000  # tokens; the table of norms grows with their square
DECIMALS = 8  # of a traced value; near 1, float32 holds no more


def token_rows(taggings: Sequence[Tagging], *, tokens: int = 0, sentences: int = 0, characters: int = 0) -> list[dict[str, Any]]:
    """A row a token: its position, sentence, text and place, then each model's tag and probability. All are of one text.

    Tokens, sentences and characters are counted from 0. The text may be a part of a longer one, with so many `tokens`,
    `sentences` and `characters` before it.
    """
    _check(taggings)
    numbered = enumerate(taggings[0].sentences, sentences)
    sentence_of = {position: number for number, (first, last) in numbered for position in range(first, last)}
    rows: list[dict[str, Any]] = []
    for position, token in enumerate(taggings[0].tokens):
        start, end = characters + token.start, characters + token.end
        row: dict[str, Any] = {"position": tokens + position, "sentence": sentence_of[position], "token": token.text}
        row |= {"start": start, "end": end}
        for tagging in taggings:
            tagged = tagging.tokens[position]
            row |= {f"{tagging.label}_tag": tagged.tag, f"{tagging.label}_probability": round(tagged.probability, 4)}
        rows.append(row)
    return rows


def sentence_rows(tagging: Tagging, *, tokens: int = 0, sentences: int = 0, characters: int = 0) -> list[dict[str, Any]]:
    """A row a sentence: its place and text, its tokens and its entities; counted, and of a part of a text, as in `token_rows`."""
    rows = []
    for number, (first, last) in enumerate(tagging.sentences, sentences):
        inside = tagging.tokens[first:last]
        start, end = inside[0].start, inside[-1].end
        entities = [entity for entity in tagging.entities if start <= entity.start < end]
        rows.append(
            {
                "sentence": number,
                "start": characters + start,
                "end": characters + end,
                "text": tagging.text[start:end],
                "tokens": [
                    {"position": position} | _row(token, characters, "tag", token.tag)
                    for position, token in enumerate(inside, tokens + first)
                ],
                "entities": [_row(entity, characters, "label", entity.label) for entity in entities],
            }
        )
    return rows


def to_dict(tagging: Tagging) -> dict[str, Any]:
    """Tokens and entities, in the form that `python -m seqmodels tag --json` prints."""
    return {
        "tokens": [{**asdict(token), "alternatives": [list(pair) for pair in token.alternatives]} for token in tagging.tokens],
        "entities": [asdict(entity) for entity in tagging.entities],
    }


def to_csv(taggings: Sequence[Tagging]) -> str:
    """`token_rows` as CSV with a heading (RFC 4180)."""
    return rows_to_csv(token_rows(taggings))


def rows_to_csv(rows: Sequence[Mapping[str, Any]], *, heading: bool = True) -> str:
    """Rows of the same columns as CSV, with a heading (RFC 4180). ValueError if there are none."""
    if not rows:
        raise ValueError("there is nothing to write: give at least one row")
    written = io.StringIO(newline="")
    writer = csv.DictWriter(written, rows[0])
    if heading:
        writer.writeheader()
    writer.writerows(rows)
    return written.getvalue()


def to_json(taggings: Sequence[Tagging]) -> str:
    """The text, and under each model its tokens and entities."""
    _check(taggings)
    models = {tagging.label: to_dict(tagging) for tagging in taggings}
    return json.dumps({"text": taggings[0].text, "task": taggings[0].task, "models": models}, ensure_ascii=False, indent=1)


def to_conllu(tagging: Tagging, *, sentences: int = 0, characters: int = 0) -> str:
    """CoNLL-U: a tag of speech as UPOS, an entity tag as NER= in MISC; character offsets and probabilities in MISC.

    Columns that no model here fills are `_`. Of a part of a text as in `token_rows`; by CoNLL-U, sentences and tokens count from 1.
    """
    numbered = enumerate(tagging.sentences, sentences + 1)
    return "".join(_block(tagging, number, first, last, characters) for number, (first, last) in numbered)


def trace_dict(traced: Trace) -> dict[str, Any]:
    """Tokens, and each layer and direction with its arrays as lists, in the form that `python -m seqmodels trace --json` prints."""
    return {
        "tokens": list(traced.tokens),
        "layers": [
            {
                "layer": layer.layer,
                "direction": layer.direction,
                **{name: numbers(values) for name, values in _arrays(layer).items()},
            }
            for layer in traced.layers
        ],
    }


def ledger_dict(layer: LayerTrace, token: int | None = None) -> dict[str, Any]:
    """Who wrote the memory. 'norms' (tokens, tokens): the L2 norm of what the column's word wrote of the memory at the row's.

    With a token, also 'at' and 'shares' (tokens, units): what each word wrote of the memory there. Its rows sum to that memory.
    Of a memory before the first token, 'start_norms' (tokens,) and 'start_share' (units,) say what is left: a part of those sums.
    """
    from seqmodels.traces import contribution_norms, contributions, start_contributions

    tokens = len(layer.mu)
    if tokens > LONGEST_LEDGER:
        raise ValueError(
            f"the text has {tokens:,} tokens, and a ledger in full takes at most {LONGEST_LEDGER:,}: give a part of it"
        )
    shares = {} if token is None else {"at": token, "shares": numbers(contributions(layer, token))}
    started = {}
    if layer.start is not None and layer.start.any():
        left = start_contributions(layer)
        started = {"start_norms": numbers(np.linalg.norm(left, axis=1))}
        started |= {} if token is None else {"start_share": numbers(left[token])}
    return {"norms": numbers(contribution_norms(layer)), **shares, **started}


def trace_json(traced: Trace) -> str:
    """`trace_dict`, with the model that was traced."""
    return json.dumps({"format": TRACE_FORMAT, "task": traced.task, "cell": traced.cell, **trace_dict(traced)}, ensure_ascii=False)


def trace_npz(traced: Trace) -> bytes:
    """A compressed numpy archive: 'format', 'task', 'cell', 'tokens', and each array as '<layer>/<direction>/<name>'.

    `numpy.load` opens it without pickle.
    """
    # one string of JSON: in an array of words, each would take the room of the longest, and lose the NULs at its end
    words = json.dumps(traced.tokens)
    arrays: dict[str, Any] = {"format": TRACE_FORMAT, "task": traced.task, "cell": traced.cell, "tokens": words}
    for layer in traced.layers:
        arrays |= {f"{layer.layer}/{layer.direction}/{name}": values for name, values in _arrays(layer).items()}
    written = io.BytesIO()
    np.savez_compressed(written, **arrays)
    return written.getvalue()


def numbers(values: NDArray[np.floating[Any]]) -> Any:
    """An array as nested lists of numbers that hold what float32 holds."""
    return values.astype(float).round(DECIMALS).tolist()


def _arrays(layer: LayerTrace) -> dict[str, NDArray[np.float32]]:
    """Each (tokens, units), in the order of the text; `reveal` is LSTM's alone. `start` (units,) if it is not zero."""
    names = {name: name for name in ("mu", "lam", "candidate", "memory", "output")} | {"reveal": "output_gate", "start": "start"}
    arrays = {name: getattr(layer, field) for name, field in names.items()}
    return {name: values for name, values in arrays.items() if values is not None and (name != "start" or values.any())}


def _row(found: TaggedToken | Entity, characters: int, name: str, label: str) -> dict[str, Any]:
    place = {"text": found.text, "start": characters + found.start, "end": characters + found.end}
    return {**place, name: label, "probability": round(found.probability, 4)}


def _block(tagging: Tagging, number: int, first: int, last: int, characters: int) -> str:
    tokens = tagging.tokens[first:last]
    source = tagging.text[tokens[0].start : tokens[-1].end]
    lines = [
        f"# sent_id = {number}",
        f"# text = {_printable(source)}",
        f"# model = {tagging.model or f'{tagging.task}-{tagging.cell}'}",
    ]
    for index, token in enumerate(tokens, 1):
        part_of_speech = tagging.task == "pos"
        glued = index < len(tokens) and tokens[index].start == token.end
        misc = "|".join(_misc(token, characters, glued=glued, entity=not part_of_speech))
        upos = token.tag if part_of_speech else "_"
        lines.append("\t".join([str(index), _printable(token.text), "_", upos, "_", "_", "_", "_", "_", misc]))
    return "\n".join(lines) + "\n\n"


def _misc(token: TaggedToken, characters: int, *, glued: bool, entity: bool) -> Iterator[str]:
    if entity:
        yield f"NER={token.tag}"
    yield f"Probability={token.probability:.4f}"
    if glued:
        yield "SpaceAfter=No"
    yield f"TokenRange={characters + token.start}:{characters + token.end}"


def _printable(text: str) -> str:
    """A control character or line separator would break the lines of the file."""
    spaced = " ".join(text.split())
    return "".join("\ufffd" if unicodedata.category(character) in {"Cc", "Zl", "Zp", "Cs"} else character for character in spaced)


def _check(taggings: Sequence[Tagging]) -> None:
    if not taggings:
        raise ValueError("there is no tagging to write: give at least one")
    if any(tagging.text != taggings[0].text for tagging in taggings):
        raise ValueError("the taggings are of different texts: give those of one text")
