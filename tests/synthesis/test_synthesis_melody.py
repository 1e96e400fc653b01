"""A voice with a melody: the same mel from every engine, another pitch on request, refusal where there is none."""

import numpy as np
import pytest
from tiny_voice import acoustic_config, fake_voice, write_tiny_voice

from glowvox.audio.pitch import harmonic_features
from glowvox.checkpoint.model_folder import load_model
from glowvox.engines.torch_engine import TorchAcoustic
from glowvox.errors import ConfigError, EngineError, VoiceError
from glowvox.synthesis.installed_voices import load_voice

TEXT = "A melody goes up, and down again."


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("melody")
    return write_tiny_voice(place / "tiny", place / "models", melody=True)


@pytest.fixture(scope="module")
def voice(folder):
    return load_voice(folder)


def test_the_pitch_changes_the_speech_and_not_its_times(voice):
    plain = voice.say(TEXT)
    assert acoustic_config(melody=True).melody and not acoustic_config().melody
    for overrides in ({"pitch_shift": 5.0}, {"pitch_range": 0.0}, {"pitch_range": 2.0}):
        other = voice.say(TEXT, **overrides)
        assert other.words == plain.words
        assert np.abs(other.samples - plain.samples).max() > 1e-4
    np.testing.assert_array_equal(voice.say(TEXT, pitch_shift=0.0, pitch_range=1.0).samples, plain.samples)


def test_streams_and_batches_are_the_whole(voice):
    whole = voice.say(TEXT, pitch_shift=-3.0)
    pieces = [chunk.samples for chunk in voice.stream(TEXT, pitch_shift=-3.0)]
    near = {"rtol": 0, "atol": 1e-5 * np.abs(whole.samples).max()}
    np.testing.assert_allclose(np.concatenate(pieces), whole.samples, **near)
    together = list(voice.say_many([TEXT, "Short."], pitch_shift=-3.0))
    np.testing.assert_allclose(together[0].samples, whole.samples, **near)


def test_a_voice_without_a_melody_cannot_change_it():
    voice = fake_voice()
    voice.say(TEXT, pitch_shift=0.0)
    for overrides in ({"pitch_shift": 1.0}, {"pitch_range": 0.5}):
        with pytest.raises(VoiceError, match="no melody"):
            voice.say(TEXT, **overrides)


@pytest.mark.parametrize("overrides", [{"pitch_shift": 25}, {"pitch_range": -0.1}, {"pitch_shift": float("nan")}])
def test_impossible_melodies_are_refused(voice, overrides):
    with pytest.raises(ConfigError, match="pitch"):
        voice.options(**overrides)


def test_an_engine_asks_for_the_pitch_that_its_model_needs(folder):
    engine = TorchAcoustic(load_model(folder / "acoustic"))
    latent, lengths = np.zeros((1, engine.audio.n_mels, 4), np.float32), np.array([4])
    harmonics = harmonic_features(np.full((1, 4), 200.0), engine.audio)
    assert engine.melody
    assert engine.decode(latent, lengths, None, harmonics).shape == latent.shape
    with pytest.raises(EngineError, match="say the pitch"):
        engine.decode(latent, lengths)
    with pytest.raises(EngineError, match="expected a comb"):
        engine.decode(latent, lengths, None, harmonics[:, :, :3])
