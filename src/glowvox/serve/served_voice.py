"""A voice of a server: known from the start, loaded when it is first asked for, let go after a time without use."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from glowvox.errors import GlowvoxError, one_line
from glowvox.serve.refusal import Refusal
from glowvox.serve.request_log import LOGGER
from glowvox.synthesis.explanation import Explanation
from glowvox.synthesis.installed_voices import find_voice, installed_voices, load_voice, read_card
from glowvox.synthesis.options import SpeechOptions
from glowvox.synthesis.script import options_of
from glowvox.synthesis.shared_engines import SharedEngines
from glowvox.synthesis.voice import Voice
from glowvox.synthesis.voice_card import VoiceCard


class ServedVoice:
    """A voice whose card is in memory, and its models while somebody uses them. Calls may come from several threads.

    Args:
        card: what the voice is.
        load: loads it; None: it is given, and kept.
        voice: the voice itself, if it is loaded already.
    """

    def __init__(self, card: VoiceCard, load: Callable[[], Voice] | None, voice: Voice | None = None) -> None:
        self.card = card
        self._load = load
        self._voice = voice
        self._users = 0
        self._used = time.monotonic()
        self._lock = threading.Lock()
        self._loading = threading.Lock()

    @classmethod
    def kept(cls, voice: Voice) -> "ServedVoice":
        """Return a voice that is loaded and stays so."""
        return cls(voice.card, None, voice)

    @property
    def name(self) -> str:
        """The voice's name."""
        return self.card.name

    @property
    def sample_rate(self) -> int:
        """Samples per second."""
        return self.card.vocoder.mel.sample_rate

    @property
    def speakers(self) -> tuple[str, ...]:
        """Names of the speakers; the first one speaks where none is named."""
        return self.card.speakers

    @property
    def has_melody(self) -> bool:
        """Whether its pitch can be changed."""
        voice = self._voice
        return bool(self.card.acoustic_config.get("melody")) if voice is None else voice.has_melody

    @property
    def loaded(self) -> bool:
        """Whether its models are in memory."""
        return self._voice is not None

    def options(self, **overrides: Any) -> SpeechOptions:
        """Return the voice's options with overrides in place of some; see `Voice.options`.

        Raises:
            ConfigError, VoiceError: see there.
        """
        return options_of(self.card, overrides)

    def stream(self, text: str | Iterable[str], **arguments: Any) -> Iterator[Any]:
        """Yield the chunks of `Voice.stream`.

        Raises:
            GlowvoxError: see there.
            Refusal: the voice cannot be loaded.
        """
        with self._in_use() as voice:
            yield from voice.stream(text, **arguments)

    def explain(self, text: str, **arguments: Any) -> Explanation:
        """Return what `Voice.explain` does.

        Raises:
            GlowvoxError: see there.
            Refusal: the voice cannot be loaded.
        """
        with self._in_use() as voice:
            return voice.explain(text, **arguments)

    def warm_up(self) -> None:
        """Speak a word, so that all is loaded that is loaded only then."""
        with self._in_use() as voice:
            voice.say("Ready.", on_warning=lambda _: None)

    def release(self, seconds: float) -> bool:
        """Let the models go if nobody has used them for so long; return whether that was done."""
        with self._lock:
            idle = not self._users and time.monotonic() - self._used >= seconds
            if self._load is None or self._voice is None or not idle:
                return False
            self._voice = None
            return True

    @contextmanager
    def _in_use(self) -> Iterator[Voice]:
        with self._lock:
            self._users += 1
            voice = self._voice
        try:
            yield self._loaded() if voice is None else voice
        finally:
            with self._lock:
                self._users -= 1
                self._used = time.monotonic()

    def _loaded(self) -> Voice:
        with self._loading:
            if self._voice is None:
                assert self._load is not None
                began = time.monotonic()
                try:
                    self._voice = self._load()
                except (GlowvoxError, OSError) as error:
                    told = {"voice": self.name, "error": one_line(error, limit=500)}
                    logging.getLogger(LOGGER).error("voice cannot be loaded", extra={"told": told})
                    why = f"the voice {self.name} cannot be loaded; the server's log says why"
                    raise Refusal(503, why, code="voice_unavailable") from error
                loaded = {"voice": self.name, "took_seconds": round(time.monotonic() - began, 3)}
                logging.getLogger(LOGGER).info("voice loaded", extra={"told": loaded})
            return self._voice


@dataclass(frozen=True)
class FoundVoice:
    """A voice that is to be served, and what it is loaded from."""

    voice: ServedVoice
    source: str | Path | None


def find_voices(names: Sequence[str], **options: Any) -> list[FoundVoice]:
    """Return the voices to serve; the first one, the default, is loaded now and kept.

    Several voices that are made with one vocoder have it in memory once.

    Args:
        names: names, folders or `.voice` files; none: the default voice and everyone that is installed.
        **options: of `load_voice`.

    Raises:
        GlowvoxError: a voice that was named is not there, or the default cannot be loaded. An installed one that is
            damaged is left out, and the log says so.
    """
    shared = SharedEngines()
    first = names[0] if names else None
    found = [FoundVoice(ServedVoice.kept(load_voice(first, shared=shared, **options)), first)]
    if names:
        for name in names[1:]:
            load = partial(load_voice, name, shared=shared, **options)
            found.append(FoundVoice(ServedVoice(read_card(find_voice(name)), load), name))
        return found
    default = find_voice(None)
    taken = {found[0].voice.name}
    for installed in installed_voices():
        if installed.path == default:
            continue
        try:
            card = installed.card()
            if card.name in taken:
                raise GlowvoxError(f"{installed.path}: another voice is called '{card.name}' already")
        except (GlowvoxError, OSError) as error:
            told = {"voice": installed.name, "error": one_line(error, limit=500)}
            logging.getLogger(LOGGER).warning("voice left out", extra={"told": told})
            continue
        taken.add(card.name)
        load = partial(load_voice, installed.path, shared=shared, **options)
        found.append(FoundVoice(ServedVoice(card, load), installed.path))
    return found
