"""The gradient at every step back, as knobs turn; beside it the recurrent matrix, and what that says beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.common import inputs, page, shown, takeaway
from pages.gradients import presets, verdicts
from seqmodels.cells import CELLS
from seqmodels.viz import law

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from seqmodels.labs.gradients import GradientFlow
    from seqmodels.labs.networks import RandomNetwork
    from seqmodels.labs.spectrum import Spectrum

PLAIN = "elman"  # the cell that the theorem is about


def pick() -> list[str]:
    """The cells that are drawn."""
    usual = [name for name, cell in CELLS.items() if cell.title in presets.USUAL["cells"]]
    return inputs.choices("Cells", list(CELLS), key="cells", default=usual, show=law.title, also=lambda name: [name], popover=True)


def draw(names: list[str], settings: DeltaGenerator) -> list[takeaway.File]:
    """Words, the knobs, and the pictures; gives their numbers as files."""
    from seqmodels.viz import flows, spectra

    words = st.container(key="gradients-words", gap="xxsmall")
    with st.container(key="gradients-bench"):
        knobs, lines, plane = st.columns([1, 2.4, 1.3], gap="medium")
    with knobs:
        network = ask(settings)
    if not names:
        st.info("Pick at least one cell.")
        return []
    found, beforehand = [flow(name, network) for name in names], spectrum(network)
    with words:
        presets.told(presets.THROUGH_TIME, presets.USUAL)
        shown.markdown(_verdict(found, beforehand, network))
    with lines:
        pictures(found, network)
    with plane:
        matrix(beforehand)
    split(found)
    shown.explain(NOT_SHOWN)
    return [
        takeaway.numbers(lambda: flows.rows(found), "gradients", "Gradients as CSV"),
        takeaway.numbers(lambda: spectra.rows(beforehand), "spectrum", "Eigenvalues of U as CSV"),
    ]


def ask(settings: DeltaGenerator) -> RandomNetwork:
    """The knobs."""
    from seqmodels.labs.networks import ACTIVATIONS, LARGEST, LONGEST, SCHEMES, RandomNetwork

    usual = presets.USUAL
    gain = inputs.number("Gain of U", 0.1, 3.0, key="gain", default=usual["gain"], step=0.05)
    size = inputs.number(
        "Input size", 0.0, 3.0, key="input", default=usual["input"], step=0.05, help="The spread of W x in each unit."
    )
    by_title = {title: scheme for scheme, title in SCHEMES.items()}
    with st.container(horizontal=True, gap="small"):
        scheme = inputs.choice("Initialization", list(by_title), key="scheme", default=usual["scheme"], menu=True)
        activation = inputs.choice("Activation, Elman", ACTIVATIONS, key="activation", menu=True)
    forget = inputs.number("Forget bias", -2.0, 8.0, key="forget", default=usual["forget"], step=0.5, help=_FORGET)
    length = inputs.number("Length, steps", 10, LONGEST, key="length", default=usual["length"], step=10)
    with settings:
        units = inputs.number("Hidden size", 8, LARGEST, key="units", default=usual["units"], step=8)
        seed = inputs.number(
            "Seed", 1, 50, key="seed", default=usual["seed"], step=1, help="Another one draws another network and input."
        )
    return RandomNetwork(int(length), int(units), by_title[scheme], gain, activation, forget, size, int(seed))


def pictures(found: list[GradientFlow], network: RandomNetwork) -> None:
    """The lines, and where each ends."""
    from seqmodels.viz import flows

    names = ", ".join(law.title(flow.cell) for flow in found)
    shown.chart(
        flows.flows(found, theme=page.theme()), "flows", f"Gradient of the loss at every step back: {names}", page="gradients"
    )
    head = f"| {network.length - 1} steps back | the gradient | of it, along the law |\n| --- | --- | --- |\n"
    lines = [f"| {law.title(one.cell)} | {verdicts.size(one.gradient[0])} | {verdicts.size(one.law[0])} |" for one in found]
    shown.markdown(head + "\n".join(lines))


def matrix(found: Spectrum) -> None:
    """U in the complex plane."""
    from seqmodels.viz import spectra

    alt = f"Eigenvalues of U: spectral radius {found.radius:.2f}, largest singular value {found.largest:.2f}"
    shown.chart(spectra.spectrum(found, theme=page.theme()), "spectrum", alt, page="gradients")
    shown.explain(
        "Dots: eigenvalues of U, the block of the candidate F; it is the same in every cell. minGRU has none. "
        "What is certain or possible by these circles is so of Elman, whose gradient goes through U alone."
    )


def split(found: list[GradientFlow]) -> None:
    """For each cell with a path along its memory: what the law carries and the rest, on one scale."""
    from seqmodels.viz import flows

    carried = [flow for flow in found if flow.law[:-1].any() or not CELLS[flow.cell].fixed_gates]
    if not carried:
        return
    shown.markdown(
        "**Along the law, and the rest:** the product of μ is a path that the gates hold open; the rest steers what is written "
        "later."
    )
    axis = flows.parts_axis(carried)
    with st.container(key="gradients-parts"):
        for flow in carried:
            alt = f"{law.title(flow.cell)}: the gradient along the law, the rest, and both"
            shown.chart(flows.parts(flow, axis=axis, theme=page.theme()), f"parts-{flow.cell}", alt, page="gradients")


@st.cache_data(show_spinner=False, max_entries=500)
def flow(name: str, network: RandomNetwork) -> GradientFlow:
    """Of one cell."""
    from seqmodels.labs.gradients import gradient_flow

    return gradient_flow(name, network)


@st.cache_data(show_spinner=False, max_entries=500)
def spectrum(network: RandomNetwork) -> Spectrum:
    """Of the U of all cells."""
    from seqmodels.labs.spectrum import spectrum

    return spectrum(network)


def _verdict(found: list[GradientFlow], beforehand: Spectrum, network: RandomNetwork) -> str:
    said = verdicts.beforehand(beforehand, network.length - 1)
    plain = next((flow for flow in found if flow.cell == PLAIN), None)
    return f"{said} {verdicts.happens(plain, beforehand, network.activation)}" if plain else said


_FORGET = (
    "Added before the sigmoid of the gate that keeps, in LSTM and the forgetting sum: 0 keeps one half a step, 3 keeps 0.95, "
    "5 keeps 0.99."
)
NOT_SHOWN = (
    "**How to read it:** a line is the size of the derivative of the loss by the memory at that step: h, for LSTM c. The loss "
    "is the last output "
    "along a random direction; network and input are random, in double precision. **What it does not show:** training. These "
    "are networks before "
    "their first update, with one sequence; the gradient by the weights is a sum over steps of what is drawn here."
)
