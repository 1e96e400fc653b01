"""Make the British pronunciation lexicon of the front end from misaki's (Apache-2.0), as the hibari-tts wheel has it.

usage: python recipes/british-lexicon/build.py hibari_tts-0.2.1-py3-none-any.whl

Writes `src/glowvox/text/british_lexicon.tsv.xz`: a word, a tab, and its readings as `role=phonemes`, separated by `|`.
Words that the rules make of the American dictionary in just that way are left out.
"""

import gzip
import json
import lzma
import re
import sys
import zipfile
from pathlib import Path

from glowvox.text.british import british_phonemes
from glowvox.text.gruut_back_end import GruutBackEnd

OUT = Path(__file__).resolve().parents[2] / "src/glowvox/text/british_lexicon.tsv.xz"
ROLES = {"DEFAULT": "", "NOUN": "NN", "VERB": "VB", "ADJ": "JJ", "ADV": "RB", "VBD": "VBD", "VBN": "VBN", "VBP": "VBP"}
PHONES = {
    "A": "eɪ", "I": "aɪ", "W": "aʊ", "Y": "ɔɪ", "Q": "əʊ", "ʤ": "d͡ʒ", "ʧ": "t͡ʃ", "ᵊ": "ə", "a": "æ", "ɛː": "eə",
    "əː": "ɜː",
}  # fmt: skip
PARTS = re.compile(r"[ˈˌ]|ɪə|ʊə|.ː|.")
VOWELS = frozenset("æɑɒɔəɛɜɪʊʌiu") | {"eɪ", "aɪ", "aʊ", "ɔɪ", "əʊ", "eə", "ɪə", "ʊə", "ɜː", "ɑː", "ɔː", "iː", "uː"}


def phones_of(text: str) -> list[str]:
    """Return the phones of a reading; the mark of stress stands at its vowel."""
    found, stress = [], ""
    for part in PARTS.findall(text):
        if part in "ˈˌ":
            stress = part
            continue
        phone = PHONES.get(part, part)
        if stress and phone in VOWELS:
            phone, stress = stress + phone, ""
        found.append(phone)
    return found


def main() -> None:
    """Read the wheel and write the file."""
    with zipfile.ZipFile(sys.argv[1]) as wheel:
        content = wheel.read("hibari/assets/lexicon_gb_gold.json.gz")
    entries = json.loads(gzip.decompress(content))
    lines = {}
    american = GruutBackEnd("en-us")._roles
    for word, said in entries.items():
        if not re.fullmatch(r"[a-zA-Z][a-z'-]*[a-z]", word) or (word.lower() != word and word.lower() in entries):
            continue
        by_role = said if isinstance(said, dict) else {"DEFAULT": said}
        readings = [
            f"{ROLES[role]}={' '.join(phones_of(one))}" for role, one in by_role.items() if role in ROLES and one
        ]
        known = american(word.lower())
        ruled = [f"{role}={' '.join(british_phonemes(word.lower(), us))}" for role, us in known.items()]
        if readings and readings != ruled:
            lines[word.lower()] = "|".join(readings)
    text = "".join(f"{word}\t{lines[word]}\n" for word in sorted(lines))
    OUT.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))
    print(f"{len(lines)} words, {OUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
