"""Teachers: commands, servers and functions speak, whatever goes wrong with a text is told, and they can be stopped."""

import contextlib
import http.server
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from glowvox.data.teachers import (
    CommandTeacher,
    FunctionTeacher,
    Request,
    ServerTeacher,
    TeacherError,
    open_teacher,
)
from glowvox.errors import ConfigError

RATE = 22050
REQUEST = Request("Some words to speak.", "ann", 7)


def test_a_function_in_a_file(module: Path) -> None:
    teacher = FunctionTeacher(f"{module}:speak", 20)
    try:
        first = teacher.speak(REQUEST)
        again = teacher.speak(REQUEST)
        np.testing.assert_array_equal(first[0], again[0])
        assert first[1:] == (22050, 1)
        assert teacher.speak(Request("A slow text.", "ann", 1))[1] == 16000
        samples, _, channels = teacher.speak(Request("A stereo text.", "ann", 1))
        assert (samples.ndim, channels) == (1, 2)
        assert np.abs(teacher.speak(Request("The integers.", "ann", 1))[0]).max() < 1
        for text, reason in (
            ("raise", "RuntimeError: no such sound"),
            ("crash", "process died"),
            ("text", "TypeError: returned str, not the samples and their rate"),
        ):
            with pytest.raises(TeacherError, match=reason):
                teacher.speak(Request(text, "ann", 1))
        np.testing.assert_array_equal(teacher.speak(REQUEST)[0], first[0])
    finally:
        teacher.close()


def test_a_function_that_hangs_is_ended(module: Path) -> None:
    teacher = FunctionTeacher(f"{module}:speak", 5.0)
    teacher.speak(REQUEST)
    teacher._timeout = teacher._patience = 0.2
    with pytest.raises(TeacherError, match=r"no answer within 0\.2 s"):
        teacher.speak(Request("hang", "ann", 1))
    assert teacher._process is None
    teacher.close()


def test_a_function_is_stopped_from_another_thread(module: Path) -> None:
    teacher = FunctionTeacher(f"{module}:speak", 60)
    teacher.speak(REQUEST)
    threading.Timer(0.5, teacher.stop).start()
    for _ in range(2):
        with pytest.raises(TeacherError, match="was stopped"):
            teacher.speak(Request("hang", "ann", 1))
    teacher.close()


def test_what_a_function_does_besides(module: Path, capfd: pytest.CaptureFixture[str]) -> None:
    module.write_text(
        "import os, sys, numpy as np\n"
        "def speak(text, voice, seed):\n"
        "    print('noise'); os.write(1, b'more noise\\n')\n"
        "    if text == 'exit': sys.exit(3)\n"
        "    if text == 'interrupt': raise KeyboardInterrupt\n"
        "    if text == 'lambdas': return np.array([lambda: 0, 1], object), 16000\n"
        "    if text == 'much': return np.zeros(1 << 27), 16000\n"
        "    if text == 'none': return np.zeros((0, 0), np.float32), 16000\n"
        "    return np.ones(100, np.float32), 16000\n"
    )
    teacher = FunctionTeacher(f"{module}:speak", 60)
    assert len(teacher.speak(REQUEST)[0]) == 100
    for text, reason in (
        ("exit", "SystemExit: 3"),
        ("interrupt", "KeyboardInterrupt"),
        ("lambdas", "returned object of shape"),
        ("much", "returned 1024 MiB of samples"),
    ):
        with pytest.raises(TeacherError, match=reason):
            teacher.speak(Request(text, "ann", 1))
    assert teacher.speak(Request("none", "ann", 1))[0].shape == (0,)
    teacher.close()
    told = capfd.readouterr()
    assert told.out == ""
    assert told.err.count("more noise") == 6
    module.write_text("raise SystemExit(4)")
    teacher = FunctionTeacher(f"{module}:speak", 60)
    with pytest.raises(ConfigError, match="SystemExit: 4"):
        teacher.speak(REQUEST)
    teacher.close()


