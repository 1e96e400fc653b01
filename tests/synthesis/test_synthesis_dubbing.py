"""One track from subtitles: every cue from its start, in its slot, and a true report."""

import numpy as np
import pytest
from tiny_voice import fake_voice

from glowvox.errors import ConfigError
from glowvox.synthesis.dubbing import Dubber, Fit, Subtitle

TEXT = "One thing, and then another one."


def cue(number, start, end, text=TEXT):
    return Subtitle(number, start, end, text, line=number)


def natural(voice, text=TEXT):
    return sum(int(row.sum()) for row in voice.durations(text)) / voice.card.mel.frame_rate


def dubbed(voice, cues, fit=None, **overrides):
    pieces, spoken = [], []
    for samples, one in Dubber(voice, fit).track(cues, **overrides):
        pieces.append(samples)
        if one is not None:
            spoken.append(one)
    return np.concatenate(pieces), spoken


def sounding(samples, rate):
    """Return where there is sound, in seconds."""
    places = np.flatnonzero(np.abs(samples) > 1e-6)
    return places[0] / rate, (places[-1] + 1) / rate


def test_a_cue_that_fits_is_slowed_down_a_little_and_starts_on_time():
    voice = fake_voice()
    seconds = natural(voice)
    samples, [one] = dubbed(voice, [cue(1, 1.0, 1.0 + 3 * seconds)])
    assert one.pace == pytest.approx(0.8, abs=0.05) and not one.hurried
    assert len(samples) == round((1.0 + 3 * seconds) * voice.sample_rate)
    start, end = sounding(samples, voice.sample_rate)
    assert start == pytest.approx(1.0, abs=0.02) and end == pytest.approx(1.0 + seconds / 0.8, abs=0.05)
    _, [kept] = dubbed(voice, [cue(1, 1.0, 1.0 + 3 * seconds)], Fit(slowest=1.0))
    assert kept.spoken == pytest.approx(seconds, abs=0.02)


@pytest.mark.parametrize(("share", "hurried"), [(0.9, False), (0.6, True)])
def test_a_long_text_is_pressed_into_its_slot(share, hurried):
    voice = fake_voice()
    slot = share * natural(voice)
    samples, [one] = dubbed(voice, [cue(1, 0.5, 0.5 + slot)])
    assert one.spoken == pytest.approx(slot, abs=1e-3)
    assert one.pace == pytest.approx(1 / share, rel=0.03) and one.hurried is hurried
    assert sounding(samples, voice.sample_rate)[1] <= 0.5 + slot + 1e-9


def test_a_hurried_cue_may_borrow_silence_but_not_the_next_cue():
    voice = fake_voice()
    seconds = natural(voice)
    cues = [cue(1, 0.0, 0.5 * seconds), cue(2, 0.7 * seconds, 3 * seconds)]
    _, spoken = dubbed(voice, cues, Fit(overrun=10.0))
    assert spoken[0].spoken == pytest.approx(0.7 * seconds, abs=2e-3) and spoken[0].overlap <= 1e-3
    _, spoken = dubbed(voice, [cue(1, 0.0, 0.5 * seconds)], Fit(overrun=0.1))
    assert spoken[0].spoken == pytest.approx(0.5 * seconds + 0.1, abs=1e-3)


def test_no_token_vanishes_in_an_impossible_slot():
    voice = fake_voice()
    samples, [one] = dubbed(voice, [cue(1, 0.0, 0.01)])
    tokens = sum(map(len, voice.durations(TEXT)))
    assert one.spoken == pytest.approx((tokens + 1) / voice.card.mel.frame_rate, abs=1e-3) and one.hurried
    assert len(samples) == round(one.spoken * voice.sample_rate)


def test_overlapping_cues_are_heard_together():
    voice = fake_voice()
    seconds = natural(voice)
    both = [cue(1, 0.5, 0.5 + seconds), cue(2, 0.5 + 0.5 * seconds, 0.5 + 1.5 * seconds, "Someone else speaks here.")]
    mixed, spoken = dubbed(voice, both)
    alone = [dubbed(voice, [one])[0] for one in both]
    longest = max(map(len, alone))
    total = sum(np.pad(one, (0, longest - len(one))) for one in alone)
    np.testing.assert_allclose(mixed, total, atol=1e-7)
    assert spoken[0].overlap == pytest.approx(0.5 * seconds, abs=0.01) and spoken[1].overlap == 0


def test_cues_without_words_are_silent_and_reported():
    voice = fake_voice()
    samples, spoken = dubbed(voice, [cue(1, 0.0, 1.0, ""), cue(2, 1.0, 2.0, "..."), cue(3, 2.0, 3.0)])
    assert [bool(one.problem) for one in spoken] == [True, True, False]
    assert not samples[: 2 * voice.sample_rate].any() and samples[2 * voice.sample_rate :].any()
    assert spoken[0].pace == 1.0 and not spoken[0].hurried


def test_the_track_comes_in_small_pieces_and_is_the_same_every_time():
    voice = fake_voice()
    cues = [cue(1, 0.0, 1.0), cue(2, 3600.0, 3601.0)]
    sizes = [len(samples) for samples, _ in Dubber(voice).track(cues)]
    assert max(sizes) <= 1 << 16 and sum(sizes) == 3601 * voice.sample_rate
    first, again = (dubbed(voice, cues[:1], seed=3)[0] for _ in range(2))
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("wrong", [{"slowest": 0.0}, {"slowest": 1.5}, {"overrun": -1.0}, {"overrun": float("nan")}])
def test_impossible_fits_are_refused(wrong):
    with pytest.raises(ConfigError):
        Fit(**wrong)


def test_a_pause_tag_keeps_its_length_in_a_slot():
    voice = fake_voice(context_tokens=0)
    text = "One thing.[pause:800ms]Another one."
    samples, [one] = dubbed(voice, [cue(1, 1.0, 9.0, text)], Fit(slowest=1.0))
    rate = voice.sample_rate
    plain = sum(natural(voice, part) for part in ("One thing.", "Another one."))
    assert one.spoken == pytest.approx(plain + 0.8, abs=0.05)
    quiet = "".join("0" if abs(sample) < 1e-7 else "1" for sample in samples[rate : round((1.0 + one.spoken) * rate)])
    assert max(map(len, quiet.split("1"))) / rate == pytest.approx(0.8, abs=0.02)
    _, [hurried] = dubbed(voice, [cue(1, 0.0, 0.8 + 0.7 * plain, text)])
    assert hurried.spoken == pytest.approx(0.8 + 0.7 * plain, abs=0.01)
    _, [read] = dubbed(voice, [cue(1, 1.0, 9.0, text)], Fit(slowest=1.0), pause_tags=False)
    assert read.natural != pytest.approx(one.natural, abs=0.05)


def test_markup_in_a_cue_is_read_and_warnings_are_told():
    voice, told = fake_voice(), []
    _, [marked] = dubbed(voice, [cue(1, 0.0, 9.0, "**One** `thing`.")], on_warning=told.append)
    _, [plain] = dubbed(voice, [cue(1, 0.0, 9.0, "One thing.")])
    assert marked.natural == plain.natural and told == []
    dubbed(voice, [cue(1, 0.0, 9.0, "Say qzxvw.")], on_warning=told.append)
    assert len(told) == 1 and "qzxvw" in told[0]
