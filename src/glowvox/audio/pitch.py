"""Pitch in synthesis: a vocoder's harmonic source with its two small networks, and the pitch contour of a sentence.

Without PyTorch: what a mel implies (`PitchNetwork`, `read_pitch`), the pulses that a vocoder's latent is made of
(`HarmonicSource`) with their gains (`SourceMixNetwork`), and what the decoder of an acoustic model is told of the pitch
(`harmonic_features`). `audio/yin.py` finds the pitch of a recording.
"""

import base64
import binascii
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.mel import mel_edges, product
from glowvox.config.audio import AudioConfig
from glowvox.errors import EngineError

_HARMONIC_BELOW_HZ = 3000.0
"""Up to here the source of a voiced sound is harmonic; above, noise takes over step by step."""
_NOISE_ABOVE_HZ = 9000.0
_LEAST_HARMONIC = 0.15
_LEAST_NOISE = 0.1
LOWEST_HZ, HIGHEST_HZ = 60.0, 500.0
"""Range of the pitch."""


class HarmonicSource:
    """Makes lapped coefficients of a source from a pitch track; `stream` does it piece by piece.

    A flow that is told the mel spectrogram cannot know the phases of the harmonics; they stay in its latent, which for
    voiced speech is a train of pulses with a flat spectrum rather than white noise. Drawn from white noise, speech is
    whispered, or its harmonics lock to the frames. So what is drawn is what is found: pulses of the pitch that the mel
    implies, their phase carried on from frame to frame, under noise that takes over towards high frequencies. The
    pulses are those of a band-limited train, sum_{k=1..K} cos(2 pi k phase) in closed form (Dirichlet's kernel), K
    being the harmonics below half the sample rate, with unit spectral density, through the lapped transform of the
    flow. The idea of exciting a network with a sine of the pitch is that of neural source-filter models (arXiv
    1810.11946).

    Args:
        sample_rate: in Hz.
        hop_length: samples between frames, and channels of the lapped transform.
    """

    def __init__(self, sample_rate: int, hop_length: int) -> None:
        self.sample_rate = sample_rate
        self.hop_length = hop_length
        frequency = (np.arange(hop_length) + 0.5) * sample_rate / (2 * hop_length)
        above = (frequency - _HARMONIC_BELOW_HZ) / (_NOISE_ABOVE_HZ - _HARMONIC_BELOW_HZ)
        harmonic = np.clip(1.0 - above, _LEAST_HARMONIC, 1.0)
        self.harmonic_gain: NDArray[np.float32] = harmonic[:, None].astype(np.float32)
        """Of the pulses in a voiced sound, `[hop_length, 1]`."""
        noise = np.maximum(np.sqrt(1.0 - harmonic**2), _LEAST_NOISE)
        self.noise_gain: NDArray[np.float32] = noise[:, None].astype(np.float32)
        """Of the noise in a voiced sound, `[hop_length, 1]`; in an unvoiced one it is 1."""

    def __call__(
        self, frequency: NDArray[np.floating], voicing: NDArray[np.floating], phase: float = 0.0
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the pulses' coefficients and the gain of the noise, both `[hop_length, T]`.

        Args:
            frequency: Hz, `[T]`; frame t is at sample `t * hop_length`.
            voicing: 0 to 1, `[T]`.
            phase: of the pulses at the first sample, in periods.
        """
        stream = HarmonicStream(self, phase)
        first, last = stream.push(frequency, voicing), stream.finish()
        return np.concatenate([first[0], last[0]], 1), np.concatenate([first[1], last[1]], 1)

    def stream(self) -> "HarmonicStream":
        """Return a stream of the same; joined, its pieces are the whole."""
        return HarmonicStream(self)


class HarmonicStream:
    """The source while its pitch becomes known. A frame is ready when the two frames after it are known."""

    look_ahead = 2

    def __init__(self, source: HarmonicSource, phase: float = 0.0) -> None:
        self._source = source
        self._frequency = np.empty(0)
        self._voicing = np.empty(0)
        """Of the frames from the first one on whose block of samples was not made."""
        self._phase = phase
        """At the first of them, in periods."""
        self._blocks = np.empty((0, source.hop_length), np.float32)
        """Blocks of samples that later coefficients need: the one before the next frame, that frame's, and later."""
        self._block_voicing = np.empty(0)
        self._started = False

    def push(
        self, frequency: NDArray[np.floating], voicing: NDArray[np.floating]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Take the pitch in Hz `[t]` and the voicing `[t]` of frames; return what is ready, see `HarmonicSource`."""
        self._frequency = np.concatenate([self._frequency, np.clip(frequency, LOWEST_HZ, HIGHEST_HZ)])
        self._voicing = np.concatenate([self._voicing, np.clip(voicing, 0.0, 1.0)])
        self._make_blocks()
        return self._coefficients(ended=False)

    def finish(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """End the stream: the last pitch stays as it is to the end."""
        if len(self._frequency):
            self._frequency = np.append(self._frequency, self._frequency[-1])
            self._voicing = np.append(self._voicing, self._voicing[-1])
            self._make_blocks()
        return self._coefficients(ended=True)

    def _make_blocks(self) -> None:
        """Make the samples of every block whose both ends have a pitch."""
        count = len(self._frequency) - 1
        if count < 1:
            return
        hop, rate = self._source.hop_length, self._source.sample_rate
        steps = hop * (self._frequency[:-1] + self._frequency[1:]) / (2 * rate)
        periods = np.cumsum(np.append(self._phase, steps))
        kept = len(self._blocks)
        self._blocks = np.concatenate([self._blocks, np.empty((count, hop), np.float32)])
        for first in range(0, count, _PULSE_FRAMES):
            last = min(first + _PULSE_FRAMES, count)
            pitch = self._frequency[first : last + 1, None]
            _pulses(pitch, periods[first:last, None], rate, out=self._blocks[kept + first : kept + last])
        self._block_voicing = np.append(self._block_voicing, (self._voicing[:-1] + self._voicing[1:]) / 2)
        self._phase = float(periods[-1] % 1.0)
        self._frequency, self._voicing = self._frequency[-1:], self._voicing[-1:]

    def _coefficients(self, *, ended: bool) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Transform the blocks whose neighbours are known, or whose neighbour is an end."""
        first = int(self._started)
        count = len(self._blocks) - first - (0 if ended else 1)
        if count < 1:
            return (np.empty((self._source.hop_length, 0), np.float32),) * 2
        needed = self._blocks[: first + count + (0 if ended else 1)]
        coefficients = lapped_coefficients(needed)[first : first + count]
        voicing = self._block_voicing[first : first + count, None].astype(np.float32)
        self._blocks, self._block_voicing = self._blocks[first + count - 1 :], self._block_voicing[first + count - 1 :]
        self._started = True
        source = self._source
        coefficients *= source.harmonic_gain[:, 0]
        coefficients *= voicing
        return coefficients.T, (voicing * (source.noise_gain[:, 0] - np.float32(1.0)) + np.float32(1.0)).T


_PULSE_FRAMES = 32
"""Blocks of samples made at once: what they need stays in the cache."""


def _pulses(frequency: NDArray[np.float64], periods: NDArray[np.float64], rate: int, *, out: NDArray[Any]) -> None:
    """Write the pulses of frames between whose ends the pitch glides, with unit spectral density.

    Args:
        frequency: Hz at the border of each frame, `[t + 1, 1]`.
        periods: that passed before each frame, `[t, 1]`.
        rate: samples per second.
        out: the pulses, `[t, hop]`.
    """
    places = _places(out.shape[1])
    start, change = frequency[:-1], frequency[1:] - frequency[:-1]
    step = out.shape[1] / rate
    # Products of two and three columns: the glide and its integral, each in one pass over what is written.
    phase = np.concatenate([periods, start * step, change * (step / 2)], 1) @ places
    pitch = np.concatenate([start, change], 1) @ places[:2]
    loudness = pitch.astype(out.dtype)
    loudness *= 4.0 / rate
    harmonics = np.divide(rate / 2, pitch, out=pitch)
    _pulse_train(phase, np.floor(harmonics, out=harmonics), out=out)
    out *= np.sqrt(loudness, out=loudness)


@functools.lru_cache(maxsize=4)
def _places(hop: int) -> NDArray[np.float64]:
    """Return the powers 0, 1 and 2 of the place within a frame, from 0 to 1: `[3, hop]`."""
    return np.stack([(np.arange(hop) / hop) ** power for power in range(3)])


def _pulse_train(phase: NDArray[np.float64], harmonics: NDArray[np.float64], *, out: NDArray[Any]) -> None:
    """Write sum_{k=1..K} cos(2 pi k phase), the phase in periods.

    Phases are reduced to one period in float64; their sines are those of the type that is written.
    """
    reduced = phase - np.rint(phase)
    turns = (harmonics + 0.5) * reduced
    turns -= np.rint(turns)
    np.multiply(turns, 2.0 * np.pi, out=out, casting="same_kind")
    np.sin(out, out=out)
    sine = (reduced * np.pi).astype(out.dtype)
    np.sin(sine, out=sine)
    near = np.abs(sine) < 1e-9
    some = bool(near.any())
    out /= np.where(near, 1.0, sine) if some else sine
    out *= 0.5
    out -= 0.5
    if some:
        np.copyto(out, harmonics, where=near, casting="same_kind")


@functools.lru_cache(maxsize=4)
def lapped_constants(hop: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return sine and cosine `[hop / 2]` of the folding at a block's border, and the cosine basis `[hop, hop]`."""
    angle = np.pi / 4 + np.pi / (2 * hop) * (np.arange(hop // 2) + 0.5)
    index = np.arange(hop) + 0.5
    return np.sin(angle), np.cos(angle), np.sqrt(2.0 / hop) * np.cos(np.pi / hop * index[:, None] * index[None, :])


def lapped_coefficients(blocks: NDArray[Any]) -> NDArray[Any]:
    """Return the orthonormal lapped transform `[T, hop]` of blocks of samples `[T, hop]`, as `flows.Lapped` has it."""
    half = blocks.shape[1] // 2
    sine, cosine = (part.astype(blocks.dtype) for part in lapped_constants(blocks.shape[1])[:2])
    folded = blocks.copy()
    before, after = blocks[:-1, half:][:, ::-1], blocks[1:, :half]
    folded[:-1, half:] = (sine * before - cosine * after)[:, ::-1]
    folded[1:, :half] = sine * after + cosine * before
    return _cosine_transform(folded)


def _cosine_transform(rows: NDArray[Any]) -> NDArray[Any]:
    """Return rows `[T, N]` times the cosine basis of `lapped_constants`, N even: a DCT of type IV.

    Even places and odd ones from behind make complex rows of half the length, which are turned, transformed and turned
    again.
    """
    before, after = _turns(rows.shape[1])
    turned = np.empty((len(rows), len(before)), np.result_type(rows.dtype, np.complex64))
    turned.real, turned.imag = rows[:, ::2], rows[:, ::-2]
    turned *= before
    spectrum = np.fft.fft(turned)
    spectrum *= after
    result = np.empty_like(rows)
    result[:, ::2] = spectrum.real
    np.negative(spectrum.imag, out=result[:, ::-2], casting="same_kind")
    return result


@functools.lru_cache(maxsize=4)
def _turns(length: int) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """Return the factors `[length / 2]` before and after the transform inside `_cosine_transform`."""
    place = np.arange(length // 2)
    before = np.exp(-1j * np.pi * (4 * place + 1) / (4 * length))
    return before, np.sqrt(2.0 / length) * np.exp(-1j * np.pi * place / length)


BINS = 96
CHANNELS = BINS + 1
"""Logits of the bins, then the log odds of voicing."""
LOG_CENTRES: NDArray[np.float64] = np.linspace(np.log(LOWEST_HZ), np.log(HIGHEST_HZ), BINS)
_WIDTH = float(LOG_CENTRES[1] - LOG_CENTRES[0])
AROUND = 4
"""Bins on each side of the likeliest one that are averaged."""


def read_pitch(logits: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Decode a predictor's logits `[..., CHANNELS, T]`: pitch in Hz and voicing from 0 to 1, both `[..., T]`.

    After CREPE (arXiv 1802.06182, section 2.2): the pitch is the average of the bins around the likeliest one.
    """
    bins = np.moveaxis(np.asarray(logits[..., :BINS, :], np.float64), -2, -1)
    odds = np.clip(np.asarray(logits[..., BINS, :], np.float64), -50.0, 50.0)
    peak = bins.argmax(-1)
    places = np.clip(peak[..., None] + np.arange(-AROUND, AROUND + 1), 0, BINS - 1)
    near = np.take_along_axis(bins, places, -1)
    weights = np.exp(near - near.max(-1, keepdims=True))
    log_pitch = (weights * LOG_CENTRES[places]).sum(-1) / weights.sum(-1)
    return np.exp(log_pitch), 1.0 / (1.0 + np.exp(-odds))


def target_bins(frequency: NDArray[np.floating]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return what the bins `[..., BINS, T]` shall hold for a pitch `[..., T]` in Hz, NaN where unvoiced; and voicing.

    A voiced frame has a normal distribution one bin wide around its pitch; an unvoiced one nothing.
    """
    voiced = np.isfinite(frequency)
    log_pitch = np.log(np.where(voiced, np.clip(frequency, LOWEST_HZ, HIGHEST_HZ), LOWEST_HZ))
    distance = (log_pitch[..., None, :] - LOG_CENTRES[:, None]) / _WIDTH
    weights = np.exp(-0.5 * distance**2)
    weights *= voiced[..., None, :] / weights.sum(-2, keepdims=True)
    return weights.astype(np.float32), voiced.astype(np.float32)


_ALONE = 2**18
"""Multiplications up to which a product is computed by the calling thread alone (see `audio/mel.py`)."""
_COLUMNS = 48
"""Channels computed at once: the fewer, the more rows fit into such a product."""
_PITCH_LAYERS = ("convolutions.0", "convolutions.1", "convolutions.2", "projection")
_PITCH_NAMES = tuple(f"{layer}.{part}" for layer in _PITCH_LAYERS for part in ("weight", "bias"))
_MIX_NAMES = ("hidden.weight", "hidden.bias", "gains.weight", "gains.bias")
MOST_NEPERS = 2.0
"""Of a gain of pulses or noise, either way."""


class PitchNetwork:
    """The pitch predictor of a vocoder without PyTorch: logits of a mel, which `read_pitch` reads.

    In float64, because the phase of the source adds the pitch up over the whole signal: what a stream makes of it must
    not drift from what one call makes.

    Args:
        weights: by the names in the model's `pitch` part; convolutions `[out, in, 5]`, the projection `[97, in, 1]`.
        mel_mean: subtracted from the mel at first.
        mel_std: divided by after that.

    Raises:
        EngineError: weights are missing or do not fit together.
    """

    def __init__(self, weights: Mapping[str, NDArray[np.floating]], mel_mean: float, mel_std: float) -> None:
        self.layers: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
        self.mel_mean, self.mel_std = mel_mean, mel_std
        channels = None
        for layer in _PITCH_LAYERS:
            try:
                # float16 is how they are stored: every engine has the same numbers
                weight, bias = (
                    np.asarray(weights[f"{layer}.{part}"]).astype(np.float16).astype(np.float64)
                    for part in ("weight", "bias")
                )
            except KeyError as error:
                raise EngineError(f"the pitch predictor's weights lack {error}") from None
            fits = weight.ndim == 3 and weight.shape[2] % 2 and bias.shape == weight.shape[:1]
            if not fits or channels not in (None, weight.shape[1]) or not np.isfinite(weight).all():
                raise EngineError(f"the pitch predictor's weights do not fit: {layer} is {list(weight.shape)}")
            channels = len(weight)
            self.layers.append((weight, bias))
        self._taps = [np.ascontiguousarray(weight.transpose(2, 1, 0)) for weight, _ in self.layers]

    @property
    def receptive_field(self) -> int:
        """Mel frames on each side of a frame that its pitch depends on."""
        return sum(weight.shape[2] // 2 for weight, _ in self.layers)

    def __call__(self, mel: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return logits `[C, T]` of a mel `[M, T]`."""
        frames = mel.shape[1]
        around = len(self._taps[0]) // 2
        padded = np.zeros((frames + 2 * around, mel.shape[0]))
        inner = padded[around : around + frames]
        np.subtract(mel.T, self.mel_mean, out=inner, dtype=np.float64)
        inner /= self.mel_std
        for place, (taps, (_, bias)) in enumerate(zip(self._taps, self.layers, strict=True)):
            last = place == len(self.layers) - 1
            around = 0 if last else len(self._taps[place + 1]) // 2
            result = np.zeros((frames + 2 * around, len(bias)))
            inner = result[around : around + frames]
            for columns in (slice(first, first + _COLUMNS) for first in range(0, len(bias), _COLUMNS)):
                _convolve(padded, taps[:, :, columns], out=inner[:, columns])
            inner += bias
            if not last:
                np.maximum(inner, 0.0, out=inner)
            padded = result
        return padded.T

    def to_dict(self) -> dict[str, Any]:
        """Return the network as plain JSON data. See `packed_weights`."""
        arrays = (array for layer in self.layers for array in layer)
        return packed_weights(dict(zip(_PITCH_NAMES, arrays, strict=True)), self.mel_mean, self.mel_std)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "PitchNetwork":
        """Return the network that `to_dict` made data of.

        Raises:
            EngineError: the data is damaged.
        """
        return cls(*unpacked_weights(stored, _PITCH_NAMES, "pitch predictor"))


def _convolve(padded: NDArray[np.float64], taps: NDArray[np.float64], *, out: NDArray[np.float64]) -> None:
    """Write the convolution `[T, C]` of rows `[T + K - 1, D]` with taps `[K, D, C]`, by the calling thread alone."""
    block = max(1, _ALONE // taps[0].size)
    for start in range(0, len(out), block):
        part = out[start : start + block]
        np.matmul(padded[start : start + len(part)], taps[0], out=part)
        for shift, tap in enumerate(taps[1:], start + 1):
            part += padded[shift : shift + len(part)] @ tap


class SourceMixNetwork:
    """From a mel to the gains of pulses and noise.

    Args:
        weights: by the names in the model's `source_mix` part: `hidden` `[C, M, 3]`, `gains` `[2 G, C, 1]`.
        mel_mean: subtracted from the mel at first.
        mel_std: divided by after that.

    Raises:
        EngineError: weights are missing or do not fit together.
    """

    receptive_field = 1
    """Mel frames on each side of a frame that its gains depend on."""

    def __init__(self, weights: Mapping[str, NDArray[np.floating]], mel_mean: float, mel_std: float) -> None:
        try:
            # float16 is how they are stored: every engine has the same numbers
            stored = {name: np.asarray(weights[name]).astype(np.float16).astype(np.float32) for name in _MIX_NAMES}
        except KeyError as error:
            raise EngineError(f"the source mix's weights lack {error}") from None
        hidden, gains = stored["hidden.weight"], stored["gains.weight"]
        fits = hidden.ndim == gains.ndim == 3 and hidden.shape[2] == 3 and gains.shape[1:] == (len(hidden), 1)
        fits = (
            fits and stored["hidden.bias"].shape == hidden.shape[:1] and stored["gains.bias"].shape == gains.shape[:1]
        )
        if not fits or len(gains) % 2 or not all(np.isfinite(value).all() for value in stored.values()):
            raise EngineError("the source mix's weights do not fit together")
        self.weights = stored
        """By their names."""
        self.mel_mean, self.mel_std = mel_mean, mel_std
        self._taps = np.ascontiguousarray(hidden.transpose(2, 1, 0))
        self._gains = np.ascontiguousarray(gains[:, :, 0].T)

    def __call__(self, mel: NDArray[np.floating]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the gains of pulses and of noise, each `[G, T]`, of a mel `[M, T]`; beyond its ends lies nothing."""
        frames = mel.shape[1]
        padded = np.zeros((frames + 2, len(mel)), np.float32)
        inner = padded[1:-1]
        np.subtract(mel.T, np.float32(self.mel_mean), out=inner)
        inner /= np.float32(self.mel_std)
        hidden = product(padded[:frames], self._taps[0])
        for shift, tap in enumerate(self._taps[1:], 1):
            hidden += product(padded[shift : shift + frames], tap)
        hidden += self.weights["hidden.bias"]
        gains = product(np.maximum(hidden, 0.0, out=hidden), self._gains)
        gains += self.weights["gains.bias"]
        gains *= np.float32(1 / MOST_NEPERS)
        np.tanh(gains, out=gains)
        gains *= np.float32(MOST_NEPERS)
        np.exp(gains, out=gains)
        half = gains.shape[1] // 2
        return gains.T[:half], gains.T[half:]

    def to_dict(self) -> dict[str, Any]:
        """Return the network as plain JSON data. See `packed_weights`."""
        return packed_weights(self.weights, self.mel_mean, self.mel_std)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "SourceMixNetwork":
        """Return the network that `to_dict` made data of.

        Raises:
            EngineError: the data is damaged.
        """
        return cls(*unpacked_weights(stored, _MIX_NAMES, "source mix"))


def packed_weights(weights: Mapping[str, NDArray[np.floating]], mel_mean: float, mel_std: float) -> dict[str, Any]:
    """Return a small network as plain JSON data: little-endian float16 as base64, each array with its shape."""
    packed: dict[str, Any] = {"mel_mean": mel_mean, "mel_std": mel_std}
    for name, value in weights.items():
        values = base64.b64encode(value.astype("<f2").tobytes()).decode("ascii")
        packed[name] = {"shape": list(value.shape), "values": values}
    return packed


def unpacked_weights(
    stored: Mapping[str, Any], names: Sequence[str], what: str
) -> tuple[dict[str, NDArray[np.float16]], float, float]:
    """Return the weights of those names, the mean and the deviation that `packed_weights` made data of.

    Raises:
        EngineError: the data is damaged.
    """
    try:
        weights = {
            name: np.frombuffer(base64.b64decode(stored[name]["values"], validate=True), "<f2").reshape(
                stored[name]["shape"]
            )
            for name in names
        }
        return weights, float(stored["mel_mean"]), float(stored["mel_std"])
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise EngineError(f"the {what} in the metadata is damaged; export the model again") from None


REFERENCE_HZ = 180.0
"""The pitch whose logarithm is taken as zero."""
LOG_PITCH_STD = 0.25
"""What the logarithm of a pitch is divided by: about its standard deviation in one speaker's reading."""
_BELOW_HZ = 3000.0
"""Mel bins above it are too wide to tell the harmonics of a voice apart."""


def n_harmonic_features(config: AudioConfig) -> int:
    """Return the number of channels K of `harmonic_features`."""
    return 2 + len(harmonic_bins(config)[0])


def harmonic_features(pitch: NDArray[np.floating], config: AudioConfig) -> NDArray[np.float32]:
    """Return the harmonic features of a pitch contour, which tell a network where its harmonics lie: `[..., K, T]`.

    The spectrum of a voiced sound repeats every f0 Hz; over the mel bins it looks like cos(2 pi f / f0), f being the
    centre of a bin. A bin that is wider than a harmonic sees less of it: a triangle of half width w lets
    sinc(w / f0)**2 of the cosine through. Given this, a network need not learn from one number per frame where eighty
    bins have their peaks.

    The channels are voicing (0 or 1), log pitch, and the cosine of every mel bin below 3 kHz; unvoiced frames are zero.

    Args:
        pitch: Hz, `[..., T]`, 0 where unvoiced.
        config: the mel contract.
    """
    centres, widths = harmonic_bins(config)
    voiced = np.asarray(pitch) > 0
    hertz = np.where(voiced, pitch, REFERENCE_HZ)[..., None, :]
    turns = centres[:, None] / hertz
    turns -= np.rint(turns)  # what is left of a period is small enough for the cosine of a float32
    channels = np.empty((*hertz.shape[:-2], 2 + len(centres), hertz.shape[-1]), np.float32)
    channels[..., :1, :] = 1.0
    channels[..., 1:2, :] = np.log(hertz / REFERENCE_HZ) / LOG_PITCH_STD
    cosine = channels[..., 2:, :]
    np.cos((turns * (2 * np.pi)).astype(np.float32), out=cosine)
    cosine *= np.square(np.sinc((widths[:, None] / hertz).astype(np.float32)))
    channels *= voiced[..., None, :]
    return channels


@functools.lru_cache
def harmonic_bins(config: AudioConfig) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return centre and half width in Hz of the mel bins below `_BELOW_HZ`."""
    edges = mel_edges(config)
    centres, widths = edges[1:-1], (edges[2:] - edges[:-2]) / 2
    below = centres < _BELOW_HZ
    return centres[below], widths[below]


def token_pitch(
    pitch: NDArray[np.floating], frames: NDArray[np.integer]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return each token's mean log pitch and the share of its frames that are voiced, both `[L]`.

    Across unvoiced frames the logarithm of the pitch is interpolated, so that every token has one. It is relative to
    `REFERENCE_HZ`, in units of `LOG_PITCH_STD`.

    Args:
        pitch: Hz `[T]`, 0 where unvoiced.
        frames: of each token `[L]`; they sum to T or less. A token without frames has the pitch at its place.
    """
    voiced = np.asarray(pitch) > 0
    places = np.arange(len(pitch))
    height = np.zeros(len(pitch))
    if voiced.any():
        known = np.log(np.asarray(pitch, np.float64)[voiced] / REFERENCE_HZ) / LOG_PITCH_STD
        height = np.interp(places, places[voiced], known)
    ends = np.cumsum(frames)
    starts = ends - frames
    count = np.maximum(frames, 1)
    sums = np.concatenate([[0.0], np.cumsum(height)])
    shares = np.concatenate([[0.0], np.cumsum(voiced)])
    nearest = height[np.minimum(starts, len(pitch) - 1)]
    mean = np.where(frames > 0, (sums[ends] - sums[starts]) / count, nearest)
    return mean.astype(np.float32), ((shares[ends] - shares[starts]) / count).astype(np.float32)


def pitch_contour(
    height: NDArray[np.floating], voicing: NDArray[np.floating], frames: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Return the pitch in Hz `[T]`, 0 where unvoiced: straight lines between the middles of the tokens.

    Args:
        height: log pitch of each token `[L]`, as `token_pitch` has it.
        voicing: log odds of each token being voiced, `[L]`; a frame is voiced where their interpolation is positive.
        frames: of each token `[L]`; T is their sum. Tokens without frames have no say.
    """
    heard = frames > 0
    ends = np.cumsum(frames)
    middles = (ends - frames / 2)[heard]
    places = np.arange(int(ends[-1]) if len(ends) else 0) + 0.5
    if not len(middles):
        return np.zeros(0)
    line = np.interp(places, middles, np.asarray(height, np.float64)[heard])
    odds = np.interp(places, middles, np.clip(np.asarray(voicing, np.float64)[heard], -4.0, 4.0))
    pitch = np.clip(REFERENCE_HZ * np.exp(LOG_PITCH_STD * line), LOWEST_HZ, HIGHEST_HZ)
    return np.where(odds > 0, pitch, 0.0)


def varied(
    height: NDArray[np.floating],
    voicing: NDArray[np.floating],
    frames: NDArray[np.integer],
    *,
    shift: float | NDArray[np.floating] = 0.0,
    spread: float = 1.0,
) -> NDArray[np.float32]:
    """Return another pitch contour `[L]`: raised, and wider or narrower about its mean over the voiced frames.

    Args:
        height: log pitch of each token `[L]`, as `token_pitch` has it.
        voicing: log odds of each token being voiced, `[L]`.
        frames: of each token `[L]`.
        shift: semitones, of all or of each token `[L]`.
        spread: factor on the distance from the mean.
    """
    weights = frames * (voicing > 0)
    mean = float((height * weights).sum() / max(int(weights.sum()), 1))
    result: NDArray[np.float32] = (mean + spread * (height - mean) + shift * np.log(2) / 12 / LOG_PITCH_STD).astype(
        np.float32
    )
    return result
