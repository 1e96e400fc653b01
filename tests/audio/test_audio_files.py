"""Sound files: every format there and back, and everything that may be wrong with one."""

import errno
import io
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from glowvox.audio.files import audio_writer, bits_per_dimension, read_audio, write_audio
from glowvox.audio.sound import Audio, AudioChunk, TimedWord
from glowvox.errors import AudioError


@pytest.fixture
def voice(synthetic_voice):
    return synthetic_voice(1.0)


@pytest.mark.parametrize(
    ("name", "subtype", "tolerance"),
    [
        ("a.wav", None, 0.51 / 32768),
        ("a.WAV", "pcm_24", 0.51 / 2**23),
        ("a.wav", "PCM_32", 1e-7),
        ("a.wav", "float", 0),
        ("a.flac", None, 0.51 / 32768),
        ("a.flac", "PCM_24", 0.51 / 2**23),
    ],
)
def test_exact_formats(tmp_path, voice, name, subtype, tolerance):
    path = tmp_path / name
    report = write_audio(path, voice, 22050, subtype=subtype)
    back, rate = read_audio(path)
    assert rate == 22050
    assert back.dtype == np.float32
    np.testing.assert_allclose(back, voice, atol=tolerance)
    assert report.clipped == 0
    assert report.peak == np.abs(voice).max()
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_reading_and_writing_again_changes_nothing(tmp_path, name):
    path = tmp_path / name
    every_value = np.arange(-32768, 32768, dtype=np.int16)
    soundfile.write(path, every_value, 22050, subtype="PCM_16")
    samples, rate = read_audio(path)
    write_audio(path, samples, rate)
    np.testing.assert_array_equal(soundfile.read(path, dtype="int16")[0], every_value)


@pytest.mark.parametrize(("name", "rate"), [("a.ogg", 24000), ("a.opus", 24000), ("a.mp3", 22050)])
def test_lossy_formats(tmp_path, voice, name, rate):
    path = tmp_path / name
    write_audio(path, voice, 22050)
    assert soundfile.info(path).samplerate == rate
    assert soundfile.info(path).subtype == ("MPEG_LAYER_III" if name == "a.mp3" else "OPUS")
    back, back_rate = read_audio(path, 22050)
    assert back_rate == 22050
    assert abs(len(back) - len(voice)) < 2400
    best = max(np.correlate(back[:20_000], voice[2000:18_000], "valid"))
    assert best / np.sum(voice[2000:18_000] ** 2) > 0.9


@pytest.mark.parametrize(
    ("rate", "written"), [(8000, 8000), (11025, 12000), (16000, 16000), (44100, 48000), (96000, 48000)]
)
def test_opus_rates(rate, written):
    stream = io.BytesIO()
    write_audio(stream, np.zeros(rate, np.float32), rate, format="opus")
    stream.seek(0)
    samples, read_rate = read_audio(stream)
    assert (len(samples), read_rate) == (written, written)


@pytest.mark.parametrize("format", ["wav", "flac", "ogg", "mp3"])
def test_streams_that_cannot_seek(voice, format):
    class Pipe(io.RawIOBase):
        def __init__(self, data=b""):
            self.data = io.BytesIO(data)

        def readable(self):
            return True

        def writable(self):
            return True

        def readinto(self, buffer):
            return self.data.readinto(buffer)

        def write(self, block):
            return self.data.write(block)

    sink = Pipe()
    write_audio(sink, voice, 22050, format=format)
    samples, _ = read_audio(Pipe(sink.data.getvalue()), 22050)
    assert abs(len(samples) - len(voice)) < 2400
    assert not sink.closed


def test_clipping_is_cut_and_counted(tmp_path):
    loud = np.array([0.5, 1.0, 1.5, -1.0, -2.0], np.float32)
    report = write_audio(tmp_path / "a.wav", loud, 22050)
    assert (report.clipped, report.peak) == (2, 2.0)
    back, _ = read_audio(tmp_path / "a.wav")
    np.testing.assert_allclose(back, [0.5, 1, 1, -1, -1], atol=1 / 32768)
    report = write_audio(tmp_path / "f.wav", loud, 22050, subtype="FLOAT")
    assert report.clipped == 0
    np.testing.assert_array_equal(read_audio(tmp_path / "f.wav")[0], loud)


def test_stereo_becomes_the_mean(tmp_path):
    both = np.random.default_rng(0).uniform(-0.5, 0.5, (300_000, 2)).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", both, 44100, subtype="FLOAT")
    samples, rate = read_audio(tmp_path / "a.wav")
    assert rate == 44100
    np.testing.assert_allclose(samples, both.mean(axis=1), atol=1e-7)


def test_other_containers_and_resampling(tmp_path, synthetic_voice):
    voice = synthetic_voice(0.5, 44100)
    for name, subtype in [("a.aiff", "PCM_16"), ("a.au", "ULAW"), ("a.caf", "PCM_24"), ("a.ogg", "VORBIS")]:
        soundfile.write(tmp_path / name, voice, 44100, subtype=subtype)
        samples, rate = read_audio(tmp_path / name, 16000)
        assert (len(samples), rate) == (8000, 16000)
        assert 0.9 < np.std(samples) / np.std(voice) < 1.1