def test_what_a_function_says_is_one_plain_line(module: Path) -> None:
    module.write_text(
        "import numpy as np\n"
        "class Silent(Exception):\n"
        "    def __str__(self): raise ValueError\n"
        "def speak(text, voice, seed):\n"
        "    if text == 'colours': raise RuntimeError('\\x1b[31mred\\x1b[0m\\nand \\x1b]0;title\\x07 \\udc80')\n"
        "    if text == 'silent': raise Silent\n"
        "    rates = {'half': 22050.5, 'huge': 10**5000, 'many': 10**12, 'none': 0, 'text': '22050'}\n"
        "    return np.zeros(100, np.float32), rates[text]\n"
    )
    teacher = FunctionTeacher(f"{module}:speak", 60)
    for text, reason in (
        ("colours", "RuntimeError: red and \ufffd]0;title\ufffd \ufffd$"),
        ("silent", "Silent$"),
        ("half", r"the rate 22050\.5, not a whole number of Hz"),
        ("huge", "ValueError"),
        ("many", "the rate 1000000000000, not"),
        ("none", "the rate 0, not"),
        ("text", "the rate '22050', not"),
    ):
        with pytest.raises(TeacherError, match=reason):
            teacher.speak(Request(text, "ann", 1))
    teacher.close()


def _ends(process: int) -> bool:
    for _ in range(100):
        try:
            if " Z " in Path(f"/proc/{process}/stat").read_text():
                return True
            os.kill(process, 0)
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.1)
    os.kill(process, signal.SIGKILL)
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_a_function_that_hangs_is_ended_with_its_children(module: Path) -> None:
    mark = module.with_name("pid")
    module.write_text(
        "import subprocess, numpy as np\n"
        "def speak(text, voice, seed):\n"
        "    if text != 'hang': return np.zeros(100, np.float32), 16000\n"
        "    child = subprocess.Popen(['sleep', '600'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
        f"    open({str(mark)!r}, 'w').write(str(child.pid))\n"
        "    child.wait()\n"
    )
    teacher = FunctionTeacher(f"{module}:speak", 60)
    teacher.speak(REQUEST)
    teacher._timeout = teacher._patience = 2.0
    with pytest.raises(TeacherError, match="no answer within 2 s"):
        teacher.speak(Request("hang", "ann", 1))
    teacher.close()
    assert _ends(int(mark.read_text()))


def test_functions_that_are_not_there(module: Path) -> None:
    for place in ("speak", ":speak", "a:", "a:b c"):
        with pytest.raises(ConfigError, match="names no function"):
            FunctionTeacher(place, 1)
    module.with_name("other.py").write_text("def one(text): pass\ndef most(text, *more): pass\nnumber = 1")
    for place, reason in (
        (f"{module}:say", "teacher.py:say: AttributeError: no function say in it"),
        (f"{module.with_name('other.py')}:number", "no function number in it"),
        (f"{module.with_name('other.py')}:one", "one must take a text, a voice and a seed"),
        (f"{module.with_name('none.py')}:one", "FileNotFoundError: no file"),
        ("no_such_module_at_all:speak", "ModuleNotFound"),
    ):
        teacher = FunctionTeacher(place, 20)
        with pytest.raises(ConfigError, match=reason):
            teacher.speak(REQUEST)
        teacher.close()
    several = FunctionTeacher(f"{module.with_name('other.py')}:most", 20)
    with pytest.raises(TeacherError, match="returned NoneType"):
        several.speak(REQUEST)
    several.close()


def _command(script: str) -> str:
    return f"{sys.executable} -c '{script}'"


