"""A graph that takes a signal in steps gives the samples of the whole, for every preset, whatever the steps."""

import dataclasses

import numpy as np
import pytest
from export_models import random_model, vocoder_configs

from glowvox.checkpoint.model_folder import ModelCard
from glowvox.engines.base import StreamState
from glowvox.engines.choose import load_vocoder
from glowvox.engines.onnx_engine import OnnxVocoder
from glowvox.engines.torch_engine import TorchVocoder
from glowvox.errors import EngineError, MelError
from glowvox.export.export_model import graph_cards, write_graphs
from glowvox.export.parity import random_mel


def _engine(name, folder, kind="onnx", **changes):
    config = dataclasses.replace(vocoder_configs()[name], **changes)
    model = random_model(config)
    if kind == "torch":
        return TorchVocoder(model)
    write_graphs(model, graph_cards(model, ModelCard(config)), folder, "float32")
    if kind == "openvino":
        pytest.importorskip("openvino")
        return load_vocoder(folder, engine="openvino", threads=1)
    return OnnxVocoder.load(folder, threads=1)


def _signal(engine, frames, seed=0):
    generator = np.random.default_rng(seed)
    mel = random_mel(engine.audio, (1, engine.audio.n_mels, frames), generator)
    latent = generator.standard_normal((1, engine.n_group, frames * engine.groups_per_frame), np.float32)
    return latent * np.float32(0.6), mel


def _stepped(engine, latent, mel, sizes):
    """The samples in steps of these sizes, the rest in a last one."""
    state, place, pieces = engine.begin(), 0, []
    columns = engine.groups_per_frame
    for size in [*sizes, mel.shape[2] - sum(sizes)]:
        end = place + size
        part = latent[:, :, place * columns : end * columns], mel[:, :, place:end]
        samples, state = engine.step(*part, state, final=end == mel.shape[2])
        pieces.append(samples[0])
        place = end
    return pieces


@pytest.mark.parametrize("kind", ["onnx", "torch"])
@pytest.mark.parametrize("name", vocoder_configs())
def test_any_steps_equal_the_whole(name, kind, tmp_path):
    engine = _engine(name, tmp_path, kind)
    assert 0 < engine.delay <= engine.receptive_field + 1
    frames = engine.delay + 60
    latent, mel = _signal(engine, frames)
    whole = engine.run(latent, mel)[0]
    assert np.abs(whole).max() > 0.1
    generator = np.random.default_rng(1)
    for _ in range(2):
        sizes = [engine.delay + int(generator.integers(1, 12))]
        while sum(sizes) < frames - 12:
            sizes.append(int(generator.integers(1, 12)))
        pieces = _stepped(engine, latent, mel, sizes)
        np.testing.assert_allclose(np.concatenate(pieces), whole, atol=1e-5, rtol=0)
        hop = engine.audio.hop_length
        assert [len(piece) for piece in pieces[:-1]] == [(sizes[0] - engine.delay) * hop, *(n * hop for n in sizes[1:])]


@pytest.mark.parametrize("name", vocoder_configs())
def test_a_window_in_short_pieces_is_the_window(name, tmp_path, monkeypatch):
    engine = _engine(name, tmp_path)
    signals = [_signal(engine, engine.delay + 40, seed) for seed in (0, 1)]
    latent, mel = (np.concatenate(parts) for parts in zip(*signals, strict=True))
    monkeypatch.setattr(OnnxVocoder, "_piece_frames", lambda self, batch: mel.shape[2])
    whole = engine.run(latent, mel)
    monkeypatch.setattr(OnnxVocoder, "_piece_frames", lambda self, batch: 7)  # the first ones give nothing yet
    np.testing.assert_allclose(engine.run(latent, mel), whole, atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", ["onnx", "torch", "openvino"])
@pytest.mark.parametrize("name", ["lapped-small", "two groups in a frame", "waveglow-small"])
def test_one_step_is_the_whole(name, kind, tmp_path):
    engine = _engine(name, tmp_path, kind)
    for frames in (1, 2, 3, 40):
        latent, mel = _signal(engine, frames)
        [samples] = _stepped(engine, latent, mel, [])
        np.testing.assert_allclose(samples, engine.run(latent, mel)[0], atol=1e-6)


@pytest.mark.parametrize("kind", ["onnx", "torch", "openvino"])
@pytest.mark.parametrize("name", ["lapped-small", "two groups in a frame", "waveglow-256", "waveglow-small"])
def test_frame_by_frame(name, kind, tmp_path):
    engine = _engine(name, tmp_path, kind, n_flows=2, n_layers=2, n_early_every=0)
    frames = engine.delay + 9
    latent, mel = _signal(engine, frames)
    pieces = _stepped(engine, latent, mel, [engine.delay + 1, *[1] * 7])
    np.testing.assert_allclose(np.concatenate(pieces), engine.run(latent, mel)[0], atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", vocoder_configs())
def test_engines_agree_on_the_delay(name, tmp_path):
    assert _engine(name, tmp_path).delay == _engine(name, tmp_path, "torch").delay


def test_half_precision_takes_whole_windows():
    engine = TorchVocoder(random_model(vocoder_configs()["lapped-small"]), dtype="bfloat16")
    assert engine.delay is None
    for call in (engine.begin, lambda: engine.step(*_signal(engine, 3), StreamState(0, {}), final=True)):
        with pytest.raises(EngineError, match="takes whole windows only"):
            call()


def test_a_state_can_be_taken_up_again(tmp_path):
    engine = _engine("lapped-small", tmp_path)
    latent, mel = _signal(engine, engine.delay + 20)
    first = engine.delay + 5
    _, state = engine.step(latent[:, :, :first], mel[:, :, :first], engine.begin(), final=False)
    wanted, _ = engine.step(latent[:, :, first:], mel[:, :, first:], state, final=True)
    other, _ = engine.step(latent[:, :, first:] * 2, mel[:, :, first:], state, final=True)
    assert np.abs(other - wanted).max() > 1e-3
    again, _ = engine.step(latent[:, :, first:], mel[:, :, first:], state, final=True)
    np.testing.assert_array_equal(again, wanted)


def test_steps_that_cannot_be(tmp_path):
    engine = _engine("lapped-small", tmp_path)
    latent, mel = _signal(engine, engine.delay)
    with pytest.raises(MelError, match=f"needs more than {engine.delay} frames, got {engine.delay}"):
        engine.step(latent, mel, engine.begin(), final=False)
    with pytest.raises(MelError, match="needs a latent"):
        engine.step(latent[:, :, :-1], mel, engine.begin(), final=True)
    with pytest.raises(MelError, match="at least one frame"):
        engine.step(latent[:, :, :0], mel[:, :, :0], engine.begin(), final=True)
    with pytest.raises(MelError, match="one mel at a time, got 2"):
        engine.step(np.repeat(latent, 2, 0), np.repeat(mel, 2, 0), engine.begin(), final=True)
    with pytest.raises(EngineError, match="not finite"):
        engine.step(latent, np.full_like(mel, np.nan), engine.begin(), final=True)
