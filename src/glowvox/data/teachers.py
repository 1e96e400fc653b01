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
import queue
import re
import shlex
import signal
import string
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.files import read_audio
from glowvox.audio.missing_bytes import missing_bytes
from glowvox.errors import AudioError, ConfigError, GlowvoxError, counted

_PLACEHOLDERS = ("text", "text_file", "output", "voice", "seed")
_LARGEST_ANSWER = 1 << 28
"""Bytes of audio that a text can have: half an hour of 24 kHz in 16 bits, three times over."""
_PIECE = 1 << 16
_PATIENCE = 5.0
"""Seconds that a process which was killed may take to end."""
_LONGEST_TIMEOUT = 86400.0
"""Seconds: a day; the clocks of the system take no much larger numbers."""
_UNKNOWN_FRAMES = 2**63 - 1
"""What libsndfile says of a FLAC whose header has no length."""
_COLOURS = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
"""What programs write for terminals."""
_HIGHEST_RATE = 10**9
_STOPPED = "the run was stopped"
_TOO_MANY_REQUESTS, _UNAVAILABLE = 429, 503
_MOST_WAITS = 6
"""Times that a server may ask to come back later, for one text."""
_LONGEST_WAIT = 300.0
"""Seconds until it may be asked again; whoever says more is taken to mean no."""
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

    def stop(self) -> None:
        """End what it is at, from another thread: `speak` returns soon, with an error, and speaks no more."""
        return

    def close(self) -> None:
        """Let go of processes; called when no thread speaks any more."""
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
        used = {name for word in self._words for name in self._placeholders_of(word)}
        self._used = used
        self._timeout = timeout
        self._starting = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False

    @staticmethod
    def _placeholders_of(word: str) -> set[str]:
        known = ", ".join(f"{{{name}}}" for name in _PLACEHOLDERS)
        try:
            parts = list(string.Formatter().parse(word))
        except ValueError as error:
            raise ConfigError(
                f"the teacher's command has a brace without its pair ({error}): {word}; write {{{{ and }}}} for braces"
            ) from error
        for _, name, form, conversion in parts:
            if name is not None and (name not in _PLACEHOLDERS or form or conversion):
                shown = f"{{{name}{f'!{conversion}' if conversion else ''}{f':{form}' if form else ''}}}"
                raise ConfigError(
                    f"the teacher's command has the placeholder {shown}, which is not one of {known}; write {{{{ and "
                    "}} for braces"
                )
        return {name for _, name, _, _ in parts if name is not None}

    def speak(self, request: Request) -> Speech:
        """See `Teacher.speak`."""
        try:
            return self._speak(request)
        except OSError as error:
            why = error.strerror or error
            raise TeacherError(f"what the command reads or writes in {tempfile.gettempdir()}: {why}") from error

    def _speak(self, request: Request) -> Speech:
        # What the command left running may still write there.
        with tempfile.TemporaryDirectory(prefix="glowvox-teacher-", ignore_cleanup_errors=True) as folder:
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
            with output.open("rb") as file:
                return _decoded(file.read(_LARGEST_ANSWER + 1))

    def stop(self) -> None:
        """See `Teacher.stop`."""
        with self._starting:
            self._stopped = True
            if self._process is not None:
                _kill(self._process)

    def _run(self, words: list[str], given: bytes | None) -> bytes:
        deadline = time.monotonic() + self._timeout
        try:
            with self._starting:
                if self._stopped:
                    raise TeacherError(_STOPPED)
                process = self._process = subprocess.Popen(
                    words,
                    stdin=subprocess.DEVNULL if given is None else subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    start_new_session=True,
                )
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise TeacherError(f"'{words[0]}' cannot be started: {why}") from error
        pipes = _Pipes(process, given)
        has_ended = False
        try:
            has_ended = pipes.ended(deadline)
        finally:
            with self._starting:
                self._process = None
                if not has_ended:
                    _kill(process)
            pipes.close()
        if self._stopped:
            raise TeacherError(_STOPPED)
        if not has_ended:
            raise TeacherError(f"no answer within {self._timeout:g} s")
        if len(pipes.answer) > _LARGEST_ANSWER:
            raise TeacherError(_too_large())
        if process.returncode:
            last = pipes.told.decode("utf-8", "replace").strip().splitlines()[-1:]
            how = f"signal {-process.returncode}" if process.returncode < 0 else f"status {process.returncode}"
            raise TeacherError(f"the command ended with {how}: {_plain(''.join(last)) or 'it said nothing'}")
        return bytes(pipes.answer)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process with its children, which may go on where it has ended."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


