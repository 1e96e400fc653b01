"""Standard streams that are closed, full or lack letters: one line, no traceback, no letter lost without a word."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from glowvox.audio.files import write_audio

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


def _run(words, *, redirect="", environment=None, unbuffered=False):
    """Run the program through a shell; return its status, standard output and standard error as bytes."""
    command = [os.fsencode(sys.executable), b"-m", b"glowvox", *(os.fsencode(word) for word in words)]
    line = b'"$@" ' + redirect.encode()
    set_here = {"PYTHONUNBUFFERED": "1" if unbuffered else "", **(environment or {})}
    done = subprocess.run(
        [b"/bin/sh", b"-c", line, b"sh", *command], capture_output=True, env={**os.environ, **set_here}, timeout=60
    )
    return done.returncode, done.stdout, done.stderr


@needs_full
@pytest.mark.parametrize("unbuffered", [False, True])
@pytest.mark.parametrize("words", [["voices"], ["--help"], ["mel", "--help"], ["--version"], ["explain", "Hi."]])
def test_a_full_disk_is_one_line(words, unbuffered):
    status, _, said = _run(words, redirect=">/dev/full", unbuffered=unbuffered)
    assert status == 2
    assert said.decode().splitlines()[-1].endswith("cannot write to standard output: No space left on device")
    assert said.count(b"\n") == 1


@pytest.mark.parametrize("words", [["voices"], ["--help"]])
def test_a_closed_standard_output_is_one_line(words):
    status, _, said = _run(words, redirect=">&-")
    assert (status, said.count(b"\n")) == (2, 1)
    assert b"cannot write to standard output" in said


def test_a_closed_standard_input_is_no_text():
    status, _, said = _run(["explain", "-"], redirect="<&-")
    assert status in (0, 2)
    assert b"Traceback" not in said


@pytest.mark.parametrize("redirect", [pytest.param("2>/dev/full", marks=needs_full), "2>&-"])
def test_messages_that_nobody_can_read_do_not_stop_the_work(redirect):
    status, out, said = _run(["explain", "Łódź."], redirect=redirect)
    assert (status, said) == (0, b"")
    assert "Łódź" in out.decode()
    assert _run(["sayy"], redirect=redirect)[0] == 2


@pytest.mark.parametrize("words", [["--help"], ["voices", "--json"], ["train", "--help"]])
def test_a_pipe_that_is_closed_early(words):
    status, _, said = _run(words, redirect="| head -c 1 >/dev/null")
    assert (status, said) == (0, b"")


@pytest.mark.parametrize(("target", "told"), [(["-o", "-"], b""), (["--raw"], b"raw audio: ")])
def test_a_pipe_that_has_heard_enough_is_no_mistake(target, told):
    words = [sys.executable, "-m", "glowvox", "say", "One sentence, and another one. " * 4, *target]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        assert len(program.stdout.read(100)) == 100
        program.stdout.close()
        said = program.stderr.read()
        assert program.wait(60) == 0
    assert said.startswith(told)
    assert said.count(b"\n") == bool(told)


ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize(
    "environment",
    [ASCII, {"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"}],
    ids=["C locale", "ascii", "latin-1"],
)
def test_letters_that_the_terminal_lacks_are_escaped_and_told(environment):
    text = "Łódź, naïve \U0001d11e"
    status, out, said = _run(["explain", "--json", text], environment=environment)
    assert status == 0
    encoding = "latin-1" if "latin-1" in environment.values() else "ascii"
    assert json.loads(out.decode(encoding))["normalized"].startswith("Łódź, naïve")
    assert b"stand as \\uXXXX" in said
    status, out, said = _run(["explain", text], environment=environment)
    assert status == 0
    assert "\\u0141" in out.decode(encoding)
    assert b"Traceback" not in said


def test_a_plain_c_locale_is_utf_8():
    status, out, said = _run(["explain", "naïve"], environment={"LC_ALL": "C"})
    assert (status, said) == (0, b"")
    assert "naïve" in out.decode("utf-8")


@pytest.mark.parametrize("command", [["explain"], ["say", "-o", "never.wav"]])
def test_a_text_that_is_not_utf_8_is_refused_in_one_line(command, tmp_path):
    status, out, said = _run([*command, os.fsdecode(b"caf\xe9")])
    assert (status, out, said.count(b"\n")) == (2, b"", 1)
    assert b"the text is not UTF-8 (byte 0xe9 at place 4)" in said


@pytest.mark.parametrize(
    "words", [["voices", b"\xe9"], ["mel", b"\xe9.wav", "-o", "x.npy"], [b"\xe9"], ["say", b"--\xe9"]]
)
def test_other_arguments_that_are_not_utf_8(words):
    status, _, said = _run([os.fsdecode(word) if isinstance(word, bytes) else word for word in words])
    assert (status, said.count(b"\n")) == (2, 1)
    assert b"\\udce9" in said


def test_a_file_name_that_is_not_utf_8_is_written(tmp_path):
    place = tmp_path / os.fsdecode(b"m\xe9l.npy")
    sound = tmp_path / os.fsdecode(b"s\xe9n.wav")
    write_audio(sound, np.zeros(22050, np.float32) + 0.1, 22050)
    status, _, said = _run(["mel", str(sound), "-o", str(place)])
    assert (status, b"Traceback" in said) == (0, False)
    assert place.stat().st_size > 0
