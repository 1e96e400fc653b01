"""A voice for sherpa-onnx: one graph with the inputs of its VITS models, the table of tokens, and a lexicon.

sherpa-onnx (Android, iOS, Windows, a dozen languages) cuts a text into words and sentences itself, looks each word up
in the lexicon and hands the tokens to the graph. What it does with words, marks and numbers is its own: its classes
`Lexicon` and `OfflineTtsVitsImpl`. For English three transducers rewrite the text before that, as its `rule_fsts`: they
read numbers, abbreviations and marks (`sherpa_rules.py`) and words that the lexicon lacks (`sherpa_words.py`).
"""

import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from glowvox import __version__
from glowvox.errors import TextError, VoiceError
from glowvox.export.graph_builder import GraphBuilder, Precision
from glowvox.export.rewritten_voice import rewritten
from glowvox.export.sherpa_rules import COLON, DASH, SEMICOLON, ordinal_figures, rules_fst
from glowvox.export.sherpa_words import (
    BEFORE_VOWEL,
    LETTER_A,
    OTHER_READING,
    PIECE_END,
    letters_fst,
    piece_entries,
    words_fst,
)
from glowvox.export.speech_graph import SpeechGraph, SpeechInputs, new_graph
from glowvox.storage.whole_folder import replacing_folder
from glowvox.synthesis.installed_voices import find_voice
from glowvox.synthesis.script import FrontEnds
from glowvox.synthesis.voice_card import VoiceCard, read_voice_card
from glowvox.synthesis.voice_folder import files_folder, open_voice_folder
from glowvox.text.front_end import FrontEnd, load_front_end
from glowvox.text.gruut_back_end import english_homographs, plural_ending
from glowvox.text.letter_to_sound import load_letter_to_sound
from glowvox.text.tokenizer import BOUNDARY, PAD, VOWELS, Tokenizer, split_stress
from glowvox.text.utterance import PAUSE_MARKS, Word

MODEL_NAME, TOKENS_NAME, LEXICON_NAME, README_NAME = "model.onnx", "tokens.txt", "lexicon.txt", "README.md"
RULES_NAME, WORDS_NAME, LETTERS_NAME = "rules.fst", "words.fst", "letters.fst"
RULE_FILES = (RULES_NAME, WORDS_NAME, LETTERS_NAME)
"""The transducers, in the order in which they rewrite."""
FILES = (MODEL_NAME, TOKENS_NAME, LEXICON_NAME, *RULE_FILES, README_NAME)
NOISE_SCALE, NOISE_SCALE_W = 0.667, 0.8
"""What sherpa-onnx gives where nobody asks for another noise: it stands for the voice's own temperature and sigma."""
_JOIN = "_"
"""A second name of the boundary between words, inside the entries of numbers: the first one is a space."""
_JOINED = PAD
"""The token behind a piece of a word: itself and the boundary that follows are dropped."""
_SENTENCE_MARKS = (".", "?", "!")
"""Marks after which the voice pauses."""
_LAST_NUMBER = 2099
_LAST_ORDINAL = 100
_DECADES = range(1800, 2100, 10)
_ABBREVIATIONS = """
mr mrs ms messrs dr drs prof rev hon sen gov pres capt lt sgt cpl maj jr sr esq supt insp ltd inc corp bros ave blvd
dept univ vol vs etc approx
"""
"""Read as before a name, with or without their full stop."""
_INITIALS = """
abc aa ac ai ap atm bbc bc bmw cbs cd ceo cfo cia cnn cpu cv dc dj dna dvd er eu faq fbi fda gdp gmt gop gps hbo hiv hq
html http ibm ibs irs isbn jfk kgb lcd mba mit mp mph mri mtv nba nbc nfl ngo nhl nhs npr nsa nyc nypd pbs pc pdf phd
pr ps psi rna rsvp sms sos suv tnt tv tvs uk ufo un url usa usb ussr vip vp www
"""
"""Spelled, though in lower case they look like words that nobody knows."""
_LANGUAGES = {"en": "English", "de": "German"}
_WORD_ENTRY = re.compile(r"[a-z0-9']+")
_ENTRY = re.compile(r"[a-zäöüß]+(?:'[a-z]+)*'?")


