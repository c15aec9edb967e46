"""The commands. Each is thin: options in, one call of the library, a table or JSON out."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqmodels.cli import show
from seqmodels.cli.experiments import experiment
from seqmodels.cli.models import models
from seqmodels.cli.options import (
    CellOption,
    CheckpointOption,
    ConditionOption,
    JsonOption,
    LanguageOption,
    PromptArgument,
    TagColumnOption,
    TaggingOption,
    TaskOption,
    TextArgument,
    TypesOption,
    WordColumnOption,
    columns_of,
    text_of,
)
from seqmodels.cli.serving import serve, settings
from seqmodels.cli.tagging import tag_file
from seqmodels.cli.training import keep, run, standby, train
from seqmodels.failures import check_address_space
from seqmodels.files import write_whole

if TYPE_CHECKING:
    from seqmodels.checkpoints import Checkpoint
    from seqmodels.traces import Trace

SPLITS = ("dev", "test")
LARGEST_JSON = 6_000_000  # numbers of a trace: as text they are 70 MB, and half a gigabyte on the way there
MOST_WRITERS = 20  # rows of a ledger for reading

app = typer.Typer(
    help="Recurrent sequence models whose gates can be read.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
corpora_app = typer.Typer(help="The corpora: which are here, and which can be fetched.")
app.add_typer(corpora_app, name="corpora")


@app.callback(invoke_without_command=True)
def start(context: typer.Context) -> None:
    # a docstring here would take the place of the app's help
    if context.invoked_subcommand is None:
        return typer.echo(context.get_help())
    return check_address_space()


@app.command()
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
        return tag_file(_load(task, cell, checkpoint), input, output, format)
    if text is None or input is not None:
        raise ValueError("give either a text, or a file as --input; - is standard input: tag --help lists all that can be given")
    if output is not None or format is not None:
        raise ValueError("--output and --format go with --input: give the text as a file, or - for standard input")
    from seqmodels import inference

    source = text_of(text)
    tagging = inference.tag(_load(task, cell, checkpoint), source)
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


@app.command()
def generate(
    prompt: PromptArgument = None,
    cell: CellOption = "gru",
    task: LanguageOption = "lm",
    language: ConditionOption = None,
    max_tokens: Annotated[int, typer.Option(help="How many words to add; of a char model, characters.")] = 40,
    temperature: Annotated[float, typer.Option(help="0 takes the most probable word; above 1 is bolder than the model.")] = 0.6,
    top_k: Annotated[int, typer.Option(help="Draw from the k most probable words; 0 from all.")] = 0,
    top_p: Annotated[float, typer.Option(help="Draw from the fewest words that hold this share of the probability.")] = 0.9,
    seed: Annotated[int, typer.Option(help="The same seed gives the same text.")] = 7,
    careful: Annotated[
        bool, typer.Option(help="Draw no word that would spoil the text, such as one twice or a bracket that nothing opened.")
    ] = True,
    checkpoint: CheckpointOption = None,
    json: JsonOption = False,
) -> None:
    """Continue a text, word by word or letter by letter; or invent a name of a language."""
    from seqmodels import inference
    from seqmodels.inference.encoding import as_language_model
    from seqmodels.text import EOS

    sampling = inference.Sampling(temperature, top_k, top_p, seed, careful)
    loaded = _begun(_load(task, cell, checkpoint), language)
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


@app.command()
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

    traced = traces.trace(_begun(_load(task, cell, checkpoint), language), source)
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


@app.command()
def evaluate(
    task: TaskOption,
    cell: CellOption,
    split: Annotated[str | None, typer.Option(metavar="SPLIT", help="dev or test; test if not given.")] = None,
    corpus: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A file of your own: CoNLL-U or columns, or plain text for lm.")
    ] = None,
    checkpoint: CheckpointOption = None,
    word_column: WordColumnOption = None,
    tag_column: TagColumnOption = None,
    types: TypesOption = "",
    json: JsonOption = False,
) -> None:
    """Score a model on gold tokens: accuracy, exact-span entity F1, or perplexity."""
    columns = columns_of(word_column, tag_column, types, given=corpus is not None)
    if split is not None and corpus is not None:
        raise ValueError("--split is of the task's own corpus: give --split or --corpus, not both")
    if split not in (None, *SPLITS):
        raise ValueError(f"unknown split {split!r}: choose {' or '.join(SPLITS)}")
    from seqmodels.tasks import find_task

    scored = find_task(task)
    loaded = _load(task, cell, checkpoint)
    contents = None
    if corpus is None:
        split = split or "test"
        items = scored.load(split)
    else:
        contents = scored.read(corpus, columns, loaded.vocabulary.targets)
        items = contents.items
        if not json:
            show.file_report(contents.report)
    scores = scored.evaluate(loaded.model, loaded.vocabulary, items)
    result = {
        "task": task,
        "cell": cell,
        "corpus": str(corpus) if corpus is not None else next(iter(scored.corpora), "generated"),
        "split": split,
        **({} if contents is None else {"read": asdict(contents.report)}),
        "sentences": scores.sentences,
        "tokens": scores.tokens,
        **show.finite(scores.figures),
    }
    show.doubt(scores.figures)
    if json:
        return show.emit(result)
    for name, value in result.items():
        if value is not None and name != "read":
            show.line((f"{name:<{max(map(len, result))}}  ", "dim"), (str(value), ""))


app.command()(train)
app.command()(run)
app.command()(experiment)
app.command("app")(serve)
app.command()(settings)
app.command()(models)
app.command(hidden=True)(standby)
app.command(hidden=True)(keep)


@app.command()
def checkpoints(
    json: JsonOption = False,
    write_table: Annotated[bool, typer.Option("--write-table", help="Write the table of scores beside the checkpoints.")] = False,
) -> None:
    """The models that are here, and how good they are."""
    from seqmodels.checkpoints import folder, list_checkpoints

    listed = list_checkpoints()
    for one in listed:
        if one.problem:
            show.complain(f"warning: {one.problem}")
    if not listed:
        show.complain(f"no checkpoints in {folder()}: train one, or set SEQMODELS_CHECKPOINTS to their folder")
    if write_table:
        from seqmodels.cli.scoretable import markdown

        target = folder() / "README.md"
        write_whole(target, markdown(listed).encode())
        show.complain(f"wrote {target}")
    usable = [(one, one.info) for one in listed if one.info is not None]
    if json:
        described = [
            {
                "name": one.name,
                "task": info.task,
                "cell": info.cell,
                "parameters": info.parameters,
                "bytes": one.bytes,
                "scores": {split: show.finite(figures) for split, figures in info.scores.items()},
            }
            for one, info in usable
        ]
        return show.emit({"checkpoints": described})
    rows = [
        (
            one.name,
            f"{info.parameters:,}",
            show.megabytes(one.bytes),
            *(show.figures(info.scores.get(split, {})) for split in SPLITS),
        )
        for one, info in usable
    ]
    show.table(("name", "parameters", "size", *SPLITS), rows, right=("parameters", "size"))


@app.command()
def cards(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Which checkpoints; all if none is given.", show_default=False)
    ] = None,
) -> None:
    """Measure the checkpoints on dev and test, and write their model cards beside them; the Leaderboard page shows those.

    It takes a minute a checkpoint, and needs the corpora of its task.
    """
    from seqmodels.cards import Card, card_path
    from seqmodels.cards.measuring import make_cards

    for card in make_cards(names=names or ()):
        if isinstance(card, Card):
            told = "  ".join(
                f"{split} {show.figures({card.metric: result.scores[card.metric]})}" for split, result in card.results.items()
            )
            typer.echo(f"{card.name}: {told}, {card.speed.words:,.0f} {card.speed.what} a second")
        else:
            typer.echo(f"{card.title}: {len(card.differences)} sentences where {len(card.models)} models differ")
    typer.echo(f"wrote {card_path('NAME').parent}")


@corpora_app.callback(invoke_without_command=True)
def corpora(context: typer.Context, json: JsonOption = False) -> None:
    if context.invoked_subcommand is not None:
        return None
    from seqmodels.corpora import status

    found = status()
    if json:
        return show.emit({"corpora": [asdict(one) for one in found]})
    rows = [
        (one.name, one.title, ", ".join(one.splits), show.megabytes(one.size), one.licence, one.path or "not here") for one in found
    ]
    show.table(("name", "corpus", "splits", "size", "licence", "where"), rows, right=("size",))
    absent = [one.name for one in found if one.place == "absent"]
    if absent:
        show.line((f"python -m seqmodels corpora fetch NAME brings one here: {', '.join(absent)}", "dim"))
    return None


@corpora_app.command("fetch")
def fetch_corpus(name: Annotated[str, typer.Argument(metavar="NAME", help="As `corpora` lists it.")]) -> None:
    """Bring a corpus here from its official source; what is here already stays."""
    from seqmodels.corpora import fetch

    for path in fetch(name):
        typer.echo(path)


def _load(task: str, cell: str, file: Path | None) -> Checkpoint:
    """The model asked for: the user's file, else the shipped one. It computes on one thread, unless OMP_NUM_THREADS is set."""
    import torch

    from seqmodels.cells import find_cell
    from seqmodels.checkpoints import load, path_of
    from seqmodels.tasks import find_task

    find_task(task)
    find_cell(cell)
    if "OMP_NUM_THREADS" not in os.environ:  # of matrices as small as these, several threads mostly wait for each other
        torch.set_num_threads(1)
    return load(path_of(task, cell) if file is None else file, task=task, cell=cell)


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
