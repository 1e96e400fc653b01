"""Voice conversion: what must hold for any model, and that a trained one moves a recording to the other speaker."""

import dataclasses

import numpy as np
import pytest
import torch
from tiny_voice import FakeVocoder, acoustic_config, acoustic_model

from glowvox.config.audio import AudioConfig
from glowvox.engines.torch_engine import TorchAcoustic
from glowvox.errors import ConfigError, TextError, VoiceError
from glowvox.models.glow_tts import GlowTTS
from glowvox.synthesis.aligner import Aligner, TextSide
from glowvox.synthesis.conversion import VoiceConverter, report
from glowvox.synthesis.vocoder import Vocoder
from glowvox.text.front_end import load_front_end
from glowvox.text.tokenizer import Tokenizer

TEXT = "We were away all year."
RATE = 22050


def text_side(*speakers):
    return TextSide(Tokenizer().to_dict(), {"en-us": load_front_end("en-us").to_dict()}, speakers)


@pytest.fixture(scope="module")
def converter():
    aligner = Aligner(TorchAcoustic(acoustic_model(2)), text_side("ann", "bob"))
    return VoiceConverter(aligner, Vocoder(FakeVocoder()))


@pytest.fixture(scope="module")
def recording():
    time = np.arange(2 * RATE) / RATE
    noise = np.random.default_rng(0).standard_normal(len(time))
    return (0.1 * np.sin(2 * np.pi * 150 * time) * (1 + np.sin(9 * time)) + 0.01 * noise).astype(np.float32)


def test_length_level_and_words_stay(converter, recording):
    converted = converter.convert(recording, RATE, TEXT, target="bob", source="ann")
    assert len(converted.audio.samples) == len(recording)
    assert [word.text for word in converted.audio.words] == ["We", "were", "away", "all", "year"]
    assert converted.audio.words[-1].end <= 2.0
    assert set(converted.before) == set(converted.after) == {"ann", "bob"}
    told = report(converted, "bob")
    assert told["target_over_source_after"] == converted.after["bob"] - converted.after["ann"]
    quiet = converter.convert(0.1 * recording, RATE, TEXT, target="bob", source="ann")
    np.testing.assert_allclose(quiet.audio.samples, 0.1 * converted.audio.samples, rtol=1e-3, atol=1e-4)


def test_another_rate_gives_the_same_seconds(converter, recording):
    converted = converter.convert(np.repeat(recording, 2), 2 * RATE, TEXT, target="bob", source="ann")
    assert converted.audio.duration == pytest.approx(2.0, abs=1e-3) and converted.audio.sample_rate == RATE


def test_converting_to_oneself_changes_nothing(recording):
    mels = []

    class Kept(FakeVocoder):
        def _run(self, latent, mel):
            mels.append(mel)
            return super()._run(latent, mel)

    aligner = Aligner(TorchAcoustic(acoustic_model(2)), text_side("ann", "bob"))
    VoiceConverter(aligner, Vocoder(Kept())).convert(recording, RATE, TEXT, target="ann", source="ann")
    mel = aligner.mel(recording, RATE)
    own = max(mels, key=lambda one: one.shape[2])[0]
    shared = min(own.shape[1], mel.shape[1]) - 4
    places = range(own.shape[1] - shared + 1)
    assert min(float(np.abs(own[:, start : start + shared] - mel[:, :shared]).max()) for start in places) < 1e-3


def test_the_source_is_found_where_it_is_not_named(converter, recording):
    converted = converter.convert(recording, RATE, TEXT, target="ann")
    assert converted.source == max(converted.before, key=converted.before.get)


@pytest.mark.parametrize(
    ("overrides", "error", "message"),
    [
        ({"target": "eve"}, VoiceError, "no speaker 'eve'; it has ann, bob"),
        ({"target": "bob", "source": "eve"}, VoiceError, "no speaker 'eve'"),
        ({"target": "bob", "residual": 1.5}, ConfigError, "between 0 and 1"),
        ({"target": "bob", "residual": float("nan")}, ConfigError, "between 0 and 1"),
        ({"target": "bob", "language": "de-de"}, VoiceError, "does not read 'de-de'"),
    ],
)
def test_impossible_wishes_are_refused(converter, recording, overrides, error, message):
    with pytest.raises(error, match=message):
        converter.convert(recording, RATE, TEXT, **overrides)


def test_a_text_without_words_and_a_model_of_one_speaker_are_refused(converter, recording):
    with pytest.raises(TextError):
        converter.convert(recording, RATE, "...", target="bob")
    with pytest.raises(VoiceError, match="several speakers"):
        VoiceConverter(Aligner(TorchAcoustic(acoustic_model()), text_side("ann")), Vocoder(FakeVocoder()))


def _spoken(tokens, who, generator):
    """Each token has a sound of its own; the speakers differ in the tilt of their spectra."""
    sounds = 1.5 * torch.randn(200, 8, generator=torch.Generator().manual_seed(3))
    tilt = torch.linspace(-1.0, 1.0, 8)
    mel = sounds[tokens.repeat_interleave(3, 1)].transpose(1, 2)
    shift = torch.where(who[:, None] == 1, tilt, -tilt)[:, :, None]
    return mel * (0.8 + 0.4 * who[:, None, None]) + shift + 0.1 * torch.randn(mel.shape, generator=generator)


def test_a_trained_model_moves_speech_to_the_other_speaker():
    """Two made-up speakers: a few steps of training teach the flow what distinguishes them, and nothing else."""
    torch.manual_seed(0)
    audio = AudioConfig(n_mels=8)
    config = dataclasses.replace(
        acoustic_config(2, audio), mean_only=True, decoder_channels=24, n_layers=2, n_blocks=3, speaker_channels=8
    )
    model = GlowTTS(config).train()
    optimiser = torch.optim.Adam(model.parameters(), lr=8e-3)
    generator = torch.Generator().manual_seed(1)
    for _ in range(50):
        tokens = torch.randint(1, 20, (8, 10), generator=generator)
        who = torch.arange(8) % 2
        lengths = torch.full((8,), 10)
        output = model(tokens, lengths, _spoken(tokens, who, generator), 3 * lengths, who)
        nats = output.log_det - 0.5 * (output.latent - output.mean).square().sum((1, 2))
        optimiser.zero_grad()
        (-nats.mean() / 240).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimiser.step()
    model.eval()
    tokens = torch.randint(1, 20, (8, 10), generator=generator)
    ann, bob = torch.zeros(8, dtype=torch.long), torch.ones(8, dtype=torch.long)
    lengths, frames = torch.full((8,), 10), torch.full((8,), 30)
    recording, goal = _spoken(tokens, ann, generator), _spoken(tokens, bob, generator)
    with torch.inference_mode():
        made = model.convert(recording, frames, ann, bob)

        def over(mel):
            return [model.log_likelihood(tokens, lengths, mel, frames, who).mean() / 30 for who in (ann, bob)]

        before, after = over(recording), over(made)
    assert before[1] < before[0] and after[1] > after[0]
    assert (made - goal).abs().mean() < 0.5 * (recording - goal).abs().mean()
