"""Cards from checkpoints: each is run on the dev and test split of its task's corpus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from seqmodels import checkpoints
from seqmodels.cards import markdown, speed
from seqmodels.cards.differences import differences, pairs
from seqmodels.cards.reading import READINGS, Reading
from seqmodels.cards.record import Card, Result, TaskCard, card_path, sha256_of, write, write_text
from seqmodels.checkpoints import Checkpoint
from seqmodels.corpora import CORPORA
from seqmodels.tasks import TASKS, Task, find_task

SPLITS = ("dev", "test")


def make_cards(folder: Path | None = None, names: Sequence[str] = ()) -> Iterator[Card | TaskCard]:
    """Measure the checkpoints of a folder, or those of these names, and write their cards; each is yielded when it is written.

    The cards of their tasks are made anew too, which all checkpoints of the task are read for. CorpusError without the corpora;
    ValueError if there is no checkpoint of a name, or it cannot be used.
    """
    found = checkpoints.list_checkpoints(folder)
    for one in found:
        if one.problem and one.name in names:
            raise ValueError(one.problem)
    listed = {one.name: one for one in found if one.info is not None}
    unknown = [name for name in names if name not in listed]
    if unknown or not listed:
        where = folder or checkpoints.folder()
        what = f"no checkpoint {unknown[0]!r}" if unknown else "no checkpoint"
        raise ValueError(f"{what} in {where}: `python -m seqmodels checkpoints` lists those here")
    for task in TASKS:
        of_task = [one for one in listed.values() if one.info is not None and one.info.task == task]
        wanted = [one.name for one in of_task if not names or one.name in names]
        if wanted:
            yield from _of_task(find_task(task), [checkpoints.load(one.path) for one in of_task], wanted, folder)


def _of_task(task: Task, models: Sequence[Checkpoint], wanted: Sequence[str], folder: Path | None) -> Iterator[Card | TaskCard]:
    items = {split: task.load(split) for split in SPLITS}
    reads = READINGS.get(task.predicts)
    dev_readings = []
    for model in models:
        dev = reads.of(model, items["dev"]) if reads else None
        if dev is not None:
            dev_readings.append(dev)
        if model.name in wanted:
            card = measure(model, items, dev)
            write(card, folder)
            write_text(card_path(card.name, folder).with_suffix(".md"), markdown.of(card))
            yield card
    if dev_readings:
        task_card = compare(task, dev_readings)
        write(task_card, folder)
        yield task_card


def measure(model: Checkpoint, items: dict[str, list[Any]], dev: Reading | None = None) -> Card:
    """The card of a checkpoint on the splits of its task; `dev` may hold what it has read already."""
    info, task = model.info, model.task
    reads = READINGS.get(task.predicts)
    results: dict[str, Result] = {}
    errors: tuple[Any, ...] = ()
    for split, found in items.items():
        if reads is None:
            scores = task.evaluate(model.model, model.vocabulary, found)
            results[split] = Result(scores.sentences, scores.tokens, scores.figures)
            continue
        reading = dev if split == "dev" and dev is not None else reads.of(model, found)
        results[split] = reading.result
        if split == "dev":
            errors = reading.errors
    sentences = [item.words for item in items["test"]] if task.predicts == "tags" else ()
    known = [CORPORA[name] for name in info.corpus if name in CORPORA]
    return Card(
        name=model.name,
        sha256=sha256_of(model.path),
        task=task.name,
        task_title=task.title,
        cell=info.cell,
        predicts=task.predicts,
        unit=task.unit,
        bytes=model.path.stat().st_size,
        parameters=info.parameters,
        seconds=info.seconds,
        seed=info.seed,
        epochs=info.epochs,
        corpora=tuple(f"{CORPORA[name].title} ({CORPORA[name].licence})" if name in CORPORA else name for name in info.corpus),
        licence=_licence([corpus.licence for corpus in known]),
        config=info.config,
        recipe=info.recipe,
        versions=info.versions,
        metric=task.metric,
        results={split: _rounded(result) for split, result in results.items()},
        errors=errors,
        speed=speed.measure(model, sentences),
    )


def compare(task: Task, dev: Sequence[Reading]) -> TaskCard:
    """How the checkpoints of a task differ, from what each has read of the dev split."""
    corpus = CORPORA.get(next(iter(task.corpora), ""))
    return TaskCard(
        task=task.name,
        title=task.page_title,
        aliases=task.aliases,
        place=list(TASKS).index(task.name),
        predicts=task.predicts,
        unit=task.unit,
        metric=task.metric,
        higher_is_better=task.higher_is_better,
        source=f"{corpus.title}, dev split ({corpus.licence})" if corpus else "",
        models={reading.checkpoint.name: sha256_of(reading.checkpoint.path) for reading in dev},
        pairs=pairs(dev),
        differences=differences(dev),
    )


def _licence(licences: Sequence[str]) -> str:
    """That of the weights: derived from a share-alike corpus they are shared alike."""
    return next((licence for licence in licences if "SA" in licence.split()[1:2] or "-SA" in licence), "MIT")


def _rounded(result: Result) -> Result:
    bands = tuple(replace(band, nats=round(band.nats, 2)) for band in result.bands)
    return replace(result, scores={name: round(value, 4) for name, value in result.scores.items()}, bands=bands)
