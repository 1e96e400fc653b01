"""Teachers for distillation: a command line, a server with OpenAI's speech endpoint, or a Python function.

Each is asked for one text at a time and answers with samples. What goes wrong with one text is a `TeacherError`, and
the next text is asked for; a teacher that hangs is ended, and one that died is started again.
"""

import contextlib
import importlib
import importlib.util
import inspect
import io
import json
import os
import shlex
import signal
import struct
import subprocess
import tempfile
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.files import read_audio
from glowvox.errors import AudioError, ConfigError, GlowvoxError

_PLACEHOLDERS = ("text", "text_file", "output", "voice", "seed")
_LARGEST_ANSWER = 1 << 28
"""Bytes of audio that a text can have: half an hour of 24 kHz in 16 bits, three times over."""
_UNKNOWN_SIZES = frozenset({0, 0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFFFFF - 36, 0xFFFFFFFF - 36})
"""Lengths in the header of a WAV that was written while nobody knew its length."""

Speech = tuple[NDArray[np.float32], int, int]
"""Samples `[S]` (mono), their rate in Hz, and the number of channels that there were."""


class TeacherError(GlowvoxError):
    """A teacher did not speak one text."""


@dataclass(frozen=True)
class Request:
    """One text to speak."""

    text: str
    voice: str
    seed: int
    """Below 2^31, a function of voice, id and text: the same in every run."""


class Teacher(ABC):
    """Something that speaks texts. One object serves one thread."""

    @abstractmethod
    def speak(self, request: Request) -> Speech:
        """Speak one text.

        Raises:
            TeacherError: no speech came, or none that can be read.
        """

    def close(self) -> None:
        """Let go of processes."""
        return


OpenTeacher = Callable[[], Teacher]
"""Opens a teacher for one more thread."""


class CommandTeacher(Teacher):
    """A command line, run once for each text.

    Args:
        command: words with `{text}` or `{text_file}` for the text (neither: it comes on standard input), `{output}` for
            the file to write (without it: audio comes on standard output), `{voice}` and `{seed}`. No shell sees it.
        timeout: seconds for one text.

    Raises:
        ConfigError: an empty command, an unknown placeholder, or an unbalanced quotation mark.
    """

    def __init__(self, command: str, timeout: float) -> None:
        try:
            self._words = shlex.split(command)
        except ValueError as error:
            raise ConfigError(f"the teacher's command cannot be split into words ({error}): {command}") from error
        if not self._words:
            raise ConfigError("the teacher's command is empty")
        try:
            for word in self._words:
                word.format(**dict.fromkeys(_PLACEHOLDERS, ""))
        except (KeyError, IndexError, ValueError) as error:
            known = ", ".join(f"{{{name}}}" for name in _PLACEHOLDERS)
            raise ConfigError(
                f"the teacher's command has a placeholder that is not one of {known} ({error}); write {{{{ and }}}} "
                "for braces"
            ) from error
        self._used = {name for name in _PLACEHOLDERS if any(f"{{{name}}}" in word for word in self._words)}
        self._timeout = timeout

    def speak(self, request: Request) -> Speech:
        """See `Teacher.speak`."""
        with tempfile.TemporaryDirectory(prefix="glowvox-teacher-") as folder:
            output = Path(folder) / "speech.wav"
            values = {"text": request.text, "voice": request.voice, "seed": str(request.seed), "output": str(output)}
            if "text_file" in self._used:
                path = Path(folder) / "text.txt"
                path.write_text(request.text, encoding="utf-8")
                values["text_file"] = str(path)
            words = [word.format(**{**dict.fromkeys(_PLACEHOLDERS, ""), **values}) for word in self._words]
            given = None if self._used & {"text", "text_file"} else request.text.encode()
            answer = self._run(words, given)
            if "output" not in self._used:
                return _decoded(answer)
            if not output.is_file():
                raise TeacherError("the command ended well and wrote no file to {output}")
            return _decoded(output.read_bytes())

    def _run(self, words: list[str], given: bytes | None) -> bytes:
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL if given is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise TeacherError(f"'{words[0]}' cannot be started: {why}") from error
        try:
            answer, told = process.communicate(given, timeout=self._timeout)
        except subprocess.TimeoutExpired as error:
            raise TeacherError(f"no answer within {self._timeout:g} s") from error
        finally:
            if process.poll() is None:
                _end(process)
        if process.returncode:
            last = told.decode("utf-8", "replace").strip().splitlines()[-1:] or ["it said nothing"]
            how = f"signal {-process.returncode}" if process.returncode < 0 else f"status {process.returncode}"
            raise TeacherError(f"the command ended with {how}: {last[0][:200]}")
        return answer


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


