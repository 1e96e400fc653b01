"""`glowvox say` and `glowvox voices`: texts in, sound out, every mistake one line."""

import io
import json
import sys

import numpy as np
import pytest
import soundfile
from tiny_voice import fake_voice, write_tiny_voice

from glowvox.cli.main import main
from glowvox.synthesis.voice import Voice


@pytest.fixture(scope="module")
def voices(tmp_path_factory):
    place = tmp_path_factory.mktemp("say")
    write_tiny_voice(place / "voices" / "tiny", place / "models", speakers=("ann", "bob"))
    return place / "voices"


@pytest.fixture(autouse=True)
def quick(voices, monkeypatch):
    """A fake voice answers to every name but `tiny`."""
    import glowvox.synthesis.installed_voices as module

    real = module.load_voice
    monkeypatch.setenv("GLOWVOX_VOICES", str(voices))
    monkeypatch.setattr(
        module, "load_voice", lambda name, **rest: real(name, **rest) if name is not None else fake_voice()
    )


HEADER = "'id|text' names the columns and is not spoken"


def _read(path):
    samples, rate = soundfile.read(path, dtype="float32")
    assert rate == 22050
    return samples


class _Pipe:
    """A standard stream that is no terminal."""

    def __init__(self, content: bytes = b""):
        self.buffer = io.BytesIO(content)

    def isatty(self):
        return False

    def write(self, text):
        return self.buffer.write(text.encode())

    def flush(self):
        pass


