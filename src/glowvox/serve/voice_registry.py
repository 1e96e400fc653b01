"""Voice registry: the voices of a server, found by name and by nothing else, loaded when they are first asked for."""

import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from glowvox.errors import ConfigError, GlowvoxError, VoiceError, one_line
from glowvox.serve.access_log import LOGGER
from glowvox.serve.refusal import Refusal
from glowvox.synthesis.explanation import Explanation
from glowvox.synthesis.installed_voices import find_voice, installed_voices, load_voice, read_card
from glowvox.synthesis.options import SpeechOptions
from glowvox.synthesis.script import options_of
from glowvox.synthesis.shared_engines import SharedEngines
from glowvox.synthesis.voice import FIRST_SECONDS, Voice
from glowvox.synthesis.voice_card import VoiceCard

MODEL = "glowvox"
OPENAI_MODELS = ("tts-1", "tts-1-hd", "gpt-4o-mini-tts")
"""Models that clients written for OpenAI ask for; they mean ours."""
_DATED = re.compile(r"-\d{4}(-\d\d-\d\d)?")
"""What follows the name of a model's dated version: `tts-1-1106`, `gpt-4o-mini-tts-2025-12-15`."""
OPENAI_VOICES = frozenset(
    ["alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage", "shimmer", "verse"]
)
"""Voices that such clients ask for; they mean the default voice, unless a voice of ours has the name."""
DEFAULT = "default"
_LONGER_FIRST_SECONDS = 1.0
"""Speech in the first chunk of a stream where the machine is fast: a tenth less is computed in all."""
_FAST = 0.04
"""Seconds of processor time in which a fast machine says a word; on others, the first chunk is short and there soon."""


class ServedVoice:
    """A served voice: its card is in memory, and its models while they are used. Calls may come from several threads.

    Args:
        card: what the voice is.
        load: loads it; None: it is given, and kept.
        voice: the voice itself, if it is loaded already.
    """

    def __init__(self, card: VoiceCard, load: Callable[[], Voice] | None, voice: Voice | None = None) -> None:
        self.card = card
        self._load = load
        self._voice = voice
        self._first_seconds = FIRST_SECONDS
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
            yield from voice.stream(text, first_seconds=self._first_seconds, **arguments)

    def explain(self, text: str, **arguments: Any) -> Explanation:
        """Return what `Voice.explain` does.

        Raises:
            GlowvoxError: see there.
            Refusal: the voice cannot be loaded.
        """
        with self._in_use() as voice:
            return voice.explain(text, **arguments)

    def warm_up(self) -> None:
        """Speak, so that all is loaded that is loaded only then, and see how fast it goes."""
        with self._in_use() as voice:
            self._try_out(voice)

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
                    voice = self._load()
                except (GlowvoxError, OSError) as error:
                    told = {"voice": self.name, "error": one_line(error, limit=500)}
                    logging.getLogger(LOGGER).error("voice cannot be loaded", extra={"told": told})
                    why = f"the voice {self.name} cannot be loaded; the server's log says why"
                    raise Refusal(503, why, code="voice_unavailable") from error
                with suppress(GlowvoxError):  # whoever asks for it is told
                    self._try_out(voice)
                self._voice = voice
                loaded = {"voice": self.name, "took_seconds": round(time.monotonic() - began, 3)}
                logging.getLogger(LOGGER).info("voice loaded", extra={"told": loaded})
            return self._voice

    def _try_out(self, voice: Voice) -> None:
        """Have a voice speak, and decide once how its streams are cut: the cuts decide how their samples are rounded.

        Raises:
            GlowvoxError: see `Voice.say`.
        """
        took = []
        for _ in range(3):  # at first, much is loaded; after that, the time that was disturbed less counts
            began = time.thread_time()  # however busy the machine is now
            voice.say("Ready.", on_warning=lambda _: None)
            took.append(time.thread_time() - began)
        self._first_seconds = _LONGER_FIRST_SECONDS if min(took) <= _FAST else FIRST_SECONDS


@dataclass(frozen=True)
class Selection:
    """The selected voice, and which of its speakers."""

    voice: ServedVoice
    speaker: str | None


