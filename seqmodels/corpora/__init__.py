"""Corpora: where they are, and how their files become sentences."""

from seqmodels.corpora.opening import LARGEST_UPLOAD, CorpusError, TextFile, decode, open_file, open_upload
from seqmodels.corpora.readers import (
    ENTITY_TAGS,
    ENTITY_TYPES,
    OUTSIDE,
    UPOS,
    Reader,
    Sentence,
    read_conllu,
    read_entities,
    read_paragraphs,
    read_parts_of_speech,
    read_tag_columns,
    read_texts,
    read_tweets,
    to_iob2,
)
from seqmodels.corpora.registry import CORPORA, Corpus, CorpusFile, PackageTexts, find_corpus
from seqmodels.corpora.sources import (
    CorpusStatus,
    cache_folder,
    corpus_hash,
    fetch,
    file_hash,
    load_paragraphs,
    load_sentences,
    load_texts,
    locate,
    status,
)
from seqmodels.corpora.splitting import Subset, keep_some, split, split_text
from seqmodels.corpora.uploads import read_own_entities