def test_a_text_becomes_a_file(tmp_path, capsys):
    out = tmp_path / "a.wav"
    assert main(["say", "Hello, world.", "-o", str(out)]) == 0
    assert "a.wav: " in capsys.readouterr().out
    np.testing.assert_allclose(_read(out), fake_voice().say("Hello, world.").samples, atol=1e-4)
    assert main(["say", "Hello, world.", "-o", str(out), "--speed", "0.5", "--seed", "3", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["seed"], told["voice"], told["sample_rate"]) == (3, "tiny", 22050)
    assert told["seconds"] == pytest.approx(len(_read(out)) / 22050)
    assert 0 < told["first_audio_seconds"] <= told["took_seconds"]
    np.testing.assert_allclose(_read(out), fake_voice().say("Hello, world.", speed=0.5, seed=3).samples, atol=1e-4)


def test_a_real_voice_by_name_with_a_speaker(tmp_path, capsys):
    one, two = tmp_path / "one.flac", tmp_path / "two.flac"
    assert main(["say", "Yes.", "--voice", "tiny", "--threads", "1", "-o", str(one)]) == 0
    assert main(["say", "Yes.", "--voice", "tiny", "--speaker", "bob", "--engine", "torch", "-o", str(two)]) == 0
    assert _read(one).shape != _read(two).shape or np.abs(_read(one) - _read(two)).max() > 0
    capsys.readouterr()
    assert main(["say", "Yes.", "--voice", "tiny", "--speaker", "eve", "-o", str(one)]) == 2
    assert capsys.readouterr().err == "glowvox say: the voice tiny has no speaker 'eve'; it has ann, bob\n"


def test_files_and_standard_input(tmp_path, monkeypatch):
    text = "One thing.\nAnd another thing\nover two lines."
    (tmp_path / "text.txt").write_text("\ufeff" + text, encoding="utf-8")
    wanted = fake_voice().say(text).samples
    given, stream = [], Voice.stream

    def told(self, text, **options):
        given.append(text)
        return stream(self, text, **options)

    monkeypatch.setattr(Voice, "stream", told)
    assert main(["say", "--file", str(tmp_path / "text.txt"), "-o", str(tmp_path / "a.wav")]) == 0
    np.testing.assert_allclose(_read(tmp_path / "a.wav"), wanted, atol=1e-4)
    assert given == [[text]]  # a list: known whole, so that all cores may speak it
    for arguments in ([], ["-"]):
        monkeypatch.setattr(sys, "stdin", _Pipe(text.encode()))
        assert main(["say", *arguments, "-o", str(tmp_path / "b.wav")]) == 0
        np.testing.assert_array_equal(_read(tmp_path / "b.wav"), _read(tmp_path / "a.wav"))


def test_pipes_get_wav_or_raw_samples(monkeypatch, capsys):
    wanted = fake_voice().say("Hello, world.").samples
    pipe = _Pipe()
    monkeypatch.setattr(sys, "stdout", pipe)
    assert main(["say", "Hello, world.", "-o", "-"]) == 0
    np.testing.assert_allclose(_read(io.BytesIO(pipe.buffer.getvalue())), wanted, atol=1e-4)
    pipe = _Pipe()
    monkeypatch.setattr(sys, "stdout", pipe)
    assert main(["say", "Hello, world.", "--raw"]) == 0
    raw = np.frombuffer(pipe.buffer.getvalue(), "<i2") / 32768
    np.testing.assert_allclose(raw, wanted, atol=1e-4)
    assert capsys.readouterr().err == "raw audio: 22050 Hz, 16-bit signed little-endian, mono\n"


def test_times_of_words_and_ssml(tmp_path):
    out = [str(tmp_path / name) for name in ("a.wav", "a.srt", "a.json")]
    assert main(["say", "Hello there. Bye!", "-o", out[0], "--timestamps", out[1]]) == 0
    assert "Hello there." in (tmp_path / "a.srt").read_text(encoding="utf-8")
    document = '<speak>Hello <mark name="m"/>there.</speak>'
    assert main(["say", document, "--ssml", "-o", out[0], "--timestamps", out[2], "--duration", "2"]) == 0
    content = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert [word["text"] for word in content["words"]] == ["Hello", "there"]
    assert content["marks"][0]["name"] == "m" and content["duration"] == 2.0


def test_warnings_go_to_standard_error(tmp_path, capsys):
    assert main(["say", "Hello 𓀀.", "-o", str(tmp_path / "a.wav")]) == 0
    assert "glowvox say: left out '𓀀'" in capsys.readouterr().err


def test_a_lexicon_is_heard(tmp_path):
    (tmp_path / "own.txt").write_text("hello = b a b a b a b a\n", encoding="utf-8")
    arguments = ["say", "Hello.", "-o", str(tmp_path / "a.wav")]
    assert main(arguments) == 0
    before = _read(tmp_path / "a.wav")
    assert main([*arguments, "--lexicon", str(tmp_path / "own.txt")]) == 0
    assert len(_read(tmp_path / "a.wav")) > len(before)


ENCODINGS = pytest.mark.parametrize(
    ("encoding", "told"),
    [("utf-8-sig", ""), ("utf-16", "is read as UTF-16"), ("cp1252", "is read as cp1252, since it is not UTF-8")],
)
QUOTED = "\u201cNa\xefve caf\xe9\u201d, said Zo\xeb."


@ENCODINGS
def test_files_of_any_encoding_are_read_and_told(encoding, told, tmp_path, capsys):
    wanted = fake_voice().say(QUOTED).samples
    out = ["-o", str(tmp_path / "a.wav")]
    (tmp_path / "a.txt").write_bytes(QUOTED.encode(encoding))
    assert main(["say", "--file", str(tmp_path / "a.txt"), *out]) == 0
    np.testing.assert_allclose(_read(tmp_path / "a.wav"), wanted, atol=1e-4)
    (tmp_path / "b.csv").write_bytes(f"a|{QUOTED}\r\n".encode(encoding))
    assert main(["say", "--batch", str(tmp_path / "b.csv"), "-o", str(tmp_path)]) == 0
    np.testing.assert_allclose(_read(tmp_path / "a.wav"), wanted, atol=1e-4)
    (tmp_path / "own.txt").write_bytes("caf\xe9 = b a b a b a b a\n".encode(encoding))
    assert main(["say", QUOTED, *out, "--lexicon", str(tmp_path / "own.txt")]) == 0
    assert len(_read(tmp_path / "a.wav")) != len(wanted)
    said = capsys.readouterr().err.splitlines()
    assert [line.partition(": ")[2].partition("; ")[0] for line in said] == (
        [f"{tmp_path / name} {told}" for name in ("a.txt", "b.csv", "own.txt")] if told else []
    )


def test_a_batch_is_one_file_each(tmp_path, capsys):
    (tmp_path / "b.csv").write_text("one|Hello, world.\n\ntwo words|Bye now. And more.\r\n", encoding="utf-8")
    assert main(["say", "--batch", str(tmp_path / "b.csv"), "-o", str(tmp_path / "out"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [entry["id"] for entry in told["files"]] == ["one", "two words"]
    for name, text in (("one", "Hello, world."), ("two words", "Bye now. And more.")):
        np.testing.assert_allclose(_read(tmp_path / "out" / f"{name}.wav"), fake_voice().say(text).samples, atol=1e-4)
    assert main(["say", "--batch", str(tmp_path / "b.csv"), "-o", str(tmp_path / "out"), "--format", "flac"]) == 0
    assert (tmp_path / "out" / "one.flac").exists()
    assert "2 files" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no line ID|TEXT"),
        (b"one", "line 1: expected ID|TEXT, got 'one'"),
        (b"one|", "line 1: expected ID|TEXT"),
        (b"one|a|b", "line 1: expected ID|TEXT"),
        (b"../x|Hello.", "line 1: '../x' cannot be the name of a file"),
        (b".|Hello.", "cannot be the name of a file"),
        (b"|Hello.", "cannot be the name of a file"),
        (b"a|Hello.\na|Bye.", "line 2: the id 'a' stands twice"),
        (b"\x81", "is not cp1252 text"),
        (b"a\x00|\x00H\x00i\x00", "holds zero bytes"),
        (b"\nb|...", "b.csv, line 2, 'b' cannot be spoken: nothing to say"),
        (b"id|text\n\na|...\nb|?", "b.csv, line 3, 'a' cannot be spoken, nor can line 4: nothing to say"),
    ],
)
def test_batches_that_cannot_be_spoken(content, said, tmp_path, capsys):
    (tmp_path / "b.csv").write_bytes(content)
    assert main(["say", "--batch", str(tmp_path / "b.csv"), "-o", str(tmp_path / "out")]) == 2
    errors = capsys.readouterr().err.removeprefix(f"glowvox say: {tmp_path}/b.csv, line 1: {HEADER}\n")
    assert said in errors and errors.count("\n") == 1


def test_rows_of_a_batch_that_cannot_be_spoken_are_named_and_the_others_spoken(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PATH", "")  # without espeak-ng, which reads Chinese
    rows = ["ID|Text", "a|漢字", "", "b|Bye now.", "c|...", "d|Hello.", *(f"e{number}|..." for number in range(11))]
    (tmp_path / "b.csv").write_text("\n".join(rows), encoding="utf-8")
    assert main(["say", "--batch", str(tmp_path / "b.csv"), "-o", str(tmp_path / "out"), "--json"]) == 1
    told = capsys.readouterr()
    printed = json.loads(told.out)
    assert [entry["id"] for entry in printed["files"]] == ["b", "d"]
    assert [(entry["id"], entry["line"]) for entry in printed["errors"][:2]] == [("a", 2), ("c", 5)]
    for name, text in (("b", "Bye now."), ("d", "Hello.")):
        np.testing.assert_allclose(_read(tmp_path / "out" / f"{name}.wav"), fake_voice().say(text).samples, atol=1e-4)
    lines = told.err.splitlines()
    assert f"line 1: {HEADER.replace('id|text', 'ID|Text')}" in lines[0]
    assert "line 2, 'a' cannot be spoken, nor can lines 5, 7, 8, 9, 10, 11, 12, 13, 14, 15 and 2 more: " in lines[-1]
    assert lines[-1].endswith("; 2 of 15 rows were spoken")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([""], "nothing to say: the text is empty"),
        (["..."], "nothing to say: the text holds no word"),
        (["Hi.", "--speed", "0"], "speed must lie between"),
        (["Hi.", "--seed", "x"], "--seed must be a whole number"),
        (["Hi.", "--duration", "0.01"], "does not fit into 0.01 s"),
        (["Hi.", "--slot", "0.01"], "does not fit into 0.01 s"),
        (["Hi.", "--timestamps", "a.txt"], "a.txt: times of words are written as"),
        (["Hi.", "--voice", "none"], "there is no voice 'none': no such file or folder, and installed are tiny"),
        (["Hi.", "--voice", "tiny", "--device", "cuda:77"], "there is no device 'cuda:77'"),
        (["Hi.", "--voice", "tiny", "--engine", "onnx", "--precision", "float16"], "use the engine torch for float16"),
        (["Hi.", "--lexicon", "none.txt"], "cannot read the lexicon none.txt"),
        (["Hi.", "--ssml"], "SSML line 1"),
        (["--file", "none.txt"], "cannot read none.txt"),
        (["Hi.", "--format", "mp3"], "--format is for the files of --batch"),
        (["--batch", "none.csv"], "cannot read none.csv"),
        (["--batch", "none.csv", "--ssml"], "goes without --timestamps, --ssml and --duration"),
    ],
)
def test_mistakes_are_one_line_and_leave_what_was_there(arguments, said, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out.wav").write_bytes(b"precious")
    output = "folder" if "--batch" in arguments else "out.wav"
    assert main(["say", *arguments, "-o", output]) == 2
    errors = capsys.readouterr().err
    assert said in errors and errors.count("\n") == 1
    assert (tmp_path / "out.wav").read_bytes() == b"precious"


def test_outputs_that_cannot_be(tmp_path, capsys, monkeypatch):
    assert main(["say", "Hi.", "-o", str(tmp_path / "a.xyz")]) == 2
    assert "which names no format" in capsys.readouterr().err
    assert main(["say", "Hi.", "--raw", "--json"]) == 2
    assert "cannot both go to standard output" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "miniaudio", None)
    assert main(["say", "Hi."]) == 2
    assert "miniaudio" in capsys.readouterr().err


def test_standard_input_must_be_text(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", _Pipe(b"Good. \xff\xfe bad."))
    assert main(["say", "-o", str(tmp_path / "a.wav")]) == 2
    assert "standard input is not UTF-8 text (near byte 6)" in capsys.readouterr().err


def test_voices_are_listed(voices, tmp_path, capsys, monkeypatch):
    assert main(["voices"]) == 0
    listed = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert any(line.startswith("tiny en-us 22050 Hz CC0-1.0, speakers ann, bob") for line in listed)
    (tmp_path / "broken.voice").write_bytes(b"PK")
    monkeypatch.setenv("GLOWVOX_VOICES", f"{voices}:{tmp_path}")
    assert main(["voices", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["tiny"]["speakers"] == ["ann", "bob"] and "damaged" in rows["broken"]["error"]
    assert main(["voices"]) == 0
    assert "broken.voice: damaged" in capsys.readouterr().err


def test_no_voices_is_said(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("GLOWVOX_VOICES", str(tmp_path))
    monkeypatch.setattr("glowvox.synthesis.installed_voices.packaged_folder", lambda: tmp_path / "none")
    assert main(["voices"]) == 0
    assert f"no voices; put a voice's folder or .voice file into {tmp_path}" in capsys.readouterr().out


def test_the_text_is_not_replaced_by_its_times(tmp_path, capsys):
    text = tmp_path / "talk.srt"
    text.write_text("Good morning.")
    assert main(["say", "--file", str(text), "-o", str(tmp_path / "a.wav"), "--timestamps", str(text)]) == 2
    said = capsys.readouterr().err
    assert "--timestamps: " in said and "also the file of --file" in said and said.count("\n") == 1
    assert text.read_text() == "Good morning." and not (tmp_path / "a.wav").exists()
