"""Calls that a GPU replays: few shapes, the same samples, and nothing in them that waits for the host."""

import threading

import numpy as np
import pytest
import torch
from tiny_voice import acoustic_model, vocoder_config, vocoder_model
from torch.utils._python_dispatch import TorchDispatchMode

from glowvox.audio.pitch import n_harmonic_features
from glowvox.config.waveglow import WaveGlowConfig
from glowvox.cuda.captured_calls import CapturedCall, CapturedCalls, bucket
from glowvox.engines.torch_engine import TorchAcoustic, TorchVocoder
from glowvox.models.waveglow import WaveGlow

PUBLISHED = WaveGlowConfig(n_group=16, n_flows=5, n_channels=8, n_skip_channels=8, n_layers=2)
SQUEEZEWAVE = WaveGlowConfig(
    n_group=64, n_flows=3, n_channels=8, n_skip_channels=8, n_layers=2, conditioning="mel-rate", separable=True
)


def test_a_bucket_holds_the_signal_with_little_beyond():
    lengths = np.arange(1, 20_000)
    buckets = np.array([bucket(int(length)) for length in lengths])
    assert (buckets >= lengths).all()
    assert (buckets <= np.maximum(lengths * 1.125 + 1, -(-lengths // 8) * 8)).all()
    assert (np.diff(buckets) >= 0).all()
    assert len(np.unique(buckets)) < 110


def test_a_call_sees_the_values_of_its_inputs_each_time():
    captured = CapturedCall(lambda x, y: x * 2 + y, (torch.zeros(3), torch.zeros(1)))
    assert captured(torch.arange(3.0), torch.ones(1)).tolist() == [1.0, 3.0, 5.0]
    assert captured(torch.ones(3), torch.zeros(1)).tolist() == [2.0, 2.0, 2.0]


def test_as_many_calls_as_wished_are_kept_and_the_longest_unused_goes_first():
    calls, seen = CapturedCalls(kept=2), []

    def function(x):
        seen.append(len(x))
        return x

    for size in (1, 2, 1, 3, 1, 2):
        assert len(calls.run("kind", function, torch.ones(size))) == size
    assert len(calls) == 2
    assert [call is None for call in calls._calls.values()] == [False, True]  # the second time is recorded
    assert calls.run("other kind", torch.neg, torch.ones(2)).tolist() == [-1.0, -1.0]
    assert calls.run("kind", function, torch.ones(2)).tolist() == [1.0, 1.0]


def test_threads_do_not_take_each_others_results():
    calls, wrong = CapturedCalls(), []

    def work(value):
        for _ in range(200):
            found = calls.run("kind", lambda x: x + 1, torch.full((64,), float(value)))
            if not bool((found == value + 1).all()):
                wrong.append(value)

    threads = [threading.Thread(target=work, args=(value,)) for value in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("config", [vocoder_config(), PUBLISHED, SQUEEZEWAVE], ids=["lapped", "published", "separable"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_window_in_its_bucket_has_the_same_samples(config, dtype):
    torch.manual_seed(0)
    model = WaveGlow(config)
    for name, parameter in model.named_parameters():
        if ".end." in name:
            torch.nn.init.normal_(parameter, std=0.02)
    engine = TorchVocoder(model, dtype=dtype)
    generator = np.random.default_rng(0)
    latent = generator.standard_normal((2, engine.n_group, 37 * engine.groups_per_frame), np.float32)
    mel = generator.normal(-5, 2, (2, 80, 37)).astype(np.float32)
    wanted = engine.run(latent, mel)
    engine._captured = CapturedCalls()  # what an engine on a GPU has
    for _ in range(3):
        np.testing.assert_allclose(engine.run(latent, mel), wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())
    assert len(engine._captured) == 1


@pytest.mark.parametrize("melody", [False, True])
def test_a_latent_in_its_bucket_has_the_same_mel(melody):
    engine = TorchAcoustic(acoustic_model(melody=melody))
    generator = np.random.default_rng(0)
    latent = generator.standard_normal((2, 80, 46), np.float32)
    lengths = np.array([46, 22])
    harmonics = generator.standard_normal((2, n_harmonic_features(engine.audio), 46), np.float32) if melody else None
    wanted = engine.decode(latent, lengths, None, harmonics)
    engine._captured = CapturedCalls()
    for _ in range(3):
        np.testing.assert_allclose(engine.decode(latent, lengths, None, harmonics), wanted, rtol=0, atol=1e-5)
    assert len(engine._captured) == 1


class _Operations(TorchDispatchMode):
    """Notes what is computed."""

    def __init__(self):
        super().__init__()
        self.names = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.add(func.name())
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("which", ["vocoder", "acoustic"])
def test_what_is_recorded_neither_waits_for_the_host_nor_decomposes_a_matrix(which):
    if which == "vocoder":
        model = vocoder_model().eval()
        given = torch.zeros(model.latent_shape(1, 8)), torch.zeros(1, 80, 8), torch.tensor([5])
        call = model.inverse
    else:
        model = acoustic_model().eval()
        given = torch.zeros(1, 80, 8), torch.tensor([6])
        call = model.decode
    with torch.inference_mode():
        call(*given)  # what the calls before the recording keep
        operations = _Operations()
        with operations:
            call(*given)
    assert operations.names
    for name in operations.names:
        assert "linalg" not in name
        assert name not in ("aten::_local_scalar_dense", "aten::nonzero", "aten::equal", "aten::item")
