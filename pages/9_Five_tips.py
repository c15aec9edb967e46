"""Five tips: the chapter's practical advice put to the test, seed by seed; and three slips, with what each costs."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from pages.common import inputs, page, results, shown, takeaway
from pages.tips import slips
from seqmodels.experiments import Results
from seqmodels.experiments.findings import Arm, Finding, Panel
from seqmodels.experiments.verdicts import SLIPS, TIPS

SLIP = "slips"
TITLES = {"gates": "1 Gates", "gru": "2 GRU", "optimizer": "3 Adam", "clipping": "4 Clipping", "stopping": "5 Stopping"}
TITLES |= {SLIP: "Slips", "patience": "Patience", "dropout": "Dropout left on", "doubles": "Doubles"}
VERDICTS = {
    "supported": "The numbers support it.",
    "partly": "The numbers support it in part.",
    "no difference": "No difference to be seen with these seeds.",
    "not supported": "The numbers do not support it.",
    "costs": "It costs something.",
    "costs nothing": "It costs nothing here.",
}
COMMAND = "python -m seqmodels experiment tips"
HOW = (
    "Each dot is a training with its own seed, the stroke is their mean, the line goes from the least to the greatest, and ± is "
    "half its length. A difference counts only if every training of one is better than every training of the other."
)


def main() -> None:
    page.start("Five tips")
    with page.header(), page.pickers():
        name = pick("Tip", [*TIPS, SLIP], key="tip")
        if name == SLIP:
            name = pick("Slip", list(SLIPS), key="slip")
    found = results.read("tips")
    if found is None:
        st.info(f"These trainings have not been run in this copy of seqmodels yet: `{COMMAND}` does it.")
        return
    with page.boundary():
        finding = (TIPS | SLIPS)[name](found)
        show(finding, found)
    at_a_glance(found)
    recipe(found)
    takeaway.menu("five-tips", "Five tips, tested", files=results.files(found), key="tips-take-away")


def pick(label: str, names: list[str], *, key: str) -> str:
    """A tip or a slip, by its name."""
    return inputs.choice(label, names, key=key, show=TITLES.__getitem__, also=lambda name: (name, TITLES[name]), compact=True)


def show(finding: Finding, results: Results) -> None:
    """The claim, the verdict, the pictures, and every training as a link."""
    shown.markdown(f"**{finding.claim}** {VERDICTS[finding.verdict]} {finding.sentence}")
    for panels in rows_of(finding.panels):
        for panel, column in zip(panels, st.columns(len(panels), gap="medium"), strict=True):
            with column:
                picture(finding, panel)
    slips.show(finding.name, results)
    for note in (HOW, *finding.notes, *marks(finding)):
        shown.explain(note)
    trainings(finding)


def rows_of(panels: tuple[Panel, ...]) -> list[tuple[Panel, ...]]:
    """The panels as they stand beside each other: those of one title, or else all."""
    titles = list(dict.fromkeys(panel.title for panel in panels))
    if len(titles) == len(panels):
        return [panels]
    return [tuple(panel for panel in panels if panel.title == title) for title in titles]


def picture(finding: Finding, panel: Panel) -> None:
    """A panel with its title."""
    from seqmodels.viz import tips as viz

    shown.markdown(f"**{panel.title}**")
    name = f"{finding.name}-{panel.title}-{panel.arms[0].axis}".lower().replace(" ", "-").replace(",", "")
    alt = f"{panel.title}, {panel.axis.title}: " + "; ".join(f"{arm.name} {arm.text}" for arm in panel.arms)
    shown.chart(viz.dots(panel, theme=page.theme()), name, alt, page="tips", zoom=False)


def marks(finding: Finding) -> list[str]:
    """What the rarer marks mean, if they are on screen."""
    arms = [arm for panel in finding.panels for arm in panel.arms]
    told = []
    if any(arm.broken for arm in arms):
        told.append("A red ring with a cross is a training that broke off; it counts as the score of an answer that reads nothing.")
    if any(panel.off(arm) for panel in finding.panels for arm in panel.arms):
        told.append("What is more than three times the best is off the scale: at the edge, with its figure.")
    return told


def trainings(finding: Finding) -> None:
    """Every training on screen, each a link to the Training page with its settings."""
    panels = {tuple(outcome.name for arm in panel.arms for outcome in arm.outcomes): panel for panel in reversed(finding.panels)}
    st.markdown("**Every training**, to open on the Training page with its settings and run again")
    for panel, column in zip(reversed(panels.values()), st.columns(len(panels), gap="medium"), strict=True):
        with column:
            arms = {tuple(outcome.name for outcome in arm.outcomes): arm for arm in reversed(panel.arms)}
            for number, arm in enumerate(reversed(arms.values())):
                with st.container(
                    horizontal=True, gap="xsmall", vertical_alignment="center", key=f"tips-row-{panel.title}-{number}"
                ):
                    row(arm)
    shown.caption("The Training page shows losses and dev scores; the test scores here are those of the command below.")


def row(arm: Arm) -> None:
    """An arm and its trainings."""
    st.markdown(f"{inputs.plain(arm.name)}: {arm.text}", width="content")
    for outcome in arm.outcomes:
        settings = {"settings": urlencode(outcome.settings)}
        page.link("pages/4_Training.py", settings, label=f"seed {outcome.factors['seed']}", help=inputs.plain(outcome.name))


def at_a_glance(results: Results) -> None:
    """All tips and slips with their verdicts."""
    lines = ["| Tip or slip | What it says | Verdict |", "|:--|:--|:--|"]
    for name, find in (TIPS | SLIPS).items():
        try:
            finding = find(results)
        except ValueError:
            continue  # the part of the page that is about it says so
        lines.append(f"| {TITLES[name]} | {finding.claim} | **{VERDICTS[finding.verdict]}** |")
    st.markdown("**All at a glance**")
    shown.markdown("\n".join(lines))


def recipe(results: Results) -> None:
    """How the numbers came to be."""
    versions = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    shown.caption(f"{results.recipe} {len(results.outcomes)} trainings, {results.date}; {versions}. Again: `{COMMAND}`.")


page.run(main)
