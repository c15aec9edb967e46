"""Ready-made runs that teach.

A preset is data: what differs from its task's settings for watching, as a link. tests/test_runs_presets.py holds each to
what can be settled without training; that they do what they say was measured on one core.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from seqmodels.cells import CELLS

if TYPE_CHECKING:
    from seqmodels.runs.settings import Settings


@dataclass(frozen=True)
class Preset:
    """Some runs to start by one click: a link of settings by the name of each run, and what there is to see."""

    key: str  # what its runs remember of it
    title: str
    look_for: str
    runs: Mapping[str, str]


_EXPLODING = (
    "task=pos&cell=elman&activation=relu&source=silver&sentences=1000&dev_sentences=200&optimizer=sgd&momentum=0&learning_rate=8"
    "&warmup=0.5&epochs=30&patience=none&seed=2"
)
_OVERFITTING = (
    "task=char&cell=gru&sentences=20&dev_sentences=20&hidden_size=256&dropout=0&batch_size=8&schedule=constant&epochs=40&watch=loss"
    "&patience=8"
)
_RACE = "task=adding&length=30&epochs=10"
_IDENTITY = "task=adding&cell=elman&learning_rate=0.001&epochs=8"
_ADAM = "task=char&cell=gru&hidden_size=96&sentences=400&schedule=constant&epochs=5&patience=none"

PRESETS = (
    Preset(
        "spells",
        "A network learns to spell",
        "the text that it writes, every few seconds: random letters before the first step, then words, then almost sentences.",
        {"Learns to spell": "task=char&cell=gru"},
    ),
    Preset(
        "explodes",
        "It explodes",
        "the gradient norm, on its log scale: the network learns while the rate rises, until the norm shoots up within a few "
        "steps, and the run ends and says why. Nothing bounds the memory of an Elman cell with relu, and nothing is clipped.",
        {"It explodes": f"{_EXPLODING}&clip=none"},
    ),
    Preset(
        "clipped",
        "The same, clipped",
        "the norm before clipping, time and again above the dashed threshold: cut down to 0.5, no step throws the network off. It "
        "gets past the rate at which the other one explodes, and learns. Everything else is the same.",
        {"Explodes, but clipped": f"{_EXPLODING}&clip=norm&clip_threshold=0.5"},
    ),
    Preset(
        "overfits",
        "Overfit, then stop early",
        "the two losses part: the network learns its 20 paragraphs by heart. On others it gets better for some eight epochs, then "
        "worse and worse while the train loss goes on falling. After eight epochs without a better dev loss it stops, and the best "
        "weights are kept.",
        {"Overfits, then stops": _OVERFITTING},
    ),
    Preset(
        "race",
        "Elman, GRU and LSTM race",
        "who brings the error down from 0.167, the answer that knows nothing: add two marked numbers among thirty. The GRU gets "
        "there first, the LSTM some epochs later and all at once, Elman not at all.",
        {CELLS[cell].title: f"{_RACE}&cell={cell}" for cell in ("elman", "gru", "lstm")},
    ),
    Preset(
        "identity",
        "ReLU with identity initialization",
        "two Elman networks, fifty steps: the one with relu, which begins by copying its memory, learns to add; the one with tanh "
        "stays at an error of about 0.19, as if it had read nothing.",
        {"Identity and relu": f"{_IDENTITY}&activation=relu&initialization=identity", "Elman with tanh": _IDENTITY},
    ),
    Preset(
        "optimizers",
        "Adam against SGD",
        "three runs of one network: at Adam's rate SGD hardly moves, at a rate 200 times as high it keeps up. A rate is large or "
        "small only for its optimizer.",
        {
            "Adam, rate 0.005": f"{_ADAM}&optimizer=adam&learning_rate=0.005",
            "SGD, rate 0.005": f"{_ADAM}&optimizer=sgd&learning_rate=0.005",
            "SGD, rate 1": f"{_ADAM}&optimizer=sgd&learning_rate=1",
        },
    ),
)


def find_preset(key: str | None) -> Preset | None:
    """The preset of that key."""
    return next((preset for preset in PRESETS if preset.key == key), None)


def settings_of(preset: Preset) -> dict[str, Settings]:
    """The whole settings of each of its runs, by the run's name."""
    from seqmodels.runs.settings import demo_settings

    parameters = {name: dict(parse_qsl(link)) for name, link in preset.runs.items()}
    return {name: demo_settings(changes["task"], changes) for name, changes in parameters.items()}