def test_a_flac_without_a_length(tmp_path, voice):
    """Streamed FLAC has zero samples or nonsense in its header; the reader goes to the end of the file instead."""
    path = tmp_path / "a.flac"
    write_audio(path, voice, 22050)
    data = bytearray(path.read_bytes())
    assert data[:4] == b"fLaC"
    data[21] &= 0xF0
    data[22:26] = b"\0\0\0\0"
    path.write_bytes(data)
    assert soundfile.info(path).frames > 10**18
    np.testing.assert_allclose(read_audio(path)[0], voice, atol=1 / 32768)


def test_a_wav_with_a_huge_length(tmp_path, voice):
    path = tmp_path / "a.wav"
    write_audio(path, voice, 22050)
    data = bytearray(path.read_bytes())
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    assert len(read_audio(path)[0]) == len(voice)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"hello" * 100, "as audio"),
        (b"RIFF\xff\xff\xff\xffWAVEfmt ", "as audio"),
        (b"fLaC" + b"\0" * 40, "as audio"),
        (os.urandom(5000), "as audio"),
    ],
)
@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp3", "a.ogg", "a"])
def test_not_audio(tmp_path, content, message, name):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(AudioError, match=message) as caught:
        read_audio(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_damaged_files(tmp_path, voice):
    rng = np.random.default_rng(0)
    for suffix in ("wav", "flac", "ogg", "mp3"):
        path = tmp_path / f"a.{suffix}"
        write_audio(path, voice, 22050)
        whole = path.read_bytes()
        for _ in range(25):
            changed = bytearray(whole[: rng.integers(1, len(whole))])
            for place in rng.integers(0, min(len(changed), 100), 4):
                changed[place] = rng.integers(256)
            path.write_bytes(changed)
            try:
                samples, _ = read_audio(path)
                assert np.isfinite(samples).all()
            except AudioError as problem:
                assert "\n" not in str(problem)


def test_absurd_rates(tmp_path):
    path = tmp_path / "a.wav"
    write_audio(path, np.zeros(100), 22050)
    data = bytearray(path.read_bytes())
    for rate in (1, 4_000_000_000):
        data[24:28] = struct.pack("<I", rate)
        path.write_bytes(data)
        with pytest.raises(AudioError):
            read_audio(path, 22050)


def test_unusable_contents(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.array([0.0, np.nan, np.inf]), 22050, subtype="FLOAT")
    with pytest.raises(AudioError, match=r"a\.wav: 2 samples are NaN or infinite"):
        read_audio(path)
    soundfile.write(path, np.zeros(0), 22050)
    with pytest.raises(AudioError, match="no samples"):
        read_audio(path)
    with pytest.raises(AudioError, match="folder"):
        read_audio(tmp_path)
    with pytest.raises(AudioError, match="no file"):
        read_audio(tmp_path / "none.wav")
    (tmp_path / "a.raw").write_bytes(b"\0" * 100)
    with pytest.raises(AudioError, match="raw audio"):
        read_audio(tmp_path / "a.raw")
    with pytest.raises(AudioError, match="stream"):
        read_audio(io.BytesIO(b"nothing"))


@pytest.mark.parametrize(
    ("samples", "rate", "name", "options", "message"),
    [
        (np.array([0.0, np.nan]), 22050, "a.wav", {}, "NaN"),
        (np.zeros(0), 22050, "a.wav", {}, "no samples"),
        (np.zeros((2, 5)), 22050, "a.wav", {}, "shape"),
        (np.zeros(5, np.int16), 22050, "a.wav", {}, "int16"),
        (np.zeros(5), 0, "a.wav", {}, "sample rate"),
        (np.zeros(5), 22050.5, "a.wav", {}, "whole number"),
        (np.zeros(5), 22050, "a.xyz", {}, "ends in '.xyz'"),
        (np.zeros(5), 22050, "a", {}, "no ending"),
        (np.zeros(5), 22050, "a.wav", {"format": "aac"}, "'aac'"),
        (np.zeros(5), 22050, "a.flac", {"subtype": "FLOAT"}, "FLOAT"),
        (np.zeros(5), 22050, "no/a.wav", {}, "does not exist"),
        (np.zeros(5), 22050, "", {"format": "wav"}, "folder"),
    ],
)
def test_refused_writes(tmp_path, samples, rate, name, options, message):
    with pytest.raises(AudioError, match=message) as caught:
        write_audio(tmp_path / name, samples, rate, **options)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_stream_needs_a_format():
    with pytest.raises(AudioError, match="give the format"):
        write_audio(io.BytesIO(), np.zeros(5), 22050)


def test_a_failed_write_keeps_the_old_file(tmp_path, voice):
    path = tmp_path / "a.wav"
    write_audio(path, voice, 22050)
    before = path.read_bytes()
    with pytest.raises(AudioError, match="NaN"), audio_writer(path, 22050) as writer:
        writer.write(voice)
        writer.write(np.full(3, np.nan))
    with pytest.raises(AudioError, match="no samples"), audio_writer(path, 22050):
        pass
    with pytest.raises(RuntimeError, match="mine"), audio_writer(path, 22050) as writer:
        writer.write(voice[:10])
        raise RuntimeError("mine")
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.wav"]


@pytest.mark.skipif(sys.platform != "linux", reason="file size limits as Linux has them")
def test_a_full_disk(tmp_path):
    """In its own process, because the limit on the size of files holds for the rest of its life."""
    program = """
import resource, sys
import numpy as np
from glowvox.audio.files import write_audio
from glowvox.errors import AudioError
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
noise = np.random.default_rng(0).uniform(-1, 1, 200_000).astype(np.float32)
for name in sys.argv[1:]:
    try:
        write_audio(name, noise, 22050)
    except AudioError as problem:
        print(problem)
"""
    names = ["a.wav", "a.flac", "a.ogg", "a.mp3"]
    # Not measured: the notes of the lines that run would be cut off at the limit, too.
    env = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    words = [sys.executable, "-W", "error", "-c", program, *names]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True, env=env)
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == [f"cannot write {name}" for name in names]
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="file size limits as Linux has them")
def test_a_disk_that_is_full_at_the_very_end(tmp_path):
    """What an encoder keeps back until the file is closed is missed as anything else is, and no short file stays."""
    program = """
import os, resource, sys
import numpy as np
from glowvox.audio.files import write_audio
from glowvox.errors import AudioError
noise = np.random.default_rng(0).uniform(-1, 1, 20_000).astype(np.float32)
for name in sys.argv[1:]:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 30))
    write_audio(name, noise, 24000)
    size = os.path.getsize(name)
    os.unlink(name)
    for missing in (1, 100, 3000):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size - missing, 1 << 30))
        try:
            write_audio(name, noise, 24000)
        except AudioError as problem:
            print(problem)
"""
    env = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    names = ["a.wav", "a.flac", "a.mp3"]
    words = [sys.executable, "-W", "error", "-c", program, *names]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True, env=env)
    expected = [f"cannot write {name}: {os.strerror(errno.EFBIG)}" for name in names for _ in range(3)]
    assert done.stdout.splitlines() == expected
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_devices_are_written_to_and_not_replaced(voice):
    with pytest.raises(AudioError, match="No space"):
        write_audio("/dev/full", voice, 22050, format="wav")
    write_audio(os.devnull, voice, 22050, format="wav")
    assert Path(os.devnull).is_char_device()


