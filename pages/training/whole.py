"""A whole run as one HTML file: its settings, its curves, and what its network made of a text while it learned."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.common import inputs, page
from pages.common.takeaway import File
from pages.training import curves
from pages.training.models import suggested
from seqmodels import runs
from seqmodels.runs import Run
from seqmodels.viz import training as viz
from seqmodels.viz.document import Html, Part, Picture, Words, document

if TYPE_CHECKING:
    from seqmodels.viz.palette import Theme

MOST = 8  # samples in a file


def file(run: Run) -> File:
    """The run as it is when the file is asked for."""
    url = (st.context.url or "").partition("?")[0]
    content = partial(_content, run, page.theme(), url and f"{url}?run={run.id}")
    return File("The run, as one page (HTML)", content, f"{suggested(run.name)}.html", "text/html")


def _content(run: Run, theme: Theme, address: str) -> str:
    return document(run.name, list(parts(run, theme)), theme=theme, address=address)


def parts(run: Run, theme: Theme) -> Iterator[Part]:
    """All of it, from the settings to the last sample."""
    from seqmodels.viz.training.figures import figure

    known, standing = runs.read_history(run), runs.status(run)
    epochs = standing.progress.epochs or int(run.settings["epochs"])
    where = curves.where(standing, known, epochs)
    yield Words(f"{curves.task_of(run).title} · {curves.cell_title(run)} · {where}. {inputs.plain(standing.progress.message)}")
    yield Html(curves.facts(run, standing, known))
    for panel in (*curves.panels(run, known, theme), *curves.gate_panels(run, known, theme)):
        yield Words(panel.title)
        if panel.help:
            yield Words(panel.help, small=True)
        yield Picture(figure(panel.option, theme), panel.alt, {"displaylogo": False})
    yield Words(curves.marks(known), small=True)
    yield from _samples(known.samples)
    rows = "\n".join(f"| {name.replace('_', ' ')} | {inputs.plain(_shown(value))} |" for name, value in run.settings.items())
    yield Words(f"**Settings**\n\n| setting | value |\n| --- | --- |\n{rows}")


def _samples(samples: list[dict[str, Any]]) -> Iterator[Part]:
    """What the network made of the text, at a few times from the first to the last."""
    last = len(samples) - 1
    chosen = sorted({round(last * at / (MOST - 1)) for at in range(MOST)}) if samples else []
    for before, at in zip([None, *chosen], chosen, strict=False):
        sample = samples[at]
        if sample.get("text") is not None:
            yield Words(f"**What it writes** {viz.when(sample)}")
            yield Html(viz.writing(sample))
        else:
            yield Words(f"**Its tags** {viz.when(sample)}")
            yield Html(viz.chips(sample, None if before is None else samples[before]))


def _shown(value: Any) -> str:
    return "–" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
