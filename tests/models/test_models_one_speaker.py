"""One speaker of a model of several, alone."""

import pytest
import torch

from glowvox.config.audio import AudioConfig
from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.errors import VoiceError
from glowvox.export.voice_export import one_speaker
from glowvox.models.glow_tts import GlowTTS


def random_model(*, melody: bool, n_speakers: int = 3, in_encoder: bool = False) -> GlowTTS:
    torch.manual_seed(5)
    config = GlowTTSConfig(
        n_symbols=20,
        audio=AudioConfig(n_mels=12),
        n_speakers=n_speakers,
        speaker_channels=6 if n_speakers > 1 else 0,
        speaker_in_encoder=in_encoder,
        hidden_channels=16,
        filter_channels=24,
        duration_channels=12,
        n_encoder_layers=1,
        decoder_channels=12,
        n_blocks=2,
        n_layers=3,
        melody=melody,
    )
    model = GlowTTS(config).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


@pytest.mark.parametrize("melody", [False, True])
def test_the_flow_is_that_of_the_speaker(melody: bool) -> None:
    model = random_model(melody=melody)
    mel, lengths = 2.0 * torch.randn(1, 12, 20, dtype=torch.float64) - 5.0, torch.tensor([20])
    for speaker in range(3):
        alone = one_speaker(model, speaker)
        assert alone.config.n_speakers == 1 and alone.speakers is None and not alone.training
        expected = model.analyse(mel, lengths, torch.tensor([speaker]))
        for found, wanted in zip(alone.analyse(mel, lengths), expected, strict=True):
            torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("in_encoder", [False, True])
def test_predictions_are_those_of_the_speaker_within_the_text(in_encoder: bool) -> None:
    model = random_model(melody=True, in_encoder=in_encoder)
    tokens, lengths = torch.randint(0, 20, (1, 15)), torch.tensor([15])
    expected, found = model.encode(tokens, lengths, torch.tensor([1])), one_speaker(model, 1).encode(tokens, lengths)
    torch.testing.assert_close(found.mean, expected.mean)
    others = model.encode(tokens, lengths, torch.tensor([2])).mean
    assert torch.equal(others, expected.mean) != in_encoder, "the means know who speaks, or do not"
    # two convolutions of three taps: beyond two tokens from an end, nothing is seen of what lies outside
    torch.testing.assert_close(found.log_duration[:, 2:-2], expected.log_duration[:, 2:-2])
    torch.testing.assert_close(found.melody[:, :, 2:-2], expected.melody[:, :, 2:-2])


def test_the_model_is_left_as_it_is_and_others_are_refused() -> None:
    model = random_model(melody=True)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    one_speaker(model, 0)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    with pytest.raises(VoiceError, match="no speaker 3"):
        one_speaker(model, 3)
    with pytest.raises(VoiceError, match="1 speaker"):
        one_speaker(random_model(melody=False, n_speakers=1), 0)