class VoiceRegistry:
    """Voices by name; the first one is the default.

    Args:
        voices: the voices.
        aliases: other names, each with the voice that it means ("kathleen", or "vctk/p225" for a speaker).

    Raises:
        VoiceError: there is no voice, or two have one name.
        ConfigError: an alias means a voice or speaker that is not there.
    """

    def __init__(self, voices: Iterable[Voice | ServedVoice], aliases: Mapping[str, str] | None = None) -> None:
        self._voices: dict[str, ServedVoice] = {}
        for voice in map(_served, voices):
            if voice.name in self._voices:
                raise VoiceError(f"two voices are called '{voice.name}'; a server finds them by name")
            self._voices[voice.name] = voice
        if not self._voices:
            raise VoiceError("a server needs a voice")
        self.default = next(iter(self._voices.values()))
        """The voice that speaks where none is named."""
        self._aliases: dict[str, str] = {}
        for alias, name in (aliases or {}).items():
            try:
                self.find(name)
            except Refusal as error:
                raise ConfigError(f"the alias '{alias[:100]}' cannot be used: {error.message}") from error
        self._aliases = {alias.lower(): name for alias, name in (aliases or {}).items()}

    def __iter__(self) -> Iterator[ServedVoice]:
        return iter(self._voices.values())

    def release(self, seconds: float) -> list[str]:
        """Let go of the voices that nobody has used for so long, but for the default; return their names."""
        return [voice.name for voice in self if voice is not self.default and voice.release(seconds)]

    def find(self, name: str | None, speaker: str | None = None) -> Selection:
        """Return the voice of a name: "kathleen", or "vctk/p225" for one of its speakers; an alias counts first.

        Raises:
            Refusal: there is no such voice or speaker.
        """
        voice, param = self.default, "speaker"
        if name and (meant := self._aliases.get(name.lower())) is not None:
            own, _, aliased = meant.partition("/")
            name, speaker = (meant, speaker) if meant in self._voices else (own, speaker or aliased or None)
        if name and (name := self._own_name(name)) != DEFAULT:
            first, _, second = name.partition("/")
            if name in self._voices:
                voice = self._voices[name]
            elif second and first in self._voices:
                voice, speaker, param = self._voices[first], second, "voice"
            elif name.lower() not in OPENAI_VOICES:
                known = ", ".join(self._voices)
                raise Refusal(
                    404, f"there is no voice '{name[:100]}'; there are {known}", param="voice", code="voice_not_found"
                )
        if speaker is not None and speaker not in voice.card.speakers:
            known = ", ".join(voice.card.speakers[:20])
            raise Refusal(
                404,
                f"the voice {voice.name} has no speaker '{speaker[:100]}'; it has {known}",
                param=param,
                code="voice_not_found",
            )
        return Selection(voice, speaker)

    def _own_name(self, name: str) -> str:
        """Return a voice's name as it is written here: clients that show names in capitals ask for them so."""
        first, slash, second = name.partition("/")
        if name in self._voices or first in self._voices:
            return name
        for wanted, rest in ((name, ""), (first, slash + second)):
            meant = [known for known in (*self._voices, DEFAULT) if known.lower() == wanted.lower()]
            if len(meant) == 1:  # "Nora" and "NORA" side by side are two voices
                return meant[0] + rest
        return name

    def check_model(self, name: str) -> None:
        """Accept the names of models that mean ours, dated versions too.

        Raises:
            Refusal: it is none of them.
        """
        known = (MODEL, *OPENAI_MODELS)
        wanted = name.lower()
        if wanted not in known and not any(_DATED.fullmatch(wanted.removeprefix(model)) for model in known):
            raise Refusal(
                404, f"there is no model '{name[:100]}'; the model is '{MODEL}'", param="model", code="model_not_found"
            )

    def names(self) -> list[str]:
        """Return every name by which a voice can be asked for, those of speakers as NAME/SPEAKER."""
        speakers = [
            f"{voice.name}/{name}" for voice in self if len(voice.card.speakers) > 1 for name in voice.card.speakers
        ]
        return [*self._voices, *speakers, *self._aliases]

    def listing(self) -> list[dict[str, Any]]:
        """Return what clients may know of the voices."""
        return [
            {
                "id": voice.name,
                "name": voice.name,
                "language": voice.card.language,
                "languages": list(voice.card.front_ends),
                "speakers": list(voice.card.speakers),
                "sample_rate": voice.card.sample_rate,
                "licence": voice.card.licence,
                "description": voice.card.description,
                "melody": voice.has_melody,
                "default": voice is self.default,
            }
            for voice in self
        ]


def _served(voice: Voice | ServedVoice) -> ServedVoice:
    return ServedVoice.kept(voice) if isinstance(voice, Voice) else voice


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
