"""Windows and streams give the samples of the whole, for every family of vocoder, whatever the chunks."""

import os

import numpy as np
import pytest
from random_vocoders import CONFIGURATIONS

from glowvox.engines.torch_engine import TorchVocoder
from glowvox.errors import ConfigError, MelError, VoiceError
from glowvox.synthesis.installed_voices import default_vocoder
from glowvox.synthesis.options import VocoderOptions, noise
from glowvox.synthesis.vocoder import StreamingVocoder, Vocoder, WindowedPieces, whole_latent

PLAIN = VocoderOptions(denoise=0.0, refine=0, seed=3)


def random_mel(engine, frames, seed=1):
    generator = np.random.default_rng(seed)
    return generator.normal(-5, 2, (engine.audio.n_mels, frames)).astype(np.float32)


def one_shot(engine, mel, seed=3, sigma=0.6):
    latent = whole_latent(engine, VocoderOptions(sigma=sigma, seed=seed), mel)
    return engine.run(latent[None], mel[None])[0]


def streamed(stream, mel, sizes):
    pieces, start = [], 0
    for size in sizes:
        pieces.append(stream.push(mel[:, start : start + size]))
        start += size
    return [*pieces, stream.push(mel[:, start:]), stream.finish()]


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_receptive_field_is_a_bound(engine_of, name):
    engine = engine_of(name)
    reach = engine.receptive_field
    frames = 2 * reach + 5
    mel, place = random_mel(engine, frames), reach + 2
    columns = slice(place * engine.groups_per_frame, (place + 1) * engine.groups_per_frame)
    latent = 0.6 * noise(3, engine.n_group, 0, frames * engine.groups_per_frame)
    changed_mel, changed_latent = mel.copy(), latent.copy()
    changed_mel[:, place] += 2.0
    changed_latent[:, columns] -= 2.0
    difference = np.abs(engine.run(changed_latent[None], changed_mel[None]) - engine.run(latent[None], mel[None]))
    touched = np.flatnonzero(difference.reshape(frames, -1).max(1))
    assert difference.max() > 1e-3
    assert touched.min() < place < touched.max()
    assert touched.min() >= place - reach
    assert touched.max() <= place + reach


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_any_chunks_equal_one_shot(engine_of, name):
    engine = engine_of(name)
    vocoder, reach = Vocoder(engine), engine.receptive_field
    mel = random_mel(engine, 2 * reach + 41)
    whole = one_shot(engine, mel)
    assert np.abs(whole).max() > 0.1
    generator = np.random.default_rng(2)
    for chunk in (71, mel.shape[1]):
        sizes = generator.integers(1, 40, 4).tolist()
        stream = vocoder.stream(VocoderOptions(denoise=0.0, refine=0, seed=3, chunk_frames=chunk))
        np.testing.assert_allclose(np.concatenate(streamed(stream, mel, sizes)), whole, atol=1e-5, rtol=0)


def test_any_chunks_equal_one_shot_for_the_trained_vocoder():
    """The vocoder of the package, or the one that GLOWVOX_VOCODER names."""
    try:
        folder = os.environ.get("GLOWVOX_VOCODER") or default_vocoder()
    except VoiceError as error:
        pytest.skip(f"no trained vocoder: {error}")
    engine = TorchVocoder.load(folder)
    mel = random_mel(engine, 2 * engine.receptive_field + 30)
    whole = one_shot(engine, mel)
    for chunk in (40, mel.shape[1]):
        found = Vocoder(engine)(mel, VocoderOptions(denoise=0.0, refine=0, seed=3, chunk_frames=chunk))
        np.testing.assert_allclose(found, whole, atol=1e-5 * max(1.0, np.abs(whole).max()), rtol=0)


@pytest.mark.parametrize("name", ["no-dilation", "lapped-small"])
def test_nothing_is_computed_twice_where_the_engine_does_steps(engine_of, name):
    """And where it does not, what is spoken is the same."""
    engine = engine_of(name)
    mel = random_mel(engine, 2 * engine.delay + 50)
    taken, windows, step, run = [], [], engine.step, engine.run
    engine.step = lambda latent, part, state, final: taken.append(part) or step(latent, part, state, final=final)
    engine.run = lambda latent, part: windows.append(part) or run(latent, part)
    try:
        options = VocoderOptions(denoise=0.0, seed=3, chunk_frames=20)
        found = Vocoder(engine)(mel, options)
        np.testing.assert_array_equal(np.concatenate(taken, 2)[0], mel)
        assert len(taken) > 2 and not windows
        pieces = WindowedPieces(engine)
        pieces.take(whole_latent(engine, options, mel), mel)
        spoken = [pieces.speak(20)[0] for _ in range(2)] + [pieces.finish()[0]]
        reach = engine.receptive_field
        starts, ends = (0, max(0, 20 - reach), max(0, 40 - reach)), (20 + reach, 40 + reach, mel.shape[1])
        assert [part.shape[2] for part in windows] == [end - start for start, end in zip(starts, ends, strict=True)]
    finally:
        del engine.step, engine.run
    np.testing.assert_allclose(np.concatenate(spoken), one_shot(engine, mel), atol=1e-5, rtol=0)
    whole = Vocoder(engine)(mel, VocoderOptions(denoise=0.0, seed=3, chunk_frames=mel.shape[1]))
    np.testing.assert_allclose(found, whole, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["no-dilation", "lapped-two-groups"])