@dataclass(frozen=True)
class SherpaExport:
    """What was written."""

    folder: Path
    card: VoiceCard
    words: int
    """Entries of the lexicon."""
    sizes: dict[str, int]
    """Bytes of each file."""


def export_sherpa(
    name: str | None, folder: Path, *, precision: Precision | None = None, replace: bool = False
) -> SherpaExport:
    """Write a voice's folder for sherpa-onnx.

    Args:
        name: a voice's name, folder or `.voice` file; None: the default voice.
        folder: to create.
        precision: 'float32' or 'float16', of a voice that holds its models: its graphs are written anew, by PyTorch;
            None: as the voice has them.
        replace: whether a folder that this function wrote before may be replaced.

    Raises:
        VoiceError: there is no such voice, it needs what one graph cannot do, it lacks its models, or the folder
            cannot be written.
        ConfigError: a precision that this export has no graphs of.
        TextError: its language has no lexicon that could be written down.
        EngineError: a graph is damaged.
    """
    _refuse_existing(folder, replace=replace)
    with open_voice_folder(find_voice(name)) as place:
        card = read_voice_card(place)
        front_end = FrontEnds(card.front_ends).load(card.language)
        tokenizer = Tokenizer.from_dict(card.tokenizer)
        with tempfile.TemporaryDirectory(prefix="glowvox-") as graphs:
            source = files_folder(place, card)
            if precision is not None:
                source = rewritten(source, card, precision, Path(graphs))
            graph = sherpa_graph(SpeechGraph(source, card), front_end.language)
        entries = dict(lexicon_entries(front_end, tokenizer))  # last, as they take minutes and ask nothing of the voice
        if not entries:
            raise TextError(
                f"the voice {card.name} reads with {front_end.name}, which has no list of words; sherpa-onnx needs one"
            )
        files = {
            MODEL_NAME: graph,
            TOKENS_NAME: tokens_table(tokenizer).encode(),
            LEXICON_NAME: "".join(f"{word} {spoken}\n" for word, spoken in entries.items()).encode(),
            README_NAME: _readme(card, folder.name, english=_is_english(front_end)).encode(),
        }
    if _is_english(front_end):
        files[RULES_NAME] = rules_fst().to_bytes()
        begins = {word: _begins_with_vowel(said) for word, said in entries.items() if _WORD_ENTRY.fullmatch(word)}
        verbs, nouns = (_others(kind) if _is_american(front_end) else () for kind in ("verb", "noun"))
        files[WORDS_NAME] = words_fst(begins, verbs, nouns).to_bytes()
        files[LETTERS_NAME] = _letters_file()
    with replacing_folder(folder, VoiceError) as made:
        made.mkdir()
        for file, content in files.items():
            (made / file).write_bytes(content)
    return SherpaExport(folder, card, len(entries), {file: len(content) for file, content in files.items()})


def _refuse_existing(folder: Path, *, replace: bool) -> None:
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    own = folder.is_dir() and {each.name for each in folder.iterdir()} <= set(FILES)
    if not (replace and own):
        what = (
            "; replace it with --force, or" if own else " and holds other files;" if folder.is_dir() else " as a file;"
        )
        raise VoiceError(f"{folder}: is there already{what} choose another name")


