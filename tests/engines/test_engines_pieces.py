"""A long signal goes through the ONNX engine in pieces that suit the processor, with the samples of one call."""

import numpy as np
import pytest

from glowvox.engines.base import piece_ends, piece_frames
from glowvox.engines.onnx_engine import OnnxVocoder


@pytest.mark.parametrize("frames", [1, 2, 47, 48, 49, 258, 1000])
@pytest.mark.parametrize("size", [1, 7, 32, 5000])
def test_pieces_cover_the_whole_and_are_about_equal(frames, size):
    ends = piece_ends(frames, size)
    lengths = np.diff([0, *ends])
    assert ends[-1] == frames
    assert lengths.min() > 0
    assert lengths.max() - lengths.min() <= 1
    if len(ends) > 1:
        assert 2 / 3 * size - 1 <= lengths.min()
        assert lengths.max() <= 1.5 * size + 1


def test_pieces_share_the_columns_of_a_batch_and_grow_with_the_threads():
    assert piece_frames(32, 2) == 32
    assert piece_frames(2 * 32, 2) == 16
    assert piece_frames(1, 1) == piece_frames(1, 2) == 1024
    assert piece_frames(1, 8) == 4096
    assert piece_frames(10**6, 1) == 1


@pytest.fixture
def signal(vocoder_folder):
    """An engine, and latents and mels of two signals that are many times its delay."""
    engine = OnnxVocoder.load(vocoder_folder, threads=1)
    generator, frames = np.random.default_rng(0), engine.delay + 150
    latent = generator.standard_normal((2, engine.n_group, frames * engine.groups_per_frame), np.float32)
    return engine, latent, generator.normal(-5, 2, (2, 80, frames)).astype(np.float32)


def _in_pieces_of(engine, size, monkeypatch):
    """Let the engine cut what it gets into pieces of `size` frames; returns a list of the pieces' lengths."""
    lengths, step = [], type(engine)._step

    def counted(self, latent, mel, state, *, final):
        lengths.append(mel.shape[2])
        return step(self, latent, mel, state, final=final)

    monkeypatch.setattr(OnnxVocoder, "_piece_frames", lambda self, batch: size)
    monkeypatch.setattr(OnnxVocoder, "_step", counted)
    return lengths


@pytest.mark.parametrize("size", [1, 13, 60])
def test_a_window_in_pieces_is_the_window(size, signal, monkeypatch):
    engine, latent, mel = signal
    lengths = _in_pieces_of(engine, mel.shape[2], monkeypatch)
    whole = engine.run(latent, mel)
    assert lengths == [mel.shape[2]]
    lengths = _in_pieces_of(engine, size, monkeypatch)
    np.testing.assert_allclose(engine.run(latent, mel), whole, atol=1e-5, rtol=0)
    assert len(lengths) > 2
    assert sum(lengths) == mel.shape[2]


def test_a_long_step_in_pieces_is_the_step(signal, monkeypatch):
    engine, latent, mel = signal
    whole = engine.run(latent[:1], mel[:1])
    lengths = _in_pieces_of(engine, 13, monkeypatch)
    first = engine.delay + 60
    columns = first * engine.groups_per_frame
    before, state = engine.step(latent[:1, :, :columns], mel[:1, :, :first], engine.begin(), final=False)
    assert state.frames == first
    assert len(lengths) == round(first / 13)
    after, state = engine.step(latent[:1, :, columns:], mel[:1, :, first:], state, final=True)
    assert state.frames == mel.shape[2]
    np.testing.assert_allclose(np.concatenate([before, after], 1), whole, atol=1e-5, rtol=0)
