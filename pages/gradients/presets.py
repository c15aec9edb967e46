"""Settings of the lab to open by one click, each with what there is to see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pages.common import address, inputs, shown
from seqmodels.viz.law import title

USUAL: dict[str, Any] = {  # of the knobs by their keys, in the words of a link
    "cells": [title("elman"), title("gru"), title("lstm")],
    "length": 100,
    "units": 64,
    "scheme": "Gaussian",
    "gain": 1.0,
    "activation": "tanh",
    "forget": 5.0,
    "input": 1.0,
    "seed": 1,
}
WALL: dict[str, Any] = {"w": 5.0, "b": -2.2, "rate": 2.0, "threshold": 0.2, "updates": 30}
UPDATE: dict[str, Any] = {"start": "orthogonal", "strength": 1.3, "pace": 0.03, "limit": 1.0, "draw": 3}


@dataclass(frozen=True)
class Preset:
    """What it is called, what there is to see, and the knobs that it sets; the others go back to what is usual."""

    title: str
    sees: str
    knobs: Mapping[str, Any]

    def values(self, usual: Mapping[str, Any]) -> dict[str, Any]:
        """Of all knobs."""
        return dict(usual) | dict(self.knobs)


_PLAIN = [title("elman")]
THROUGH_TIME = (
    Preset(
        "Open gates carry",
        "Elman's line falls off a cliff, and so does GRU's, whose gate begins half open. LSTM's forget gate begins at 0.99: its "
        "line stays level.",
        {},
    ),
    Preset(
        "Half-open gates do not",
        "the same cells with a forget bias of 0: at each step LSTM keeps one half, and now it loses its gradient as the others do.",
        {"forget": 0.0},
    ),
    Preset(
        "Certain to vanish",
        "every singular value of U is 0.9. The line is straight, and below anything that the next steps could mend.",
        {"cells": _PLAIN, "scheme": "orthogonal", "gain": 0.9},
    ),
    Preset(
        "Possible, and it explodes",
        "a U of gain 2.5 and small inputs: the memory wanders by itself, and the gradient grows with every step back.",
        {"cells": _PLAIN, "gain": 2.5, "input": 0.1},
    ),
    Preset(
        "Possible, yet it vanishes",
        "the same U as in the preset before, with large inputs: tanh is nearly flat where its units stand, so the gradient "
        "shrinks.",
        {"cells": _PLAIN, "gain": 2.5, "input": 3.0},
    ),
    Preset(
        "A normal U",
        "no input, so tanh is linear: the gradient shrinks by 5 % a step from the first. Compare the next preset.",
        {"cells": _PLAIN, "scheme": "orthogonal", "gain": 0.95, "input": 0.0, "length": 200},
    ),
    Preset(
        "A non-normal U, same radius",
        "its eigenvalues have the same sizes as the normal U's, yet the gradient first grows: half of the directions feed the "
        "other half.",
        {"cells": _PLAIN, "scheme": "non-normal", "gain": 0.95, "input": 0.0, "length": 200},
    ),
    Preset(
        "A sigmoid needs four times as much",
        "gain 3 is far outside of the unit circle, but a sigmoid is never steeper than 1/4: vanishing is certain up to 4.",
        {"cells": _PLAIN, "scheme": "orthogonal", "gain": 3.0, "activation": "sigmoid"},
    ),
    Preset(
        "ReLU and the identity",
        "a unit that is on hands its gradient back as it is (Le, Jaitly, Hinton 2015); what is lost is lost where units are off.",
        {"cells": _PLAIN, "scheme": "identity", "activation": "relu", "input": 0.5, "seed": 3},
    ),
    Preset(
        "All seven cells",
        "the sums with keep 1 do not vanish: they grow slowly instead. minGRU has no U, and loses what its gates let go.",
        {"cells": [title(name) for name in ("elman", "residual", "gated", "gated_forget", "gru", "lstm", "mingru")]},
    ),
)
ON_THE_WALL = (
    Preset(
        "Beside the wall", "the third step meets the wall. Unclipped, it lands on the plateau in the corner and stays there.", {}
    ),
    Preset(
        "On the wall",
        "the gradient is 26 here. One step leaves the picture; clipped by norm or by value, it stays.",
        {"w": 4.9, "b": -2.55},
    ),
    Preset(
        "Far from it",
        "where the ground is smooth no step is clipped, and the three paths are one.",
        {"w": 3.0, "b": 0.0},
    ),
)
ONE_UPDATE = (
    Preset("A step too far", "the loss falls at first, but the step is a thousand times longer than the way down.", {}),
    Preset(
        "ReLU and the identity",
        "even at a rate of 0.001 the first step is over the wall.",
        {"start": "identity", "strength": 1.0, "pace": 0.001, "draw": 1},
    ),
    Preset("One that does not explode", "the same gain, another draw: none of the steps does harm.", {"draw": 2}),
)


def menu(presets: Sequence[Preset], usual: Mapping[str, Any], part: str) -> None:
    """The presets of a part of the page. They set its knobs, and keep the part."""
    entries = {preset.title: preset.values(usual) for preset in presets}
    inputs.menu_button("Presets", entries, key=f"presets-{part.replace(' ', '-').lower()}")


def told(presets: Sequence[Preset], usual: Mapping[str, Any]) -> None:
    """What there is to see in the preset that is on screen, if one is."""
    for preset in presets:
        if address.holds(preset.values(usual)):
            shown.markdown(f"**{preset.title}:** {preset.sees}")
            return