class ServerTeacher(Teacher):
    """A server with OpenAI's speech endpoint (`POST BASE/audio/speech`).

    Args:
        base: address up to and with the version, such as `http://127.0.0.1:8000/v1`.
        model: name of the model, as the server wants it.
        key: sent as bearer token; empty: none.
        timeout: seconds for one text.

    Raises:
        ConfigError: not an address of the web.
    """

    def __init__(self, base: str, model: str, key: str, timeout: float) -> None:
        if urlsplit(base).scheme not in ("http", "https") or not urlsplit(base).hostname:
            raise ConfigError(f"'{base}' is no address of a server; one looks like http://127.0.0.1:8000/v1")
        self._url = base.rstrip("/") + "/audio/speech"
        self._model, self._key, self._timeout = model, key, timeout

    def speak(self, request: Request) -> Speech:
        """See `Teacher.speak`."""
        fields = {"model": self._model, "input": request.text, "voice": request.voice, "response_format": "wav"}
        headers = {"Content-Type": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        asked = urllib.request.Request(self._url, json.dumps(fields).encode(), headers)
        try:
            with urllib.request.urlopen(asked, timeout=self._timeout) as answer:
                content = answer.read(_LARGEST_ANSWER + 1)
        except urllib.error.HTTPError as error:
            with error:
                told = error.read(2000).decode("utf-8", "replace").strip()
            raise TeacherError(f"the server answered {error.code}: {' '.join(told.split())[:200]}") from error
        except (OSError, ValueError) as error:
            raise TeacherError(f"{self._url}: {getattr(error, 'reason', None) or error}") from error
        return _decoded(content)


class FunctionTeacher(Teacher):
    """A Python function `speak(text, voice, seed) -> (samples, rate)`, called in a process of its own.

    A process, because a function can hang or bring its interpreter down; a new one is started then.

    Args:
        place: `module:function` or `path/to/file.py:function`.
        timeout: seconds for one text; the first one, for which the function is loaded, may take ten times as long.

    Raises:
        ConfigError: not such a name; in `speak`: no such function, or one of other arguments.
    """

    def __init__(self, place: str, timeout: float) -> None:
        module, _, name = place.rpartition(":")
        if not module or not name.isidentifier():
            raise ConfigError(f"'{place}' names no function; write module:function or path/to/file.py:function")
        self._place, self._timeout = (module, name), timeout
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None
        self._patience = 10 * timeout

    def speak(self, request: Request) -> Speech:
        """See `Teacher.speak`."""
        if self._process is None or self._connection is None or not self._process.is_alive():
            self._start()
        assert self._connection is not None
        try:
            self._connection.send((request.text, request.voice, request.seed))
            seconds = self._patience
            if not self._connection.poll(seconds):
                self.close()
                raise TeacherError(f"no answer within {seconds:g} s")
            answer: Any = self._connection.recv()
        except (EOFError, OSError) as error:
            self.close()
            raise TeacherError("the function's process died") from error
        self._patience = self._timeout
        if isinstance(answer, _Unusable):
            self.close()
            raise ConfigError(f"{':'.join(self._place)}: {answer.reason}")
        if isinstance(answer, str):
            raise TeacherError(answer)
        samples, rate = answer
        return _mono(samples, rate)

    def close(self) -> None:
        """See `Teacher.close`."""
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            self._process.kill()
            self._process.join()
        self._process = self._connection = None
        self._patience = 10 * self._timeout

    def _start(self) -> None:
        self.close()
        context = get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_answer, args=(theirs, *self._place), daemon=True)
        self._process.start()
        theirs.close()


@dataclass(frozen=True)
class _Unusable:
    """Why no text at all can be spoken."""

    reason: str


