"""Speech at the desktop: the clipboard, a line at a time, and the sound card that is silent as soon as it should be."""

import os
import select
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from recording_card import notes, write_card
from tiny_voice import fake_voice

import glowvox.cli.clipboard as clipboard
from glowvox.cli.main import main

SOURCE = Path(__file__).resolve().parents[2] / "src"
LONG = "This is a sentence that takes a while to say. " * 40


@pytest.fixture
def quick(monkeypatch):
    """A fake voice, and a sound card that takes everything at once."""
    import glowvox.audio.sound as sound

    spoken = []

    class Player(sound.Player):
        def __init__(self, rate):
            super().__init__()
            self.rate = rate

        def push(self, samples):
            spoken.append(samples)

        def finish(self):
            pass

    import contextlib

    @contextlib.contextmanager
    def player(rate):
        yield Player(rate)

    monkeypatch.setattr("glowvox.synthesis.installed_voices.load_voice", lambda *_, **__: fake_voice())
    monkeypatch.setattr("glowvox.synthesis.playback.player", player)
    monkeypatch.setattr(sound, "player", player)
    return spoken


def _program(folder, name, body):
    place = folder / name
    place.write_text(f"#!/bin/sh\n{body}\n")
    place.chmod(place.stat().st_mode | stat.S_IXUSR)
    return place


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A folder that is the only one in which programs are looked for."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("WAYLAND_DISPLAY", "WSL_DISTRO_NAME"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.mark.parametrize("name", ["wl-paste", "xclip", "xsel"])
def test_the_clipboard_is_said(name, quick, programs, tmp_path, monkeypatch):
    _program(programs, name, "printf 'Copied Ünicode.'")
    assert clipboard.clipboard_text() == "Copied Ünicode."
    out = tmp_path / "a.wav"
    assert main(["say", "--clipboard", "-o", str(out)]) == 0
    wanted = fake_voice().say("Copied Ünicode.")
    assert abs(out.stat().st_size - 2 * len(wanted.samples)) < 100
    assert main(["say", "--clipboard"]) == 0
    assert sum(map(len, quick)) == len(wanted.samples)


def test_the_program_of_the_desktop_comes_first(programs, monkeypatch):
    _program(programs, "wl-paste", "printf wayland")
    _program(programs, "xclip", "printf x11")
    assert clipboard.clipboard_text() == "x11"
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert clipboard.clipboard_text() == "wayland"
    _program(programs, "wl-paste", "echo 'no compositor' >&2; exit 1")
    assert clipboard.clipboard_text() == "x11"
    monkeypatch.setattr(sys, "platform", "darwin")
    _program(programs, "pbpaste", "printf mac")
    assert clipboard.clipboard_text() == "mac"
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("WSL_DISTRO_NAME", "Debian")
    for name in ("wl-paste", "xclip"):
        (programs / name).unlink()
    _program(programs, "powershell.exe", r"printf '\357\273\277windows'")
    assert clipboard.clipboard_text() == "windows"
    monkeypatch.setattr(sys, "platform", "win32")
    assert [command[0] for command in clipboard._programs()] == ["powershell.exe"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (None, "nothing here reads the clipboard: install one of xclip, xsel, wl-paste, or pipe the text"),
        ("exit 0", "the clipboard holds no text"),
        ("printf ' \\n\\0'", "the clipboard holds no text"),
        ('echo "Can\'t open display" >&2; exit 1', "cannot be read, or holds no text (xclip: Can't open"),
        ("exit 3", "(xclip: exit status 3)"),
        ("printf '...'", "nothing to say: the text holds no word"),
    ],
)
def test_a_clipboard_that_cannot_be_said_is_one_line(body, said, quick, programs, tmp_path, capsys):
    if body is not None:
        _program(programs, "xclip", body)
    assert main(["say", "--clipboard", "-o", str(tmp_path / "a.wav")]) == 2
    errors = capsys.readouterr().err
    assert said in errors and errors.count("\n") == 1
    assert not (tmp_path / "a.wav").exists()


