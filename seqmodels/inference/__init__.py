"""Text in, tags or words out."""

from seqmodels.inference.candidates import Candidate, Candidates, candidates, changed
from seqmodels.inference.drawing import GeneratedToken, Sampling, adjusted
from seqmodels.inference.encoding import Encoded, encode, excerpt
from seqmodels.inference.language import (
    NextWords,
    PromptScore,
    ScoredToken,
    accept,
    continue_text,
    next_words,
    score_prompt,
    take_back,
    unit_of,
)
from seqmodels.inference.tagging import Entity, TaggedToken, Tagging, differences, tag, tag_encoded
