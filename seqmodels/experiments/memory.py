"""How far back each cell remembers: tasks of growing distance, each cell with the same recipe, with and without chrono biases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

from seqmodels.cells import CELLS
from seqmodels.experiments.record import Factor
from seqmodels.experiments.trials import Experiment, Trial
from seqmodels.runs.settings import Settings
from seqmodels.tasks import DataConfig, MemoryTask, find_task

DISTANCES = {  # by task; where little is learned over thirty steps, a hundred would show no more
    "latch": (10, 30, 100),
    "adding": (10, 30, 100),
    "order": (10, 30, 100),
    "agreement": (10, 30, 100),
    "brackets": (10, 30),
    "copy": (10, 30),
}
COMPARED = ("latch", "adding")  # with chrono biases and without; the others with them alone
SEEDS = (1, 2, 3)
EPOCHS = {"latch": 3}  # with six, two of three Elman networks became a latch by chance: their gradient had to explode first
USUAL_EPOCHS = 6
SOLVED = {"accuracy": 99.5, "mse": 0.001}  # on dev: more training would show nothing new


def memory_task(name: str) -> MemoryTask:
    """The task of that name, which is known to be of this kind."""
    task = find_task(name)
    assert isinstance(task, MemoryTask)
    return task


def settings_for(task: str, cell: str, length: int, *, chrono: bool, seed: int = 1) -> Settings:
    """The recipe: 32 units, Adam at 0.005, a few passes over 4,000 sequences, the gradient clipped at a norm of 1.

    With `chrono`, cells that have gates begin with biases for memories of up to the length of a sequence.
    """
    found = memory_task(task)
    sequence = len(found.generate(1, length, seed=0)[0].inputs)
    biases = max(3, sequence) if chrono and CELLS[cell].time_biases else None
    model = replace(found.model, cell=cell, hidden_size=32, chrono=biases)
    epochs = EPOCHS.get(task, USUAL_EPOCHS)
    training = replace(found.training, learning_rate=5e-3, epochs=epochs, seed=seed, warmup=0.0)
    return Settings(task, model, training, DataConfig(length=length))


def trials(toy: bool) -> Sequence[Trial]:
    """All trainings, those of the first seed and the short distances first."""
    distances = {"latch": (10,), "copy": (10,)} if toy else DISTANCES
    seeds = SEEDS[:1] if toy else SEEDS
    places = [(task, seed, length) for task, lengths in distances.items() for seed in seeds for length in lengths]
    found = []
    for (task, seed, length), cell, chrono in product(places, CELLS, (False, True)):
        has_biases = bool(CELLS[cell].time_biases)
        if (chrono and not has_biases) or (has_biases and not chrono and task not in COMPARED):
            continue
        settings = settings_for(task, cell, length, chrono=chrono, seed=seed)
        if toy:
            few = replace(settings.data, sentences=64, dev_sentences=32)
            settings = replace(settings, data=few, training=replace(settings.training, epochs=1))
        factors: dict[str, Factor] = {"task": task, "cell": cell, "length": length, "chrono": chrono, "seed": seed}
        found.append(Trial(factors, settings, until=SOLVED[memory_task(task).metric]))
    return found


EXPERIMENT = Experiment(
    name="memory",
    title="How far back each cell remembers",
    recipe="One layer of 32 units, Adam at a constant rate of 0.005, batches of 32, at most 6 passes over 4,000 sequences "
    "(750 steps), for the one bit 3, gradient norm clipped at 1, the weights of the best epoch by the dev score; a training ends "
    "when it has solved the dev sequences. Scores are on 500 sequences that no model has seen. Chrono: biases of the gates for "
    "memories of up to a sequence's length.",
    trials=trials,
)
