"""Words whose pronunciation is given: by the user's lexicon, or inline in the text as `[[ phonemes ]]`."""

import re

from glowvox.text.lexicon import LexiconEntry, UserLexicon
from glowvox.text.normalise import Fixed, Spoken
from glowvox.text.phonemise import BackEnd, Pronunciation, Token
from glowvox.text.phones import canonical_phone, split_ipa, split_stress

_INLINE = re.compile(r"\[\[(?P<body>[^\[\]]{1,1000})\]\]")
_TOKEN = re.compile(r"\S+")
_AROUND = "\"'([{<*_.,;:!?)]}>—–"


class GivenWords:
    """Finds given pronunciations in a text."""

    def __init__(self, lexicon: UserLexicon, back_end: BackEnd) -> None:
        """Take the user's lexicon, and the back end that reads its respellings."""
        self._lexicon = lexicon
        self._back_end = back_end

    def inline(self, text: str, warnings: list[str]) -> dict[int, Fixed]:
        """Return the stretches `[[ ... ]]` of a text by their first character."""
        found: dict[int, Fixed] = {}
        if "[[" not in text:
            return found
        for match in _INLINE.finditer(text):
            words = inline_words(match["body"], warnings)
            if words:
                found[match.start()] = Fixed(match.end(), words)
            else:
                warnings.append(f"{match.group()!r} holds no phoneme: read as text")
        if text.count("[[") > len(_INLINE.findall(text)):
            warnings.append("'[[' without its ']]': read as text")
        return found

    def words(self, text: str) -> dict[int, Fixed]:
        """Return the stretches of a sentence that stand in the user's lexicon, the longest first,
        by first character."""
        found: dict[int, Fixed] = {}
        if not len(self._lexicon):
            return found
        tokens = [match.span() for match in _TOKEN.finditer(text)]
        place = 0
        while place < len(tokens):
            step = 1
            for count in range(min(self._lexicon.most_words, len(tokens) - place), 0, -1):
                stretch = self._match(text, [tokens[place + number] for number in range(count)])
                if stretch is not None:
                    start, end, entry = stretch
                    found[start] = Fixed(end, (self._spoken(text[start:end], entry),))
                    step = count
                    break
            place += step
        return found

    def _match(self, text: str, tokens: list[tuple[int, int]]) -> tuple[int, int, LexiconEntry] | None:
        start, end = tokens[0][0], tokens[-1][1]
        first = start
        # As it stands, and without the punctuation around it.
        while first < end:
            last = end
            while last > first:
                entry = self._lexicon.lookup(" ".join(text[first:last].split()))
                if entry is not None:
                    return first, last, entry
                if text[last - 1] not in _AROUND:
                    break
                last -= 1
            if text[first] not in _AROUND:
                break
            first += 1
        return None

    def _spoken(self, text: str, entry: LexiconEntry) -> Spoken:
        return Spoken(" ".join(text.split()), phonemes=self._phonemes(entry), source="user lexicon")

    def _phonemes(self, entry: LexiconEntry) -> tuple[str, ...]:
        if entry.phonemes:
            return entry.phonemes
        tokens = [Token(word) for word in re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)*", entry.respelling)]
        return tuple(phoneme for said in self._back_end.pronounce(tokens) for phoneme in said.phonemes)

    def pronounce(self, word: str) -> Pronunciation | None:
        """Return the user's pronunciation of a word that normalisation has made, or None."""
        entry = self._lexicon.lookup(word) if len(self._lexicon) else None
        return Pronunciation(self._phonemes(entry), "user lexicon") if entry else None


def inline_words(body: str, warnings: list[str]) -> tuple[Spoken, ...]:
    """Read inline phonemes: phones with blanks between them are one word, else every token is a word."""
    tokens = body.split()
    single = all(canonical_phone(split_stress(token)[1]) is not None for token in tokens)
    words: list[Spoken] = []
    for token in [" ".join(tokens)] if single else tokens:
        phonemes, unknown = split_ipa(token)
        if unknown:
            warnings.append(f"inline phonemes {token!r}: left out {' '.join(unknown)}, no such phone")
        if phonemes:
            words.append(Spoken(token, phonemes=phonemes, source="inline"))
    return tuple(words)
