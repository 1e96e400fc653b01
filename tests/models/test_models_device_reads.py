"""A model's forward waits for no device: on the device `meta`, which has no values, a read on the host is an error."""

import contextlib

import pytest
import torch

from glowvox.config.audio import AudioConfig
from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.config.waveglow import WaveGlowConfig
from glowvox.errors import MelError, TextError
from glowvox.flows.affine import ActNorm
from glowvox.models.glow_tts import GlowTTS
from glowvox.models.waveglow import WaveGlow

GLOW_TTS = GlowTTSConfig(
    audio=AudioConfig(n_mels=8),
    n_symbols=20,
    n_speakers=3,
    speaker_channels=4,
    hidden_channels=16,
    filter_channels=24,
    duration_channels=12,
    n_encoder_layers=1,
    decoder_channels=16,
    n_blocks=1,
    n_layers=1,
    melody=True,
)
WAVEGLOW = WaveGlowConfig(n_flows=2, n_channels=8, n_skip_channels=8, n_layers=2, n_early_every=0)
LAPPED = {"transform": "lapped", "n_group": 256, "conditioning": "mel-rate", "mel_scale": True, "harmonic": True}


@pytest.fixture(autouse=True)
def no_autocast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Autocast does not know that device."""
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: contextlib.nullcontext())
    monkeypatch.setattr(torch, "is_autocast_enabled", lambda *_: False)


def known(model: torch.nn.Module) -> torch.nn.Module:
    """The model on the device without values, its decompositions computed and its ActNorms initialised."""
    model = model.to("meta")
    for part in model.modules():
        if isinstance(part, ActNorm):
            part._is_initialised = lambda: True  # type: ignore[method-assign]
    return model


@pytest.mark.parametrize("training", [True, False])
def test_glow_tts_reads_nothing_of_the_device(training: bool) -> None:
    model = known(GlowTTS(GLOW_TTS)).train(training)
    numbers = {"dtype": torch.int64, "device": "meta"}
    tokens, lengths = torch.zeros(2, 5, **numbers), torch.zeros(2, **numbers)
    mel, speaker = torch.zeros(2, 8, 30, device="meta"), torch.zeros(2, **numbers)
    output = model(tokens, lengths, mel, lengths, speaker, sum_paths=True)
    assert output.latent.shape == (2, 8, 30) and output.alignment.shape == (2, 5, 30)
    assert model.encode(tokens, lengths, speaker).mean.shape == (2, 8, 5)
    harmonics = model.melody.harmonic_features(torch.zeros(2, 30, device="meta"))
    assert model.decode(mel, lengths, speaker, harmonics).shape == (2, 8, 30)
    # shapes and types cost nothing to look at
    with pytest.raises(TextError, match="must be integers"):
        model(tokens.float(), lengths, mel, lengths, speaker)
    with pytest.raises(MelError, match="expected a mel"):
        model(tokens, lengths, mel[:, :7], lengths, speaker)


@pytest.mark.parametrize("changes", [{}, LAPPED])
def test_waveglow_reads_nothing_of_the_device(changes: dict) -> None:
    model = known(WaveGlow(WaveGlowConfig(**{**vars(WAVEGLOW), **changes})))
    audio, mel = torch.zeros(2, 2560, device="meta"), torch.zeros(2, 80, 10, device="meta")
    lengths = torch.zeros(2, dtype=torch.int64, device="meta")
    output = model(audio, mel, lengths)
    assert output.log_det.shape == (2,)
    assert model.inverse(output.latent, mel, lengths).shape == (2, 2560)


def test_actnorm_reads_its_flag_once_for_each_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, x = ActNorm(4), torch.randn(2, 4, 50, generator=torch.Generator().manual_seed(0))
    reads, inner = [], torch.Tensor.__bool__
    monkeypatch.setattr(torch.Tensor, "__bool__", lambda tensor: reads.append(1) or inner(tensor))
    first = layer(3 * x + 1)[0]
    assert first.std().item() == pytest.approx(1.0, abs=0.1)
    once = len(reads)
    again = [layer(5 * x)[0] for _ in range(4)]
    assert len(reads) <= once + 1 and torch.equal(again[0], again[3])
    state = {name: value.clone() for name, value in layer.state_dict().items()}
    state["initialised"].fill_(value=False)
    layer.load_state_dict(state)
    layer(7 * x)
    assert layer.initialised.item() and not torch.equal(layer.log_scale, state["log_scale"])
