"""What the models built in have read, and texts to try with them."""

from __future__ import annotations

from dataclasses import dataclass

from pages.common.inputs import Example

EXAMPLES = (
    Example(
        "State of our Union",
        "My fellow Americans, the state of our Union is",
        "The best-known sentence of the genre: see whether *strong* is among the candidates, and what else is.",
    ),
    Example(
        "A fixed phrase",
        "The people of the United",
        "Hardly anything but *States* can follow *the United*: one bar takes nearly all.",
    ),
    Example(
        "The year 1850",
        "The treaty of commerce with Great Britain",
        "Half of what the models read was written before 1900. The topic alone brings back the style.",
    ),
    Example(
        "Agreement at a distance",
        "The laws of the country",
        "The verb belongs to *laws*, not to *country*, which is nearer: Elman prefers *has*, GRU and LSTM *have*.",
    ),
    Example(
        "An open quotation",
        'President Lincoln said, "The dogmas of the quiet past',
        "A quotation is open: does a model remember to close it, and when?",
    ),
    Example(
        "An amount",
        "The receipts of the Treasury for the fiscal year were $",
        "Most sums are too rare to be words of the models: they expect one that they can't spell, and `<unk>` takes most of it.",
    ),
    Example(
        "Nothing like it",
        "My cat spilled ramen on the smartphone again, lol",
        "No president ever said this. Most of these words are unknown to the models, and the rest surprise them.",
    ),
    Example(
        "A word cut short",
        "The people of the United Sta",
        "A model that reads words knows no *Sta*. One of your own that reads characters can finish the word.",
    ),
    Example("A blank page", "", "Without a prompt a model begins a paragraph of its own."),
)
TALES = (
    Example(
        "Once upon a time",
        "Once upon a time there",
        "How every tale begins: *there lived*, or *there was*, and hardly anything else.",
    ),
    Example("Three of them", "There was once a king who had three", "*Sons* or *daughters*: in a fairy tale there is little else."),
    Example(
        "Somebody speaks",
        '"Who is there?" asked the',
        "The bars are the cast: the king, the old woman, the wolf. Does the answer get its own quotation marks?",
    ),
    Example(
        "The end",
        "So they were married, and lived happily",
        "How a tale ends: *together*, *ever* after. And what comes when it has ended?",
    ),
    Example(
        "No tale at all",
        "The budget deficit of the federal government",
        "No fairy tale speaks of it: see how far the surprise goes, and what the models make of it.",
    ),
    Example("A blank page", "", "Without a prompt a model begins a paragraph of its own."),
)
NAMES = (
    Example(
        "Any name", "", "Without a beginning, a model invents whole names. Pick another language: the memory that it starts from."
    ),
    Example("Mac", "Mac", "In Irish and Scottish a matter of course. What do the models make of it in Italian, or in Japanese?"),
    Example("Schw", "Schw", "A German beginning: see how far each language lets it go on in German."),
)


@dataclass(frozen=True)
class Shelf:
    """What some of the models built in have read."""

    title: str
    note: str
    examples: tuple[Example, ...]
    label: str = "Prompt"
    action: str = "Continue"


SHELVES = {  # by task
    "lm": Shelf("Speeches", "the **State of the Union addresses** from 1790 to today, two million words", EXAMPLES),
    "tales": Shelf(
        "Fairy tales", "**seventeen books of fairy tales**, most of them collected by Andrew Lang, 1.5 million words", TALES
    ),
    "names": Shelf(
        "Surnames",
        "**surnames in eighteen languages**, fourteen thousand, letter by letter",
        NAMES,
        "The name begins with",
        "Invent",
    ),
}
