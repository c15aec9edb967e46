"""Text in, tags or words out."""

from seqmodels.inference.candidates import Candidate, Candidates, candidates, changed
from seqmodels.inference.encoding import Encoded, encode, excerpt
from seqmodels.inference.language import (
    GeneratedToken,
    NextWords,
    PromptScore,
    Sampling,
    ScoredToken,
    accept,
    adjusted,
    continue_text,
    next_words,
    score_prompt,
    take_back,
    unit_of,
)
from seqmodels.inference.tagging import Entity, TaggedToken, Tagging, differences, tag, tag_encoded
