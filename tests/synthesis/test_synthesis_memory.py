"""Ten times the speech takes the same memory."""

import tracemalloc

import numpy as np
import pytest
import soundfile
from random_vocoders import CONFIGURATIONS

from glowvox.engines.base import VocoderEngine
from glowvox.evaluate.engine_speed import measure
from glowvox.synthesis.options import VocoderOptions
from glowvox.synthesis.recording import Recording
from glowvox.synthesis.vocoder import Vocoder

CONTRACT = CONFIGURATIONS["lapped-small"].audio


class Repeater(VocoderEngine):
    """Gives the latent as samples: an engine that costs nothing."""

    def _run(self, latent, mel):
        return np.ascontiguousarray(latent.transpose(0, 2, 1)).reshape(len(mel), -1)


def mels(minutes):
    generator, frames = np.random.default_rng(0), int(minutes * 60 * CONTRACT.frame_rate)
    for start in range(0, frames, 500):
        yield generator.normal(-5, 2, (80, min(500, frames - start))).astype(np.float32)


def spoken(vocoder, blocks, options):
    return sum(len(samples) for samples in vocoder.blocks(blocks, options))


def traced_peak(call):
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_windows_of_any_engine():
    vocoder = Vocoder(Repeater(CONTRACT, n_group=256, receptive_field=100))
    options = VocoderOptions(denoise=0.01, chunk_frames=300)
    short, long = (traced_peak(lambda m=minutes: spoken(vocoder, mels(m), options)) for minutes in (0.5, 5))
    assert long < 1.1 * short


def test_windows_of_a_model(engine_of):
    vocoder = Vocoder(engine_of("lapped-two-groups"))
    options = VocoderOptions(chunk_frames=500)
    spoken(vocoder, mels(0.5), options)
    costs = [measure(lambda m=minutes: spoken(vocoder, mels(m), options)) for minutes in (1, 10)]
    assert costs[1].result == pytest.approx(10 * costs[0].result, rel=0.01)
    if costs[0].peak_bytes is None or costs[1].peak_bytes is None:
        pytest.skip("this system does not tell a process its peak memory")
    assert costs[1].peak_bytes < costs[0].peak_bytes + 20e6


def test_analysis_of_a_recording(tmp_path):
    def recorded(minutes):
        path = tmp_path / f"{minutes}.wav"
        with soundfile.SoundFile(path, "w", 44_100, 1, subtype="PCM_16") as file:
            for seed in range(int(60 * minutes)):
                file.write(0.1 * np.random.default_rng(seed).standard_normal(44_100).clip(-5, 5))
        return path

    def analysed(path):
        recording = Recording(path, CONTRACT)
        assert sum(mel.shape[1] for mel in recording.mels()) == recording.n_frames

    paths = [recorded(minutes) for minutes in (0.2, 2)]
    short, long = (traced_peak(lambda p=path: analysed(p)) for path in paths)
    assert long < 1.1 * short
