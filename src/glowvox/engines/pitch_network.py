"""The pitch predictor of a vocoder without PyTorch: a few small matrix products over mel frames, in float64.

In float64, because the phase of the source adds the pitch up over the whole signal: what a stream makes of it must not
drift from what one call makes.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glowvox.errors import EngineError

_ALONE = 2**18
"""Multiplications up to which a product is computed by the calling thread alone (see `audio/stft.py`)."""
_LAYERS = ("convolutions.0", "convolutions.1", "convolutions.2", "projection")
_NAMES = tuple(f"{layer}.{part}" for layer in _LAYERS for part in ("weight", "bias"))


class PitchNetwork:
    """From a mel to the logits of its pitch, which `glowvox.audio.pitch.read_pitch` reads.

    Args:
        weights: by the names in the model's `pitch` part; convolutions `[out, in, 5]`, the projection `[97, in, 1]`.
        mel_mean: subtracted from the mel at first.
        mel_std: divided by after that.

    Raises:
        EngineError: weights are missing or do not fit together.
    """

    def __init__(self, weights: Mapping[str, NDArray[np.floating]], mel_mean: float, mel_std: float) -> None:
        self._layers: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
        self.mel_mean, self.mel_std = mel_mean, mel_std
        channels = None
        for layer in _LAYERS:
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
            self._layers.append((weight, bias))
        self._taps = [np.ascontiguousarray(weight.transpose(2, 1, 0)) for weight, _ in self._layers]

    @property
    def receptive_field(self) -> int:
        """Mel frames on each side of a frame that its pitch depends on."""
        return sum(weight.shape[2] // 2 for weight, _ in self._layers)

    def __call__(self, mel: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return logits `[C, T]` of a mel `[M, T]`."""
        hidden = (np.asarray(mel, np.float64).T - self.mel_mean) / self.mel_std
        frames = len(hidden)
        for place, (taps, (_, bias)) in enumerate(zip(self._taps, self._layers, strict=True)):
            around = len(taps) // 2
            padded = np.pad(hidden, ((around, around), (0, 0)))
            hidden = np.broadcast_to(bias, (frames, len(bias))).copy()
            block = max(1, _ALONE // taps[0].size)
            for start in range(0, frames, block):
                end = min(start + block, frames)
                for shift, tap in enumerate(taps):
                    hidden[start:end] += padded[start + shift : end + shift] @ tap
            if place < len(self._layers) - 1:
                hidden = np.maximum(hidden, 0.0)
        return hidden.T

    def to_dict(self) -> dict[str, Any]:
        """Return the weights as plain JSON data: little-endian float16 as base64, each with its shape."""
        stored: dict[str, Any] = {"mel_mean": self.mel_mean, "mel_std": self.mel_std}
        for layer, parts in zip(_LAYERS, self._layers, strict=True):
            for part, array in zip(("weight", "bias"), parts, strict=True):
                packed = base64.b64encode(array.astype("<f2").tobytes()).decode("ascii")
                stored[f"{layer}.{part}"] = {"shape": list(array.shape), "values": packed}
        return stored

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "PitchNetwork":
        """Return the network that `to_dict` made data of.

        Raises:
            EngineError: the data is damaged.
        """
        try:
            weights = {
                name: np.frombuffer(base64.b64decode(stored[name]["values"], validate=True), "<f2").reshape(
                    stored[name]["shape"]
                )
                for name in _NAMES
            }
            return cls(weights, float(stored["mel_mean"]), float(stored["mel_std"]))
        except (KeyError, TypeError, ValueError, binascii.Error):
            raise EngineError("the pitch predictor in the metadata is damaged; export the model again") from None
