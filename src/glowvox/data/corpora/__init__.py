"""The layouts in which people keep recordings with their texts, one file per layout."""

from glowvox.data.corpora.layouts import LAYOUTS, read_corpus
from glowvox.data.corpora.utterance import Corpus, Utterance

__all__ = ["LAYOUTS", "Corpus", "Utterance", "read_corpus"]