def test_links_and_permissions_stay(tmp_path, voice):
    target, link = tmp_path / "target.wav", tmp_path / "link.wav"
    target.write_bytes(b"old")
    target.chmod(0o640)
    link.symlink_to(target)
    write_audio(link, voice, 22050)
    assert link.is_symlink()
    assert target.stat().st_mode & 0o777 == 0o640
    assert len(read_audio(target)[0]) == len(voice)


@pytest.mark.parametrize("format", ["wav", "flac", "ogg"])
def test_pieces_make_the_same_file(voice, format):
    whole, pieces = io.BytesIO(), io.BytesIO()
    write_audio(whole, voice, 22050, format=format)
    with audio_writer(pieces, 22050, format=format) as writer:
        for start in range(0, len(voice), 777):
            writer.write(voice[start : start + 777])
    first, second = (read_audio(io.BytesIO(stream.getvalue()))[0] for stream in (whole, pieces))
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_audio_saves_itself(tmp_path, voice):
    audio = Audio(voice, 22050, (TimedWord("hello", 0.1, 0.4),))
    assert audio.duration == len(voice) / 22050
    audio.save(tmp_path / "a.flac")
    assert len(read_audio(tmp_path / "a.flac")[0]) == len(voice)
    assert AudioChunk(voice[:2205], 22050).duration == 0.1


@pytest.mark.parametrize("bits", [8, 16, 24])
def test_uniform_noise_needs_all_its_bits(bits: int) -> None:
    # Uniform over [-1, 1): every value of so many bits is equally likely.
    assert bits_per_dimension(np.log(2.0), bits) == pytest.approx(bits)
    # Half the range is a bit less.
    assert bits_per_dimension(0.0, bits) == pytest.approx(bits - 1)


def test_names_that_are_too_long_are_one_line(tmp_path, voice):
    for name in ("a" * 300, "\u6f22" * 95):
        with pytest.raises(AudioError, match=r"cannot write .*[Ff]ile name too long"):
            write_audio(tmp_path / f"{name}.wav", voice, 22050)
    longest = tmp_path / ("\u6f22" * 83 + ".wav")
    write_audio(longest, voice, 22050)
    assert list(tmp_path.iterdir()) == [longest]