class _Pipes:
    """What is written to and read from a process, of which no more is held than an answer may have."""

    def __init__(self, process: subprocess.Popen[bytes], given: bytes | None) -> None:
        self.answer = bytearray()
        self.told = b""
        """The end of what it said on standard error."""
        self._process = process
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._hear, self._note)]
        if given is not None:
            self._threads.append(threading.Thread(target=self._give, args=(given,), daemon=True))
        for thread in self._threads:
            thread.start()

    def ended(self, deadline: float) -> bool:
        """Wait until the process has ended and all is read; False: the time is over."""
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
        return not any(thread.is_alive() for thread in self._threads)

    def close(self) -> None:
        """Let go of a process that was ended."""
        # A process of another user (`sudo`) is not ours to end; nobody waits for it.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_PATIENCE)
        for thread in self._threads:
            thread.join(1.0)
            # A child that took itself out of the group may hold the other end; its thread closes the pipe when it goes.

    def _hear(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stream:
            while piece := os.read(stream.fileno(), _PIECE):
                self.answer += piece
                if len(self.answer) > _LARGEST_ANSWER:
                    _kill(self._process)
                    return

    def _note(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as stream:
            while piece := os.read(stream.fileno(), _PIECE):
                self.told = (self.told + piece)[-_PIECE:]

    def _give(self, given: bytes) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError), self._process.stdin as stream:
            stream.write(given)


class ServerTeacher(Teacher):
    """A server with OpenAI's speech endpoint (`POST BASE/audio/speech`).

    Args:
        base: address up to and with the version, such as `http://127.0.0.1:8000/v1`.
        model: name of the model, as the server wants it.
        key: sent as bearer token; empty: none.
        timeout: seconds for one text.

    Raises:
        ConfigError: not an address of the web, one with a password in it, or a key that no header can hold.
    """

    def __init__(self, base: str, model: str, key: str, timeout: float) -> None:
        _check_address(base)
        self._url = base.rstrip("/") + "/audio/speech"
        self._model, self._key, self._timeout = model, key.strip(), timeout
        if not all("!" <= character <= "~" for character in self._key):
            raise ConfigError(
                "the server's key (the variable that --server-key names) must be one line of ASCII letters, digits and "
                "signs without blanks; set it anew"
            )
        self._asking: _Asking | None = None
        self._stop = threading.Event()

    def speak(self, request: Request) -> Speech:
        """See `Teacher.speak`."""
        fields = {"model": self._model, "input": request.text, "voice": request.voice, "response_format": "wav"}
        headers = {"Content-Type": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        asked = urllib.request.Request(self._url, json.dumps(fields).encode(), headers)
        try:
            return _decoded(self._answer(asked))
        except TeacherError as error:
            # Reasons are written into the corpus, and a server may repeat what it was sent.
            if self._key and self._key in str(error):
                raise TeacherError(str(error).replace(self._key, "(the key)")) from None
            raise

    def stop(self) -> None:
        """See `Teacher.stop`."""
        self._stop.set()
        if self._asking is not None:
            self._asking.give_up()

    def _answer(self, asked: urllib.request.Request) -> bytes:
        """Return the answer, asking again where the server asks for patience."""
        for waited in range(_MOST_WAITS + 1):
            self._asking = asking = _Asking(asked, self._timeout)
            if self._stop.is_set():
                break
            answer = asking.answer()
            if isinstance(answer, bytes):
                return answer
            wait = 2.0**waited if answer.wait is None else answer.wait
            if waited == _MOST_WAITS or wait > _LONGEST_WAIT:
                raise TeacherError(answer.reason)
            if self._stop.wait(wait):
                break
        raise TeacherError(_STOPPED)


def _check_address(base: str) -> None:
    """Refuse what is no address, before anything is written; a password is never repeated in the message."""
    shown, example = ascii(base.rpartition("@")[2]), "one looks like http://127.0.0.1:8000/v1"
    try:
        parts = urlsplit(base)
        named, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"{shown} is no address of a server ({error}); {example}") from None
    if "@" in parts.netloc:
        raise ConfigError(
            "the server's address must not hold a user or a password, which would be written into the corpus; put the "
            "key into an environment variable (--server-key)"
        )
    if parts.scheme not in ("http", "https") or not named or port == 0:
        raise ConfigError(f"{shown} is no address of a server; {example}")
    if parts.query or parts.fragment:
        raise ConfigError(f"what stands behind ? or # in it is no address of a server; {example}")
    if not all("!" <= character <= "~" for character in base):
        raise ConfigError(f"{shown} is no address of a server (a blank or another letter in it); {example}")


@dataclass(frozen=True)
class _Busy:
    """The server has others to answer, or was asked too often: it may be asked again after `wait` seconds, if known."""

    reason: str
    wait: float | None


def _refusal(error: urllib.error.HTTPError) -> TeacherError | _Busy:
    """Return what an answer with an error's status says."""
    told = f"the server answered {error.code}"
    with error, contextlib.suppress(OSError, HTTPException):
        told += f": {_quoted(error.read(2000)) or _plain(str(error.reason))}"
    after = error.headers.get("Retry-After", "").strip()
    wait = float(after) if after.isascii() and after.isdecimal() and len(after) < 10 else None
    busy = error.code == _TOO_MANY_REQUESTS or (error.code == _UNAVAILABLE and wait is not None)
    return _Busy(told, wait) if busy else TeacherError(told)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows nobody: the key would go along to whatever host the server names."""

    def redirect_request(self, *_: object) -> None:
        """Leave the answer as it is, an error that says where it leads."""
        return


class _Asking:
    """One question to a server, in a thread of its own: urllib bounds each read, and not the whole answer."""

    def __init__(self, asked: urllib.request.Request, timeout: float) -> None:
        self._asked, self._timeout = asked, timeout
        self._answers: queue.SimpleQueue[bytes | TeacherError | _Busy] = queue.SimpleQueue()
        self._given_up = False

    def answer(self) -> bytes | _Busy:
        """Return the whole answer, or that there may be one later.

        Raises:
            TeacherError: there was none in time, or the server answered something else.
        """
        threading.Thread(target=self._ask, daemon=True).start()
        try:
            answer = self._answers.get(timeout=self._timeout)
        except queue.Empty:
            self._given_up = True
            raise TeacherError(f"no whole answer within {self._timeout:g} s") from None
        if isinstance(answer, TeacherError):
            raise answer
        return answer

    def give_up(self) -> None:
        """Wait no longer."""
        self._given_up = True
        self._answers.put(TeacherError(_STOPPED))

    def _ask(self) -> None:
        self._answers.put(self._asked_now())

    def _asked_now(self) -> bytes | TeacherError | _Busy:
        try:
            opener = urllib.request.build_opener(_NoRedirects)
            with opener.open(self._asked, timeout=self._timeout) as answer:
                content = bytearray()
                # After one byte more than may be, `_decoded` has something to refuse.
                while not self._given_up and len(content) <= _LARGEST_ANSWER:
                    piece = answer.read1(_PIECE)
                    if not piece:
                        break
                    content += piece
                missing = answer.length
            if missing and len(content) <= _LARGEST_ANSWER:
                return TeacherError(f"half an answer: the server closed the connection {missing} bytes too early")
            return bytes(content)
        except urllib.error.HTTPError as error:
            if 300 <= error.code < 400:
                place = error.headers.get("Location") or "nowhere"
                error.close()
                return TeacherError(f"the server answered {error.code} and names another address: {place[:200]!a}")
            return _refusal(error)
        except HTTPException as error:
            return TeacherError(f"the server does not speak HTTP as it should ({_described(error)})")
        except (OSError, ValueError) as error:
            return TeacherError(f"{self._asked.full_url}: {getattr(error, 'reason', None) or error}")


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
        self._starting = threading.RLock()
        self._stopped = False
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
            raise TeacherError(_STOPPED if self._stopped else "the function's process died") from error
        self._patience = self._timeout
        if isinstance(answer, _Unusable):
            self.close()
            raise ConfigError(f"{':'.join(self._place)}: {answer.reason}")
        if isinstance(answer, str):
            raise TeacherError(answer)
        samples, rate = answer
        return _mono(samples, rate)

    def stop(self) -> None:
        """See `Teacher.stop`."""
        with self._starting:
            self._stopped = True
            if self._process is not None:
                # The connection is the other thread's, which finds its end.
                _end(self._process)

    def close(self) -> None:
        """See `Teacher.close`."""
        with self._starting:
            if self._connection is not None:
                self._connection.close()
            if self._process is not None:
                _end(self._process)
                self._process.join()
            self._process = self._connection = None
        self._patience = 10 * self._timeout

    def _start(self) -> None:
        self.close()
        context = get_context("spawn")
        with self._starting:
            if self._stopped:
                raise TeacherError(_STOPPED)
            self._connection, theirs = context.Pipe()
            process = context.Process(target=_answer, args=(theirs, *self._place), daemon=True)
            # An interrupt is the parent's business, also before the child can say so.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                process.start()
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
                theirs.close()
            self._process = process


def _end(process: BaseProcess) -> None:
    """End a function's process with what it started."""
    # Until it has a group of its own, there is no such group.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if process.pid is not None:
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()


@dataclass(frozen=True)
class _Unusable:
    """Why no text at all can be spoken."""

    reason: str


def _answer(connection: Connection, module: str, name: str) -> None:
    """Answer requests in the child until the parent goes."""
    # An interrupt is the parent's business; it ends the group of this process, with whatever the function starts.
    os.setpgrp()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    # What the function prints must not stand in the report, which the parent prints.
    with contextlib.suppress(OSError):
        os.dup2(2, 1)
    speak: Any = None
    while True:
        try:
            text, voice, seed = connection.recv()
        except (EOFError, OSError):
            return
        try:
            speak = speak or _found(module, name)
        except BaseException as error:  # the module is somebody else's and may raise anything
            connection.send(_Unusable(_described(error)))
            continue
        try:
            answer = _checked_answer(speak(text, voice, seed))
        except BaseException as error:  # the function is somebody else's: whatever it raises concerns this text only
            answer = _described(error)
        try:
            connection.send(answer)
        except (BrokenPipeError, ConnectionResetError):
            return


def _checked_answer(made: Any) -> Any:
    """Return samples and rate as they can be sent to the parent, or why they cannot."""
    if not isinstance(made, tuple | list) or len(made) != 2:
        raise TypeError(f"returned {type(made).__name__}, not the samples and their rate")
    samples, rate = np.asarray(made[0]), int(made[1])
    if rate != made[1] or not 0 < rate <= _HIGHEST_RATE:
        return f"the function returned the rate {repr(made[1])[:40]}, not a whole number of Hz"
    if samples.dtype.kind not in "biufc":
        return f"the function returned {samples.dtype} of shape {samples.shape} at {rate} Hz, not samples"
    if samples.nbytes > _LARGEST_ANSWER:
        return f"the function returned {samples.nbytes >> 20} MiB of samples; at most {_LARGEST_ANSWER >> 20} are taken"
    return samples, rate


def _described(error: BaseException) -> str:
    try:
        told = str(error)
    except Exception:  # an error of somebody else's may not even be able to say what it is
        told = ""
    return f"{type(error).__name__}: {_plain(told)}".rstrip(": ")


def _plain(told: str) -> str:
    """Return the beginning of what a teacher says on one line, without colours and signs that a terminal obeys."""
    told = " ".join(_COLOURS.sub("", told).split())[:200]
    return "".join(character if character.isprintable() else "\ufffd" for character in told)


def _quoted(content: bytes) -> str:
    """Return the beginning of an answer that is text, on one line; empty for one that is none."""
    try:
        text = content[:2000].decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < 1990:
            return ""
        text = content[: error.start].decode("utf-8")
    text = " ".join(text.split())
    return text[:200] if text.isprintable() else ""


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
        raise TeacherError(_too_large())
    missing = missing_bytes(content)
    if missing:
        raise TeacherError(f"half a file: {counted(missing, 'byte')} fewer than its header says")
    import soundfile

    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            channels, frames = file.channels, file.frames
            # Without this header, the length of an MP3 is an estimate.
            is_counted = file.format == "MP3" and any(mark in content[:_PIECE] for mark in (b"Xing", b"Info"))
    except (soundfile.SoundFileError, ValueError, TypeError) as error:
        raise TeacherError(_no_sound(content)) from error
    if frames * channels > _LARGEST_ANSWER and frames != _UNKNOWN_FRAMES:
        raise TeacherError(f"an answer of {frames * channels} samples, more than {_LARGEST_ANSWER}")
    try:
        samples, rate = read_audio(io.BytesIO(content))
    except (AudioError, soundfile.SoundFileError, ValueError, TypeError) as error:
        why = " ".join(re.sub(r"<_io[^>]*>", "the answer", str(error)).split())[:120]
        raise TeacherError(f"an answer that cannot be read as sound ({why})") from error
    if is_counted and len(samples) < frames:
        raise TeacherError(f"half a file: {len(samples)} of {frames} samples")
    return samples, rate, channels


def _too_large() -> str:
    return f"an answer of more than {_LARGEST_ANSWER >> 20} MiB"


def _no_sound(content: bytes) -> str:
    told = _quoted(content)
    what = f"it is text: {told}" if told else f"its first bytes: {content[:8].hex(' ')}"
    return f"an answer that is no sound file ({what})"


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
        array = array.mean(axis) if array.size else array.reshape(-1)
    with np.errstate(over="ignore"):  # what becomes infinite is found and listed
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
    if not 0 < timeout <= _LONGEST_TIMEOUT:
        raise ConfigError(
            f"the seconds for a text must be more than 0 and at most {_LONGEST_TIMEOUT:g} (a day), got {timeout:g}"
        )
    named[0]().close()
    return named[0]
