"""Tokens to ids and back, and sentences to the tensors that a model reads."""

from seqmodels.vocab.language import LANGUAGE_VOCABS, CharacterVocab, LanguageBatch, LanguageVocab, NamesVocab
from seqmodels.vocab.sequences import SequenceVocab
from seqmodels.vocab.tagger import LONGEST_SPELLING, MOST_TYPES, TaggerBatch, TaggerVocab
from seqmodels.vocab.tokens import Vocab, Vocabulary, pad
