"""Speech as bytes, piece by piece: the same file whatever the pieces, and one that others can read."""

import io

import numpy as np
import pytest
import soundfile

from glowvox.audio.files import resample
from glowvox.errors import AudioError, ConfigError, MissingExtraError
from glowvox.synthesis.speech_encoding import MEDIA_TYPES, GrowingFile, SpeechEncoder, completed

RATE = 22_050


def tone(seconds=1.3):
    time = np.arange(int(seconds * RATE)) / RATE
    return (0.5 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)


def encoded(samples, format, step, target_rate=None):
    with SpeechEncoder(format, RATE, target_rate) as encoder:
        pieces = [encoder.push(samples[start : start + step]) for start in range(0, len(samples), step)]
        return [*pieces, encoder.finish()], encoder.rate


@pytest.mark.parametrize("format", ["wav", "pcm", "flac", "mp3", "opus"])
def test_the_bytes_do_not_depend_on_the_pieces(format):
    samples = tone()
    whole = b"".join(encoded(samples, format, len(samples))[0])
    pieces = b"".join(encoded(samples, format, 777)[0])
    if format == "opus":
        # the stream's number, which libsndfile draws, is in every page and its checksum
        assert len(pieces) == len(whole)
    else:
        assert pieces == whole


@pytest.mark.parametrize(("format", "tolerance"), [("wav", 1e-4), ("flac", 1e-4), ("mp3", 0.06), ("opus", 0.06)])
def test_files_hold_the_sound(format, tolerance):
    samples = tone()
    pieces, rate = encoded(samples, format, 1000)
    found, found_rate = soundfile.read(io.BytesIO(b"".join(pieces)))
    assert found_rate == rate
    assert len(found) / rate == pytest.approx(len(samples) / RATE, abs=0.1)
    expected = resample(samples, RATE, rate)
    spectrum = np.abs(np.fft.rfft(found[:rate] * np.hanning(rate)))
    level = np.sqrt(np.mean(found[rate // 4 : rate] ** 2)) / np.sqrt(np.mean(expected[rate // 4 : rate] ** 2))
    assert spectrum.argmax() == pytest.approx(440, abs=1)
    assert level == pytest.approx(1.0, abs=tolerance)


@pytest.mark.parametrize("format", ["wav", "pcm", "mp3"])
def test_bytes_come_while_samples_do(format):
    pieces, _ = encoded(tone(3.0), format, RATE // 4)
    assert sum(map(bool, pieces[:-1])) >= len(pieces) - 2


def test_a_wav_is_completed_with_its_length():
    samples = tone()
    streamed = b"".join(encoded(samples, "wav", 500)[0])
    assert streamed[40:44] == b"\xff" * 4
    whole = completed(streamed, "wav")
    target = io.BytesIO()
    soundfile.write(target, np.rint(samples * 32768).astype(np.int16), RATE, format="WAV", subtype="PCM_16")
    assert whole == target.getvalue()
    assert completed(b"abc", "mp3") == b"abc"


def test_what_exceeds_full_scale_is_cut_off():
    pieces, _ = encoded(np.array([0.0, 2.0, -2.0], np.float32), "pcm", 3)
    assert np.frombuffer(b"".join(pieces), "<i2").tolist() == [0, 32767, -32768]


def test_no_samples_are_a_file_all_the_same():
    for format in ("wav", "pcm", "flac", "mp3", "opus"):
        with SpeechEncoder(format, RATE) as encoder:
            assert isinstance(encoder.finish(), bytes)


def test_formats_and_rates_that_there_are_not():
    with pytest.raises(ConfigError, match="'exe' is not a format"):
        SpeechEncoder("exe", RATE)
    for format in ("mp3", "opus"):
        with pytest.raises(AudioError, match="does not have the sample rate"):
            SpeechEncoder(format, RATE, 44_000)
    assert set(MEDIA_TYPES) == {"mp3", "opus", "aac", "flac", "wav", "pcm"}


def test_aac_says_what_it_needs(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(MissingExtraError, match=r"glowvox\[aac\]"):
        SpeechEncoder("aac", RATE)


def test_a_growing_file_gives_each_byte_once():
    file = GrowingFile()
    file.write(b"abcdef")
    file.seek(2)
    file.write(b"X")
    assert file.taken() == b"abXdef"
    file.seek(0)
    file.write(b"late")
    file.seek(0, 2)
    assert file.tell() == 6
    file.write(b"gh")
    assert file.taken() == b"gh"
    assert file.taken() == b""
