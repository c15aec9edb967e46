"""A card as a page to read, under the headings that model cards have (Mitchell et al. 2019)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from seqmodels.cards.record import BINS, FREQUENCY, Calibration, Card, Confusion, Result

NOT_RECORDED = "not recorded"

_INTENDED = {
    "tags": (
        "To show how a small recurrent network reads English, on the pages of this app and in teaching, and as a fast tagger. "
        "It is not meant for decisions about people, nor for text in other languages."
    ),
    "next token": (
        "To show how a small recurrent network writes, and what surprises it: on the pages of this app and in teaching. What it "
        "writes is made up, and is no statement of anybody's."
    ),
}
_LIMITS = {
    "tags": (
        "It knows the kinds of text that it was trained on, and the conventions of those who tagged them; on others it is worse "
        "than the figures here. It reads one sentence at a time. Its probabilities are calibrated for text of that kind.",
        "Names and words of groups that are rare in its corpora are tagged worse than those that are common there.",
    ),
    "next token": (
        "It has the vocabulary, the views and the manners of its texts and of their times, the offensive ones too. It keeps the "
        "grammar over a few words and loses the thread over many.",
        "Words that are not in its vocabulary are `<unk>` to it, and it never writes one.",
    ),
}
_LIMITS_OF_LISTS = (
    "It knows what stands in the lists of its corpus, whose origin is not stated, and in their spelling: some are transcribed, and "
    "accents are often left out. What has a short list there it knows worse.",
    "What it writes is invented and may still be somebody's. It says nothing of a person, and nothing of where one comes from.",
)


def of(card: Card) -> str:
    """The whole page."""
    limits = _LIMITS_OF_LISTS if _condition(card) else _LIMITS.get(card.predicts, ("It reads numbers, and no text.",))
    parts = [
        f"# {card.name}",
        "",
        f"*Made from `{card.name}.json` by `python -m seqmodels cards`; don't edit it. It is of the checkpoint with SHA-256 "
        f"{card.sha256[:12]}.*",
        "",
        *_section("Model details", _details(card)),
        *_section("Intended use", [_INTENDED.get(card.predicts, "To show what the memory of a recurrent network can hold.")]),
        *_section("Training data", [f"- {corpus}" for corpus in card.corpora] or ["Generated from a seed."]),
        *_section("Training", _training(card)),
        *_section("Evaluation", _evaluation(card)),
        *(_section("Known errors", _errors(card)) if card.errors else []),
        *_section("Limits", [f"- {limit}" for limit in limits]),
        *_section("Licence", [f"The weights: {card.licence}. The code: MIT."]),
        *_section("How to use", _use(card)),
    ]
    return "\n".join(parts).rstrip() + "\n"


def training_time(seconds: float | None) -> str:
    """'12 min', '2 h 5 min', or that it was not recorded."""
    if seconds is None:
        return NOT_RECORDED
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def _details(card: Card) -> list[str]:
    network = _pairs({name: value for name, value in card.config.items() if name != "cell"})
    return [
        f"- Task: {card.task_title} (`{card.task}`)",
        f"- Cell: `{card.cell}`",
        f"- Network: {network}",
        f"- Size: {card.parameters:,} parameters, {card.bytes / 1e6:.1f} MB",
        f"- Made with: {_pairs(card.versions)}",
    ]


def _training(card: Card) -> list[str]:
    return [
        f"- Recipe: {_pairs({**card.recipe, 'seed': card.seed})}",
        f"- Best epoch: {card.epochs}",
        f"- Time to train: {training_time(card.seconds)}",
    ]


def _evaluation(card: Card) -> list[str]:
    names = list(dict.fromkeys(name for result in card.results.values() for name in result.scores))
    rows = [
        [split, f"{result.tokens:,}", *(_figure(name, result.scores.get(name)) for name in names)]
        for split, result in card.results.items()
    ]
    lines = [*_table(["split", "tokens", *(name.replace("_", " ") for name in names)], rows), ""]
    result = card.results.get("test")
    if result is not None:
        lines += _by_label(result) + _bands(result, card.unit) + _confusion(result.confusion)
        lines += [_calibrated(found) for found in result.calibrations]
    return [*lines, "", f"Speed: {_speed(card)}."]


def _by_label(result: Result) -> list[str]:
    if not result.tallies:
        return []
    rows = [
        [one.label, *(f"{value:.1f}" for value in (one.precision, one.recall, one.f1)), f"{one.gold:,}", f"{one.predicted:,}"]
        for one in result.tallies
    ]
    return ["On test, by label:", "", *_table(["label", "precision", "recall", "F1", "gold", "given"], rows), ""]


def _bands(result: Result, unit: str) -> list[str]:
    if not result.bands:
        return []
    by_frequency = result.banded_by == FREQUENCY
    rows = [
        [
            f"`{band.label}`" if band.label.startswith("<") else band.label,
            f"{band.tokens:,}",
            f"{band.nats / band.tokens:.2f}",
            f"{100 * band.right / band.tokens:.1f} %",
        ]
        for band in result.bands
    ]
    headings = [unit if by_frequency else result.banded_by, "on test", "surprise, nats", "expected most"]
    told = f"how frequent the {unit} is in the training text" if by_frequency else result.banded_by
    return [f"On test, by {told}:", "", *_table(headings, rows), ""]


def _confusion(confusion: Confusion | None) -> list[str]:
    if confusion is None:
        return []
    rows = [
        [row, *(f"{count:,}" if count else "" for count in counts)]
        for row, counts in zip(confusion.rows, confusion.counts, strict=True)
    ]
    return ["On test, what it takes (columns) for what (rows):", "", *_table(["", *confusion.columns], rows), ""]


def _calibrated(found: Calibration) -> str:
    return f"Expected calibration error on test, over {found.of}, {BINS} bins of equal mass: {found.error:.1f} points."


def _speed(card: Card) -> str:
    speed = card.speed
    told = f"{speed.words:,.0f} {speed.what} a second of processor time on {speed.machine}, the median of {speed.rounds} rounds"
    return told if speed.ratio is None else f"{told}; {speed.ratio:.2f} times as fast as {speed.rival}, in the same run"


def _errors(card: Card) -> list[str]:
    lines = ["The most frequent on the dev split, each with a sentence from it.", ""]
    for error in card.errors:
        shown = f": *{_plain(error.example.text)}* (**{_plain(error.example.word)}**)" if error.example else ""
        lines.append(f"- {error.gold} → {error.predicted}, {error.count:,} times{shown}")
    return [*lines, "", f"The sentences are from {card.corpora[0]}." if card.corpora else ""]


def _use(card: Card) -> list[str]:
    call = {
        "tags": 'tag(load("{}"), "She lives in Berlin.")',
        "next token": 'continue_text(load("{}"), "The people", max_tokens=20)',
    }
    given = _condition(card)
    if given:
        code = f'continue_text(load("{card.name}").given("{given}"), "")'
        return ["```python", "from seqmodels import continue_text, load", "", code, "```"]
    if card.predicts not in call:
        return ["```python", "from seqmodels import load", "", f'load("{card.name}")', "```"]
    code = call[card.predicts].format(card.name)
    return ["```python", f"from seqmodels import load, {code.partition('(')[0]}", "", code, "```"]


def _condition(card: Card) -> str:
    """The first of those that the model can start from; empty where it starts from zero."""
    found = [result.bands[0].label for result in card.results.values() if result.banded_by != FREQUENCY and result.bands]
    return found[0] if found else ""


def _section(title: str, lines: Iterable[str]) -> list[str]:
    return [f"## {title}", "", *lines, ""]


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    ruler = ["---", *["---:"] * (len(headings) - 1)]
    return [f"| {' | '.join(cells)} |" for cells in (headings, ruler, *rows)]


def _pairs(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {'none' if value is None else value}" for name, value in values.items())


def _figure(name: str, value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.4f}" if name.endswith("_share") else f"{value:,.0f}" if name.startswith("gold_") else f"{value:.2f}"


def _plain(text: str) -> str:
    """A quoted text that Markdown does not read as markup."""
    return "".join(f"\\{character}" if character in "\\`*_[]<>#|~" else character for character in text)
