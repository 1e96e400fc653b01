"""The text front end: normalisation, lexicons, phonemes, sentences and tokens. Needs gruut's data only."""

from glowvox.text.front_end import FrontEnd, load_front_end
from glowvox.text.lexicon import UserLexicon, load_lexicon, parse_lexicon
from glowvox.text.sentences import SentenceLimits, SentenceStream, TextSpan, split_sentences
from glowvox.text.tokenizer import Tokenizer, TokenSequence
from glowvox.text.utterance import Mark, Pause, PauseLengths, Sentence, Utterance, Word

__all__ = [
    "FrontEnd",
    "Mark",
    "Pause",
    "PauseLengths",
    "Sentence",
    "SentenceLimits",
    "SentenceStream",
    "TextSpan",
    "TokenSequence",
    "Tokenizer",
    "UserLexicon",
    "Utterance",
    "Word",
    "load_front_end",
    "load_lexicon",
    "parse_lexicon",
    "split_sentences",
]
