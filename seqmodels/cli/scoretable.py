"""The table of scores beside the checkpoints, made from what the files say of themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from seqmodels.checkpoints import SUFFIX, CheckpointEntry, CheckpointInfo
from seqmodels.cli import show
from seqmodels.corpora import CORPORA
from seqmodels.quantization import LARGE
from seqmodels.tasks import TASKS

HEADING = f"""# Checkpoints

One self-describing `{SUFFIX}` file for each model: weights, configuration, vocabulary, corpus and its hash, recipe, scores, library
versions. This page is made from the files by `python -m seqmodels checkpoints --write-table`; don't edit it. One model is trained
anew by `make checkpoint-pos-gru`, all of them by `make checkpoints`. Each has its model card in [cards](cards), measured by
`python -m seqmodels cards`.

Weights are in float16, or in float32 where that overflows. Since format 2 a matrix of {LARGE:,} numbers or more is in eight bits,
row by row: integers up to 127 under its own name, and what each row is multiplied by under `NAME.scales`.
"""

Usable = tuple[CheckpointEntry, CheckpointInfo]


def markdown(listed: Iterable[CheckpointEntry]) -> str:
    """The page for a folder's usable checkpoints, one section a task."""
    usable = [(one, one.info) for one in listed if one.info is not None]
    sections = [_section(task, [found for found in usable if found[1].task == task]) for task in TASKS]
    return "\n".join([HEADING, *(section for section in sections if section)])


def _section(task: str, models: Sequence[Usable]) -> str:
    if not models:
        return ""
    figures = list(dict.fromkeys(name for _, info in models for scores in info.scores.values() for name in scores))
    splits = list(dict.fromkeys(split for _, info in models for split in info.scores))
    headings = ["model", *(f"{split} {figure}" for split in splits for figure in figures), "best epoch", "parameters", "size"]
    rows = [
        [
            f"`{one.name}`",
            *(_figure(figure, info.scores.get(split, {}).get(figure)) for split in splits for figure in figures),
            str(info.epochs),
            f"{info.parameters:,}",
            show.megabytes(one.bytes),
        ]
        for one, info in models
    ]
    facts: dict[str, Callable[[CheckpointInfo], str]] = {
        "Trained on": _corpora,
        "Network": lambda info: _pairs({name: value for name, value in info.config.items() if name != "cell"}),
        "Recipe": lambda info: _pairs({**info.recipe, "seed": info.seed}),
        "Made with": lambda info: _pairs(info.versions),
    }
    lines = [f"## {TASKS[task].title}", "", *_table(headings, rows), ""]
    lines += [line for label, describe in facts.items() for line in _shared(label, describe, models)]
    return "\n".join(lines) + "\n"


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    ruler = ["---", *["---:"] * (len(headings) - 1)]
    return [f"| {' | '.join(cells)} |" for cells in (headings, ruler, *rows)]


def _shared(label: str, describe: Callable[[CheckpointInfo], str], models: Sequence[Usable]) -> list[str]:
    """A line for what the models have in common, or a line each where they differ."""
    told = {one.name: describe(info) for one, info in models}
    if len(set(told.values())) == 1:
        return [f"- {label}: {next(iter(told.values()))}"]
    return [f"- {label} (`{name}`): {text}" for name, text in told.items()]


def _corpora(info: CheckpointInfo) -> str:
    """The corpora with their licences; a file of the user's own by its name alone."""
    named = [f"{CORPORA[name].title} ({CORPORA[name].licence})" if name in CORPORA else f"`{name}`" for name in info.corpus]
    return f"{'; '.join(named)}. SHA-256 {info.corpus_hash[:12]}"


def _pairs(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {'none' if value is None else value}" for name, value in values.items())


def _figure(name: str, value: float | None) -> str:
    return "" if value is None else show.figure(name, value)
