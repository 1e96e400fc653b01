"""Tools for assistants: say aloud, say to a file, list voices, explain a reading, each from a table of arguments.

They know nothing of a protocol (`mcp_server` speaks it). Arguments come from a language model: they are checked by
name and type, files are written into one folder and replace nothing unasked, and voices are those that are installed.
"""

import contextlib
import math
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from glowvox.errors import ConfigError, VoiceError
from glowvox.synthesis.installed_voices import DEFAULT, installed_voices
from glowvox.synthesis.playback import Playback
from glowvox.synthesis.voice import Voice

_MOST_CHARACTERS = 50_000
_SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")
_TYPES = {"string": "a text", "number": "a number", "boolean": "true or false"}


@dataclass(frozen=True)
class ToolArgument:
    """An argument of a tool."""

    type: str
    """As JSON schemas call it: string, number or boolean."""
    meaning: str
    required: bool = False
    choices: tuple[str, ...] = ()
    """The values that it may have; none: any."""


@dataclass(frozen=True)
class Tool:
    """What a tool does, and with what."""

    meaning: str
    arguments: Mapping[str, ToolArgument] = field(default_factory=dict)
    changes: bool = False
    """Whether something is heard or written."""

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of the arguments."""
        properties = {
            name: {"type": one.type, "description": one.meaning} | ({"enum": list(one.choices)} if one.choices else {})
            for name, one in self.arguments.items()
        }
        required = [name for name, one in self.arguments.items() if one.required]
        return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


_TEXT = ToolArgument("string", "The text: plain, Markdown, HTML or SSML.", required=True)
_HOW = {
    "voice": ToolArgument("string", "Name of an installed voice; list_voices has them."),
    "speaker": ToolArgument("string", "Name of a speaker, of a voice with several."),
    "language": ToolArgument("string", "Language tag such as en-us, of a voice with several."),
    "markup": ToolArgument(
        "string", "What the text is written in.", choices=("auto", "plain", "markdown", "html", "ssml")
    ),
}
_SOUND = {
    "speed": ToolArgument("number", "Speaking rate; 1 is natural, 2 is twice as fast."),
    "pitch_shift": ToolArgument("number", "Semitones by which the voice is higher."),
}
TOOLS: Mapping[str, Tool] = {
    "say": Tool(
        "Say a text aloud on the user's computer; returns when it was heard.",
        {"text": _TEXT, **_HOW, **_SOUND},
        changes=True,
    ),
    "say_to_file": Tool(
        "Say a text into a sound file.",
        {
            "text": _TEXT,
            "file": ToolArgument("string", f"Name of the file, ending in {', '.join(_SUFFIXES)}.", required=True),
            "overwrite": ToolArgument("boolean", "Whether a file that is there may be replaced."),
            **_HOW,
            **_SOUND,
        },
        changes=True,
    ),
    "list_voices": Tool("List the installed voices with their languages, speakers and licences."),
    "explain_reading": Tool(
        "Explain how a text would be read: as normalised text, and word by word with phonemes in IPA, where they are "
        "from, and what was guessed or left out.",
        {"text": _TEXT, **_HOW},
    ),
}
"""The tools by name."""


@final
class AssistantTools:
    """The tools at work.

    Args:
        load: returns the voice of a name; None is the default.
        folder: which files are written into.
    """

    def __init__(self, load: Callable[[str | None], Voice], folder: Path) -> None:
        self._load = load
        self._folder = folder
        self._voices: dict[str | None, Voice] = {}
        self._loading = threading.Lock()
        self._naming = threading.Lock()
        self._begun: set[Path] = set()
        """Files that calls are at work on."""
        self._work = {
            "say": self._say,
            "say_to_file": self._say_to_file,
            "list_voices": self._list_voices,
            "explain_reading": self._explain_reading,
        }

    def call(self, name: str, arguments: Mapping[str, Any], playback: Playback) -> dict[str, Any]:
        """Use a tool, and return what came of it as JSON data.

        Args:
            name: of the tool.
            arguments: by name.
            playback: of what is said aloud; stopped from elsewhere, it ends the call.

        Raises:
            GlowvoxError: there is no such tool, the arguments are wrong, or the text cannot be spoken.
        """
        if name not in TOOLS:
            raise ConfigError(f"there is no tool '{name[:60]}'; there are {', '.join(TOOLS)}")
        _check(name, arguments)
        return self._work[name](arguments, playback)

    def _say(self, arguments: Mapping[str, Any], playback: Playback) -> dict[str, Any]:
        voice, overrides, warnings = self._voice(arguments), _overrides(arguments), list[str]()
        chunks = voice.stream(arguments["text"], on_warning=warnings.append, **overrides)
        seconds = playback.play(chunks, voice.sample_rate)
        return {"said_seconds": round(seconds, 3), "voice": voice.name, "warnings": warnings}

    def _say_to_file(self, arguments: Mapping[str, Any], playback: Playback) -> dict[str, Any]:
        with self._target(arguments["file"], overwrite=arguments.get("overwrite", False)) as target:
            return self._write(target, arguments, playback)

    def _write(self, target: Path, arguments: Mapping[str, Any], playback: Playback) -> dict[str, Any]:
        voice, overrides, warnings = self._voice(arguments), _overrides(arguments), list[str]()
        audio = voice.say(arguments["text"], on_warning=warnings.append, **overrides)
        if playback.stopped:
            raise ConfigError("stopped; nothing was written")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"cannot make the folder {target.parent}: {error.strerror}") from error
        audio.save(target)
        return {
            "file": str(target),
            "seconds": round(audio.duration, 3),
            "sample_rate": audio.sample_rate,
            "voice": voice.name,
            "warnings": warnings,
        }

    def _list_voices(self, arguments: Mapping[str, Any], playback: Playback) -> dict[str, Any]:
        voices: list[dict[str, Any]] = []
        for installed in installed_voices():
            try:
                card = installed.card()
            except VoiceError as error:
                voices.append({"name": installed.name, "error": str(error)})
                continue
            voices.append(
                {
                    "name": installed.name,
                    "languages": sorted({card.language, *card.speaker_languages.values()}),
                    "speakers": list(card.speakers),
                    "licence": card.licence,
                    "description": card.description,
                }
            )
        return {"voices": voices}

    def _explain_reading(self, arguments: Mapping[str, Any], playback: Playback) -> dict[str, Any]:
        return self._voice(arguments).explain(arguments["text"], **_overrides(arguments)).to_dict()

    def _voice(self, arguments: Mapping[str, Any]) -> Voice:
        """Return the voice that is asked for: an installed one, as a name may be anything that a model thinks of."""
        name = arguments.get("voice")
        name = None if name == DEFAULT else name
        if name is not None and name not in (known := [voice.name for voice in installed_voices()]):
            raise VoiceError(f"there is no voice '{name[:60]}'; installed are {', '.join(known) or 'none'}")
        with self._loading:
            if name not in self._voices:
                self._voices[name] = self._load(name)
            return self._voices[name]

    @contextlib.contextmanager
    def _target(self, name: str, *, overwrite: bool) -> Iterator[Path]:
        """Keep the place of a file in the folder for the one who writes it.

        Raises:
            ConfigError: it lies elsewhere, names no format, is there already, or another call writes it.
        """
        with self._naming:
            target = self._place(name, overwrite=overwrite)
            if target in self._begun:
                raise ConfigError(f"file: '{_told(name)}' is being written by another call; choose another name")
            self._begun.add(target)
        try:
            yield target
        finally:
            with self._naming:
                self._begun.discard(target)

    def _place(self, name: str, *, overwrite: bool) -> Path:
        try:
            folder = self._folder.resolve()
            target = (folder / name).resolve()
            if not target.is_relative_to(folder) or target == folder:
                raise ConfigError(f"file: '{_told(name)}' is outside {folder}; name a file in it")
            if target.suffix.lower() not in _SUFFIXES:
                raise ConfigError(f"file: '{_told(name)}' names no format; end it in {', '.join(_SUFFIXES)}")
            if target.exists() and not (overwrite and target.is_file()):
                raise ConfigError(f"file: '{_told(name)}' is there already; choose another name, or overwrite it")
        except (OSError, ValueError, RuntimeError) as error:
            raise ConfigError(f"file: '{_told(name)}' cannot be the name of a file") from error
        return target


def _check(tool: str, arguments: Mapping[str, Any]) -> None:
    known = TOOLS[tool].arguments
    for name, value in arguments.items():
        if name not in known:
            raise ConfigError(f"{tool} has no argument '{_told(name)}'; it has {', '.join(known) or 'none'}")
        fits = {"string": isinstance(value, str), "number": _is_number(value), "boolean": isinstance(value, bool)}
        if not fits[known[name].type]:
            raise ConfigError(f"{tool}: {name} must be {_TYPES[known[name].type]}, got {_shown(value)}")
        if known[name].choices and value not in known[name].choices:
            raise ConfigError(f"{tool}: {name} is one of {', '.join(known[name].choices)}, not '{_told(value)}'")
    for name, argument in known.items():
        if argument.required and name not in arguments:
            raise ConfigError(f"{tool} needs the argument {name}")
    if len(arguments.get("text", "")) > _MOST_CHARACTERS:
        raise ConfigError(f"{tool}: the text has more than {_MOST_CHARACTERS:,} characters; say it in parts")


def _is_number(value: Any) -> bool:
    """Return whether a value is a number that is no larger than a float may be."""
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        return False


def _overrides(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: arguments[name] for name in ("speaker", "language", "markup", *_SOUND) if name in arguments}


def _shown(value: Any) -> str:
    try:
        return _told(repr(value))
    except ValueError:  # Python writes no number of more than 4300 digits
        return "one of thousands of digits"


def _told(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text[:60])