def test_commands(tmp_path: Path) -> None:
    write = (
        "import sys, soundfile, numpy as np; "
        'soundfile.write(sys.argv[1], 0.1 * np.ones(100 * len(sys.argv[2])), 8000, format="WAV")'
    )
    samples, rate, _ = CommandTeacher(_command(write) + " {output} {text}", 20).speak(REQUEST)
    assert (len(samples), rate) == (100 * len(REQUEST.text), 8000)
    samples, _, _ = CommandTeacher(
        _command(write.replace("len(sys.argv[2])", "len(open(sys.argv[2]).read())")) + " {output} {text_file}", 20
    ).speak(REQUEST)
    assert len(samples) == 100 * len(REQUEST.text)
    piped = _command(
        "import sys, io, soundfile, numpy as np; b = io.BytesIO(); "
        'soundfile.write(b, 0.1 * np.ones(100 * len(sys.stdin.read())), 8000, format="WAV"); '
        "sys.stdout.buffer.write(b.getvalue())"
    )
    assert len(CommandTeacher(piped, 20).speak(REQUEST)[0]) == 100 * len(REQUEST.text)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("false {text}", "ended with status 1"),
        ("true {text} {output}", "wrote no file"),
        ("true {text}", "without a byte"),
        ("echo {text}", "no sound file"),
        ("no-such-program-here {text}", "cannot be started"),
        ("sh -c 'echo oh dear >&2; exit 3' {text}", "status 3: oh dear"),
        ("sh -c 'printf \"\\033[31mred\\033[0m\\n\" >&2; exit 3' {text}", "status 3: red$"),
        ("sh -c 'kill -9 $$' {text}", "signal 9"),
    ],
)
def test_commands_that_fail(command: str, reason: str) -> None:
    with pytest.raises(TeacherError, match=reason):
        CommandTeacher(command.replace("$$", "$$"), 20).speak(REQUEST)


def test_a_command_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    teacher = CommandTeacher(f"sh -c 'sleep 60 & echo $! > {mark}; wait'", 1.0)
    with pytest.raises(TeacherError, match="no answer within 1 s"):
        teacher.speak(REQUEST)
    child = int(mark.read_text())
    for _ in range(50):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        if Path(f"/proc/{child}/stat").exists() and " Z " in Path(f"/proc/{child}/stat").read_text():
            return
        time.sleep(0.1)
    os.kill(child, signal.SIGKILL)
    pytest.fail("the command's child goes on")


@pytest.mark.parametrize(
    "command",
    [
        "",
        "say {words}",
        "say 'x",
        "say {0}",
        "say {",
        "say {}",
        "say {text.foo}",
        "say {text[a]}",
        "say {text!r}",
        "say {seed:d}",
    ],
)
def test_commands_that_are_malformed(command: str) -> None:
    with pytest.raises(ConfigError):
        CommandTeacher(command, 1)


def test_braces_in_a_command_are_no_placeholders() -> None:
    with pytest.raises(TeacherError, match=r"it is text: \{text\} Some words to speak"):
        CommandTeacher("sh -c 'echo {{text}}; cat'", 20).speak(REQUEST)


def test_no_more_is_held_than_an_answer_may_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glowvox.data.teachers._LARGEST_ANSWER", 1 << 20)
    for command in ("cat /dev/zero", "sh -c 'head -c 2000000 /dev/zero > {output}'"):
        with pytest.raises(TeacherError, match="an answer of more than 1 MiB"):
            CommandTeacher(command, 30).speak(REQUEST)
    # A small file can hold very much silence.
    soundfile.write(tmp_path / "long.flac", np.zeros(2_000_000, np.float32), RATE)
    with pytest.raises(TeacherError, match="an answer of 2000000 samples"):
        CommandTeacher(f"cat {tmp_path / 'long.flac'}", 30).speak(REQUEST)


def test_a_command_whose_child_keeps_the_pipe_is_ended() -> None:
    with pytest.raises(TeacherError, match="no answer within 1 s"):
        CommandTeacher("sh -c 'sleep 60 & echo x'", 1.0).speak(REQUEST)


@pytest.mark.parametrize("command", ["sleep 60", "sh -c 'sleep 60 & echo x'"])
def test_a_command_is_stopped_from_another_thread(command: str) -> None:
    teacher = CommandTeacher(command, 60)
    threading.Timer(0.5, teacher.stop).start()
    began = time.monotonic()
    with pytest.raises(TeacherError, match="was stopped"):
        teacher.speak(REQUEST)
    with pytest.raises(TeacherError, match="was stopped"):
        teacher.speak(REQUEST)
    assert time.monotonic() - began < 20


