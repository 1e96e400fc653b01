"""The user's own pronunciations: a text file of `word = phonemes` or `word = respelling` lines.

# comment
Nguyen = w ɪ n            phones of the table, separated by blanks
gif    = /d͡ʒˈɪf/          IPA between slashes, in one piece
gruut  = groot            ordinary spelling, read as the language reads it
GlowVox = "glow vox"      ordinary spelling for certain
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from glowvox.errors import TextError
from glowvox.text.back_end import BackEnd, Pronunciation, Token, shortened
from glowvox.text.normalise import Fixed, SpokenWord
from glowvox.text.tokenizer import canonical_phone, split_ipa, split_stress

_MAX_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True)
class LexiconEntry:
    """How the user wants a word said: either field is set."""

    phonemes: tuple[str, ...] = ()
    respelling: str = ""


class UserLexicon:
    """Words, of any case, with the pronunciation that the user gave them; they go before everything else."""

    def __init__(self, entries: Mapping[str, LexiconEntry]) -> None:
        """Take entries by word."""
        self._entries = {key.casefold(): entry for key, entry in entries.items()}
        self._most_words = max((len(key.split()) for key in self._entries), default=0)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def most_words(self) -> int:
        """The number of words in the longest key."""
        return self._most_words

    def lookup(self, word: str) -> LexiconEntry | None:
        """Return the entry of a word (or of several, separated by single blanks), or None."""
        return self._entries.get(word.casefold())


def _parse_pronunciation(text: str) -> LexiconEntry:
    if text[0] in '"“' and text[-1] in '"”' and len(text) > 2:
        return LexiconEntry(respelling=text[1:-1].strip())
    slashed = re.fullmatch(r"/(.+)/|\[\[(.+)\]\]|\[(.+)\]", text)
    tokens = text.split()
    as_phones = all(canonical_phone(split_stress(token)[1]) is not None for token in tokens)
    if slashed is None and not (as_phones and (len(tokens) > 1 or not text.isascii())) and text.isascii():
        return LexiconEntry(respelling=text)
    if slashed is None and not as_phones and not re.search(r"[\u0250-\u02ff\u0300-\u036fθðŋæœøçχβ]", text):
        return LexiconEntry(respelling=text)  # accents alone do not make IPA: café
    phonemes, unknown = split_ipa(next(group for group in slashed.groups() if group) if slashed else text)
    if unknown:
        raise ValueError(f"no phone for {' '.join(unknown)}")
    return LexiconEntry(phonemes=phonemes)


def parse_lexicon(text: str, name: str = "lexicon") -> UserLexicon:
    """Read a lexicon from a string.

    Args:
        text: Lines `word = pronunciation`; `#` at the beginning of a line or after a blank begins a comment.
        name: What the lexicon is called in error messages.

    Raises:
        TextError: One or more lines are wrong; each is named with its number, in one line.
    """
    entries: dict[str, LexiconEntry] = {}
    errors: list[str] = []
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), start=1):
        content = re.sub(r"(?:^|\s)#(?:\s.*)?$|^#.*$", "", line).strip()
        if not content:
            continue
        # The sign stands between blanks where the word itself may hold one.
        word, sign, pronunciation = content.partition(" = ") if " = " in content else content.partition("=")
        word, pronunciation = " ".join(word.split()), pronunciation.strip()
        if not sign or not word or not pronunciation:
            errors.append(f"line {number}: expected 'word = pronunciation', got {shortened(content)}")
            continue
        try:
            entry = _parse_pronunciation(pronunciation)
        except ValueError as error:
            errors.append(f"line {number}: {shortened(word)}: {error}")
            continue
        if not entry.phonemes and not re.search(r"[^\W\d_]", entry.respelling):
            errors.append(f"line {number}: {shortened(word)}: {shortened(pronunciation)} holds no letter and no phone")
            continue
        entries[word] = entry
    if errors:
        more = f" (and {len(errors) - 5} more lines)" if len(errors) > 5 else ""
        raise TextError(f"{name}: {'; '.join(errors[:5])}{more}")
    return UserLexicon(entries)


def load_lexicon(path: Path | str) -> UserLexicon:
    """Read a lexicon file (UTF-8).

    Raises:
        TextError: The file cannot be read, or a line is wrong.
    """
    return parse_lexicon(_content(Path(path)), str(path))


def _content(path: Path) -> str:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise TextError(f"{path}: larger than {_MAX_BYTES // 2**20} MiB, hardly a lexicon")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise TextError(f"cannot read the lexicon {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise TextError(f"{path}: not UTF-8 text (byte {error.start}): save the lexicon as UTF-8") from error


_INLINE = re.compile(r"\[\[(?P<body>[^\[\]]{1,1000})\]\]")
_TOKEN = re.compile(r"\S+")
_AROUND = "\"'([{<*_.,;:!?)]}>—–"


class PronunciationOverrides:
    """Pronunciation overrides in a text: words of the user's lexicon and inline phonemes."""

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

    def _spoken(self, text: str, entry: LexiconEntry) -> SpokenWord:
        return SpokenWord(" ".join(text.split()), phonemes=self._phonemes(entry), source="user lexicon")

    def _phonemes(self, entry: LexiconEntry) -> tuple[str, ...]:
        if entry.phonemes:
            return entry.phonemes
        tokens = [Token(word) for word in re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)*", entry.respelling)]
        return tuple(phoneme for said in self._back_end.pronounce(tokens) for phoneme in said.phonemes)

    def pronounce(self, word: str) -> Pronunciation | None:
        """Return the user's pronunciation of a word that normalisation has made, or None."""
        entry = self._lexicon.lookup(word) if len(self._lexicon) else None
        return Pronunciation(self._phonemes(entry), "user lexicon") if entry else None


def inline_words(body: str, warnings: list[str]) -> tuple[SpokenWord, ...]:
    """Read inline phonemes: phones with blanks between them are one word, else every token is a word."""
    tokens = body.split()
    single = all(canonical_phone(split_stress(token)[1]) is not None for token in tokens)
    words: list[SpokenWord] = []
    for token in [" ".join(tokens)] if single else tokens:
        phonemes, unknown = split_ipa(token)
        if unknown:
            warnings.append(f"inline phonemes {token!r}: left out {' '.join(unknown)}, no such phone")
        if phonemes:
            words.append(SpokenWord(token, phonemes=phonemes, source="inline"))
    return tuple(words)
