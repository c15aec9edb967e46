"""Which tag follows which, learned: a linear-chain conditional random field."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Transitions(nn.Module):
    """How well each tag goes with the one before, and begins or ends a sentence, beside what the network says of each token.

    A sentence's tags score the sum of all these; the share of exp(score) in that of all sequences is their probability.
    Lafferty et al. 2001; over a recurrent network, Lample et al. 2016.
    """

    def __init__(self, tags: int) -> None:
        super().__init__()
        self.first = nn.Parameter(torch.zeros(tags))
        self.between = nn.Parameter(torch.zeros(tags, tags))  # [before, after]
        self.last = nn.Parameter(torch.zeros(tags))

    def loss(self, logits: Tensor, tags: Tensor, lengths: Tensor, temperature: float = 1.0) -> Tensor:
        """logits (batch, time, tags), true tags (batch, time), tokens (batch,) -> nats of all sentences together.

        The temperature divides all scores. What stands behind a sentence's last token is not looked at.
        """
        logits, first, between, last = (score / temperature for score in (logits, self.first, self.between, self.last))
        total = first + logits[:, 0]  # (batch, tags): of all beginnings that end with the tag, logarithms
        for step in range(1, logits.shape[1]):
            after = torch.logsumexp(total.unsqueeze(2) + between, dim=1) + logits[:, step]
            total = torch.where((step < lengths).unsqueeze(1), after, total)
        real = torch.arange(logits.shape[1], device=logits.device) < lengths.unsqueeze(1)  # (batch, time)
        tags = tags.masked_fill(~real, 0)
        of_tokens = logits.gather(2, tags.unsqueeze(2)).squeeze(2)[real].sum()
        of_pairs = between[tags[:, :-1], tags[:, 1:]][real[:, 1:]].sum()
        of_ends = first[tags[:, 0]].sum() + last[tags.gather(1, lengths.unsqueeze(1) - 1)].sum()
        return torch.logsumexp(total + last, dim=1).sum() - of_tokens - of_pairs - of_ends
