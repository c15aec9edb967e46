"""The commands that give a text to a model: its tags, how it goes on, what its gates do."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqmodels.cli import show
from seqmodels.cli.options import (
    CellOption,
    CheckpointOption,
    ConditionOption,
    JsonOption,
    LanguageOption,
    PromptArgument,
    TaggingOption,
    TaskOption,
    TextArgument,
    load_model,
    text_of,
)
from seqmodels.cli.tagging import tag_file

if TYPE_CHECKING:
    from seqmodels.checkpoints import Checkpoint
    from seqmodels.traces import Trace

LARGEST_JSON = 6_000_000  # numbers of a trace: as text they are 70 MB, and half a gigabyte on the way there
LONGEST_TEXT = 100_000  # tokens to write: minutes of work, which is shown when it is done
MOST_WRITERS = 20  # rows of a ledger for reading


def tag(
    task: TaggingOption,
    cell: CellOption,
    text: Annotated[str | None, typer.Argument(metavar="TEXT", help="The text, or - to read it from standard input.")] = None,
    input: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A text of any size in the place of TEXT, or - for standard input.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the tags of --input go; else to standard output.")
    ] = None,
    format: Annotated[
        str | None, typer.Option(metavar="NAME", help="conllu, jsonl or csv; else as the name of --output ends, or conllu.")
    ] = None,
    checkpoint: CheckpointOption = None,
    json: JsonOption = False,
) -> None:
    """Tag a text: parts of speech, or persons, organizations and places. A blank line ends a sentence, one line break does not.

    With --input, a file of any size is tagged piece by piece; broken off, the same command goes on where it stopped.
    """
    from seqmodels.tasks import find_task, tasks_that_predict

    if find_task(task).predicts != "tags":
        raise ValueError(f"task {task!r} gives no tags: choose one of {', '.join(tasks_that_predict('tags'))}")
    if input is not None and text is None:
        if json:
            raise ValueError("--json is for one text: give --format jsonl with --input")
        return tag_file(load_model(task, cell, checkpoint), input, output, format)
    if text is None or input is not None:
        raise ValueError("give either a text, or a file as --input; - is standard input: tag --help lists all that can be given")
    if output is not None or format is not None:
        raise ValueError("--output and --format go with --input: give the text as a file, or - for standard input")
    from seqmodels import inference

    source = text_of(text)
    tagging = inference.tag(load_model(task, cell, checkpoint), source)
    if json:
        tokens, entities = ([asdict(item) for item in items] for items in (tagging.tokens, tagging.entities))
        return show.emit({"tokens": tokens, "entities": entities})
    rows = [
        (token.text, token.tag, f"{token.probability:.3f}", "  ".join(f"{tag} {p:.3f}" for tag, p in token.alternatives))
        for token in tagging.tokens
    ]
    show.table(("token", "tag", "probability", "most probable"), rows, right=("probability",))
    for entity in tagging.entities:
        show.line((" ".join(entity.text.split()), "bold"), (f"  {entity.label}  {entity.probability:.3f}", ""))


def generate(
    prompt: PromptArgument = None,
    cell: CellOption = "gru",
    task: LanguageOption = "lm",
    language: ConditionOption = None,
    max_tokens: Annotated[int, typer.Option(help="Add at most so many words; of a char model, characters.")] = 40,
    temperature: Annotated[float, typer.Option(help="0 takes the most probable word; above 1 is bolder than the model.")] = 0.6,
    top_k: Annotated[int, typer.Option(help="Draw from the k most probable words; 0 from all.")] = 0,
    top_p: Annotated[float, typer.Option(help="Draw from the fewest words that hold this share of the probability.")] = 0.9,
    seed: Annotated[int, typer.Option(help="The same seed gives the same text.")] = 7,
    careful: Annotated[
        bool, typer.Option(help="Draw no word that would spoil the text, such as one twice or a bracket that nothing opened.")
    ] = True,
    drafts: Annotated[
        int, typer.Option(help="Of each sentence, write 1 to 20 versions and keep the likeliest; 1: what comes. Of words only.")
    ] = 8,
    checkpoint: CheckpointOption = None,
    json: JsonOption = False,
) -> None:
    """Continue a text, word by word or letter by letter; or invent a name of a language."""
    from seqmodels import inference
    from seqmodels.inference.encoding import as_language_model
    from seqmodels.text import EOS

    if max_tokens > LONGEST_TEXT:
        raise ValueError(f"max_tokens is {max_tokens:,}: give at most {LONGEST_TEXT:,}")
    sampling = inference.Sampling(temperature, top_k, top_p, seed, careful, drafts)
    loaded = _begun(load_model(task, cell, checkpoint), language)
    _, vocabulary = as_language_model(loaded)
    prompt = prompt or ""
    source = "" if loaded.conditions and not prompt.strip() else text_of(prompt)  # a name needs no beginning
    drawn = list(inference.continue_text(loaded, source, max_tokens=max_tokens, sampling=sampling))
    begun = source.rstrip(" \t")
    ended = loaded.conditions and drawn[-1:] and drawn[-1].text == EOS
    shown = drawn[:-1] if ended else drawn  # the end of a name is no blank line
    continuation = vocabulary.extend(source, [token.text for token in shown]).removeprefix(begun)
    if begun != source:  # the space between is typed already
        continuation = continuation.removeprefix(" ")
    if json:
        return show.emit({"prompt": source, "continuation": continuation, "tokens": [asdict(token) for token in drawn]})
    show.line((source, "dim"), (continuation, "bold"))


def trace(
    text: TextArgument,
    task: TaskOption,
    cell: CellOption,
    language: ConditionOption = None,
    checkpoint: CheckpointOption = None,
    ledger: Annotated[bool, typer.Option("--ledger", help="Who wrote the memory: how much of it comes from each word.")] = False,
    at: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="The token whose memory it is, counted from 0; with --ledger. In the table the last, if not given."
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """What the gates do at each token: how much memory is kept (mu), how much is written (lam), and the rest."""
    if at is not None and not ledger:
        raise ValueError("--at chooses a token of the ledger: give --ledger with it")
    source = text_of(text)
    from seqmodels import traces
    from seqmodels.export import ledger_dict, trace_dict

    traced = traces.trace(_begun(load_model(task, cell, checkpoint), language), source)
    if json:
        size = sum(array.size for layer in traced.layers for array in layer.arrays().values())
        if size > LARGEST_JSON:
            most = LARGEST_JSON * len(traced.tokens) // size
            raise ValueError(
                f"the text has {len(traced.tokens):,} tokens, and as JSON a trace of it takes at most {most:,}: give a part"
            )
        described = trace_dict(traced)
        if ledger:
            for layer, shown in zip(traced.layers, described["layers"], strict=True):
                shown["ledger"] = ledger_dict(layer, at)
        return show.emit(described)
    if ledger:
        return _show_ledger(traced, len(traced.tokens) - 1 if at is None else at)
    headings = [
        f"{gate}, {layer.direction}" if len(traced.layers) <= 2 else f"{gate}, layer {layer.layer} {layer.direction}"
        for layer in traced.layers
        for gate in ("mu", "lam")
    ]
    means = [values.mean(axis=1) for layer in traced.layers for values in (layer.mu, layer.lam)]
    rows = [(token, *(f"{mean[step]:.3f}" for mean in means)) for step, token in enumerate(traced.tokens)]
    show.table(("token", *headings), rows, right=headings)
    show.line(("Means over the units. --json gives every unit, with the candidate, the memory and the output.", "dim"))


def _begun(loaded: Checkpoint, language: str | None) -> Checkpoint:
    """The model as it starts from a language, if it does; ValueError lists those that it knows."""
    if language is not None:
        if not loaded.conditions:
            raise ValueError(f"{loaded.name} begins with no language: leave --language out")
        return loaded.given(language)
    if loaded.conditions:
        raise ValueError(f"{loaded.name} begins with a language: give --language, one of {', '.join(loaded.conditions)}")
    return loaded


def _show_ledger(traced: Trace, at: int) -> None:
    """Under a heading for each layer and direction, the words that wrote the memory of a token, by how much of it is theirs."""
    import numpy as np

    from seqmodels.traces import START, contributions, start_contributions

    headings = ("token", "position", "norm", "share")
    for layer in traced.layers:
        wrote = np.concatenate([contributions(layer, at), start_contributions(layer)[at : at + 1]])
        norms = np.linalg.norm(wrote, axis=1)
        total = norms.sum() or 1
        writers = [position for position in np.argsort(-norms, kind="stable").tolist() if norms[position]]
        title = f"layer {layer.layer} {layer.direction}" if len(traced.layers) > 2 else layer.direction
        size = np.linalg.norm(layer.memory[at])
        show.line((f"{title}: the memory at {traced.tokens[at]!r} (token {at}), norm {size:.3f}", "bold"))
        listed = writers[:MOST_WRITERS]
        tokens, positions = (*traced.tokens, traced.condition or START), (*range(len(traced.tokens)), "before")
        rows = [(tokens[word], positions[word], f"{norms[word]:.3f}", f"{100 * norms[word] / total:.1f} %") for word in listed]
        show.table(headings, rows, right=headings[1:])
        if len(writers) > len(listed):
            show.line((f"and {len(writers) - len(listed):,} words with less; --json gives all", "dim"))
    show.line(("Positions count from 0. A share is of the sum of the norms; words may write against each other.", "dim"))
