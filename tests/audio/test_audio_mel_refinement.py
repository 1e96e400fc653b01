"""Mel refinement: it brings the mel nearer, and a stream of it is the whole."""

import numpy as np
import pytest

from glowvox.audio.mel import MelTransform, istft, stft
from glowvox.audio.mel_refinement import AROUND_HZ, LARGEST_STEP, STRENGTH, MelRefinement, refinement_filters
from glowvox.config.audio import AudioConfig
from glowvox.errors import MelError

CONFIG = AudioConfig()


def _pair(frames: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return noise with a wandering level, and the mel of another one whose level wanders otherwise."""
    random = np.random.default_rng(seed)
    size = max(frames, 4) * CONFIG.hop_length
    level = np.exp(np.interp(np.arange(size), np.linspace(0, size, 9), random.normal(-3, 0.7, 9)))
    other = np.exp(np.interp(np.arange(size), np.linspace(0, size, 7), random.normal(-3, 0.7, 7)))
    mel = MelTransform(CONFIG)((random.standard_normal(size) * other).astype(np.float32))[:, :frames]
    return (random.standard_normal(size) * level).astype(np.float32)[: frames * CONFIG.hop_length], mel


def _distance(samples: np.ndarray, mel: np.ndarray) -> float:
    return float(np.abs(MelTransform(CONFIG)(samples)[:, : mel.shape[1]] - mel).mean())


def test_every_pass_brings_the_mel_nearer() -> None:
    samples, mel = _pair(120)
    distances = [_distance(MelRefinement(CONFIG, passes)(samples, mel), mel) for passes in (0, 1, 2, 4, 8)]
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 0.5 * distances[0]


def test_a_signal_that_has_its_mel_is_hardly_changed() -> None:
    samples, _ = _pair(60)
    refined = MelRefinement(CONFIG, 3)(samples, MelTransform(CONFIG)(samples)[:, :60])
    assert np.abs(refined - samples)[: -CONFIG.n_fft].max() < 1e-5


def test_no_pass_changes_nothing() -> None:
    samples, mel = _pair(20)
    assert MelRefinement(CONFIG, 0)(samples, mel) is samples


@pytest.mark.parametrize(("passes", "postfilter"), [(0, 0.0), (1, 0.0), (1, 0.3), (4, 0.3)])
@pytest.mark.parametrize("frames", [1, 2, 3, 40, 150])
def test_the_stream_is_the_whole(passes: int, postfilter: float, frames: int) -> None:
    samples, mel = _pair(frames, seed=frames)
    refinement, random = MelRefinement(CONFIG, passes, postfilter), np.random.default_rng(passes)
    stream, pieces, place = refinement.stream(), [], 0
    while place < frames:
        end = min(frames, place + int(random.integers(1, 25)))
        pieces.append(stream.push(samples[place * 256 : end * 256], mel[:, place:end]))
        place = end
    joined = np.concatenate([*pieces, stream.finish()])
    whole = refinement(samples, mel)
    assert joined.shape == whole.shape
    assert np.abs(joined - whole).max() < 1e-6


@pytest.mark.parametrize(
    "config",
    [
        CONFIG,
        AudioConfig(power=2.0, pad_mode="constant", hop_length=300, win_length=900),
        AudioConfig(f_max=4000.0),
        AudioConfig(sample_rate=48000, n_fft=2048, win_length=2048, f_max=24000.0),
    ],
)
@pytest.mark.parametrize("postfilter", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("frames", [5, 200])
def test_a_pass_is_that_of_the_whole_spectrum(config: AudioConfig, postfilter: float, frames: int) -> None:
    generator = np.random.default_rng(0)
    samples = generator.standard_normal(frames * config.hop_length).astype(np.float32) * np.float32(0.1)
    mel = generator.normal(-5.0, 1.0, (80, frames)).astype(np.float32)
    shape = (config.n_fft, config.hop_length, config.win_length)
    filters, spread = refinement_filters(config)
    wanted = samples
    for last in (False, True):
        spectrum = stft(wanted.astype(np.float64), *shape, pad_mode=config.pad_mode)[:, :frames]
        excess = mel - np.log(np.maximum(filters @ np.abs(spectrum) ** config.power, config.floor))
        step = np.clip(excess * STRENGTH / config.power, -LARGEST_STEP, LARGEST_STEP)
        log_gain = spread @ step + (_postfilter(spectrum, config, postfilter) if last and postfilter else 0.0)
        wanted = istft(spectrum * np.exp(log_gain), *shape, length=len(samples))
    found = MelRefinement(config, 2, postfilter)(samples, mel)
    assert np.abs(found - wanted).max() < 2e-5 * np.abs(wanted).max()


def _postfilter(spectrum: np.ndarray, config: AudioConfig, strength: float) -> np.ndarray:
    """Return the log of the postfilter's gain of bins `[F, T]`, bin by bin."""
    hertz = config.sample_rate / config.n_fft
    last = int(np.flatnonzero(refinement_filters(config)[0].any(0))[-1]) + 1
    reach, power, log_gain = round(AROUND_HZ / hertz), np.abs(spectrum) ** 2, np.zeros(spectrum.shape)
    filtered = [place for place in range(last) if place * hertz < 7500.0]
    for place in filtered:
        near = power[max(0, place - reach) : min(last, place + reach + 1)].mean(0)
        fade = min(1.0, (7500.0 - place * hertz) / 2500.0)
        log_gain[place] = np.clip(strength * fade * 0.5 * np.log(power[place] / near), -1.0, 0.3)
    energy = (power[filtered] * np.exp(2 * log_gain[filtered])).sum(0)
    log_gain[filtered] += 0.5 * np.log(power[filtered].sum(0) / energy)
    return log_gain


def test_the_postfilter_lowers_noise_between_harmonics() -> None:
    time, random = np.arange(256 * 80) / 22050, np.random.default_rng(0)
    clean = sum(np.cos(2 * np.pi * 215.332 * k * time) for k in range(1, 15))  # every tenth bin
    samples = (0.02 * clean + 0.01 * random.standard_normal(len(time))).astype(np.float32)
    mel = MelTransform(CONFIG)(samples)[:, :80]

    def powers(refined: np.ndarray) -> np.ndarray:
        spectrum = np.abs(stft(refined.astype(np.float64), 1024, 256, 1024))[:, 8:-8] ** 2
        harmonics, between = np.arange(10, 150, 10), np.arange(15, 150, 10)
        return 10 * np.log10([spectrum[harmonics].mean(), spectrum[between].mean()])

    refined = MelRefinement(CONFIG, 1, 0.2)(samples, mel)
    before, after = powers(samples), powers(refined)
    assert 0.0 < after[0] - before[0] < 1.0
    assert after[1] - before[1] < -3.0
    assert np.square(refined).mean() == pytest.approx(np.square(samples).mean(), rel=0.05)


def test_silence_stays_silent_under_the_postfilter() -> None:
    silent = np.zeros(256 * 20, np.float32)
    assert not MelRefinement(CONFIG, 2, 1.0)(silent, np.full((80, 20), np.log(1e-5), np.float32)).any()


def test_without_a_pass_there_is_no_postfilter() -> None:
    samples, mel = _pair(20)
    assert MelRefinement(CONFIG, 0, 0.5)(samples, mel) is samples


@pytest.mark.parametrize("postfilter", [-0.1, 1.1, float("nan"), float("inf")])
def test_an_impossible_postfilter_is_refused(postfilter: float) -> None:
    with pytest.raises(MelError, match="postfilter must lie between 0 and 1"):
        MelRefinement(CONFIG, 1, postfilter)


def test_a_stream_computes_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    samples, mel = _pair(100)
    refinement, seen, gain = MelRefinement(CONFIG, 3), [], MelRefinement.gain

    def counted(self, spectrum, target, *, last):
        seen.append(len(spectrum))
        return gain(self, spectrum, target, last=last)

    monkeypatch.setattr(MelRefinement, "gain", counted)
    stream = refinement.stream()
    for place in range(100):
        ready = stream.push(samples[place * 256 : place * 256 + 256], mel[:, place : place + 1])
        assert place < refinement.context or len(ready) == 256
    stream.finish()
    assert sum(seen) == 3 * 100


@pytest.mark.parametrize("log", ["ln", "log10", "db"])
def test_the_contracts_units_are_understood(log: str) -> None:
    config = AudioConfig(log=log, mean=0.5, std=2.0)
    samples, mel = _pair(60)
    own = MelTransform(config)(MelRefinement(CONFIG, 0)(samples, mel))[:, :60]
    refined = MelRefinement(config, 2)(samples, own)
    assert np.abs(refined - samples)[: -CONFIG.n_fft].max() < 1e-5


def test_extreme_mels_give_finite_samples() -> None:
    samples, mel = _pair(30)
    for value in (-1e4, 1e4):
        assert np.isfinite(MelRefinement(CONFIG, 5, 1.0)(samples, np.full_like(mel, value))).all()


@pytest.mark.parametrize("passes", [-1, 101])
def test_impossible_passes_are_refused(passes: int) -> None:
    with pytest.raises(MelError, match="between 0 and 100"):
        MelRefinement(CONFIG, passes)


def test_frames_that_are_not_centred_are_refused() -> None:
    with pytest.raises(MelError, match="centred"):
        MelRefinement(AudioConfig(center=False), 1)
