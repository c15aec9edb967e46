"""The steps of the lesson, in the order of Rao & McMahan's chapter: what each says, asks, shows, and what really happens there.

tests/test_lesson_says.py works out again what they say of the shipped models and of the recorded runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TAGGING, GATES, TRAINING, GATE_BY_HAND, MEMORY_LAB, GRADIENT_LAB, FIVE_TIPS, UNITS = (
    f"pages/{name}.py"
    for name in "1_Tagging 3_Gates 4_Training 6_Gate_by_hand 7_Memory_lab 8_Gradient_lab 9_Five_tips 10_Units".split()
)
KEYS = "The keys to the cabinet in the old office near the two big doors are on the table."


@dataclass(frozen=True)
class Step:
    """Texts are Markdown, the formula KaTeX. `values` are inputs of the page by their keys, in the words of an address."""

    key: str  # by which progress is kept: stays the same if steps are added
    title: str
    text: str
    formula: str
    question: str  # to be answered before the picture is seen
    choices: tuple[str, ...]
    right: int  # the number of the choice that is the case
    happens: str  # what the picture shows
    do: str  # a thing to do, after "Now"
    path: str
    values: Mapping[str, Any]


STEPS = (
    Step(
        "sequence",
        "A sequence needs a memory",
        "One word can mean two things, and only the words around it tell which. A recurrent network reads word by word and "
        "carries a memory h along: all that it knows at a word is this word and this memory.",
        r"h_t = f(x_t,\, h_{t-1})",
        "*record* comes twice, spelled alike. How will three small networks tag the two?",
        ("Alike", "As a verb, then as a noun", "As a noun, then as a verb"),
        1,
        "all three say a verb and then a noun, and the same of *play*. The two words are one and the same input: what differs "
        "is the memory. (A tagger has two, one for each direction of reading.)",
        "type a sentence of yours in which one word does two jobs.",
        TAGGING,
        {
            "text": "Will they record a new record, or will they play the play again?",
            "task": "pos",
            "cells": ["elman", "gru", "lstm"],
        },
    ),
    Step(
        "plain",
        "The plain network, and its two meanings",
        "Most textbooks call Elman's network plain, which makes its memory anew at each word; Rao and McMahan's chapter calls "
        "plain what adds to the old memory. Both are the one law, memory = μ memory + λ F, with a fixed keep μ and a fixed "
        "write λ.",
        r"h_t = \tanh(W x_t + U h_{t-1} + b) \quad\text{and}\quad h_t = h_{t-1} + F(x_t, h_{t-1})",
        "Where in the square of keep μ and write λ do their units stand?",
        ("All at one point", "Elman's at (0, 1), the sum's at (1, 1)", "Anywhere in the square"),
        1,
        "Elman keeps 0 and writes 1, the point (0, 1). The ungated sum keeps 1 and writes 1, the point (1, 1). Neither has a "
        "choice at any word.",
        "pick LSTM too, under the models, and see units that have one.",
        GATES,
        {"view": "Square", "text": KEYS, "task": "pos", "cells": ["elman", "residual"], "token": "19", "direction": "forward"},
    ),
    Step(
        "forgets",
        "It forgets",
        "Elman's network has no other place for the past than its last output, and each word overwrites that. Here "
        "*near* speaks for a place at *Florence* as long as it is remembered, with more and more words put between.",
        r"h_{t+n} = \tanh(W x_{t+n} + U \tanh(\dots U \tanh(W x_t + \dots)))",
        "With *and* twenty times in between, in which network does *near* still move the score of a place at *Florence*?",
        ("In Elman", "In LSTM", "In both", "In neither"),
        1,
        "in LSTM, by +1.06; as typed it was +3.23. In Elman +1.84 has become +0.01.",
        "take *the* for the filler, in Settings: LSTM loses more of it, down to +0.32. A gate can keep, and has to learn when.",
        GATES,
        {
            "view": "Gap",
            "text": "They live near Florence.",
            "task": "ner",
            "cells": ["elman", "lstm"],
            "direction": "forward",
            "token": "4",
            "source": "3 near",
            "filler": "and",
            "longest": 20,
        },
    ),
    Step(
        "vanishes",
        "Gradients vanish",
        "To learn that a word matters later on, a network is corrected backwards, and each step back multiplies the gradient "
        "by a matrix. If that shrinks it at every step, words far back get no correction.",
        r"\frac{\partial L}{\partial h_k} = \frac{\partial L}{\partial h_t} \prod_{j=k+1}^t \frac{\partial h_j}{\partial h_{j-1}}",
        "From *table* back to *The*, how much of the gradient arrives in Elman's tagger?",
        ("About half", "About a tenth", "Less than a thousandth"),
        2,
        "0.09 %, for 34 % is lost at each word. In GRU 22 % arrives, in LSTM 31 %.",
        "look back from another word: the arrow keys move the selected one.",
        GATES,
        {
            "view": "Gradient",
            "text": KEYS,
            "task": "pos",
            "cells": ["elman", "gru", "lstm"],
            "token": "18",
            "direction": "forward",
            "unit": None,
        },
    ),
    Step(
        "explodes",
        "Gradients explode",
        "If the same product grows at every step, the gradient explodes, and one update of the weights can undo all that was "
        "learned. The largest singular value of U says what must happen and what may; γ is the steepest slope of the activation.",
        r"\sigma_{\max}(U) < 1/\gamma:\ \text{it vanishes}, \qquad \sigma_{\max}(U) > 1/\gamma:\ \text{it may explode}",
        "The U of an Elman network can more than double a vector. What becomes of its gradient over 99 steps?",
        ("It must explode", "It depends on the input", "It must vanish"),
        1,
        "exploding is possible, not certain. With this small input it grows more than a millionfold.",
        "raise *Input size* to 3. With the very same U the gradient vanishes, for tanh is nearly flat at such inputs.",
        GRADIENT_LAB,
        {"part": "Through time", "cells": ["elman"], "gain": 2.5, "input": 0.1},
    ),
    Step(
        "remedies",
        "Clipping, ReLU and a careful start help somewhat",
        "Three remedies leave the cell as it is: clip a long gradient to a threshold θ, use ReLU, whose slope is one wherever "
        "it is open, or start from an orthogonal or identity matrix U. None of them lets a network choose what to keep.",
        r"g \leftarrow g \cdot \min\left(1,\ \theta / \lVert g \rVert\right)",
        "The rate of a ReLU network rises until it explodes. With the gradient clipped to 0.5 and all else the same, what happens?",
        ("It explodes a little later", "It learns on beyond that rate", "It learns nothing"),
        1,
        "without clipping it ends at 86 % of the words right, the norm of its gradient at 2 × 10⁶. Clipped, it gets to 96 %.",
        "press *It explodes* or *ReLU with identity initialization*, and watch it happen.",
        TRAINING,
        {"run": "recorded"},
    ),
    Step(
        "switch",
        "A switch: a + λ b",
        "Gating begins with a sum and a switch. With λ between 0 and 1, a + λ b takes all of b, nothing, or a part of it. A "
        "network gets λ from a sigmoid of the word and the memory, so it learns when to take something in.",
        r"a + \lambda\, b, \qquad \lambda = \sigma(W_\lambda x_t + U_\lambda h_{t-1} + b_\lambda)",
        "With a = 2, b = 3 and λ = 0.4, what is the sum?",
        ("2", "3.2", "5"),
        1,
        "3.2, all of a and four tenths of b.",
        "move the slider to both of its ends: shut, it leaves a alone, and open it adds all of b.",
        GATE_BY_HAND,
        {"part": "Switch"},
    ),
    Step(
        "gated",
        "The gated sum only adds",
        "With that switch before the new content, a unit may decline to write. But keep is always 1: what is written once "
        "stays, and nothing is ever cleared.",
        r"h_t = h_{t-1} + \lambda_t F_t",
        "How much of what was written at *keys* is left in the gated sum at *are*, 13 words on?",
        ("Next to nothing", "About half", "All of it"),
        2,
        "all of it, as of every other word. The memory is a sum of everything, in which the new has to make itself heard.",
        "select another word: its line is as flat.",
        GATES,
        {"view": "Survival", "text": KEYS, "task": "pos", "cells": ["gated"], "token": "2", "direction": "forward", "unit": None},
    ),
    Step(
        "forget-gate",
        "A gate that also forgets",
        "A second gate μ on the old memory lets a unit let go. How much of a word is left later is the product of the keeps "
        "since then: a half-life, set anew at every word.",
        r"h_t = \mu_t h_{t-1} + \lambda_t F_t, \qquad \text{left of word } k:\ \prod_{j=k+1}^{t} \mu_j",
        "Which of these taggers still holds most of *keys* at *are*?",
        ("The forgetting sum", "GRU", "LSTM"),
        2,
        "LSTM, 24 % of it. The forgetting sum holds 7.7 % and GRU 5.0 %. To tag parts of speech, no more than the nearest "
        "words may be needed, and what can forget does.",
        "add the gated sum under the models: it holds everything, and is no better for it.",
        GATES,
        {
            "view": "Survival",
            "text": KEYS,
            "task": "pos",
            "cells": ["gated_forget", "gru", "lstm"],
            "token": "2",
            "direction": "forward",
            "unit": None,
        },
    ),
    Step(
        "gru",
        "GRU: one gate for both",
        "What GRU does not keep it writes: μ = z and λ = 1 − z. To take in something new, a unit must let go of as much. A "
        "reset gate r decides how much of the memory the new content sees.",
        r"h_t = z \circ h_{t-1} + (1 - z) \circ \tanh(W x_t + r \circ (U h_{t-1} + b))",
        "Before *office*, GRU's unit 47 holds 1.000. What does it hold after it?",
        ("About 1", "About 0", "About −1"),
        2,
        "−1.000: it keeps less than 0.01 % of what it held. One word has replaced it.",
        "press other units below the equation. Do any keep?",
        GATES,
        {"view": "Equation", "text": KEYS, "task": "pos", "cells": ["gru"], "direction": "forward", "token": "9", "unit": 47},
    ),
    Step(
        "lstm",
        "LSTM: two gates, and one to show",
        "LSTM has a gate to keep, f, one to write, i, and a third, o, for how much of its memory c it shows. So a unit may "
        "keep all and write all at once.",
        r"c_t = f \circ c_{t-1} + i \circ g, \qquad h_t = o \circ \tanh(c_t)",
        "GRU's memory never leaves −1 to 1. Unit 57 of this LSTM writes almost 1 at nearly every word. What does it hold at "
        "*table*?",
        ("About 1", "About 5", "About 16"),
        2,
        "15.781, after 0.992 at the first word: it counts. GRU can't, for it has to let go of what it writes over.",
        "walk through the words with the arrow keys, and watch it count.",
        GATES,
        {"view": "Equation", "text": KEYS, "task": "pos", "cells": ["lstm"], "direction": "forward", "token": "18", "unit": 57},
    ),
    Step(
        "reach",
        "How far back",
        "A language model that has read *The vessels* expects *are*, after *The vessel* it expects *is*. Here words are put "
        "between, the same after both: as long as the two can be told apart, the memory still holds the subject.",
        r"P(\text{are} \mid \text{the vessels} \dots) - P(\text{are} \mid \text{the vessel} \dots)",
        "Which network still knows, 26 words later, whether it was one vessel or many?",
        ("Elman", "GRU", "LSTM", "None"),
        1,
        "GRU, which holds the two 40 % apart. LSTM has come down from 89 % to 5.0 %, Elman to 3.3 % after seven words.",
        "add the forgetting sum: it holds them 71 % apart. Then take *law, laws* or *debt, debts*: is the order "
        "the same? Under *Made-up tasks* all seven cells are measured.",
        MEMORY_LAB,
        {"part": "Language models", "cells": ["elman", "gru", "lstm"]},
    ),
    Step(
        "advice",
        "What to use",
        "The chapter's advice: take a gated cell, and GRU rather than LSTM where it does as well for less. Train with Adam, "
        "clip the gradient, and stop when the dev score gets no better. Here each tip is tested on real text, by trainings that "
        "differ in nothing else.",
        r"\text{mean} \pm \tfrac{1}{2} (\max - \min)\ \text{over the seeds}",
        "On parts of speech, which of the cells with gates do better than the best cell without?",
        ("All of them", "GRU and LSTM", "None"),
        2,
        "none. Elman has 90.73 % of the tags right, GRU 90.61 %: a tag hangs on the nearest words, and there is little to keep. "
        "On characters GRU does better than Elman. A tip is worth a test.",
        "turn to the other tips: how many do the numbers support?",
        FIVE_TIPS,
        {"tip": "gates"},
    ),
)
