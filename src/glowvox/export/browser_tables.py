"""What the front end knows, in files for the browser: dictionary, tagger, homographs, meanings, letters to sounds.

Each file is compressed with gzip; `browser/tables.js` reads them. Numbers that grow are written as differences in
seven bits a byte (the eighth says that more follow).
"""

import base64
import gzip
import json
import lzma
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glowvox.errors import TextError
from glowvox.text import letter_to_sound
from glowvox.text.gruut_back_end import PronunciationLexicon, english_homographs, language_data
from glowvox.text.homographs import _WEIGHTS as HOMOGRAPH_WEIGHTS
from glowvox.text.letter_to_sound import _WEIGHTS as SOUND_WEIGHTS
from glowvox.text.normalise.numbers import _words as number_words
from glowvox.text.normalise.symbols import _symbol_name as symbol_name
from glowvox.text.word_table import _FILE as WORD_TABLE

LEXICON_NAME, TAGGER_NAME, HOMOGRAPHS_NAME = "lexicon.bin", "tagger.bin", "homographs.bin"
MEANINGS_NAME, SOUNDS_NAME, TABLES_NAME = "meanings.bin", "sounds.bin", "tables.bin"
_TEXT = Path(letter_to_sound.__file__).parent
_SIGNS = "".join(chr(code) for code in range(33, 127) if chr(code) not in "|=")
"""Characters that stand for phonemes in the dictionary."""
_DISTANCES = (-2, -1, 0, 1, 2)
_CUTS = ("word", "word[:2]", "word[:3]", "word[-2:]", "word[-3:]")
_SCALES = range(3, 36, 3)


@dataclass(frozen=True)
class Features:
    """The weights of a tagger as `browser/tagger.js` reads them."""

    labels: tuple[str, ...]
    transitions: "np.ndarray[Any, np.dtype[np.float32]]"
    """[K, K], from one label to the next."""
    rows: Mapping[str, tuple[tuple[int, float], ...]]
    """Labels and weights by feature."""


def write_tables(folder: Path) -> dict[str, int]:
    """Write the tables of American English; return the bytes of each file.

    Raises:
        TextError: the language data are not installed or damaged.
    """
    data = language_data("en-us")
    package = data.folder()
    lexicon = PronunciationLexicon(package / "lexicon.db", data.phonemes, data.supplement())
    signs, text = lexicon_text((word, lexicon.roles(word)) for word in lexicon.words())
    graphones, sounds = _sounds()
    tables = {
        "signs": signs,
        "alphabet": sorted(data.alphabet),
        "numbers": _numbers(),
        "homographs": {
            word: [[one.name, one.kind, one.meaning, list(phonemes)] for one, phonemes in readings.items()]
            for word, readings in english_homographs().items()
        },
        "graphones": graphones,
        "names": _names(),
    }
    files = {
        LEXICON_NAME: text.encode(),
        TAGGER_NAME: tagger_bytes(_tagger(package / "pos" / "model.crf")),
        HOMOGRAPHS_NAME: _homographs(),
        MEANINGS_NAME: _meanings(),
        SOUNDS_NAME: sounds,
        TABLES_NAME: json.dumps(tables, ensure_ascii=False, separators=(",", ":")).encode(),
    }
    sizes = {}
    for name, content in files.items():
        packed = gzip.compress(content, 9, mtime=0)
        (folder / name).write_bytes(packed)
        sizes[name] = len(packed)
    return sizes


def lexicon_text(entries: Iterable[tuple[str, Mapping[str, tuple[str, ...]]]]) -> tuple[dict[str, str], str]:
    """Return the phonemes by their signs, and a dictionary as lines.

    A line is a character for the letters that the word shares with the one before (from a space on), the rest of the
    word, a tab, and its readings with `|` between them, each with its role and `=` where it has one.

    Raises:
        TextError: there are more phonemes than signs.
    """
    signs: dict[str, str] = {}
    lines: list[str] = []
    before = ""
    for word, roles in entries:
        shared = 0
        while shared < min(len(word), len(before), 90) and word[shared] == before[shared]:
            shared += 1
        readings = []
        for role, phonemes in roles.items():
            for phoneme in phonemes:
                if phoneme not in signs:
                    if len(signs) == len(_SIGNS):
                        raise TextError(f"the dictionary has more than {len(_SIGNS)} phonemes: no sign is left")
                    signs[phoneme] = _SIGNS[len(signs)]
            readings.append((f"{role}=" if role else "") + "".join(signs[phoneme] for phoneme in phonemes))
        lines.append(f"{chr(32 + shared)}{word[shared:]}\t{'|'.join(readings)}")
        before = word
    return {sign: phoneme for phoneme, sign in signs.items()}, "\n".join(lines)


def varints(numbers: Sequence[int]) -> bytes:
    """Return whole numbers, none below 0, with seven bits a byte, the low ones first."""
    out = bytearray()
    for number in numbers:
        while number > 127:
            out.append(number & 127 | 128)
            number >>= 7
        out.append(number)
    return bytes(out)


def _block(*parts: bytes) -> bytes:
    """Return parts one behind the other, each after its length."""
    return b"".join(len(part).to_bytes(4, "little") + part for part in parts)