def sherpa_graph(speech: SpeechGraph, language: str) -> bytes:
    """Return a voice as one ONNX file with the inputs and the metadata that sherpa-onnx asks a VITS model for.

    Args:
        speech: the voice.
        language: tag of its language.
    """
    graph = new_graph()
    tokens = graph.input("x", [1, "T"], np.int64)
    graph.input("x_length", [1], np.int64)
    noise_scale, length_scale, noise_scale_w = (
        graph.input(name, [1]) for name in ("noise_scale", "length_scale", "noise_scale_w")
    )
    card, options = speech.card, speech.options
    speaker = None
    if speech.speakers > 1:
        known = card.model_speakers or card.speakers
        numbers = graph.integers([known.index(name) for name in card.speakers])
        several = len(card.speakers) > 1
        speaker = graph.op("Gather", numbers, graph.input("sid", [1], np.int64), axis=0) if several else numbers
    key, states = speech.seed_inputs
    ids = _with_pieces_joined(graph, speech, graph.op("Reshape", tokens, graph.integers([-1])))
    given = SpeechInputs(
        ids,
        graph.op("Mul", noise_scale, graph.floats(options.temperature / NOISE_SCALE)),
        graph.op("Mul", noise_scale_w, graph.floats(options.sigma / NOISE_SCALE_W)),
        length_scale,
        graph.integers(key),
        graph.integers(states),
        speaker,
    )
    samples = speech.write(graph, given)
    with graph.scope("pause"):
        samples = _with_pause(graph, speech, ids, samples)
    graph.output(graph.op("Unsqueeze", samples, graph.integers([0])), "samples", [1, "S"])
    metadata = {
        "model_type": "vits",
        "comment": "glowvox",
        "language": _LANGUAGES.get(language.split("-")[0], language),
        "voice": language,
        "has_espeak": "0",
        "jieba": "0",
        "n_speakers": str(len(card.speakers)),
        "sample_rate": str(speech.audio.sample_rate),
        "add_blank": "0",
        "punctuation": " ".join(mark for mark in PAUSE_MARKS if mark.isascii()),
        "license": card.licence,
        "version": "1",
        "description": json.dumps({"voice": card.name, "program": f"glowvox {__version__}"}),
    }
    written: bytes = graph.model("speech", metadata).SerializeToString()
    return written


def _with_pieces_joined(graph: GraphBuilder, speech: SpeechGraph, ids: str) -> str:
    """Return tokens without the marks that join the pieces of a word, and without the boundaries behind them."""
    joined = graph.op("Equal", ids, graph.integers(list(speech.tokenizer.symbols).index(_JOINED)))
    before = graph.cut(graph.op("Pad", graph.op("Cast", joined, to=7), graph.integers([1, 0])), 0, -1, 0)
    dropped = graph.op("Or", joined, graph.op("Cast", before, to=9))
    return graph.op("Compress", ids, graph.op("Not", dropped), axis=0)


def _with_pause(graph: GraphBuilder, speech: SpeechGraph, ids: str, samples: str) -> str:
    """Return samples with the silence after a sentence; of marks without a word, next to nothing.

    sherpa-onnx puts the sentences of a text one behind the other, and cuts at other places too: at colons, semicolons
    and hyphens, after which no silence is due.
    """
    symbols = list(speech.tokenizer.symbols)
    silent = np.zeros(len(symbols), np.int64)
    silent[[symbols.index(mark) for mark in (*PAUSE_MARKS, BOUNDARY) if mark in symbols]] = 1
    ending = np.zeros(len(symbols), np.int64)
    ending[[symbols.index(mark) for mark in _SENTENCE_MARKS if mark in symbols]] = 1
    there = graph.op("Equal", graph.op("Gather", graph.integers(silent), ids, axis=0), graph.integers(0))
    known = graph.op("Pad", graph.op("Cast", there, to=7), graph.integers([1, 0]))
    words = graph.op("Cast", graph.op("ReduceMax", known, graph.integers([0]), keepdims=1), to=9)
    # the last token that is no boundary
    inner = graph.op(
        "Compress", ids, graph.op("Not", graph.op("Equal", ids, graph.integers(symbols.index(BOUNDARY)))), axis=0
    )
    last = graph.cut(graph.op("Pad", inner, graph.integers([1, 0])), -1, None, 0)
    ends = graph.op("Gather", graph.integers(ending), last, axis=0)
    pause = round(speech.options.sentence_pause * speech.audio.sample_rate)
    least = speech.audio.hop_length
    size = graph.op("Add", graph.op("Shape", samples), graph.op("Mul", ends, graph.integers([pause])))
    size = graph.op("Where", words, size, graph.integers([least]))
    heard = graph.op("Where", words, samples, graph.floats(0.0))
    padded = graph.op("Pad", heard, graph.integers([0, pause + least]))
    return graph.op("Slice", padded, graph.integers([0]), size, graph.integers([0]))


