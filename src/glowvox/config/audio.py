"""The mel contract: everything that decides what a number in a mel spectrogram means, with its fingerprint.

An acoustic model and a vocoder that disagree on any of it produce noise without an error; so the contract is stored
with every model, cache and exported graph and compared wherever two of them meet.
"""

import dataclasses
import hashlib
import json
import math
from dataclasses import dataclass
from typing import Literal

from glowvox.errors import ConfigError, MelError


@dataclass(frozen=True)
class AudioConfig:
    """The mel contract. The defaults are those of the published WaveGlow and Glow-TTS models."""

    sample_rate: int = 22050
    """Samples per second."""
    n_fft: int = 1024
    """FFT size in samples."""
    hop_length: int = 256
    """Samples between two mel frames; the only place where this number is written."""
    win_length: int = 1024
    """Analysis window length in samples."""
    window: Literal["hann"] = "hann"
    """Window type, periodic."""
    center: bool = True
    """Whether frame t is centred on sample t * hop_length (the signal is padded by n_fft / 2 at both ends)."""
    pad_mode: Literal["reflect", "constant"] = "reflect"
    """How the signal is padded when `center` is set."""
    n_mels: int = 80
    """Mel bins."""
    f_min: float = 0.0
    """Lowest frequency of the filterbank in Hz."""
    f_max: float = 8000.0
    """Highest frequency of the filterbank in Hz."""
    mel_scale: Literal["slaney", "htk"] = "slaney"
    """Formula of the mel scale."""
    mel_norm: Literal["slaney", "none"] = "slaney"
    """Normalisation of the filters: 'slaney' gives each filter unit area."""
    power: float = 1.0
    """Exponent of the magnitude spectrum before the filterbank (1: magnitude, 2: power)."""
    log: Literal["ln", "log10", "db"] = "ln"
    """Logarithm: natural, base 10, or decibels (20 log10)."""
    floor: float = 1e-5
    """Smallest filterbank output before the logarithm."""
    mean: float = 0.0
    """Subtracted after the logarithm."""
    std: float = 1.0
    """Divided by after subtracting the mean."""

    def __post_init__(self) -> None:
        for name in ("sample_rate", "n_fft", "hop_length", "win_length", "n_mels"):
            if getattr(self, name) < 1:
                raise ConfigError(f"audio.{name} must be at least 1, got {getattr(self, name)}")
        if self.win_length > self.n_fft:
            raise ConfigError(f"audio.win_length {self.win_length} is longer than audio.n_fft {self.n_fft}")
        if not 0 <= self.f_min < self.f_max <= self.sample_rate / 2:
            raise ConfigError(
                f"audio: need 0 <= f_min < f_max <= sample_rate / 2, got {self.f_min}, {self.f_max}, {self.sample_rate}"
            )
        if self.floor <= 0 or self.power <= 0 or self.std <= 0:
            raise ConfigError("audio: floor, power and std must be positive")

    @property
    def frame_rate(self) -> float:
        """Mel frames per second."""
        return self.sample_rate / self.hop_length

    def fingerprint(self) -> str:
        """Return 16 hexadecimal digits that change when any part of the contract changes."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def differences(self, other: "AudioConfig") -> dict[str, tuple[object, object]]:
        """Return the fields in which two contracts differ, as `{name: (here, there)}`."""
        mine, theirs = dataclasses.asdict(self), dataclasses.asdict(other)
        return {name: (mine[name], theirs[name]) for name in mine if mine[name] != theirs[name]}


_BRIDGEABLE = frozenset({"log", "mean", "std"})
_LOG_SCALE = {"ln": 1.0, "log10": 1.0 / math.log(10.0), "db": 20.0 / math.log(10.0)}


def bridge(source: AudioConfig, target: AudioConfig) -> tuple[float, float]:
    """Return `(scale, shift)` such that `scale * mel + shift` turns a mel of `source` into one of `target`.

    The conversion is exact: only the logarithm's base, the mean and the scale may differ.

    Raises:
        MelError: the contracts differ in something that no affine map can undo; the message spells it out.
    """
    different = source.differences(target)
    fatal = {name: pair for name, pair in different.items() if name not in _BRIDGEABLE}
    if fatal:
        listed = "; ".join(f"{name} {here} against {there}" for name, (here, there) in fatal.items())
        raise MelError(f"the mel contracts do not fit: {listed}. Use a model and features made with one contract")
    ratio = _LOG_SCALE[target.log] / _LOG_SCALE[source.log]
    scale = source.std * ratio / target.std
    shift = (source.mean * ratio - target.mean) / target.std
    return scale, shift
