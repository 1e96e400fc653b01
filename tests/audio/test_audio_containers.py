"""Sound files that libsndfile does not read by itself: what telephones and browsers write, headers without a length."""

import io
import struct
import sys
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
import soundfile

from glowvox.audio.containers import completed_wav, foreign_format
from glowvox.audio.files import audio_blocks, audio_header, read_audio
from glowvox.errors import AudioError, MissingExtraError

RATE = 24000
FORMATS = {"m4a": ("mp4", "aac"), "aac": ("adts", "aac"), "webm": ("webm", "libopus"), "wma": ("asf", "wmav2")}


def _tone(seconds: float = 1.0) -> np.ndarray:
    time = np.arange(int(seconds * RATE)) / RATE
    return (0.3 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)


def _encoded(target: Path | BinaryIO, suffix: str, samples: np.ndarray) -> None:
    """Write mono `[S]` or stereo `[S, 2]` through FFmpeg."""
    av = pytest.importorskip("av", reason="the extra 'aac' is not installed")
    container, codec = FORMATS[suffix]
    layout = "mono" if samples.ndim == 1 else "stereo"
    planes = np.ascontiguousarray(samples.reshape(len(samples), -1).T)
    with av.open(str(target) if isinstance(target, Path) else target, "w", format=container) as file:
        rate = 48000 if suffix == "webm" else RATE
        stream = file.add_stream(codec, rate=rate, layout=layout)
        stream.bit_rate = 48000
        frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout=layout)
        frame.sample_rate = RATE
        resampler = av.AudioResampler(format=stream.format, layout=layout, rate=rate)
        fifo = av.AudioFifo()
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            part.pts = None
            fifo.write(part)
        size = stream.codec_context.frame_size or 1024
        while (part := fifo.read(size, partial=True)) is not None:
            file.mux(stream.encode(part))
        file.mux(stream.encode(None))