def _answer(connection: Connection, module: str, name: str) -> None:
    """Answer requests in the child until the parent goes."""
    # An interrupt is the parent's business.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    speak: Any = None
    while True:
        try:
            text, voice, seed = connection.recv()
        except (EOFError, OSError):
            return
        try:
            speak = speak or _found(module, name)
        except Exception as error:  # the module is somebody else's and may raise anything
            connection.send(_Unusable(_described(error)))
            continue
        try:
            made = speak(text, voice, seed)
            if not isinstance(made, tuple | list) or len(made) != 2:
                raise TypeError(f"returned {type(made).__name__}, not the samples and their rate")
            answer: Any = (np.asarray(made[0]), int(made[1]))
        except Exception as error:  # the function is somebody else's: whatever it raises concerns this text only
            answer = _described(error)
        connection.send(answer)


def _described(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def _found(module: str, name: str) -> Callable[..., Any]:
    """Return a function of text, voice and seed.

    Raises:
        Exception: whatever importing the module raises, or what says that there is no such function.
    """
    if module.endswith(".py"):
        spec = importlib.util.spec_from_file_location("glowvox_teacher", module)
        if spec is None or spec.loader is None or not Path(module).is_file():
            raise FileNotFoundError(f"no file {module}")
        loaded = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(loaded)
    else:
        loaded = importlib.import_module(module)
    function = getattr(loaded, name, None)
    if not callable(function):
        raise AttributeError(f"no function {name} in it")
    with contextlib.suppress(ValueError):  # some built-in functions do not tell their arguments
        try:
            inspect.signature(function).bind("", "", 0)
        except TypeError as error:
            raise TypeError(f"{name} must take a text, a voice and a seed: {error}") from None
    result: Callable[..., Any] = function
    return result


def _decoded(content: bytes) -> Speech:
    """Return the speech in the bytes of a sound file."""
    if not content:
        raise TeacherError("an answer without a byte")
    if len(content) > _LARGEST_ANSWER:
        raise TeacherError(f"an answer of more than {_LARGEST_ANSWER >> 20} MiB")
    missing = _missing_bytes(content)
    if missing:
        raise TeacherError(f"half a file: {missing} bytes fewer than its header says")
    try:
        import soundfile

        with soundfile.SoundFile(io.BytesIO(content)) as file:
            channels = file.channels
        samples, rate = read_audio(io.BytesIO(content))
    except (AudioError, soundfile.SoundFileError, ValueError, TypeError) as error:
        raise TeacherError(f"an answer that is no sound file ({' '.join(str(error).split())[:120]})") from error
    return samples, rate, channels


def _missing_bytes(content: bytes) -> int:
    """Return how many bytes of a WAV's samples are missing; 0 for other files, which their decoders check."""
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        return 0
    place = 12
    while place + 8 <= len(content):
        size = struct.unpack("<I", content[place + 4 : place + 8])[0]
        if content[place : place + 4] == b"data":
            return 0 if size in _UNKNOWN_SIZES else max(0, place + 8 + size - len(content))
        place += 8 + size + size % 2
    return 0


def _mono(samples: Any, rate: int) -> Speech:
    array = np.asarray(samples)
    if array.dtype.kind == "i":
        array = array / float(1 << (8 * array.dtype.itemsize - 1))
    if array.dtype.kind != "f" or array.ndim not in (1, 2) or rate < 1:
        raise TeacherError(f"the function returned {array.dtype} of shape {array.shape} at {rate} Hz, not samples")
    channels = 1
    if array.ndim == 2:
        # Samples come as [S, channels], as sound files have them, or as [channels, S].
        axis = 1 if array.shape[1] <= array.shape[0] else 0
        channels = array.shape[axis]
        array = array.mean(axis)
    return np.ascontiguousarray(array, np.float32), rate, channels


def open_teacher(
    *, command: str | None, server: str | None, function: str | None, timeout: float, model: str, key: str
) -> OpenTeacher:
    """Return what opens the one teacher that is named.

    Raises:
        ConfigError: none or several are named, or what is named is malformed.
    """
    ways: Mapping[str, Callable[[], Teacher] | None] = {
        "--command": None if command is None else lambda: CommandTeacher(str(command), timeout),
        "--server": None if server is None else lambda: ServerTeacher(str(server), model, key, timeout),
        "--function": None if function is None else lambda: FunctionTeacher(str(function), timeout),
    }
    named = [way for way in ways.values() if way is not None]
    if len(named) != 1:
        raise ConfigError(f"name one teacher: {', '.join(ways)}; {len(named)} were named")
    if not timeout > 0:
        raise ConfigError(f"the seconds for a text must be more than 0, got {timeout}")
    named[0]().close()
    return named[0]
