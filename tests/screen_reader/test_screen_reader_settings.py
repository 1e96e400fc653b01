import pytest

from glowvox.errors import ConfigError
from glowvox.screen_reader.settings import FASTEST_SPEED, SLOWEST_SPEED, Settings


def _with(**lines: str) -> Settings:
    settings = Settings()
    for name, value in lines.items():
        settings = settings.with_line(name, value)
    return settings


def test_what_the_server_sends_is_taken():
    settings = _with(
        rate="-30", pitch="10", pitch_range="0", volume="80", punctuation_mode="most", spelling_mode="on",
        cap_let_recogn="icon", voice="FEMALE1", language="de_DE", synthesis_voice="ann",
    )  # fmt: skip
    assert settings == Settings(-30, 10, 0, 80, "most", True, "icon", "female1", "de-de", "ann")


def test_null_is_nothing():
    assert _with(language="NULL", synthesis_voice="NULL") == Settings()


def test_what_a_later_server_may_send_changes_nothing():
    assert _with(colour="green") == Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rate", "101"), ("rate", "fast"), ("pitch", ""), ("volume", "-1000"), ("rate", "1e1"), ("rate", "٣"),
        ("punctuation_mode", "much"), ("cap_let_recogn", "yes"), ("spelling_mode", "1"), ("rate", "--5"),
        ("rate", "-+5"), ("rate", "5\n5"),
    ],
)  # fmt: skip
def test_wrong_values_are_refused(name, value):
    with pytest.raises(ConfigError):
        Settings().with_line(name, value)


def test_rate_goes_from_slow_over_natural_to_four_times():
    speeds = [Settings(rate=rate).speed for rate in range(-100, 101, 10)]
    assert speeds == sorted(speeds)
    assert (speeds[0], speeds[10], speeds[-1]) == (pytest.approx(SLOWEST_SPEED), 1.0, pytest.approx(FASTEST_SPEED))


def test_volume_is_silent_at_one_end_and_the_voice_s_own_at_the_other():
    assert [Settings(volume=volume).gain for volume in (-100, 0, 100)] == [0.0, 0.5, 1.0]


def test_pitch_and_its_range():
    assert [Settings(pitch=pitch).semitones for pitch in (-100, 0, 50)] == [-12.0, 0.0, 6.0]
    assert [Settings(pitch_range=value).spread for value in (-100, 0, 100)] == [0.0, 1.0, 2.0]


def test_numbers_may_have_a_sign_and_blanks():
    assert _with(rate="+5", pitch=" -7 ") == Settings(rate=5, pitch=-7)
