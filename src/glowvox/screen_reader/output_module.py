"""The output module itself: commands answered one after the other, one message spoken meanwhile.

One thread reads and answers. Each message is spoken by a thread of its own, so that a stop is answered at once, however
long the model is still at work; what that has made is thrown away.
"""

import contextlib
import fcntl
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from glowvox import __version__
from glowvox.audio.files import quantise, read_audio
from glowvox.errors import ConfigError, GlowvoxError
from glowvox.screen_reader.module_configuration import ModuleConfiguration, read_module_configuration
from glowvox.screen_reader.module_log import begin_log, log, set_log_level
from glowvox.screen_reader.narration import Heard, Narrator
from glowvox.screen_reader.playback import SystemPlayer, player_command
from glowvox.screen_reader.protocol import (
    BAD_PARAMETER,
    BAD_SYNTAX,
    CANNOT_SPEAK,
    END,
    PAUSED,
    STOPPED,
    Turn,
    Wire,
)
from glowvox.screen_reader.reading import RESUMABLE, character_reading, key_reading, text_readings
from glowvox.screen_reader.resident_voices import ResidentVoices, installed_resident_voices
from glowvox.screen_reader.settings import Settings

_AT_WORK = 2
"""Messages that the model works on at most: the one to be heard, and one that was stopped and is not finished yet."""
_PIPE_BYTES = 4096
_ICON_SUFFIXES = ("", ".wav", ".ogg", ".flac")


@dataclass
class _Playing:
    """A message being spoken."""

    turn: Turn
    thread: threading.Thread
    player: SystemPlayer | None = None


