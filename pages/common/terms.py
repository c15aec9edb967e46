"""The entries of the glossary that are words of the law, of training and of reading. Cells and tags describe themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LAW, TRAINING, READING, CELL, TAG = "The law", "Training", "Reading a text", "Cells", "Tags"
GROUPS = (LAW, TRAINING, READING, CELL, TAG)
GATES, LANGUAGE, RUNS, TAGGING = (f"pages/{name}.py" for name in ("3_Gates", "2_Language_model", "4_Training", "1_Tagging"))
MEMORY_LAB, GRADIENT_LAB = "pages/7_Memory_lab.py", "pages/8_Gradient_lab.py"


@dataclass(frozen=True)
class Term:
    """An entry: Markdown, with a formula in KaTeX where there is one, and a page that shows it, as a path and its inputs."""

    key: str  # of its address
    title: str
    says: str
    group: str
    formula: str = ""
    words: tuple[str, ...] = ()  # by which other texts mention it, beside its title
    path: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def searched(self) -> str:
        """All in which a search looks."""
        return " ".join((self.key, self.title, *self.words, self.says)).casefold()


def _view(name: str) -> dict[str, Any]:
    return {"path": GATES, "values": {"view": name}}


LAW_TERMS = (
    Term(
        "law",
        "The law",
        "The one update behind every cell here: the new memory is the old one times keep, plus the new content times write, "
        "each unit for itself. Cells differ in where keep, write and the new content come from.",
        LAW,
        r"\text{memory}_t = \mu_t \circ \text{memory}_{t-1} + \lambda_t \circ F_t",
        **_view("Equation"),
    ),
    Term(
        "unit",
        "Unit",
        "One number of the memory, with its own keep and write at each word.",
        LAW,
        words=("units",),
        **_view("Heatmaps"),
    ),
    Term(
        "memory",
        "Memory",
        "What a network carries from one word to the next: c in LSTM, h in the other cells. Of all that it has read, it knows "
        "at a word only what is in here.",
        LAW,
        **_view("Heatmaps"),
    ),
    Term(
        "keep",
        "Keep, μ (mu)",
        "The share of the old memory that stays at a word: one number a unit, 0 forgets all, 1 keeps all. Always blue here.",
        LAW,
        words=("keep", "keeps", "keep μ"),
        **_view("Square"),
    ),
    Term(
        "write",
        "Write, λ (lambda)",
        "The share of the new content that is added to the memory: one number a unit. Always orange here.",
        LAW,
        words=("write", "writes", "write λ"),
        **_view("Square"),
    ),
    Term(
        "candidate",
        "New content, F (candidate)",
        "What a word offers to the memory. It is computed from the word and, in all cells but minGRU, from the output before: "
        "so the past can live on in it even where keep is 0, as in Elman.",
        LAW,
        words=("candidate", "new content"),
        **_view("Equation"),
    ),
    Term(
        "gate",
        "Gate",
        "A number between 0 and 1 that multiplies another and so lets it pass, in part or whole. It is a sigmoid of the word "
        "and, in all cells but minGRU, of the output before.",
        LAW,
        r"\sigma(W x_t + U h_{t-1} + b)",
        words=("gates",),
        **_view("Heatmaps"),
    ),
    Term(
        "output-gate",
        "Output gate, o",
        "How much of its memory a unit of LSTM shows to the next layer and the next step. The other cells show all.",
        LAW,
        r"h_t = o_t \circ \tanh(c_t)",
        words=("output gate",),
        **_view("Heatmaps"),
    ),
    Term(
        "output",
        "Output, h",
        "What the next layer and the next step read of a cell. In all cells but LSTM it is the memory itself.",
        LAW,
    ),
    Term(
        "retention",
        "Retention",
        "How much of what was in the memory at one word is left at a later one: the product of all keeps since. It says what "
        "the gates hold on to, and not what a network can make of it: what went through the new content is not counted.",
        LAW,
        r"\prod_{j=k+1}^{t} \mu_j",
        words=("what is left", "is left"),
        **_view("Survival"),
    ),
    Term(
        "half-life",
        "Half-life",
        "The number of words after which a unit has let go of half of what it held, if its keep stays as it is.",
        LAW,
        r"\frac{\ln 2}{-\ln \mu}",
        words=("half-lives",),
        **_view("Survival"),
    ),
    Term(
        "contribution",
        "Contribution",
        "The part of a logit that came into the memory at one word: what was written there, times all keeps since, times the "
        "output's weights.",
        LAW,
        words=("contributions",),
        **_view("Ledger"),
    ),
    Term(
        "intervention",
        "Intervention",
        "A gate is held at a value of ours and the network reads on. What then changes did hang on that gate: cause, and not mere "
        "coincidence.",
        LAW,
        **_view("Surgery"),
    ),
    Term(
        "saturation",
        "Saturation",
        "A gate is saturated where it is nearly 0 or nearly 1 at almost every word: it hardly decides any more.",
        LAW,
        words=("saturated",),
        **_view("Regimes"),
    ),
)
TRAINING_TERMS = (
    Term(
        "loss",
        "Loss",
        "What training makes smaller: how badly a network predicts. For tags and words it is the cross-entropy, in nats.",
        TRAINING,
        path=RUNS,
    ),
    Term(
        "gradient",
        "Gradient",
        "How the loss changes with a number of the network, such as a weight, or the memory at an earlier word. Training "
        "follows it downwards.",
        TRAINING,
        r"\frac{\partial L}{\partial h_t}",
        words=("gradients",),
        **_view("Gradient"),
    ),
    Term(
        "vanishing",
        "Vanishing gradient",
        "On its way back through the steps the gradient is multiplied by a matrix at each. Where that shrinks it every time, "
        "words far back are not learned from.",
        TRAINING,
        r"\prod_{j=k+1}^{t} \frac{\partial h_j}{\partial h_{j-1}} \to 0",
        **_view("Gradient"),
    ),
    Term(
        "exploding",
        "Exploding gradient",
        "The same product where it grows: one update then throws the weights far away, and what was learned is lost.",
        TRAINING,
        path=RUNS,
        values={"run": "recorded"},
    ),
    Term(
        "clipping",
        "Clipping",
        "A gradient longer than a threshold θ is shortened to it (by norm), or each of its numbers is cut (by value).",
        TRAINING,
        r"g \leftarrow g \cdot \min(1,\ \theta / \lVert g \rVert)",
        words=("clipped",),
        path=RUNS,
        values={"run": "recorded"},
    ),
    Term(
        "optimizer",
        "Optimizer",
        "How a gradient becomes an update of the weights: SGD takes a step along it, Adam scales each weight's "
        "step by the size of its recent gradients.",
        TRAINING,
        words=("Adam", "SGD"),
        path=RUNS,
    ),
    Term(
        "early-stopping",
        "Early stopping",
        "To end a training when the score on text that is not learned from has not got better for "
        "some epochs (the patience), and to keep the best weights.",
        TRAINING,
        words=("patience",),
        path=RUNS,
    ),
    Term("epoch", "Epoch", "One pass through all that is learned from.", TRAINING, path=RUNS),
    Term(
        "dropout",
        "Dropout",
        "While training, a share of the numbers between two parts of a network is set to zero at random, against "
        "learning by heart. It is off when a network is used.",
        TRAINING,
        path=RUNS,
    ),
    Term(
        "initialization",
        "Initialization",
        "What the weights are before the first step: random, orthogonal (a matrix that changes no length), or the identity "
        "(which copies the memory).",
        TRAINING,
        words=("orthogonal", "identity"),
        path=RUNS,
    ),
    Term(
        "forget-bias",
        "Forget-gate bias",
        "A number added to a forget gate before its sigmoid. A positive one lets a network begin by keeping; a bias of 1 "
        "alone keeps 0.73 a step, a half-life of 2.2 steps.",
        TRAINING,
        r"\mu = \sigma(\dots + b_f)",
        path=RUNS,
    ),
    Term(
        "chrono",
        "Chrono biases",
        "Biases of the gates drawn so that, at the beginning, each unit keeps for a time of its own, anywhere up to the longest "
        "distance that is to be bridged: Tallec & Ollivier 2018.",
        TRAINING,
        r"b_f = \ln U[1, T_{max} - 1], \quad b_i = -b_f",
        words=("chrono",),
        path=MEMORY_LAB,
    ),
    Term(
        "eigenvalue",
        "Eigenvalues and singular values",
        "By how much a matrix stretches: its eigenvalues when it is applied over and over, its singular values at a single step. "
        "Where even the largest singular value of U, times the steepest slope of the activation, is below 1, a plain network's "
        "gradient must vanish; where it is above 1, it may explode, and need not.",
        TRAINING,
        words=("eigenvalue", "eigenvalues", "singular value", "singular values"),
        path=GRADIENT_LAB,
    ),
)
READING_TERMS = (
    Term(
        "token",
        "Token",
        "What a network reads at one step: a word, a punctuation mark, or a single character.",
        READING,
        words=("tokens",),
        path=TAGGING,
    ),
    Term(
        "logit",
        "Logit",
        "The number that a network gives to a possible answer. The softmax of all logits makes them probabilities: one more "
        "on a logit makes its answer 2.7 times as likely against any other.",
        READING,
        words=("logits",),
        **_view("Ledger"),
    ),
    Term(
        "perplexity",
        "Perplexity",
        "How unsure a language model is of a text: as if each word were one of so many, all equally likely. It is e to the "
        "power of the mean loss.",
        READING,
        r"e^{-\frac{1}{n} \sum_t \ln p(w_t)}",
        path=LANGUAGE,
    ),
    Term(
        "surprisal",
        "Surprisal",
        "How little a language model expected a word: minus the logarithm of its probability.",
        READING,
        r"-\log p(w_t)",
        path=LANGUAGE,
    ),
    Term(
        "temperature",
        "Temperature",
        "Divides the logits before a word is drawn: below 1 the likely words become likelier, above 1 all become more alike.",
        READING,
        path=LANGUAGE,
    ),
    Term(
        "bidirectional",
        "Bidirectional",
        "With two memories, of which one reads from the first word and one from the last. The taggers here are; a language "
        "model can't be, as it is to say what comes next.",
        READING,
        words=("backward",),
        path=TAGGING,
    ),
    Term(
        "f1",
        "F1",
        "The score of found entities: the harmonic mean of precision, how many of those found are right, and recall, how many "
        "of those there are were found.",
        READING,
        r"\frac{2 P R}{P + R}",
        path="pages/5_Leaderboard.py",
        values={"task": "ner"},
    ),
    Term(
        "bio",
        "BIO",
        "How tags mark a name of several words: B- at its first word, I- at each that continues it, O outside. With PER, ORG "
        "and LOC that makes the tags of entities.",
        READING,
        words=("B-", "I-"),
        path=TAGGING,
        values={"task": "ner"},
    ),
    Term(
        "crf",
        "Conditional random field",
        "What a tagger can learn beside a score for each word's tag: how well each tag follows the one before. The tags of a "
        "sentence are then chosen together, those of the highest sum.",
        READING,
        r"\sum_t \big(s_t(y_t) + A(y_{t-1}, y_t)\big)",
        path=RUNS,
    ),
    Term(
        "upos",
        "UPOS",
        "The universal parts of speech: 17 tags that are the same for all languages.",
        READING,
        path=TAGGING,
        values={"task": "pos"},
    ),
)
TERMS = (*LAW_TERMS, *TRAINING_TERMS, *READING_TERMS)