def test_half_a_file(tmp_path: Path, voiced: Callable[..., np.ndarray]) -> None:
    soundfile.write(tmp_path / "a.wav", voiced(1.0), RATE)
    whole = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "half.wav").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TeacherError, match="half a file"):
        CommandTeacher(f"cat {tmp_path / 'half.wav'}", 5).speak(REQUEST)
    # A header that was written before the length was known is no lie.
    (tmp_path / "stream.wav").write_bytes(whole[:40] + b"\xff\xff\xff\xff" + whole[44:])
    samples, rate, _ = CommandTeacher(f"cat {tmp_path / 'stream.wav'}", 5).speak(REQUEST)
    assert len(samples) / rate == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("size", [0x7FFFF000, 0x7FFFFFDB, 0x7FFFFFFF, 0xFFFFFFFF, 0])
def test_a_wav_that_was_piped(tmp_path: Path, voiced: Callable[..., np.ndarray], size: int) -> None:
    """The first is what `espeak-ng --stdout` writes."""
    soundfile.write(tmp_path / "a.wav", voiced(1.0), RATE)
    whole = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "piped.wav").write_bytes(whole[:40] + size.to_bytes(4, "little") + whole[44:])
    samples, rate, _ = CommandTeacher(f"cat {tmp_path / 'piped.wav'}", 20).speak(REQUEST)
    assert (len(samples), rate) == (RATE, RATE)


@pytest.mark.parametrize(
    ("container", "subtype"),
    [("WAV", "DOUBLE"), ("RF64", "PCM_16"), ("W64", "PCM_16"), ("AIFF", "PCM_16"), ("AU", "PCM_16"), ("CAF", "PCM_16"),
     ("FLAC", "PCM_16"), ("MP3", "MPEG_LAYER_III"), ("OGG", "VORBIS"), ("OGG", "OPUS")],
)  # fmt: skip
def test_a_file_that_was_cut_off(
    tmp_path: Path, voiced: Callable[..., np.ndarray], container: str, subtype: str
) -> None:
    path = tmp_path / "sound"
    soundfile.write(path, voiced(2.0), 24000, format=container, subtype=subtype)
    whole = path.read_bytes()
    teacher = CommandTeacher(f"cat {path}", 20)
    assert len(teacher.speak(REQUEST)[0]) > 24000
    for share in (0.5, 0.8, 0.95):
        path.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(TeacherError, match=r"half a file|cannot be read as sound|no sound file"):
            teacher.speak(REQUEST)


