"""The verdict on each of the chapter's five tips, and the cost of three slips, from the results of the experiment `tips`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from seqmodels.cells import CELLS
from seqmodels.experiments.findings import AXES, Arm, Finding, Panel, Verdict, arm, best, better, listed, trainings, verdict
from seqmodels.experiments.record import Factor, Outcome, Results, mean_and_spread
from seqmodels.experiments.stopping import PATIENCE, stop_of, test_after

WITH_DROPOUT = "with dropout"  # scores of a trial besides the usual ones
SEEN, UNSEEN, SEEN_SHARE = "seen", "unseen", "seen_share"
TASKS = {"char": "Characters", "pos": "Parts of speech", "names": "Surnames"}
_OFF_THE_SCALE: dict[Factor, str] = {  # by task: why trainings are
    "char": (
        "**Why sums fail on characters:** the memory is carried on from each piece of the text to the next, and in a sum it grows "
        "with every character, as keep is 1 or has not learned to be less. No weights fit both its beginning and what it is "
        "thousands of characters later. Surnames begin anew each time, and the sums learn them."
    )
}
_SMALL = (
    "These are small networks, trained for a short time. The models of the Leaderboard are larger and have learned from more "
    "text for longer, and there the order of the cells may be another."
)
_OPTIMIZERS = {"adam": "Adam", "sgd": "SGD"}
_SAME = "no difference to be seen"


def gates(results: Results) -> Finding:
    """Every gated cell against the better of the plain ones, on each task."""
    panels, sentences, notes = [], [], [_SMALL]
    signs: list[int] = []
    found = Results(results.experiment, results.recipe, results.date, results.versions, tuple(trainings(results, tip="gates")))
    for task in found.values("task"):
        arms = {cell: arm(found, CELLS[cell].title, task=task, cell=cell) for cell in found.values("cell")}
        plain = best(one for cell, one in arms.items() if CELLS[cell].fixed_gates)
        against = {one.name: better(one, plain) for cell, one in arms.items() if not CELLS[cell].fixed_gates}
        signs += against.values()
        names = {sign: listed([name for name, other in against.items() if other == sign]) for sign in (1, -1, 0)}
        told = [f"better than the best plain cell ({plain.name}, {AXES[plain.axis].shown(plain.mean)}): {names[1] or 'none'}"]
        told += [f"{words}: {names[sign]}" for sign, words in ((-1, "worse"), (0, _SAME)) if names[sign]]
        panels.append(Panel(TASKS[task], tuple(arms.values())))
        wild = [f"{one.name} {count} of {len(one.values)}" for one in arms.values() if (count := panels[-1].off(one))]
        told += [f"so bad that they are off the scale: {listed(wild)} trainings"] if wild else []
        notes += [_OFF_THE_SCALE[task]] if wild and task in _OFF_THE_SCALE else []
        sentences.append(f"**{TASKS[task]}:** {'; '.join(told)}.")
    claim = "Prefer gated cells to plain ones."
    return Finding("gates", "Gated cells", claim, verdict(signs), " ".join(sentences), tuple(panels), tuple(notes))


def gru_or_lstm(results: Results) -> Finding:
    """Score, weights and time of the two."""
    panels, sentences, signs = [], [], []
    figures: dict[str | None, Callable[[Outcome], float]] = {
        None: lambda outcome: outcome.score,
        "parameters": lambda outcome: outcome.parameters,
        "seconds": lambda outcome: outcome.seconds,
    }
    for task in dict.fromkeys(one.factors["task"] for one in trainings(results, tip="gates")):
        pairs = [
            [arm(results, CELLS[cell].title, axis=axis, value=value, tip="gates", task=task, cell=cell) for cell in ("gru", "lstm")]
            for axis, value in figures.items()
        ]
        panels += [Panel(TASKS[str(task)], tuple(pair)) for pair in pairs]
        score, weights, time = (better(*pair) for pair in pairs)
        signs.append((score, min(weights, time)))
        sentences.append(f"**{TASKS[str(task)]}:** {_scored(*pairs[0])}; {_fewer(*pairs[1])}, {_sooner(*pairs[2])}.")
    good = [score >= 0 and saves == 1 for score, saves in signs]
    some: Verdict = "partly" if any(score >= 0 for score, _ in signs) else "not supported"
    return Finding(
        "gru",
        "GRU or LSTM",
        "Prefer GRU to LSTM where it does as well, since it takes less.",
        "supported" if all(good) else some,
        " ".join(sentences),
        tuple(panels),
        (
            "CPU time is that of training and scoring together, on a machine that did other work too. On a CPU, torch runs LSTM by "
            "oneDNN and GRU without it: the time says as much about these kernels as about the cells.",
        ),
    )


def _scored(one: Arm, other: Arm) -> str:
    told = {1: f"{one.name} scores better than {other.name}", -1: f"{one.name} scores worse than {other.name}"}
    return f"{told.get(better(one, other), f'{_SAME} in score')} ({one.text} against {other.text})"


def _fewer(one: Arm, other: Arm) -> str:
    share = 100 * (1 - one.mean / other.mean)
    return f"{abs(share):.0f} % {'fewer' if share > 0 else 'more'} weights"


def _sooner(one: Arm, other: Arm) -> str:
    share = 100 * (1 - one.mean / other.mean)
    if better(one, other) == 0:
        return "no difference to be seen in CPU time"
    return f"{abs(share):.0f} % {'less' if share > 0 else 'more'} CPU time"


def optimizer(results: Results) -> Finding:
    """Adam against SGD, each at the rate that is best on dev."""
    arms, chosen, notes = [], {}, []
    for name, title in _OPTIMIZERS.items():
        rates = list(dict.fromkeys(one.factors["learning_rate"] for one in trainings(results, tip="optimizer", optimizer=name)))
        tried = {
            rate: arm(results, f"{title} at {rate:g}", faint=True, tip="optimizer", optimizer=name, learning_rate=rate)
            for rate in rates
        }
        on_dev = {rate: Arm(one.name, one.axis, one.outcomes, tuple(map(_dev_score, one.outcomes))) for rate, one in tried.items()}
        leader = best(on_dev.values()).name
        for rate, one in tried.items():
            if one.name == leader:
                one = chosen[name] = Arm(one.name, one.axis, one.outcomes, one.values)
                if rate in (min(rates), max(rates)):
                    end = "lowest" if rate == min(rates) else "highest"
                    notes.append(f"{title} does best at the {end} rate tried: one beyond it may do better still.")
            arms.append(one)
    adam, sgd = chosen["adam"], chosen["sgd"]
    return Finding(
        "optimizer",
        "Adam",
        "Prefer Adam to plain gradient descent (SGD).",
        verdict([better(adam, sgd)]),
        f"Each at the rate that is best on dev: {_scored(adam, sgd)}.",
        (Panel(_task(adam), tuple(arms)),),
        ("The paler rows are the other rates that were tried. SGD has a momentum of 0.9.", *notes),
    )


def _dev_score(outcome: Outcome) -> float:
    """The best of its epochs; that of an answer that reads nothing, if it broke off."""
    if outcome.problem or not outcome.curve:
        return outcome.score
    return (max if AXES[outcome.metric].higher_is_better else min)(point.score for point in outcome.curve)


def clipping(results: Results) -> Finding:
    """Each network with its gradient clipped and not."""
    arms, sentences, signs = [], [], []
    networks = dict.fromkeys(
        (str(one.factors["cell"]), str(one.factors["activation"])) for one in trainings(results, tip="clipping")
    )
    for cell, activation in networks:
        name = CELLS[cell].title + (f" {activation}" if len(CELLS[cell].activations) > 1 else "")
        on, off = (
            arm(results, f"{name}, {title}", tip="clipping", cell=cell, activation=activation, clip=clip)
            for title, clip in (("clipped", "norm"), ("not clipped", "off"))
        )
        arms += [on, off]
        signs.append(better(on, off))
        sentences.append(f"**{name}:** {_clipped(on, off)}.")
    return Finding(
        "clipping",
        "Clipping",
        "Clip the gradient, against explosions.",
        verdict(signs),
        " ".join(sentences),
        (Panel(_task(arms[0]), tuple(arms)),),
        ("SGD at a constant rate of 1.0, which is where it matters; clipped means: its norm is at most 1.",),
    )


def _clipped(on: Arm, off: Arm) -> str:
    if on.broken or off.broken:
        count = len(off.outcomes)
        return f"{off.broken} of {count} broke off without clipping, {on.broken} of {len(on.outcomes)} with it"
    word = {1: "better with clipping", -1: "worse with clipping", 0: _SAME}[better(on, off)]
    return f"{word} ({on.text} against {off.text})"


def stopping(results: Results) -> Finding:
    """What early stopping would have given in trainings that went on to their last epoch."""
    last = arm(results, "to the last epoch", value=lambda one: test_after(one, len(one.curve)), tip="stopping")
    stopped = arm(results, "stopped", value=lambda one: test_after(one, stop_of(one).epoch), tip="stopping")
    kept = arm(results, "stopped, best epoch kept", value=lambda one: test_after(one, stop_of(one).best), tip="stopping")
    all_epochs = arm(results, "to the last epoch", axis="epochs", value=lambda one: len(one.curve), tip="stopping")
    fewer = arm(results, "stopped", axis="epochs", value=lambda one: stop_of(one).epoch, tip="stopping")
    saved, whole = all_epochs.mean - fewer.mean, all_epochs.mean
    word = {1: "better than", -1: "worse than", 0: f"{_SAME} from"}[better(kept, last)]
    settings = last.outcomes[0].settings
    return Finding(
        "stopping",
        "Early stopping",
        "Stop early: when the loss on dev has not become better for a while.",
        verdict([better(kept, last), better(fewer, all_epochs)]),
        f"A patience of {PATIENCE} on the dev loss saves {saved:.0f} of {whole:.0f} epochs. The weights of its best epoch: "
        f"{word} those of the last ({kept.text} against {last.text}).",
        (Panel(f"{_task(last)}, test", (last, stopped, kept)), Panel("Time", (all_epochs, fewer))),
        (
            f"A setting that overfits: {settings.get('sentences')} paragraphs for {settings.get('hidden_size')} units. Each "
            "training ran to its last epoch, with a test score after each, and the rule was applied to its curve afterwards.",
        ),
    )


def patience(results: Results) -> Finding:
    """Patience that compares with the epoch before, on the curves of `stopping`."""
    rules = {"with the best epoch": False, "with the one before": True}

    def epoch(slip: bool, outcome: Outcome) -> int:
        return stop_of(outcome, as_before=slip).epoch

    def score(slip: bool, outcome: Outcome) -> float:
        return test_after(outcome, epoch(slip, outcome))

    scores = [arm(results, name, value=partial(score, slip), tip="stopping") for name, slip in rules.items()]
    epochs = [arm(results, name, axis="epochs", value=partial(epoch, slip), tip="stopping") for name, slip in rules.items()]
    panels = (Panel(f"{_task(scores[0])}, test where it stops", tuple(scores)), Panel("Time", tuple(epochs)))
    apart = [(right, wrong) for right, wrong in zip(*(one.values for one in epochs), strict=True) if right != wrong]
    if not apart:
        sentence = f"Both rules stop at the same epoch in all {len(epochs[0].values)} trainings: here the slip costs nothing."
    else:
        late, worse = epochs[1].mean - epochs[0].mean, scores[1].mean - scores[0].mean
        sentence = (
            f"The two rules stop at different epochs in {len(apart)} of {len(epochs[0].values)} trainings: on average "
            f"{abs(late):.1f} epochs {'later' if late > 0 else 'earlier'} with the slip. The test score there: "
            f"{_by(worse, scores[0].axis)} "
            f"({scores[1].text} against {scores[0].text})."
        )
    return Finding(
        "patience",
        "Patience",
        "Patience that compares each epoch with the one before it, and not with the best so far.",
        "costs" if apart else "costs nothing",
        sentence,
        panels,
        (f"The same trainings as under Early stopping; both rules wait for {PATIENCE} epochs.",),
    )


def _by(difference: float, axis: str) -> str:
    """By how much a score has changed, and whether that is for the better."""
    found = AXES[axis]
    if not found.shown(difference).strip("−0.,"):
        return "the same"
    return f"{found.shown(abs(difference))} {found.unit} {'better' if (difference > 0) == found.higher_is_better else 'worse'}"


def dropout(results: Results) -> Finding:
    """Parts of speech, scored as they should be and with the dropout left on."""

    def lost(outcome: Outcome) -> float:
        return outcome.score - outcome.scores[WITH_DROPOUT]

    task = "pos"
    measured = trainings(results, tip="gates", task=task)
    cells = dict.fromkeys(str(one.factors["cell"]) for one in measured)
    arms = [arm(results, CELLS[cell].title, axis="lost", value=lost, tip="gates", task=task, cell=cell) for cell in cells]
    losses = [value for one in arms for value in one.values]
    worse = sum(loss > 0 for loss in losses)
    mean, _ = mean_and_spread(losses)
    unit = AXES["lost"]
    return Finding(
        "dropout",
        "Dropout left on",
        "Dropout that is left on while the model is tested.",
        "costs" if mean > 0 else "costs nothing",
        f"{worse} of {len(losses)} models score worse: by {unit.shown(mean)} {unit.unit} on average, from "
        f"{unit.shown(min(losses))} to {unit.shown(max(losses))}.",
        (Panel(TASKS[task], tuple(arms)),),
        (f"Each model is scored twice, the second time with its dropout of {measured[0].settings['dropout']} left on.",),
    )


def doubles(results: Results) -> Finding:
    """Surnames that stand in train too, and those that don't."""
    whole = arm(results, "all of test", tip="doubles")
    seen = arm(results, "also in train", value=lambda one: one.scores[SEEN], tip="doubles")
    unseen = arm(results, "never seen", value=lambda one: one.scores[UNSEEN], tip="doubles")
    share = mean_and_spread(one.scores[SEEN_SHARE] for one in whole.outcomes)[0]
    flatters = better(whole, unseen) == 1
    axis = AXES[whole.axis]
    cost = f"{axis.shown(abs(unseen.mean - whole.mean))} {axis.unit}"
    told = (
        f"the figure one would report ({whole.text}) is {cost} better than that of names never seen ({unseen.text})"
        if flatters
        else f"{_SAME} between the figure one would report ({whole.text}) and that of names never seen ({unseen.text})"
    )
    return Finding(
        "doubles",
        "Doubles",
        "Doubles across train and test: a list of surnames split line by line.",
        "costs" if flatters else "costs nothing",
        f"{100 * share:.0f} % of the test lines stand in train too, and {told}.",
        (Panel(_task(whole), (whole, seen, unseen)),),
        ("Names that stand in a list more than once may also be easier ones: the gap is not all memory.",),
    )


def _task(one: Arm) -> str:
    return TASKS[str(one.outcomes[0].factors["task"])]


TIPS: dict[str, Callable[[Results], Finding]] = {
    "gates": gates, "gru": gru_or_lstm, "optimizer": optimizer, "clipping": clipping, "stopping": stopping
}  # fmt: skip
SLIPS: dict[str, Callable[[Results], Finding]] = {"patience": patience, "dropout": dropout, "doubles": doubles}