def _tagger(path: Path) -> Features:
    import pycrfsuite

    if not path.is_file():
        raise TextError(f"the part-of-speech tagger {path} is missing: reinstall gruut_lang_en")
    tagger = pycrfsuite.Tagger()
    tagger.open(str(path))
    info = tagger.info()
    labels = tuple(sorted(info.labels, key=lambda label: int(info.labels[label])))
    number = {label: place for place, label in enumerate(labels)}
    transitions = np.zeros((len(labels), len(labels)), np.float32)
    for (first, second), weight in info.transitions.items():
        transitions[number[first], number[second]] = weight
    rows: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for (feature, label), weight in info.state_features.items():
        rows[feature].append((number[label], weight))
    return Features(labels, transitions, {feature: tuple(sorted(row)) for feature, row in rows.items()})


def tagger_bytes(features: Features) -> bytes:
    """Return a tagger's weights, in steps of the largest of them over 32767.

    Features of words and their parts are kept once, with what each says at each distance; the others by name.
    """
    largest = max(abs(weight) for row in features.rows.values() for _, weight in row)
    step = largest / 32767
    by_value: dict[tuple[int, str], list[tuple[tuple[int, float], ...]]] = defaultdict(lambda: [()] * len(_DISTANCES))
    others: dict[str, list[list[float]]] = {}
    for feature, row in features.rows.items():
        match = re.fullmatch(r"(?:([+-][12]):)?(word(?:\[-?\d?:-?\d?\])?):(.*)", feature, re.DOTALL)
        if match is None or match[2] not in _CUTS:
            others[feature] = [[label, weight] for label, weight in row]
            continue
        value = base64.b64decode(match[3]).decode() if match[2] == "word" else match[3]
        by_value[_CUTS.index(match[2]), value][_DISTANCES.index(int(match[1] or 0))] = row
    order = sorted(by_value)
    names, masks, counts, marks, weights = [], bytearray(), [], [], []
    for key in order:
        rows = by_value[key]
        names.append(key[1])
        masks.append(sum(bool(row) << place for place, row in enumerate(rows)))
        for row in filter(None, rows):
            counts.append(len(row))
            marks += [label for label, _ in row]
            weights += [round(weight / step) for _, weight in row]
    head = {
        "labels": features.labels,
        "step": step,
        "kinds": [sum(kind == number for kind, _ in order) for number in range(len(_CUTS))],
        "others": others,
    }
    packed = np.array(weights, "<i2").view(np.uint8).reshape(-1, 2)
    return _block(
        json.dumps(head).encode(),
        features.transitions.astype("<f4").tobytes(),
        "\n".join(names).encode(),
        bytes(masks),
        bytes(counts),
        bytes(marks),
        # low bytes and high bytes apart: the high ones are nearly all alike, and shrink
        packed[:, 0].tobytes() + packed[:, 1].tobytes(),
    )


def _homographs() -> bytes:
    """Return weights by hash, in order, and by hash of a reading the meanings that speak for it."""
    from safetensors.numpy import load_file

    arrays = load_file(_TEXT / HOMOGRAPH_WEIGHTS)
    order = np.argsort(arrays["keys"])
    keys = arrays["keys"][order].astype(np.int64)
    return _block(
        varints(np.diff(keys, prepend=0).tolist()),
        arrays["weights"][order].astype(np.int8).tobytes(),
        arrays["readings"].astype("<u4").tobytes(),
        arrays["directions"].astype("<f4").tobytes(),
    )


def _meanings() -> bytes:
    """Return the hashes of common words, in order, with their clusters and meanings."""
    from safetensors.numpy import load_file

    arrays = load_file(_TEXT / WORD_TABLE)
    order = np.argsort(arrays["keys"])
    keys = arrays["keys"][order].astype(np.int64)
    return _block(
        varints(np.diff(keys, prepend=0).tolist()),
        arrays["clusters"][order].astype("<u4").tobytes(),
        arrays["vectors"][order].astype(np.int8).tobytes(),
    )


def _sounds() -> tuple[list[list[str]], bytes]:
    """Return the graphones of the letter-to-sound model, and its tables."""
    from safetensors.numpy import load

    tensors = load(lzma.decompress(SOUND_WEIGHTS.read_bytes()))
    facts = json.loads(tensors["facts"].tobytes())
    tables = [
        part
        for keys, values in (("keys", "probabilities"), ("histories", "backoffs"))
        for part in (varints(tensors[keys].tolist()), tensors[values].astype(np.int8).tobytes())
    ]
    return facts["graphones"], _block(bytes([facts["order"]]), *tables)


def _numbers() -> dict[str, Any]:
    """Return the words of which English numbers are made."""
    small = [number_words(number, "cardinal", "en").split() for number in range(100)]
    return {
        "small": [" ".join(words) for words in small],
        "hundred": number_words(100, "cardinal", "en").split()[1],
        "scales": [number_words(10**power, "cardinal", "en").split()[1] for power in _SCALES],
        "ordinals": {
            number_words(number, "cardinal", "en").split()[-1]: number_words(number, "ordinal", "en").split()[-1]
            for number in [*range(100), *(10**power for power in (2, *_SCALES))]
        },
    }


def _names() -> dict[str, str]:
    """Return the names of signs and of letters that are read by them."""
    found = {}
    for code in range(0x110000):
        sign = chr(code)
        kind = unicodedata.category(sign)
        # Letters below the ideographs: of scripts without a table of sounds, which are read by their names.
        letter = 0x180 <= code < 0x3100 and kind in ("Lu", "Ll", "Lt", "Lo", "Mn", "Mc")
        if letter or (kind in ("So", "Sm", "Sc") and re.fullmatch(r"[a-z ]{2,60}", symbol_name(sign))):
            found[sign] = unicodedata.name(sign)
    return found