def test_a_folder_that_cannot_be_written_or_left_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fills up costs texts, which are asked for again; so does not what a command leaves running."""
    loop = "import sys, os\nwhile os.path.isdir(sys.argv[1]): open(os.path.join(sys.argv[1], str(os.urandom(4))), 'w')"
    (tmp_path / "loop.py").write_text(loop)
    left = f"sh -c '{sys.executable} {tmp_path / 'loop.py'} $(dirname {{output}}) >/dev/null 2>&1 & sleep 0.3'"
    with pytest.raises(TeacherError, match="wrote no file"):
        CommandTeacher(left, 20).speak(REQUEST)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with pytest.raises(TeacherError, match=f"reads or writes in {tmp_path / 'none'}: No such file"):
        CommandTeacher("true {output}", 20).speak(REQUEST)


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("Authorization"), {}))  # type: ignore[attr-defined]
        self.send_error(404)

    def do_POST(self) -> None:
        fields = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, self.headers.get("Authorization"), fields))  # type: ignore[attr-defined]
        if "elsewhere" in fields["input"]:
            self.send_response(302)
            self.send_header("Location", f"http://localhost:{self.server.server_port}/v1/audio/speech")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if "teapot" in fields["input"]:
            body, status = b'{"error": "no\\nvoice"}', 418
        elif self.server.refusals:  # type: ignore[attr-defined]
            status, after = self.server.refusals.pop(0)  # type: ignore[attr-defined]
            self.send_response(status)
            if after is not None:
                self.send_header("Retry-After", after)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        else:
            path = Path(self.server.sound)  # type: ignore[attr-defined]
            body, status = path.read_bytes(), 200
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def server(tmp_path: Path, voiced: Callable[..., np.ndarray]) -> Iterator[http.server.HTTPServer]:
    soundfile.write(tmp_path / "sound.wav", voiced(1.0), RATE)
    served = http.server.HTTPServer(("127.0.0.1", 0), _Handler)
    served.sound, served.asked = tmp_path / "sound.wav", []  # type: ignore[attr-defined]
    served.refusals = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=served.serve_forever)
    thread.start()
    yield served
    served.shutdown()
    thread.join()
    served.server_close()


def test_a_server(server: http.server.HTTPServer) -> None:
    teacher = ServerTeacher(f"http://127.0.0.1:{server.server_port}/v1/", "tts-1", "secret", 5)
    samples, rate, _ = teacher.speak(REQUEST)
    assert (len(samples), rate) == (RATE, RATE)
    expected = {"model": "tts-1", "input": REQUEST.text, "voice": "ann", "response_format": "wav"}
    assert server.asked == [("/v1/audio/speech", "Bearer secret", expected)]  # type: ignore[attr-defined]
    with pytest.raises(TeacherError, match="answered 418"):
        teacher.speak(Request("teapot", "ann", 1))


def test_a_server_that_is_busy_is_asked_again_when_it_says(
    server: http.server.HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    ended: list[float] = []
    unpatched = threading.Event.wait

    def wait(event: threading.Event, seconds: float | None = None) -> bool:
        if seconds is None:
            return unpatched(event)
        waits.append(seconds)
        if seconds in ended:
            teacher.stop()
        return event.is_set()

    monkeypatch.setattr(threading.Event, "wait", wait)
    teacher = ServerTeacher(f"http://127.0.0.1:{server.server_port}/v1", "tts-1", "", 5)
    server.refusals += [(429, "7"), (503, "0"), (429, None), (429, "Wed, 21 Oct 2026 07:28:00 GMT")]  # type: ignore[attr-defined]
    assert len(teacher.speak(REQUEST)[0]) == RATE
    assert waits == [7.0, 0.0, 4.0, 8.0]
    waits.clear()
    for refusals, told in (([(503, None)], "503"), ([(429, "86400")], "429"), ([(429, "1")] * 9, "429")):
        server.refusals[:] = refusals  # type: ignore[attr-defined]
        with pytest.raises(TeacherError, match=f"answered {told}"):
            teacher.speak(REQUEST)
    assert waits == [1.0] * 6
    server.refusals[:] = [(429, "1")] * 9  # type: ignore[attr-defined]
    ended.append(1.0)
    with pytest.raises(TeacherError, match="stopped"):
        teacher.speak(REQUEST)


def test_a_key_is_not_carried_to_another_address(server: http.server.HTTPServer) -> None:
    port = server.server_port
    teacher = ServerTeacher(f"http://127.0.0.1:{port}/v1", "tts-1", "secret", 5)
    with pytest.raises(TeacherError, match=f"302 and names another address: 'http://localhost:{port}/v1/audio/speech'"):
        teacher.speak(Request("elsewhere", "a", 0))
    assert len(server.asked) == 1  # type: ignore[attr-defined]


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(TeacherError, match=r"/v1/audio/speech: .*refused"):
        ServerTeacher("http://127.0.0.1:9/v1", "tts-1", "", 5).speak(REQUEST)
    for address in (
        "127.0.0.1:8000", "file:///etc/passwd", "http://", "http://127.0.0.1:8977x/v1", "http://127.0.0.1:8977/v 1",
        "http://[::1/v1", "http://127.0.0.1:99999/v1", "http://127.0.0.1:8000/v1?key=x", "http://127.0.0.1\n/v1",
    ):  # fmt: skip
        with pytest.raises(ConfigError, match="no address of a server") as caught:
            ServerTeacher(address, "tts-1", "", 5)
        assert "\n" not in str(caught.value)


def test_secrets_are_checked_at_once_and_never_told(server: http.server.HTTPServer) -> None:
    for address in ("http://user:word@127.0.0.1/v1", "http://user:word@[::1/v1", "http://user:word@127.0.0.1:x/v1"):
        with pytest.raises(ConfigError) as caught:
            ServerTeacher(address, "tts-1", "", 5)
        assert "word@" not in str(caught.value)
    for key in ("ab\ncd", "ab cd", "k\u00e9y"):
        with pytest.raises(ConfigError, match="--server-key") as caught:
            open_teacher(command=None, server="http://[::1]/v1", function=None, timeout=1, model="", key=key)
        assert key not in str(caught.value)
    address = f"http://127.0.0.1:{server.server_port}/v1"
    ServerTeacher(address, "tts-1", " secret\n", 5).speak(REQUEST)
    assert server.asked[-1][1] == "Bearer secret"  # type: ignore[attr-defined]
    with pytest.raises(TeacherError) as told:
        ServerTeacher(address, "tts-1", "voice", 5).speak(Request("teapot", "ann", 1))
    assert "voice" not in str(told.value)


_OK = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "closed connection"),
        (b"hello this is not http\r\n\r\n", "does not speak HTTP as it should"),
        (_OK + b"X: " + b"a" * 70000 + b"\r\n\r\n", "does not speak HTTP as it should"),
        (_OK + b"X: a\r\n" * 200 + b"\r\n", "does not speak HTTP as it should"),
        (_OK + b"Transfer-Encoding: chunked\r\n\r\n1000\r\nRIFF", "does not speak HTTP as it should"),
        (_OK + b"Transfer-Encoding: chunked\r\n\r\nzzz\r\nRIFF", "does not speak HTTP as it should"),
        (_OK + b"Content-Length: 1000\r\n\r\nRIFF", "half an answer: .*996 bytes too early"),
        (_OK + b"Content-Length: 0\r\n\r\n", "without a byte"),
        (_OK + b"\r\n" + b'{"error":\n "busy"}', 'no sound file \\(it is text: {"error": "busy"}\\)'),
        (_OK + b"\r\n\x00\x01\xff", "no sound file \\(its first bytes: 00 01 ff\\)"),
        (b"HTTP/1.1 500 E\r\nContent-Length: 4000\r\n\r\nboom", "answered 500"),
        (None, "no whole answer within 2 s"),
    ],
    ids=range(12),
)
def test_a_server_that_answers_something_else(answer: bytes | None, reason: str) -> None:
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listening.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(1 << 16)
            connection.sendall(_OK + b"Content-Length: 1000\r\n\r\n" if answer is None else answer)
            # Each byte is in time, all of them together never are.
            for _ in range(100 if answer is None else 0):
                connection.sendall(b"R")
                time.sleep(0.2)
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1 << 16)

    threading.Thread(target=serve, daemon=True).start()
    address = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
    with listening, pytest.raises(TeacherError, match=reason):
        ServerTeacher(address, "tts-1", "", 2 if answer is None else 20).speak(REQUEST)


def test_a_server_is_left_alone_when_the_run_stops() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        teacher = ServerTeacher(f"http://127.0.0.1:{listening.getsockname()[1]}/v1", "tts-1", "", 60)
        threading.Timer(0.5, teacher.stop).start()
        for _ in range(2):
            with pytest.raises(TeacherError, match="was stopped"):
                teacher.speak(REQUEST)


def test_one_teacher_is_named() -> None:
    for named in ({}, {"command": "x", "server": "http://127.0.0.1/v1"}):
        ways = {"command": None, "server": None, "function": None, **named}
        with pytest.raises(ConfigError, match="name one teacher"):
            open_teacher(**ways, timeout=1, model="", key="")
    for timeout in (0, -1, float("nan"), float("inf"), 1e12):
        with pytest.raises(ConfigError, match="more than 0 and at most 86400"):
            open_teacher(command="x", server=None, function=None, timeout=timeout, model="", key="")
