"""Windows of a decoder, joined, are its whole output; no window is longer than it must be."""

import dataclasses

import numpy as np
import pytest
import torch
from tiny_voice import write_tiny_voice

from glowvox.audio.pitch import harmonic_features
from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.engines.torch_engine import TorchAcoustic
from glowvox.models.registry import build
from glowvox.synthesis import sentence_mels as decoder_windows
from glowvox.synthesis.installed_voices import load_voice
from glowvox.synthesis.sentence_mels import LONG, decode_in_windows, worth_windows
from glowvox.synthesis.voice import joined

TEXT = "The keeper climbed the winding stairs every evening with a lantern in his hand."
PLAIN = GlowTTSConfig(
    n_symbols=9,
    hidden_channels=8,
    filter_channels=8,
    duration_channels=8,
    n_encoder_layers=1,
    decoder_channels=8,
    n_blocks=3,
    n_layers=2,
)
KINDS = {
    "plain": PLAIN,
    "speakers": dataclasses.replace(PLAIN, n_speakers=3, speaker_channels=4),
    "three frames": dataclasses.replace(PLAIN, n_squeeze=3, dilation_growth=2),
    "melody": dataclasses.replace(PLAIN, melody=True),
}


def _engine(kind):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = build(KINDS[kind])
        with torch.no_grad():
            for parameter in model.decoder.parameters():
                if not parameter.any():
                    parameter.normal_(0.0, 0.1)
            for name, buffer in model.named_buffers():
                if "initialised" in name:
                    buffer.fill_(True)
    return TorchAcoustic(model), model.decoder.receptive_field


def _sentence(engine, frames):
    generator = np.random.default_rng(frames)
    latent = generator.standard_normal((engine.audio.n_mels, frames)).astype(np.float32)
    pitch = generator.uniform(80, 300, frames) * (generator.random(frames) > 0.3)
    return latent, {
        "speaker": 2 if engine.n_speakers > 1 else None,
        "harmonics": harmonic_features(pitch[None], engine.audio)[0] if engine.melody else None,
    }


def _whole(engine, latent, speaker, harmonics):
    return engine.decode(
        latent[None],
        np.array([latent.shape[1]]),
        None if speaker is None else np.array([speaker]),
        None if harmonics is None else harmonics[None],
    )[0]


@pytest.mark.parametrize("first", [1, 7, 40, 10_000])
@pytest.mark.parametrize("kind", KINDS)
def test_joined_windows_are_the_whole(kind, first):
    engine, field = _engine(kind)
    for frames in (engine.n_squeeze, 10 * engine.n_squeeze, 240):
        latent, more = _sentence(engine, frames)
        pieces = list(decode_in_windows(engine, latent, receptive_field=field, first=first, **more))
        whole = _whole(engine, latent, **more)
        assert np.abs(whole).max() > 0.1
        np.testing.assert_allclose(np.concatenate(pieces, 1), whole, rtol=0, atol=1e-5 * np.abs(whole).max())
        assert len(pieces) == 1 or pieces[0].shape[1] < first + engine.n_squeeze


def test_less_context_would_be_noticed():
    engine, field = _engine("plain")
    latent, more = _sentence(engine, 240)
    pieces = list(decode_in_windows(engine, latent, receptive_field=field // 4, first=60, **more))
    assert len(pieces) > 1
    assert np.abs(np.concatenate(pieces, 1) - _whole(engine, latent, **more)).max() > 1e-5


def test_windows_are_no_longer_than_they_must_be(monkeypatch):
    engine, field = _engine("plain")
    monkeypatch.setattr(decoder_windows, "LONGEST_WINDOW", 200)
    lengths, decode = [], engine.decode

    def counted(latent, *more):
        lengths.append(latent.shape[2])
        return decode(latent, *more)

    monkeypatch.setattr(engine, "decode", counted)
    latent, more = _sentence(engine, 1000)
    pieces = decode_in_windows(engine, latent, receptive_field=field, first=20, **more)
    assert lengths == []
    shapes = [next(pieces).shape[1]]
    context = field + field % 2
    assert lengths == [20 + context]
    shapes += [piece.shape[1] for piece in pieces]
    assert shapes[:3] == [20, 80, 200]
    assert sum(shapes) == 1000
    assert max(lengths) <= 200 + 3 * context


def test_what_is_worth_windows():
    assert not worth_windows(10_000, None)
    assert not worth_windows(10_000, 0)
    assert not worth_windows(LONG * 30, 30)
    assert worth_windows(LONG * 30 + 1, 30)


def test_a_long_sentence_is_spoken_as_its_decoder_gives_it(monkeypatch, tmp_path):
    write_tiny_voice(tmp_path / "voice", tmp_path / "models")
    voice = load_voice(tmp_path / "voice", threads=1)
    whole = voice.say(TEXT).samples
    lengths, decode = [], TorchAcoustic.decode

    def counted(self, latent, *more):
        lengths.append(latent.shape[2])
        return decode(self, latent, *more)

    monkeypatch.setattr(TorchAcoustic, "decode", counted)
    monkeypatch.setattr(decoder_windows, "LONG", 0)
    chunks = voice.stream(TEXT, speed=0.2)
    next(chunk for chunk in chunks if len(chunk.samples))
    assert len(lengths) == 1
    assert len(list(chunks)) > 1
    assert max(lengths) < sum(lengths)
    found = joined(voice.stream(TEXT)).samples
    np.testing.assert_allclose(found, whole, rtol=0, atol=1e-5 * np.abs(whole).max())