def tokens_table(tokenizer: Tokenizer) -> str:
    """Return the table of tokens as sherpa-onnx reads it: a symbol and its number on each line."""
    lines = [f"{symbol} {number}" for number, symbol in enumerate(tokenizer.symbols)]
    boundary = tokenizer.symbols.index(BOUNDARY)
    return "\n".join([*lines, f"{_JOIN} {boundary}"]) + "\n"


def lexicon_entries(front_end: FrontEnd, tokenizer: Tokenizer) -> Iterator[tuple[str, str]]:
    """Yield words in lower case with the symbols that they are spoken as, each word once.

    The dictionary with the pronunciation that a word has without a sentence around it. In English also genitives,
    abbreviations before names, initials, and the words that the British dictionary has beside, said by derivation or
    by the letter-to-sound model. Letters by their names; numbers as far as years go, ordinals, decades; pauses, and
    what the transducers write.
    """
    known = set(tokenizer.symbols)
    words = front_end.words()
    if not words:
        return
    done: set[str] = set()

    def entry(word: str, phonemes: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        spoken = _symbols(phonemes)
        if word not in done and spoken and known.issuperset(spoken.split()):
            done.add(word)
            yield word, spoken

    english = _is_english(front_end)
    words = [word for word in words if _ENTRY.fullmatch(word)]
    for short in _ABBREVIATIONS.split() if english else ():
        *title, _ = _words_of(front_end, f"{short.capitalize()}. Green")
        done.add(short)
        yield short, f" {_JOIN} ".join(map(_symbols, title))
    homographs = english_homographs() if _is_american(front_end) else {}
    for word in words:
        readings = homographs.get(word)
        yield from entry(word, next(iter(readings.values())) if readings else front_end.pronounce(word).phonemes)
    for letter in "abcdefghijklmnopqrstuvwxyz":
        yield from entry(letter, front_end.pronounce(letter.upper()).phonemes)
    if english:
        for initials in _INITIALS.split():
            if initials not in done:
                done.add(initials)
                yield initials, f" {_JOIN} ".join(map(_symbols, _words_of(front_end, initials.upper())))
        for word in words:
            if word.isalpha() and len(word) > 1:
                stem = front_end.pronounce(word).phonemes
                yield from entry(f"{word}'s", stem + plural_ending(stem))
                singular = f"{word[:-3]}y" if word.endswith("ies") else word.removesuffix("s")
                if singular != word and singular in done:
                    yield from entry(f"{word}'", stem)
        for word in load_front_end("en-gb").words():
            if _ENTRY.fullmatch(word) and word not in done:
                yield from entry(word, front_end.pronounce(word).phonemes)
    for number in _numbers(english=english):
        spoken = list(map(_symbols, _words_of(front_end, number)))
        if number not in done and spoken:
            done.add(number)
            yield number, f" {_JOIN} ".join(spoken)
    yield from ((SEMICOLON, ";"), (COLON, ":"), (DASH, DASH))
    if english:
        for sign, name in (("%", "percent"), ("&", "and"), ("+", "plus"), ("=", "equals")):
            yield sign, _symbols(front_end.pronounce(name).phonemes)
        yield LETTER_A, _symbols(_words_of(front_end, "U.S.A.")[-1])
        yield BEFORE_VOWEL, _symbols(_words_of(front_end, "the apple")[0])
        for kind in ("verb", "noun") if _is_american(front_end) else ():
            for word, phonemes in _others(kind).items():
                yield word + OTHER_READING, _symbols(phonemes)
        yield PIECE_END, f"{_JOIN} {_JOINED}"
        for phonemes, piece in piece_entries(load_letter_to_sound()).items():
            if known.issuperset(_symbols(phonemes).split()):
                yield piece, f"{_symbols(phonemes)} {_JOINED}"


def _is_american(front_end: FrontEnd) -> bool:
    return front_end.language == "en-us"


@cache
def _letters_file() -> bytes:
    return letters_fst(load_letter_to_sound()).to_bytes()


def _others(kind: str) -> dict[str, tuple[str, ...]]:
    """Return the homographs that the lexicon has as another part of speech, with what they are said as as this one."""
    found = {}
    for word, readings in english_homographs().items():
        usual, *others = readings
        if {reading.kind for reading in readings} == {"noun", "verb"} and usual.kind != kind:
            found[word] = readings[next(reading for reading in others if reading.kind == kind)]
    return found


def _is_english(front_end: FrontEnd) -> bool:
    return front_end.language.startswith("en")


def _begins_with_vowel(spoken: str) -> bool:
    """Return whether the first symbol of an entry that is no stress mark is a vowel."""
    return next(symbol for symbol in spoken.split() if split_stress(symbol)[1]) in VOWELS


def _words_of(front_end: FrontEnd, text: str) -> list[tuple[str, ...]]:
    """Return the phonemes of the words that a text is read as."""
    sentences = front_end.process(text).sentences
    return [item.phonemes for sentence in sentences for item in sentence.items if isinstance(item, Word)]


def _symbols(phonemes: tuple[str, ...]) -> str:
    """Return the symbols of a word's phonemes, a stress mark being one of its own."""
    return " ".join(part for phoneme in phonemes for part in split_stress(phoneme) if part)


def _numbers(*, english: bool) -> Iterator[str]:
    yield from map(str, range(_LAST_NUMBER + 1))
    if english:
        for number in range(1, _LAST_ORDINAL + 1):
            yield ordinal_figures(number)
        for decade in (*range(20, 100, 10), *_DECADES):
            yield f"{decade}s"


def _readme(card: VoiceCard, folder: str, *, english: bool) -> str:
    """Return what a person must know of the folder."""
    rules = ",".join(f"{folder}/{name}" for name in RULE_FILES)
    text = f"""\
- The three transducers rewrite the text before the lexicon is asked: `{RULES_NAME}` numbers, money, times,
  abbreviations, initials, hyphens and quotation marks; `{WORDS_NAME}` marks words that the lexicon lacks, and
  `{LETTERS_NAME}` says them by letter-to-sound rules. Give all, in this order: without them sherpa-onnx skips unknown
  words and ends a sentence at every full stop, colon, semicolon and hyphen.
- To have a word said otherwise, change its line in `{LEXICON_NAME}`. A new line helps only without `{WORDS_NAME}`,
  which holds the words of the lexicon as it was written.
"""
    if not english:
        text = f"""\
- sherpa-onnx looks words up, and skips those that the lexicon lacks (it names them): there are no letter-to-sound
  rules. Add lines to `{LEXICON_NAME}`: the word, then its phonemes.
- It ends a sentence at every full stop, colon, semicolon and hyphen. Numbers to {_LAST_NUMBER} are words of the
  lexicon. Apostrophes must be straight.
"""
    option = f"--tts-rule-fsts={rules} \\\n      " if english else ""
    argument = f', rule_fsts="{rules}"' if english else ""
    return f"""\
# {card.name} for sherpa-onnx

{card.description or "A voice of Glowvox."} Language: {card.language}. Licence: {card.licence}.

    sherpa-onnx-offline-tts --vits-model={folder}/{MODEL_NAME} --vits-tokens={folder}/{TOKENS_NAME} \\
      --vits-lexicon={folder}/{LEXICON_NAME} {option}--output-filename=hello.wav "Hello, world."

In Python:

    import sherpa_onnx
    files = sherpa_onnx.OfflineTtsVitsModelConfig(
        model="{folder}/{MODEL_NAME}", tokens="{folder}/{TOKENS_NAME}", lexicon="{folder}/{LEXICON_NAME}")
    config = sherpa_onnx.OfflineTtsConfig(
        model=sherpa_onnx.OfflineTtsModelConfig(vits=files){argument})
    how = sherpa_onnx.GenerationConfig()
    how.speed, how.silence_scale = 1.0, 1.0
    audio = sherpa_onnx.OfflineTts(config).generate("Hello, world.", how)

- Without a silence scale of 1 in `GenerationConfig`, sherpa-onnx cuts every pause of 0.2 s and more to a fifth.
- `noise_scale` {NOISE_SCALE} and `noise_scale_w` {NOISE_SCALE_W}, the defaults, stand for the voice's own temperature
  {card.defaults.temperature:g} and sigma {card.defaults.sigma:g}; others in proportion. The noise is always the same.
{text}- A word with several readings (`lead`, `read`) has the usual one.
"""