class OutputModule:
    """Speaks for speech-dispatcher until the server goes."""

    def __init__(self, wire: Wire, voices: Callable[[], ResidentVoices], configuration: ModuleConfiguration) -> None:
        """Take what it works with.

        Args:
            wire: to the server.
            voices: looks them up, when the server begins.
            configuration: of the module.
        """
        self._wire = wire
        self._find_voices = voices
        self._configuration = configuration
        self._voices: ResidentVoices | None = None
        self._narrator = Narrator()
        self._settings = Settings()
        self._playing: _Playing | None = None
        self._player: tuple[str, ...] | None = None
        """What plays; None: the server does."""
        self._at_work = threading.Semaphore(_AT_WORK)
        self._debug: logging.Handler | None = None

    def run(self) -> int:
        """Answer until the server says QUIT or is gone; return the exit status."""
        commands: dict[str, Callable[[str], None]] = {
            "SPEAK": lambda _: self._speak("text"), "CHAR": lambda _: self._speak("char"),
            "KEY": lambda _: self._speak("key"), "SOUND_ICON": lambda _: self._speak("icon"),
            "STOP": lambda _: self._stop(), "PAUSE": lambda _: self._pause(), "SET": lambda _: self._set(),
            "AUDIO": lambda _: self._audio(), "LOGLEVEL": lambda _: self._log_level(), "LIST": self._list,
            "DEBUG": self._debugging,
        }  # fmt: skip
        while (line := self._wire.line()) is not None:
            name, _, rest = line.partition(" ")
            if name == "QUIT":
                self._close()
                self._wire.say("210 OK QUIT")
                return 0
            if self._voices is None:
                if name != "INIT":
                    self._wire.say("300 ERR UNKNOWN COMMAND")
                elif not self._begin():
                    return 1
                continue
            command = commands.get(name)
            if command is None:
                self._wire.say("300 ERR UNKNOWN COMMAND")
                continue
            try:
                command(rest)
            except (ValueError, ArithmeticError, LookupError, TypeError, AttributeError):
                # A defect of ours; without the module somebody would be without speech.
                log().exception("cannot answer %r", line[:60])
                self._wire.say("401 ERROR INTERNAL")
        self._close()
        return 0

    def _begin(self) -> bool:
        try:
            voices = self._find_voices()
            voice = voices.warm()
        except GlowvoxError as error:
            self._wire.say(f"399-{error}", "399 ERR CANT INIT MODULE")
            return False
        gc.collect()
        gc.freeze()  # what is resident is never searched again while somebody listens
        self._voices = voices
        self._wire.say(f"299-Glowvox {__version__} speaks as {voice.name}", "299 OK LOADED SUCCESSFULLY")
        return True

    def _close(self) -> None:
        playing = self._playing
        if playing is not None:
            self._stop()
            playing.thread.join(0.5)

    def _speak(self, kind: str) -> None:
        self._wire.say("202 OK RECEIVING MESSAGE")
        lines = self._wire.block()
        if lines is None:
            return
        message = "\n".join(lines)
        if not message:
            self._wire.say(CANNOT_SPEAK)
            return
        if kind != "text" and len(lines) > 1:
            self._wire.say("305 DATA MORE THAN ONE LINE")
            return
        if kind in ("char", "key") and message == "space":
            message = " "
        self._stop()  # the server waits for the end of a message; whoever does not has stopped it
        turn = Turn(self._wire)
        settings = self._settings
        thread = threading.Thread(target=self._spoken, args=(turn, kind, message, settings), daemon=True)
        self._playing = _Playing(turn, thread)
        self._wire.say("200 OK SPEAKING")
        thread.start()

    def _spoken(self, turn: Turn, kind: str, message: str, settings: Settings) -> None:
        """Speak a message, in a thread of its own."""
        try:
            with self._at_work:
                if not turn.over:
                    self._sound(turn, *self._heard(kind, message, settings))
        except GlowvoxError as error:
            log().error("cannot speak %r: %s", message[:60], error)
        except OSError as error:
            log().info("the server is gone: %s", error)
            return
        except Exception:
            log().exception("cannot speak %r", message[:60])
        try:
            turn.begin()
            pausing = turn.pausing
            if pausing:
                # The server of 0.11.4 pauses at marks alone; at one that is not in the text nothing is left to resume.
                turn.mark(f"{RESUMABLE}{turn.passed}")
            turn.end(PAUSED if pausing else END)
        except OSError as error:
            log().info("the server is gone: %s", error)

    def _heard(self, kind: str, message: str, settings: Settings) -> tuple[int, Iterator[Heard]]:
        """Return a message's sample rate, and its samples and marks."""
        assert self._voices is not None
        if kind == "icon":
            icon = self._icon(message)
            if icon is not None:
                samples, rate = icon
                return rate, iter([samples * np.float32(settings.gain)])
        chosen = self._voices.chosen(settings)
        language = chosen.language
        if kind == "char":
            readings = iter([character_reading(message, settings, language)])
        elif kind == "key":
            readings = iter([key_reading(message, settings, language)])
        else:
            readings = text_readings(message, settings, language)
        short = kind in ("char", "key")
        return chosen.voice.sample_rate, self._narrator.heard(readings, chosen, settings, short=short)

    def _icon(self, name: str) -> tuple[NDArray[np.float32], int] | None:
        """Return a sound icon's samples and their rate; None: there is none of that name."""
        if not name or name != Path(name).name or name.startswith("."):
            return None
        for suffix in _ICON_SUFFIXES:
            path = self._configuration.icons / f"{name}{suffix}"
            try:
                if path.is_file():
                    return read_audio(path)
            except (GlowvoxError, OSError, ValueError) as error:
                log().warning("the sound icon %s: %s", path, error)
        return None

    def _sound(self, turn: Turn, rate: int, heard: Iterator[Heard]) -> None:
        """Give the server, or the player, what is heard, as long as the turn lasts."""
        player = None if self._player is None else SystemPlayer(self._player, rate)
        playing = self._playing
        if player is not None and playing is not None and playing.turn is turn:
            playing.player = player
        try:
            for one in heard:
                turn.begin()
                if isinstance(one, str):
                    pausing = turn.pausing
                    if turn.mark(one) and one.startswith(RESUMABLE):
                        turn.passed += 1
                        if pausing:
                            turn.end(PAUSED)
                elif len(one):
                    samples = quantise(np.clip(one, -1.0, 1.0), "PCM_16").astype(np.int16)
                    if player is None:
                        turn.sound(samples, rate)
                    elif not player.push(samples, lambda: turn.over):
                        break
                if turn.over:
                    return
            if player is not None:
                player.finish()
        finally:
            if player is not None:
                player.stop()

    def _stop(self) -> None:
        playing, self._playing = self._playing, None
        if playing is None:
            return
        if playing.player is not None:
            playing.player.stop()
        playing.turn.end(STOPPED)

    def _pause(self) -> None:
        if self._playing is not None:
            self._playing.turn.pausing = True

    def _set(self) -> None:
        self._wire.say("203 OK RECEIVING SETTINGS")
        settings = self._settings

        def take(name: str, value: str) -> None:
            nonlocal settings
            settings = settings.with_line(name, value)

        if self._parameters(take):
            self._settings = settings
            self._wire.say("203 OK SETTINGS RECEIVED")

    def _audio(self) -> None:
        self._wire.say("207 OK RECEIVING AUDIO SETTINGS")
        found: dict[str, str] = {}
        if not self._parameters(found.__setitem__):
            return
        method = found.get("audio_output_method", "server")
        try:
            self._player = None if method == "server" else player_command(method)
        except GlowvoxError as error:
            self._wire.say(f"300-{error}", "300 MODULE ERROR")
            return
        self._wire.say("203 OK AUDIO INITIALIZED")

    def _log_level(self) -> None:
        self._wire.say("207 OK RECEIVING LOGLEVEL SETTINGS")

        def take(name: str, value: str) -> None:
            if name != "log_level" or not (value.isascii() and value.isdigit()):
                raise ConfigError(f"{name} is no number")
            set_log_level(int(value[:3]))

        if self._parameters(take):
            self._wire.say("203 OK LOGLEVEL SET")

    def _parameters(self, take: Callable[[str, str], None]) -> bool:
        """Read a block of `name=value`; answer and return False where a line is wrong, and take the others."""
        lines = self._wire.block()
        if lines is None:
            return False
        wrong = ""
        for line in lines:
            name, equals, value = line.partition("=")
            if not name or not equals or not value:
                wrong = BAD_SYNTAX
                continue
            try:
                take(name, value)
            except ConfigError as error:
                log().warning("%s", error)
                wrong = BAD_PARAMETER
        if wrong:
            self._wire.say(wrong)
        return not wrong

    def _list(self, rest: str) -> None:
        assert self._voices is not None
        words = rest.split()
        if words[:1] != ["VOICES"]:
            self._wire.say("300 ERR UNKNOWN COMMAND")
            return
        found = self._voices.listed(*words[1:2])
        if len(words) > 2 and words[2].lower() != "none":
            found = []
        if not found:
            self._wire.say("304 CANT LIST VOICES")
            return
        self._wire.say(*(f"200-{one.line}" for one in found), "200 OK VOICE LIST SENT")

    def _debugging(self, rest: str) -> None:
        state, _, file = rest.strip().partition(" ")
        if state not in ("ON", "OFF") or (state == "ON" and not file):
            self._wire.say(BAD_SYNTAX)
            return
        if self._debug is not None:
            log().removeHandler(self._debug)
            self._debug.close()
            self._debug = None
        if state == "ON":
            try:
                self._debug = logging.FileHandler(file.strip(), encoding="utf-8", errors="replace")
            except (OSError, ValueError):
                self._wire.say("303 CANT OPEN CUSTOM DEBUG FILE")
                return
            log().addHandler(self._debug)
            set_log_level(5)
        self._wire.say(f"200 OK DEBUGGING {state}")


def _shorten(pipe: BinaryIO) -> None:
    """Have a pipe hold as little as it can: what is in it when a stop comes, the server reads before it is silent."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the module over the standard streams; speech-dispatcher starts it, with the path of its configuration."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    _shorten(outgoing)
    os.dup2(2, 1)  # whatever else prints must not stand between the lines of the protocol
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is the server's to end this
    begin_log()
    configuration = read_module_configuration(words[0] if words else None)
    module = OutputModule(
        Wire(incoming, outgoing), lambda: installed_resident_voices(configuration.voice), configuration
    )
    try:
        return module.run()
    except OSError as error:
        log().error("the server is gone: %s", error)
        return 1