def test_a_clipboard_that_does_not_answer(programs, monkeypatch):
    from glowvox.errors import ConfigError

    monkeypatch.setattr(clipboard, "_SECONDS", 0.1)
    _program(programs, "xclip", "exec /bin/sleep 5")
    with pytest.raises(ConfigError, match="xclip does not answer"):
        clipboard.clipboard_text()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--clipboard", "A text."],
        ["--clipboard", "--file", "a.txt"],
        ["--interactive", "--clipboard"],
    ],
)
def test_only_one_thing_is_said(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        main(["say", *arguments])
    assert end.value.code == 2
    assert "not allowed with argument" in capsys.readouterr().err


@pytest.mark.parametrize("option", [["-o", "a.wav"], ["--raw"], ["--json"], ["--timestamps", "a.srt"]])
def test_interactive_speaks_aloud_only(option, capsys):
    assert main(["say", "--interactive", *option]) == 2
    assert "--interactive speaks aloud, and goes without" in capsys.readouterr().err


def test_lines_of_a_pipe_are_said_one_by_one(quick, monkeypatch, capsys):
    import io

    class Pipe:
        buffer = io.BytesIO("\ufeffOne.\n\n...\nTwo.\r\nThree".encode() + b"\n\xff\n")

        def isatty(self):
            return False

    monkeypatch.setattr(sys, "stdin", Pipe())
    assert main(["say", "--interactive"]) == 0
    wanted = [len(fake_voice().say(text).samples) for text in ("One.", "Two.", "Three")]
    assert sum(map(len, quick)) == sum(wanted)
    assert capsys.readouterr().err.splitlines() == [
        "glowvox say: nothing to say: the text holds no word that can be spoken",
        "glowvox say: the line is not UTF-8 text",
    ]


def _environment(tmp_path):
    log = write_card(tmp_path / "card")
    path = os.pathsep.join((str(tmp_path / "card"), str(SOURCE)))
    return log, {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}


def _wait_for(log, what, seconds=60.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what in [said for _, said in notes(log)]:
            return
        time.sleep(0.01)
    raise AssertionError(f"the card never noted '{what}'")


@pytest.mark.slow
@pytest.mark.parametrize("source", ["text", "pipe"])
def test_the_first_chunk_sounds_at_once_and_an_interruption_is_silence(source, tmp_path):
    log, env = _environment(tmp_path)
    command = [sys.executable, "-m", "glowvox", "say", "--voice", "nora", "--threads", "1", "--play"]
    (tmp_path / "long.txt").write_text(LONG)
    with (tmp_path / "long.txt").open() as text:
        process = subprocess.Popen(
            [*command, LONG] if source == "text" else command,
            env=env,
            stdin=text if source == "pipe" else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Whoever starts the tests in the background may have interruptions ignored, which is inherited.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        try:
            _wait_for(log, "first")
            time.sleep(0.3)
            asked = time.monotonic()
            process.send_signal(signal.SIGINT)
            out, errors = process.communicate(timeout=60)
        finally:
            process.kill()
            process.communicate()
    assert process.returncode == 130
    assert (out, errors.replace("\r\033[K", "")) == ("", "glowvox say: interrupted\n")
    told = notes(log)
    assert told[-1][1] == "close"
    last = max(when for when, what in told if what == "sound")
    # A hundred repetitions would sound for minutes; a slow machine may take its time to notice.
    assert last < asked + 20.0 and told[-1][0] < asked + 20.0


@pytest.mark.slow
def test_at_a_terminal_a_key_stops_the_speech_and_the_prompt_goes_on(tmp_path):
    pty = pytest.importorskip("pty")
    log, env = _environment(tmp_path)
    env["TERM"] = "dumb"
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "glowvox", "say", "--voice", "nora", "--threads", "1", "--interactive"]
    process = subprocess.Popen(
        command, env=env, stdin=follower, stdout=follower, stderr=follower, start_new_session=True
    )
    os.close(follower)
    shown = b""

    def read_until(wanted, seconds=60.0):
        nonlocal shown
        end = time.monotonic() + seconds
        while wanted not in shown:
            assert time.monotonic() < end, shown
            if select.select([leader], [], [], 0.1)[0]:
                shown += os.read(leader, 4096)
        shown = shown.partition(wanted)[2]

    try:
        read_until(b"> ")
        os.write(leader, b"...\n")
        read_until(b"nothing to say")
        read_until(b"> ")
        os.write(leader, LONG[:900].encode() + b"\n")
        _wait_for(log, "first")
        asked = time.monotonic()
        os.write(leader, b" ")
        read_until(b"> ")
        told = notes(log)
        assert told[-1][1] == "close" and max(when for when, what in told if what == "sound") < asked + 0.5
        os.write(leader, b"Yes.\n")
        time.sleep(0.2)
        _wait_for(log, "close")
        read_until(b"> ")
        assert [what for _, what in notes(log)].count("first") == 2
        os.write(leader, b"\x10")  # the line before, of the history
        read_until(b"Yes.")
        os.write(leader, b"\x15\x04")
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        os.close(leader)