@pytest.mark.parametrize("frames", [1, 2, 3, 8, 30])
def test_frame_by_frame_equals_one_shot(engine_of, name, frames):
    engine = engine_of(name)
    mel = random_mel(engine, frames)
    stream = Vocoder(engine).stream(VocoderOptions(denoise=0.0, refine=0, seed=3, chunk_frames=1))
    pieces = streamed(stream, mel, [1] * frames)
    np.testing.assert_allclose(np.concatenate(pieces), one_shot(engine, mel), atol=1e-5, rtol=0)
    ready = [len(piece) // engine.audio.hop_length for piece in pieces[:frames]]
    assert ready == [int(index >= stream.look_ahead) for index in range(frames)]


def test_the_joined_seams_are_no_worse_than_the_rest(engine_of):
    engine = engine_of("lapped-small")
    mel = random_mel(engine, 300)
    whole = one_shot(engine, mel)
    broken = np.concatenate([one_shot(engine, mel[:, :150]), one_shot(engine, mel[:, 150:])])
    assert np.abs(broken - whole).max() > 1e-2
    np.testing.assert_allclose(
        Vocoder(engine)(mel, VocoderOptions(denoise=0.0, refine=0, seed=3, chunk_frames=150)), whole, atol=1e-5, rtol=0
    )


@pytest.mark.parametrize("name", ["waveglow-small", "lapped-hop-128"])
def test_denoised_chunks_equal_the_denoised_whole(engine_of, name):
    engine = engine_of(name)
    vocoder = Vocoder(engine)
    mel = random_mel(engine, 300)
    wanted = vocoder.denoiser(one_shot(engine, mel), 0.1)
    # a vocoder that follows the mel's level has next to nothing to say in silence
    assert np.abs(wanted - one_shot(engine, mel)).max() > (0 if engine.groups_per_frame == 1 else 1e-3)
    for chunk in (17, 100):
        found = vocoder(mel, VocoderOptions(denoise=0.1, refine=0, seed=3, chunk_frames=chunk))
        np.testing.assert_allclose(found, wanted, atol=1e-5, rtol=0)


def test_denoising_one_frame(engine_of):
    engine = engine_of("no-dilation")
    assert Vocoder(engine)(random_mel(engine, 1)).shape == (256,)


def test_the_bias_is_the_output_for_silence(engine_of):
    engine = engine_of("no-dilation")
    calls = []
    run = engine.run
    engine.run = lambda latent, mel: calls.append((latent, mel)) or run(latent, mel)
    try:
        vocoder = Vocoder(engine)
        first = vocoder.denoiser
        assert vocoder.denoiser is first
    finally:
        del engine.run
    assert len(calls) == 1
    assert calls[0][1].shape == (1, 80, 88)
    assert not calls[0][0].any() and not calls[0][1].any()
    assert first.spectrum.shape == (513, 1)


@pytest.mark.parametrize("name", ["waveglow-small", "lapped-small"])
def test_a_known_mel_is_spoken_with_what_each_chunk_needs(engine_of, name, monkeypatch):
    vocoder = Vocoder(engine_of(name))
    mel = random_mel(vocoder.engine, 150, 5)
    options = VocoderOptions(seed=4, refine=2, chunk_frames=60)
    whole = vocoder(mel, options)
    pushed, push, finish = [], StreamingVocoder.push, StreamingVocoder.finish

    def counted(self, frames):
        pushed.append(frames.shape[1])
        return push(self, frames)

    def counted_last(self, frames=None):
        pushed.append(0 if frames is None else frames.shape[1])
        return finish(self, frames)

    monkeypatch.setattr(StreamingVocoder, "push", counted)
    monkeypatch.setattr(StreamingVocoder, "finish", counted_last)
    for pieces in ([mel], [mel[:, :70], mel[:, 70:71], mel[:, 71:]]):
        pushed.clear()
        stream = vocoder.stream(options, first_chunk=10)
        needed = stream.next_frames
        assert needed <= 10 + stream.look_ahead
        chunks = list(stream.speak(pieces))
        np.testing.assert_allclose(np.concatenate(chunks), whole, rtol=0, atol=1e-5 * np.abs(whole).max())
        assert sum(pushed) == 150
        assert pushed[0] == min(needed, pieces[0].shape[1])
        assert len(pushed) <= 5 + len(pieces)
    pushed.clear()
    list(vocoder.stream(options).speak([mel[:, :50]]))
    assert pushed == [50]  # one call for a mel that is one chunk


def test_many_streams_over_one_engine(engine_of):
    engine = engine_of("no-dilation")
    vocoder = Vocoder(engine)
    options = [VocoderOptions(denoise=0.0, refine=0, seed=seed, chunk_frames=5) for seed in range(3)]
    streams = [vocoder.stream(wish) for wish in options]
    mels = [random_mel(engine, 40, seed) for seed in range(3)]
    pieces = [[] for _ in streams]
    for start in range(0, 40, 4):
        for stream, mel, found in zip(streams, mels, pieces, strict=True):
            found.append(stream.push(mel[:, start : start + 4]))
    for seed, (stream, mel, found) in enumerate(zip(streams, mels, pieces, strict=True)):
        joined = np.concatenate([*found, stream.finish()])
        np.testing.assert_allclose(joined, one_shot(engine, mel, seed), atol=1e-5, rtol=0)


def test_reset_and_the_end(engine_of):
    engine = engine_of("no-dilation")
    stream = Vocoder(engine).stream(VocoderOptions(refine=0, seed=3, chunk_frames=4))
    mel = random_mel(engine, 30)
    first = np.concatenate(streamed(stream, mel, [3, 9]))
    assert stream.frames_spoken == 30
    for call in (stream.finish, lambda: stream.push(mel)):
        with pytest.raises(MelError, match="has ended"):
            call()
    stream.reset()
    stream.push(mel[:, :20])
    stream.reset()
    np.testing.assert_array_equal(np.concatenate(streamed(stream, mel, [3, 9])), first)
    stream.reset()
    assert stream.push(mel[:, :0]).size == 0
    assert stream.finish().size == 0


def test_a_bad_push_leaves_the_stream_as_it_was(engine_of):
    engine = engine_of("no-dilation")
    mel = random_mel(engine, 30)
    stream = Vocoder(engine).stream(VocoderOptions(denoise=0.0, refine=0, seed=3, chunk_frames=4))
    pieces = [stream.push(mel[:, :15])]
    broken = mel[:, :3].copy()
    broken[7, 1] = np.nan
    for bad, message in [
        (broken, "NaN or infinite"),
        (mel.T, "bins"),
        (mel[:79], "the mel has 79 bins, the contract 80"),
        (mel[None], "must have the shape"),
        (np.zeros((80, 3), np.int16), "floating-point"),
    ]:
        with pytest.raises(MelError, match=message):
            stream.push(bad)
    pieces += [stream.push(mel[:, 15:]), stream.finish()]
    np.testing.assert_allclose(np.concatenate(pieces), one_shot(engine, mel), atol=1e-5, rtol=0)


def test_no_frames(engine_of):
    vocoder = Vocoder(engine_of("no-dilation"))
    for mels in ([], [np.empty((80, 0), np.float32)]):
        with pytest.raises(MelError, match="no frames"):
            list(vocoder.blocks(mels))
    with pytest.raises(MelError, match="no frames"):
        vocoder(np.empty((80, 0), np.float32))


def test_seeds_and_sigma(engine_of):
    engine = engine_of("no-dilation")
    vocoder, mel = Vocoder(engine), random_mel(engine, 12)
    np.testing.assert_array_equal(vocoder(mel), vocoder(mel))
    assert np.abs(vocoder(mel) - vocoder(mel, VocoderOptions(seed=1))).max() > 1e-2
    quiet = VocoderOptions(sigma=0.0, denoise=0.0)
    np.testing.assert_array_equal(vocoder(mel, quiet), one_shot(engine, mel, sigma=0.0))


@pytest.mark.parametrize(
    "wish",
    [
        {"sigma": -0.1},
        {"sigma": float("nan")},
        {"denoise": -1.0},
        {"denoise": float("inf")},
        {"seed": -1},
        {"chunk_frames": 0},
    ],
)
def test_impossible_wishes(wish):
    with pytest.raises(ConfigError, match="must"):
        VocoderOptions(**wish)
