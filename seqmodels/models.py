"""The networks: a tagger, a language model, and one that reads a whole sequence before it answers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqmodels.decoding import Rules, scheme
from seqmodels.known import Fingerprint, KnownWords, fingerprint
from seqmodels.recurrence import Recurrent, State, by_columns, is_only_read
from seqmodels.text import normal
from seqmodels.transitions import Transitions
from seqmodels.vectors import WordVectors
from seqmodels.vocab import LanguageBatch, TaggerBatch


class SequenceModel(nn.Module):
    """Inputs -> recurrent layers -> one logit for each of the vocabulary's targets, linear in the last layer's outputs.

    This is all that inference and traces know of a model.
    """

    recurrent: Recurrent
    dropout: nn.Dropout  # on what the first layer reads, and on what the output layer reads
    head: nn.Linear
    temperature: float = 1.0  # divides the logits, so that their softmax is calibrated (Guo et al. 2017); 1 while training

    @abstractmethod
    def embed(self, batch: Any) -> tuple[Tensor, Tensor | None]:
        """What the vocabulary encoded -> what the first layer reads (batch, time, input); lengths (batch,) if any is padded."""

    @property
    def device(self) -> torch.device:
        """Where its weights are. What it reads may be elsewhere: `embed` takes it there."""
        return self.output_weight.device

    @property
    def output_weight(self) -> Tensor:
        """(targets, output_size)."""
        return self.head.weight

    @property
    def output_bias(self) -> Tensor:
        """(targets,)."""
        return self.head.bias

    def logits(self, outputs: Tensor) -> Tensor:
        """outputs of the last layer (..., output_size) -> logits (..., targets)."""
        # contiguous: a batch whose time comes first in memory would be multiplied row by row, at half the speed
        return F.linear(outputs.contiguous(), self.output_weight, self.output_bias).div_(self.temperature)

    def lay_out_for_reading(self) -> None:
        """No weight changes any more: let them lie as one step of one sequence takes them."""
        self.recurrent.lay_out_for_reading()
        by_columns(self.output_weight)

    def states(self, batch: Any, state: State | None = None) -> tuple[Tensor, State]:
        """What the output layer reads of a batch (batch, time, output_size), and the end state."""
        inputs, lengths = self.embed(batch)
        outputs, state = self.recurrent(self.dropout(inputs), lengths, state)
        return self.dropout(outputs), state


class LanguageModel(SequenceModel):
    """Next-word model: embedding -> recurrent layers -> the embedding again as output layer (Press & Wolf 2017).

    With an `embedding_size` of its own, the output layer has weights of its own too. Ids are ordered by frequency, which
    `sampled_loss` relies on. With `conditions`, the memory before the first word is an embedding of one of so many (Rao & McMahan
    2019, chapter 7), else zero.
    """

    def __init__(
        self,
        vocab_size: int,
        cell: str,
        hidden_size: int,
        *,
        layers: int = 1,
        dropout: float = 0.25,
        activation: str = "tanh",
        embedding_size: int | None = None,
        conditions: int = 0,
    ) -> None:
        super().__init__()
        read_size = hidden_size if embedding_size is None else embedding_size
        self.embedding = nn.Embedding(vocab_size, read_size)
        nn.init.normal_(self.embedding.weight, std=read_size**-0.5)
        self.dropout = nn.Dropout(dropout)
        self.recurrent = Recurrent(cell, read_size, hidden_size, layers=layers, dropout=dropout, activation=activation)
        self.bias = nn.Parameter(torch.zeros(vocab_size))
        self.untied: nn.Parameter | None = None
        if embedding_size is not None:
            self.untied = nn.Parameter(nn.init.normal_(torch.empty(vocab_size, hidden_size), std=hidden_size**-0.5))
        self.initial_memory: nn.Embedding | None = None
        if conditions:
            self.initial_memory = nn.Embedding(conditions, layers * hidden_size)
            nn.init.normal_(self.initial_memory.weight, std=0.3)

    @property
    def output_weight(self) -> Tensor:
        return self.embedding.weight if self.untied is None else self.untied

    @property
    def output_bias(self) -> Tensor:
        return self.bias

    def embed(self, batch: LanguageBatch) -> tuple[Tensor, Tensor | None]:
        return self.embedding(batch.ids.to(self.device)), batch.lengths

    def initial_state(self, conditions: Tensor) -> State:
        """The numbers of the conditions (batch,) -> the state before the first token: an embedding as its memory."""
        assert self.initial_memory is not None
        memory = self.initial_memory(conditions.to(self.device))
        memory = memory.unflatten(1, (self.recurrent.layers, 1, -1))  # (batch, layers, 1, hidden)
        return self.recurrent.state(memory.permute(1, 2, 0, 3).contiguous())

    def forward(self, ids: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """ids (batch, time) -> logits of the next word (batch, time, vocab), state."""
        outputs, state = self.states(LanguageBatch(ids), state)
        return self.logits(outputs), state

    def sampled_loss(self, outputs: Tensor, targets: Tensor, *, among: Tensor, frequent: int, sampled: int) -> Tensor:
        """Cross-entropy with an estimated normalizer: the output layer is most of the work, and most words are rare.

        outputs (n, hidden), targets (n,). The sum over the vocabulary is exact over the `frequent` first ids and the targets of the
        batch that these are `among`, and over the rest it is scaled up from a uniform sample: importance sampling as in Jean et al.
        2015, stratified.
        """
        vocab_size, device = len(self.bias), outputs.device
        exact = torch.zeros(vocab_size, dtype=torch.bool)
        exact[:frequent] = True
        exact[among] = True
        rest = (~exact).nonzero().squeeze(1)
        if len(rest) <= sampled:
            return F.cross_entropy(self.logits(outputs), targets.to(device))
        known = exact.nonzero().squeeze(1)
        drawn = rest[torch.randperm(len(rest))[:sampled]]
        columns = torch.cat([known, drawn])
        weight = torch.zeros(len(columns))
        weight[len(known) :] = torch.log(torch.tensor(len(rest) / sampled))
        position = torch.empty(vocab_size, dtype=torch.long)
        position[columns] = torch.arange(len(columns))
        columns = columns.to(device)
        logits = F.linear(outputs, self.output_weight[columns], self.bias[columns] + weight.to(device))
        return F.cross_entropy(logits, position[targets].to(device))


_MANY = 100  # words; of fewer the parts would cost more than the padding
_PARTS = (6, 9, 12)  # characters with both ends: words up to each, and the longer ones


class CharacterEncoder(nn.Module):
    """Spelling to features: embedding -> convolution over three characters -> the strongest response of each filter.

    Santos & Zadrozny 2014. Id 0 is padding, which changes nothing.
    """

    def __init__(self, alphabet_size: int, embedding_size: int, features: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(alphabet_size, embedding_size, padding_idx=0)
        self.convolution = nn.Conv1d(embedding_size, features, kernel_size=3, padding=1)
        self.kept: tuple[Fingerprint | None, Tensor] | None = None  # the tables, and of which weights

    def lay_out_for_reading(self) -> None:
        """No weight changes any more: let the tables be at hand."""
        self.kept = fingerprint(self.parameters()), self.tables()

    def forward(self, characters: Tensor) -> Tensor:
        """characters (words, length) -> (words, features)."""
        respond = self._convolve if self.training else partial(_look_up, self._tables())
        if len(characters) < _MANY:
            return _strongest(respond, characters)
        # short words apart from longer ones, or most of the work would be on their padding
        lengths, order = (characters != 0).sum(dim=1).sort()
        ends = torch.searchsorted(lengths, lengths.new_tensor(_PARTS), right=True).tolist()
        parts = zip(order.tensor_split(ends), lengths.tensor_split(ends), strict=True)
        strongest = [_strongest(respond, characters[part, : int(length[-1])]) for part, length in parts if len(part)]
        return torch.cat(strongest)[order.argsort()]

    def _convolve(self, characters: Tensor) -> Tensor:
        responses = self.convolution(self.embedding(characters).transpose(1, 2)).transpose(1, 2)
        return responses.masked_fill((characters == 0).unsqueeze(2), -torch.inf)

    def _tables(self) -> Tensor:
        weights, kept = self.kept or (None, None)
        return self.tables() if kept is None or weights is None or weights != fingerprint(self.parameters()) else kept

    def tables(self) -> Tensor:
        """Each filter's share of each character before, at and after its place (3 * alphabet, features), its bias in the second.

        At its place padding has minus infinity, so that no response to it is the strongest.
        """
        shares = torch.einsum("ae,fek->kaf", self.embedding.weight, self.convolution.weight)
        assert self.convolution.bias is not None
        here = shares[1] + self.convolution.bias
        here[0] = -torch.inf
        return torch.cat([shares[0], here, shares[2]])


def _look_up(tables: Tensor, characters: Tensor) -> Tensor:
    """The sums of the convolution, faster: few characters stand in many words."""
    around = F.pad(characters, (1, 1)).unfold(1, 3, 1)  # (words, length, 3)
    rows = around + len(tables) // 3 * torch.arange(3, device=characters.device)
    return F.embedding_bag(rows.flatten(0, 1), tables, mode="sum").unflatten(0, characters.shape)


def _strongest(respond: Callable[[Tensor], Tensor], characters: Tensor) -> Tensor:
    """`respond` gives the responses (words, length, features), to padding minus infinity."""
    return torch.tanh(respond(characters).amax(dim=1))


class Tagger(SequenceModel):
    """Word and spelling features -> recurrent layers, in both directions or forward only -> one score per tag.

    `vectors` are features too, which are shared by all models and never trained; they are not among the weights. With `transitions`
    it also learns which tag follows which; else each token's tag is scored alone.
    """

    known: KnownWords | None = None  # once no weight changes any more

    def __init__(
        self,
        words: int,
        alphabet: int,
        tags: int,
        cell: str,
        hidden_size: int,
        *,
        layers: int = 1,
        word_size: int = 100,
        character_size: int = 32,
        spelling_size: int = 128,
        dropout: float = 0.4,
        activation: str = "tanh",
        bidirectional: bool = True,
        vectors: WordVectors | None = None,
        transitions: bool = False,
    ) -> None:
        super().__init__()
        self.vectors = vectors
        self.word_embedding = nn.Embedding(words, word_size, padding_idx=0)
        nn.init.normal_(self.word_embedding.weight, std=0.3)
        self.spelling = CharacterEncoder(alphabet, character_size, spelling_size)
        self.recurrent = Recurrent(
            cell,
            word_size + spelling_size + (0 if vectors is None else vectors.size),
            hidden_size,
            layers=layers,
            bidirectional=bidirectional,
            dropout=dropout,
            activation=activation,
        )
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(self.recurrent.output_size, tags)
        self.transitions = Transitions(tags) if transitions else None

        # while training alone: if there are second tags to learn from, or other corpora
        self.auxiliary_head: nn.Linear | None = None
        self.corrections: nn.Parameter | None = None

    @torch.inference_mode(False)  # what is made in that mode is of no use to a gradient
    def lay_out_for_reading(self) -> None:
        super().lay_out_for_reading()
        self.spelling.lay_out_for_reading()
        self.known = KnownWords(fingerprint(self.parameters()))

    def train(self, mode: bool = True) -> Self:
        if mode:
            self.known = None
        return super().train(mode)

    def rules(self, tags: tuple[str, ...]) -> Rules:
        """How its probabilities of each token become the tags of a sentence, with what it has learned of which follows which."""
        if self.transitions is None:
            return scheme(tags)
        learned = self.transitions
        scores = (score.numpy(force=True) / self.temperature for score in (learned.first, learned.between, learned.last))
        return scheme(tags).learned(*scores)

    def add_auxiliary_head(self, tags: int) -> None:
        """A second output layer over the same outputs, for training only."""
        self.auxiliary_head = nn.Linear(self.recurrent.output_size, tags)

    def add_corrections(self, corpora: int) -> None:
        """What each of so many corpora adds to the scores, for training only: what one calls a place another may not."""
        self.corrections = nn.Parameter(torch.zeros(corpora, self.head.in_features, self.head.out_features))

    def embed(self, batch: TaggerBatch) -> tuple[Tensor, Tensor | None]:
        words, characters, spelling = (ids.to(self.device) for ids in (batch.words, batch.characters, batch.spelling))
        features = [self.word_embedding(words), self.spelling(characters)[spelling]]
        if self.vectors is not None:
            assert batch.vectors is not None
            features.append(self.vectors.look_up(batch.vectors).to(self.device))
        return torch.cat(features, dim=-1), batch.lengths  # (batch, time, features)

    def forward(self, batch: TaggerBatch) -> Tensor:
        """Scores (batch, time, tags)."""
        outputs, _ = self.states(batch)
        return self.logits(outputs)

    def score(self, sentences: Sequence[Sequence[str]], encode: Callable[[Sequence[Sequence[str]]], TaggerBatch]) -> Tensor:
        """Scores (words, tags) of one sentence after the other. `encode` is its vocabulary's.

        Of a network that is only read, what the first layer reads of a word is kept for the sentences to come.
        """
        known = self._known_words() if all(sentences) else None
        if known is None:
            scores = self(encode(sentences))
            return torch.cat([alone[: len(words)] for alone, words in zip(scores, sentences, strict=True)])
        numbers: dict[str, int] = {}
        steps = [[numbers.setdefault(normal(word), len(numbers)) for word in words] for words in sentences]
        rows = known.rows(list(numbers), lambda words: self.recurrent.project(self.embed(encode([words]))[0][0]))
        return self.logits(self.recurrent.read_projected(rows, steps))

    def _known_words(self) -> KnownWords | None:
        """Those of the weights as they are now; None where more is asked for than to read on a processor in float32."""
        known, weight = self.known, self.output_weight
        usual = weight.dtype == torch.float32 and weight.device.type == "cpu" and self.recurrent.takes_projected
        own = getattr(self.forward, "__func__", None) is not Tagger.forward
        if known is None or not usual or own or self.dropout.training or not is_only_read(self):
            return None
        now = fingerprint(self.parameters())
        if now is None:
            return None
        if now != known.weights:
            self.lay_out_for_reading()
        return self.known


class SequenceReader(SequenceModel):
    """Vectors -> recurrent layers -> one answer, from the output at the last step; or an answer at every step."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        cell: str,
        hidden_size: int,
        *,
        layers: int = 1,
        dropout: float = 0.0,
        activation: str = "tanh",
        every_step: bool = False,
    ) -> None:
        super().__init__()
        self.every_step = every_step
        self.recurrent = Recurrent(cell, inputs, hidden_size, layers=layers, dropout=dropout, activation=activation)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(hidden_size, outputs)

    def embed(self, batch: Tensor) -> tuple[Tensor, Tensor | None]:
        return batch.to(self.device), None

    def forward(self, inputs: Tensor) -> Tensor:
        """inputs (batch, time, inputs) -> answers (batch, outputs), or (batch, time, outputs)."""
        outputs, _ = self.recurrent(inputs.to(self.device))
        return self.logits(self.dropout(outputs if self.every_step else outputs[:, -1]))
