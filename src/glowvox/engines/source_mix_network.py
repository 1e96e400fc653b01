"""The gains of a vocoder's pulses and noise without PyTorch: `models/source_mix.py` as two products over frames."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glowvox.errors import EngineError

_NAMES = ("hidden.weight", "hidden.bias", "gains.weight", "gains.bias")
_MOST_NEPERS = 2.0


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
            stored = {name: np.asarray(weights[name]).astype(np.float16).astype(np.float32) for name in _NAMES}
        except KeyError as error:
            raise EngineError(f"the source mix's weights lack {error}") from None
        hidden, gains = stored["hidden.weight"], stored["gains.weight"]
        fits = hidden.ndim == gains.ndim == 3 and hidden.shape[2] == 3 and gains.shape[1:] == (len(hidden), 1)
        fits = (
            fits and stored["hidden.bias"].shape == hidden.shape[:1] and stored["gains.bias"].shape == gains.shape[:1]
        )
        if not fits or len(gains) % 2 or not all(np.isfinite(value).all() for value in stored.values()):
            raise EngineError("the source mix's weights do not fit together")
        self._stored = stored
        self.mel_mean, self.mel_std = mel_mean, mel_std
        self._taps = np.ascontiguousarray(hidden.transpose(2, 1, 0))
        self._gains = np.ascontiguousarray(gains[:, :, 0].T)

    def __call__(self, mel: NDArray[np.floating]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the gains of pulses and of noise, each `[G, T]`, of a mel `[M, T]`; beyond its ends lies nothing."""
        standard = (np.asarray(mel, np.float32).T - np.float32(self.mel_mean)) / np.float32(self.mel_std)
        padded = np.pad(standard, ((1, 1), (0, 0)))
        frames = len(standard)
        hidden = sum(padded[shift : shift + frames] @ tap for shift, tap in enumerate(self._taps))
        hidden = np.maximum(hidden + self._stored["hidden.bias"], 0.0)
        levels = (hidden @ self._gains + self._stored["gains.bias"]) * np.float32(1 / _MOST_NEPERS)
        gains = np.exp(np.tanh(levels) * np.float32(_MOST_NEPERS)).T
        half = len(gains) // 2
        return gains[:half], gains[half:]

    def to_dict(self) -> dict[str, Any]:
        """Return the network as plain JSON data. See `packed_weights`."""
        return packed_weights(self._stored, self.mel_mean, self.mel_std)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "SourceMixNetwork":
        """Return the network that `to_dict` made data of.

        Raises:
            EngineError: the data is damaged.
        """
        return cls(*unpacked_weights(stored, _NAMES, "source mix"))
