"""Every check finds what it is for in real files, and leaves good recordings alone."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from glowvox.config.audio import AudioConfig
from glowvox.data.checks import (
    Limits,
    MeasuredUtterance,
    Measurements,
    check_duplicates,
    check_speaking_rates,
    check_text,
    clipped_share,
    group_by_kind,
    letters_per_second,
)
from glowvox.data.clips import ClipResult, ClipSettings, ClipTask, make_clip
from glowvox.data.corpora import note, warning
from glowvox.errors import ConfigError, DataError

RATE = 22050
Make = Callable[..., np.ndarray]


def judge(path: Path, **limits: float) -> ClipResult:
    settings = ClipSettings(AudioConfig(), -23.0, False, Limits(**limits))
    return make_clip(ClipTask(path, path.name, path.with_suffix(".safetensors"), settings))


def kinds(result: ClipResult) -> list[tuple[str, str]]:
    return [(finding.kind, finding.severity) for finding in result.findings]


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "aiff"])
def test_a_good_recording_has_no_findings(tmp_path: Path, voiced: Make, write: Callable, suffix: str) -> None:
    result = judge(write(tmp_path / f"a.{suffix}", voiced()))
    assert kinds(result) == []
    assert result.record is not None
    assert result.record.samples % 256 == 0
    assert result.record.level_db == pytest.approx(-23, abs=0.1)


def test_left_out(tmp_path: Path, voiced: Make, write: Callable) -> None:
    speech = voiced()
    clicks = np.zeros(RATE, np.float32)
    clicks[5000] = 0.5
    not_finite = speech.copy()
    not_finite[77] = np.nan
    cases = {
        "all zero": write(tmp_path / "zero.wav", 0 * speech),
        "silent": write(tmp_path / "silent.wav", 0.01 * speech, subtype="FLOAT"),
        "clipped": write(tmp_path / "clipped.wav", np.clip(20 * speech, -1, 1)),
        "too short": write(tmp_path / "short.wav", speech[:2000]),
        "too long": write(tmp_path / "long.wav", np.tile(speech, 40)),
        "unreadable": write(tmp_path / "nan.wav", not_finite, subtype="FLOAT"),
    }
    for kind, path in cases.items():
        result = judge(path)
        assert result.record is None
        assert (kind, "left out") in kinds(result), kinds(result)
        assert not path.with_suffix(".safetensors").exists()
    assert kinds(judge(write(tmp_path / "clicks.wav", clicks))) == [("silent", "left out")]


@pytest.mark.parametrize("damage", ["empty", "text", "cut header", "noise", "folder", "absent", "m4a"])
def test_unreadable_files_never_raise(tmp_path: Path, voiced: Make, write: Callable, damage: str) -> None:
    path = write(tmp_path / "a.wav", voiced())
    content = path.read_bytes()
    if damage == "folder":
        path.unlink()
        path.mkdir()
    elif damage == "absent":
        path.unlink()
    elif damage == "m4a":
        path = path.rename(tmp_path / "a.m4a")
        path.write_bytes(b"\0\0\0\x20ftypM4A " + content[:3000])
    else:
        new = {"empty": b"", "text": b"hello " * 100, "cut header": content[:30]}
        path.write_bytes(new.get(damage, np.random.default_rng(0).bytes(5000)))
    result = judge(path)
    assert kinds(result) == [("unreadable", "left out")]
    assert str(tmp_path) not in result.findings[0].reason
    assert ("Convert it to WAV" in result.findings[0].reason) == (damage == "m4a")


def test_a_truncated_file_gives_what_is_left(tmp_path: Path, voiced: Make, write: Callable) -> None:
    path = write(tmp_path / "a.wav", voiced())
    path.write_bytes(path.read_bytes()[:20000])
    result = judge(path)
    assert result.record is not None
    assert result.record.measured.seconds == pytest.approx((20000 - 44) / 2 / RATE, abs=0.01)


def test_kept_with_a_note_or_a_warning(tmp_path: Path, voiced: Make, write: Callable) -> None:
    speech = voiced(rate=44100)
    low = voiced(rate=16000)
    few_flat = voiced().copy()
    peak = few_flat.max()
    few_flat[9000:9005] = peak
    spiked = voiced(level=0.01)
    spiked[9000] = 0.99
    cases = {
        ("several channels", "note"): write(tmp_path / "s.wav", np.stack([speech, speech], 1), 44100),
        ("other sample rate", "note"): write(tmp_path / "h.wav", speech, 44100),
        ("low sample rate", "warning"): write(tmp_path / "l.wav", low, 16000),
        ("DC offset", "note"): write(tmp_path / "d.wav", voiced() + 0.02),
        ("DC offset", "warning"): write(tmp_path / "dd.wav", voiced() + 0.2),
        ("slightly clipped", "warning"): write(tmp_path / "c.wav", few_flat),
        ("loudness not reached", "warning"): write(tmp_path / "p.wav", spiked),
    }
    for expected, path in cases.items():
        result = judge(path)
        assert result.record is not None
        assert expected in kinds(result), kinds(result)
        assert judge(path).findings == result.findings, "a reused clip must say the same"


def test_clipping_is_found_after_it_was_made_quieter_and_not_in_smooth_peaks(voiced: Make) -> None:
    time = np.arange(RATE) / RATE
    for pitch in (60.0, 200.0, 3000.0):
        assert clipped_share(0.8 * np.sin(2 * np.pi * pitch * time)) == 0
    assert clipped_share(voiced()) == 0
    assert clipped_share(0.3 * np.clip(10 * voiced(), -1, 1)) > 0.01
    assert clipped_share(np.zeros(100)) == 0


def test_text_checks() -> None:
    assert check_text("a", "Hello", without_text=False) == []
    assert [f.kind for f in check_text("a", None, without_text=False)] == ["audio without text"]
    assert [f.severity for f in check_text("a", None, without_text=True)] == ["note"]
    for text in ("", "...", "—!?"):
        assert [(f.kind, f.severity) for f in check_text("a", text, without_text=False)] == [("empty text", "left out")]


def spoken(subject: str, text: str, seconds: float, digest: str = "") -> MeasuredUtterance:
    measured = Measurements(seconds, RATE, 1, 0.5, -25.0, 0.0, 0.0, seconds, digest or subject)
    return MeasuredUtterance(subject, text, "en", measured)


def test_duplicates_are_left_out_after_the_first() -> None:
    items = [
        spoken("a", "one", 1, "x"),
        spoken("b", "two", 1, "x"),
        spoken("c", "one", 1, "y"),
        spoken("d", "one", 1, "x"),
    ]
    findings = check_duplicates(items)
    assert [(f.subject, f.severity) for f in findings] == [("b", "left out"), ("d", "left out")]
    assert "ANOTHER" in findings[0].reason
    assert "the same text" in findings[1].reason


def test_text_that_does_not_fit_its_recording() -> None:
    generator = np.random.default_rng(0)
    items = [spoken(f"g{n}", "x" * n, n / 14 * generator.uniform(0.85, 1.15)) for n in range(10, 100)]
    assert check_speaking_rates(items) == []
    swapped = [spoken("fast", "x" * 100, 1.0), spoken("slow", "x" * 10, 9.0), spoken("odd", "x" * 40, 6.5)]
    findings = {finding.subject: finding.severity for finding in check_speaking_rates([*items, *swapped])}
    assert findings == {"fast": "left out", "slow": "left out", "odd": "warning"}
    assert check_speaking_rates([*items, spoken("short", "No", 0.4), spoken("silent", "", 3.0)]) == []


def test_few_recordings_are_judged_by_absolute_limits() -> None:
    findings = check_speaking_rates([spoken("fine", "x" * 30, 3), spoken("bad", "x" * 300, 1)])
    assert [finding.subject for finding in findings] == ["bad"]
    assert letters_per_second("a b.", 1.0) == 2
    assert letters_per_second("a", 0.0) == 0


def test_findings_are_grouped_worst_first() -> None:
    groups = group_by_kind([note("n", "a", ""), warning("w", "b", ""), warning("w", "a", "")])
    assert [(kind, [finding.subject for finding in group]) for kind, group in groups.items()] == [
        ("w", ["a", "b"]),
        ("n", ["a"]),
    ]


def test_settings_out_of_range_are_refused() -> None:
    for limits in ((-1.0, 3.0), (3.0, 3.0), (0.1, float("inf")), (0.1, float("nan"))):
        with pytest.raises(ConfigError, match="shortest < longest"):
            Limits(*limits)
    with pytest.raises(ConfigError, match="loudness"):
        ClipSettings(AudioConfig(), 0.0, False, Limits())
    with pytest.raises(DataError, match="center"):
        ClipSettings(AudioConfig(center=False), -23.0, False, Limits())


def test_a_header_that_promises_hours_is_not_decoded(tmp_path: Path) -> None:
    path = tmp_path / "long.flac"
    with soundfile.SoundFile(path, "w", 8000, 1, "PCM_16") as file:
        for _ in range(60):
            file.write(np.zeros(8000 * 60, np.int16))
    result = judge(path)
    assert kinds(result) == [("too long", "left out")]
    assert "3600" in result.findings[0].reason
