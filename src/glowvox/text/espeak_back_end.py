"""An optional back end: the program espeak-ng, run as a process of its own, never loaded and never needed."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from functools import cached_property

from glowvox.errors import TextError
from glowvox.text.back_end import BackEnd, Pronunciation, Token
from glowvox.text.tokenizer import split_ipa

_TIMEOUT = 30.0
_MOST_KNOWN = 20_000
"""Words that are remembered at most."""


class EspeakBackEnd(BackEnd):
    """Asks espeak-ng for each word of a sentence; words that were asked before are remembered."""

    def __init__(self, language: str, program: str = "espeak-ng") -> None:
        """Find the program.

        Args:
            language: A voice of espeak-ng, such as `fr-fr` or `hi`.
            program: Name or path of the program.

        Raises:
            TextError: The program is not installed, or has no such voice.
        """
        path = shutil.which(program)
        if path is None:
            raise TextError(
                f"the back end espeak-ng needs the program '{program}', which is not on the path: install the system "
                "package espeak-ng, or use the back end gruut"
            )
        self._program = path
        self._language = language
        self._known: dict[str, str] = {}
        # `fr-fr` may be unknown where `fr` is a voice.
        for voice in (language, language.split("-")[0]):
            if self._run(["-q", "--ipa", "-v", voice, "a"], "", check=False) is not None:
                self._voice = voice
                return
        raise TextError(f"espeak-ng has no voice for {language!r}: see espeak-ng --voices")

    @property
    def name(self) -> str:
        """`espeak-ng`."""
        return "espeak-ng"

    @cached_property
    def version(self) -> str:
        """Version of the program, major and minor: phonemes differ between them."""
        match = re.search(r"(\d+\.\d+)", self._run(["--version"], "") or "")
        return match.group(1) if match else "unknown"

    @property
    def language(self) -> str:
        """Language tag."""
        return self._language

    def is_word(self, word: str) -> bool:
        """Say no: the program does not tell what it knows."""
        return False

    def pronounce(self, tokens: Sequence[Token]) -> list[Pronunciation]:
        """Return one pronunciation for every word, asking the program once for all that are new."""
        words = [token for token in tokens if not token.is_mark]
        keys = [token.text.upper() if token.letter else token.text for token in words]
        return [_pronunciation(key, line) for key, line in zip(keys, self.transcribe(keys), strict=True)]

    def transcribe(self, words: Sequence[str]) -> list[str]:
        """Return what the program prints for words: IPA with its notes of tones and of changes of language.

        Raises:
            TextError: the program failed.
        """
        if len(self._known) > _MOST_KNOWN:
            self._known = {}
        known = self._known
        new = [word for word in dict.fromkeys(words) if word not in known]
        if new:
            # A blank line between the words makes each a clause of its own, and its phonemes a line of their own.
            output = self._run(["-q", "--ipa", "-v", self._voice, "--stdin"], "\n\n".join(new)) or ""
            lines = [line.strip() for line in output.splitlines() if line.strip()]
            if len(lines) != len(new):
                lines = [(self._run(["-q", "--ipa", "-v", self._voice, "--stdin"], one) or "").strip() for one in new]
            known.update(zip(new, lines, strict=True))
        return [known[word] for word in words]

    def _run(self, arguments: list[str], text: str, *, check: bool = True) -> str | None:
        try:
            result = subprocess.run(
                [self._program, *arguments], input=text, capture_output=True, text=True, encoding="utf-8",
                errors="replace", timeout=_TIMEOUT, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise TextError(f"espeak-ng did not answer: {error}") from error
        if result.returncode != 0:
            if check:
                raise TextError(f"espeak-ng failed: {result.stderr.strip()[:200]}")
            return None
        return result.stdout


def _pronunciation(word: str, line: str) -> Pronunciation:
    # (en) ... (fr): the program's note that it changed the language for a word.
    phonemes, unknown = split_ipa(re.sub(r"\([a-z-]{2,10}\)", "", line).replace("_", "").replace("-", ""))
    if not phonemes:
        return Pronunciation((), "back end", f"left out {word!r}: espeak-ng gives it no phonemes")
    warning = f"{word!r}: no phone for {' '.join(unknown)}" if unknown else ""
    return Pronunciation(phonemes, "back end", warning)
