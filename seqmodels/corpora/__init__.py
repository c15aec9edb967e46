"""Corpora: where they are, and how their files become sentences."""

from seqmodels.corpora.columns import Columns
from seqmodels.corpora.conllu import UPOS, read_conllu
from seqmodels.corpora.documents import read_documents
from seqmodels.corpora.entities import ENTITY_TAGS, ENTITY_TYPES, to_iob2
from seqmodels.corpora.names import Name, read_names, split_names
from seqmodels.corpora.opening import CorpusError, TextFile, decode, decode_as_it_is, open_file, open_upload
from seqmodels.corpora.readers import (
    Reader,
    read_entities,
    read_own_entities,
    read_own_parts_of_speech,
    read_own_texts,
    read_paragraphs,
    read_texts,
    read_tweets,
)
from seqmodels.corpora.registry import CORPORA, Corpus, CorpusFile, PackageTexts, find_corpus
from seqmodels.corpora.reports import OUTSIDE, Contents, FileReport, Sentence
from seqmodels.corpora.sources import (
    CorpusStatus,
    cache_folder,
    corpus_hash,
    fetch,
    file_hash,
    load_name_lists,
    load_names,
    load_paragraphs,
    load_sentences,
    load_texts,
    locate,
    status,
)
from seqmodels.corpora.splitting import Subset, keep_some, split, split_text