@pytest.mark.parametrize("suffix", sorted(FORMATS))
def test_what_telephones_and_browsers_write(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    _encoded(path, suffix, _tone())
    samples, rate = read_audio(path, RATE)
    assert rate == RATE
    assert len(samples) / RATE == pytest.approx(1.0, abs=0.15)
    middle = samples[len(samples) // 4 : 3 * len(samples) // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert np.argmax(spectrum) * RATE / len(middle) == pytest.approx(440, abs=5)
    assert float(np.sqrt(np.mean(middle**2))) == pytest.approx(0.3 / np.sqrt(2), rel=0.1)
    header = audio_header(path)
    assert header.channels == 1
    if suffix != "aac":
        assert header.seconds == pytest.approx(1.0, abs=0.2)
    # The name does not decide, nor does whether it is a path; pieces are the whole.
    with path.open("rb") as file:
        np.testing.assert_array_equal(read_audio(file, RATE)[0], samples)
    (tmp_path / "b.wav").write_bytes(path.read_bytes())
    with audio_blocks(tmp_path / "b.wav") as (rate, blocks):
        assert sum(len(block) for block in blocks) == len(read_audio(path)[0])


@pytest.mark.parametrize("suffix", ["m4a", "webm"])
def test_stereo_is_mixed(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    _encoded(path, suffix, np.stack([_tone(), 0 * _tone()], 1))
    assert audio_header(path).channels == 2
    samples, _ = read_audio(path, RATE)
    middle = samples[len(samples) // 4 : 3 * len(samples) // 4]
    assert float(np.abs(middle).max()) == pytest.approx(0.15, rel=0.15)


def test_without_the_package_the_refusal_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.m4a").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(100))
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(
        MissingExtraError, match=r"reading .*a\.m4a .*needs the package 'av': pip install 'glowvox\[aac\]'"
    ):
        read_audio(tmp_path / "a.m4a")


@pytest.mark.parametrize(
    "content",
    [
        b"\0\0\0\x20ftypM4A " + bytes(1000),
        b"\x1a\x45\xdf\xa3" + bytes(1000),
        b"\x30\x26\xb2\x75" + bytes(1000),
        b"\xff\xf1" + bytes(1000),
    ],
    ids=["mp4", "matroska", "asf", "aac"],
)
def test_damaged_containers_are_one_line(tmp_path: Path, content: bytes) -> None:
    pytest.importorskip("av", reason="the extra 'aac' is not installed")
    (tmp_path / "a.bin").write_bytes(content)
    with pytest.raises(AudioError) as caught:
        read_audio(tmp_path / "a.bin")
    assert "\n" not in str(caught.value)


def test_a_cut_container_gives_what_is_left_or_one_line(tmp_path: Path) -> None:
    _encoded(tmp_path / "a.webm", "webm", _tone(3))
    whole = (tmp_path / "a.webm").read_bytes()
    (tmp_path / "b.webm").write_bytes(whole[: len(whole) // 2])
    assert 0 < len(read_audio(tmp_path / "b.webm", RATE)[0]) < 3 * RATE


def test_a_container_cannot_open_another_file(tmp_path: Path) -> None:
    _encoded(tmp_path / "secret.m4a", "m4a", _tone())
    playlist = f"#EXTM3U\n#EXTINF:1,\n{tmp_path / 'secret.m4a'}\n#EXT-X-ENDLIST\n"
    for name in ("a.m3u8", "a.m4a"):
        (tmp_path / name).write_text(playlist)
        with pytest.raises(AudioError):
            read_audio(tmp_path / name)


def test_formats_are_told_by_their_first_bytes() -> None:
    assert foreign_format(b"") is None
    assert foreign_format(b"RIFF\0\0\0\0WAVE") is None
    assert foreign_format(b"ID3\x03\0\0\0\0\0\0\0\0") is None
    assert foreign_format(b"\xff\xfb\x90\x64" + bytes(8)) is None  # an MP3
    assert foreign_format(b"\xff\xf9\x50\x80" + bytes(8)) == "aac"


def _wav(samples: np.ndarray) -> bytearray:
    stream = io.BytesIO()
    soundfile.write(stream, samples, RATE, format="WAV", subtype="PCM_16")
    return bytearray(stream.getvalue())


@pytest.mark.parametrize("riff", [0, 36])
def test_a_length_of_0_because_the_writer_could_not_seek(tmp_path: Path, riff: int) -> None:
    content = _wav(_tone())
    expected = read_audio(io.BytesIO(bytes(content)))[0]
    content[4:8] = struct.pack("<I", riff)
    content[40:44] = struct.pack("<I", 0)
    (tmp_path / "a.wav").write_bytes(content)
    np.testing.assert_array_equal(read_audio(tmp_path / "a.wav")[0], expected)
    np.testing.assert_array_equal(read_audio(io.BytesIO(bytes(content)))[0], expected)
    assert audio_header(tmp_path / "a.wav").seconds == pytest.approx(1.0)


def test_a_file_that_is_empty_indeed_stays_so(tmp_path: Path) -> None:
    empty = _wav(np.zeros(0, np.float32))
    assert completed_wav(io.BytesIO(bytes(empty))) is None
    listed = empty + b"LIST" + struct.pack("<I", 4) + b"INFO"
    assert completed_wav(io.BytesIO(bytes(listed))) is None
    assert completed_wav(io.BytesIO(bytes(_wav(_tone())))) is None
    assert completed_wav(io.BytesIO(b"RIFF")) is None
    (tmp_path / "a.wav").write_bytes(empty)
    with pytest.raises(AudioError, match="no samples"):
        read_audio(tmp_path / "a.wav")


def test_channels_in_opposite_phase_are_noticed(tmp_path: Path) -> None:
    tone = _tone(30)
    soundfile.write(tmp_path / "a.wav", np.stack([tone, -tone], 1), RATE)
    with pytest.raises(AudioError, match="2 channels are in opposite phase"):
        read_audio(tmp_path / "a.wav")
    for other in (0 * tone, 0.5 * tone, -0.8 * tone, np.roll(tone, 9)):
        soundfile.write(tmp_path / "b.wav", np.stack([tone, other], 1), RATE)
        assert float(np.abs(read_audio(tmp_path / "b.wav")[0]).max()) > 0.02
    soundfile.write(tmp_path / "c.wav", np.zeros((RATE, 2)), RATE)
    assert not read_audio(tmp_path / "c.wav")[0].any()
