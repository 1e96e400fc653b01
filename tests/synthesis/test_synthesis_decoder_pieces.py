"""Pieces of a decoder, joined, are its whole output, in every engine; nothing is computed twice."""

import dataclasses

import numpy as np
import pytest
import torch
from tiny_voice import write_tiny_voice

from glowvox.audio.pitch import harmonic_features
from glowvox.checkpoint.model_folder import ModelCard
from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.engines.onnx_engine import OnnxAcoustic
from glowvox.engines.openvino_engine import OpenVinoAcoustic
from glowvox.engines.torch_engine import TorchAcoustic
from glowvox.errors import EngineError
from glowvox.export.export_model import graph_cards, write_graphs
from glowvox.models.registry import build
from glowvox.synthesis import sentence_mels
from glowvox.synthesis.installed_voices import load_voice
from glowvox.synthesis.sentence_mels import LONG, decode_in_pieces, worth_pieces
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
    "speakers": dataclasses.replace(PLAIN, n_speakers=3, speaker_channels=4, sigmoid_scale=True),
    "three frames": dataclasses.replace(PLAIN, n_squeeze=3, dilation_growth=2),
    "melody": dataclasses.replace(PLAIN, melody=True),
    "melody and speakers": dataclasses.replace(PLAIN, melody=True, n_speakers=3, speaker_channels=4, max_log_scale=2.0),
}
ENGINES = ("torch", "onnx", "openvino")


def _engine(kind, name, folder):
    if name == "openvino":
        pytest.importorskip("openvino")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = build(KINDS[kind])
        with torch.no_grad():
            for parameter in model.parameters():
                if not parameter.any():
                    parameter.normal_(0.0, 0.1)
            for label, buffer in model.named_buffers():
                if "initialised" in label:
                    buffer.fill_(True)
    if name == "torch":
        return TorchAcoustic(model)
    write_graphs(model, graph_cards(model, ModelCard(KINDS[kind])), folder, "float32")
    if name == "openvino":
        return OpenVinoAcoustic.load(folder, threads=1, precision="float32")
    return OnnxAcoustic.load(folder, threads=1)


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


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("kind", KINDS)
def test_joined_pieces_are_the_whole(kind, name, tmp_path):
    engine = _engine(kind, name, tmp_path)
    for frames in (engine.n_squeeze, 10 * engine.n_squeeze, 240):
        latent, more = _sentence(engine, frames)
        whole = _whole(engine, latent, **more)
        assert np.abs(whole).max() > 0.1
        for first in (1, 7, 40, 10_000):
            pieces = list(decode_in_pieces(engine, latent, first=first, **more))
            np.testing.assert_allclose(np.concatenate(pieces, 1), whole, rtol=0, atol=1e-5 * np.abs(whole).max())
            assert len(pieces) == 1 or pieces[0].shape[1] < first + engine.n_squeeze


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_engines_agree_on_the_delay(kind, name, tmp_path):
    engine, model = _engine(kind, name, tmp_path), build(KINDS[kind])
    assert engine.decoder_delay == model.decoder.delay > 0
    step, delay = engine.n_squeeze, engine.decoder_delay
    latent, more = _sentence(engine, delay + 6 * step)
    speaker = None if more["speaker"] is None else np.array([more["speaker"]])
    state, lengths = engine.begin_decoding(), []
    for begin, end in ((0, delay + step), (delay + step, delay + 2 * step), (delay + 2 * step, delay + 6 * step)):
        told = None if more["harmonics"] is None else more["harmonics"][None, :, begin:end]
        given = latent[None, :, begin:end], state, speaker, told
        mel, state = engine.decode_piece(*given, final=end == latent.shape[1])
        lengths.append(mel.shape[2])
        assert state.frames == end
    assert lengths == [step, step, 4 * step + delay]


@pytest.mark.parametrize("name", ENGINES)
def test_a_lost_state_would_be_noticed(name, tmp_path):
    engine = _engine("plain", name, tmp_path)
    latent, more = _sentence(engine, 240)
    begun = engine.begin_decoding()
    first, state = engine.decode_piece(latent[None, :, :120], begun, final=False)
    rest, _ = engine.decode_piece(latent[None, :, 120:], state, final=True)
    whole = _whole(engine, latent, **more)
    np.testing.assert_allclose(np.concatenate([first, rest], 2)[0], whole, rtol=0, atol=1e-5 * np.abs(whole).max())
    forgotten, _ = engine.decode_piece(latent[None, :, 120:], begun, final=True)
    assert np.abs(forgotten[0] - whole[:, 120:]).max() > 1e-5
    again, _ = engine.decode_piece(latent[None, :, 120:], state, final=True)
    np.testing.assert_array_equal(again, rest)


def test_pieces_are_no_longer_than_they_must_be(monkeypatch, tmp_path):
    engine = _engine("plain", "torch", tmp_path)
    monkeypatch.setattr(sentence_mels, "LONGEST_PIECE", 200)
    lengths, decode = [], engine.decode_piece

    def counted(latent, *more, final):
        lengths.append(latent.shape[2])
        return decode(latent, *more, final=final)

    monkeypatch.setattr(engine, "decode_piece", counted)
    latent, more = _sentence(engine, 1000)
    pieces = decode_in_pieces(engine, latent, first=20, **more)
    assert lengths == []
    shapes = [next(pieces).shape[1]]
    assert lengths == [20 + engine.decoder_delay]
    shapes += [piece.shape[1] for piece in pieces]
    assert shapes[:3] == [20, 80, 200]
    assert sum(shapes) == sum(lengths) == 1000
    assert max(lengths) < 2 * 200


def test_pieces_that_cannot_be(tmp_path):
    engine = _engine("plain", "torch", tmp_path)
    latent, _ = _sentence(engine, engine.decoder_delay)
    with pytest.raises(EngineError, match=f"needs more than {engine.decoder_delay} frames, got {engine.decoder_delay}"):
        engine.decode_piece(latent[None], engine.begin_decoding(), final=False)
    with pytest.raises(EngineError, match="one latent is decoded in pieces at a time, got 2"):
        engine.decode_piece(np.stack([latent, latent]), engine.begin_decoding(), final=True)
    with pytest.raises(EngineError, match="multiples of 2"):
        engine.decode_piece(latent[None, :, :-1], engine.begin_decoding(), final=True)


def test_what_is_worth_pieces():
    assert not worth_pieces(10_000, 10, None)
    assert not worth_pieces(int(LONG * 30), 10, 20)
    assert worth_pieces(int(LONG * 30) + 1, 10, 20)


def test_a_long_sentence_is_spoken_as_its_decoder_gives_it(monkeypatch, tmp_path):
    write_tiny_voice(tmp_path / "voice", tmp_path / "models")
    voice = load_voice(tmp_path / "voice", threads=1)
    whole = voice.say(TEXT).samples
    lengths, decode = [], TorchAcoustic.decode_piece

    def counted(self, latent, *more, final):
        lengths.append(latent.shape[2])
        return decode(self, latent, *more, final=final)

    monkeypatch.setattr(TorchAcoustic, "decode_piece", counted)
    monkeypatch.setattr(sentence_mels, "LONG", 0)
    chunks = voice.stream(TEXT, speed=0.2)
    next(chunk for chunk in chunks if len(chunk.samples))
    assert len(lengths) == 1
    assert len(list(chunks)) > 1
    assert max(lengths) < sum(lengths)
    found = joined(voice.stream(TEXT)).samples
    np.testing.assert_allclose(found, whole, rtol=0, atol=1e-5 * np.abs(whole).max())
