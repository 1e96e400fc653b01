"""How far speech lies from a recording of the same text, whose timing is another."""

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.mel import MelTransform
from glowvox.errors import MelError
from glowvox.evaluate.mcd import mel_cepstra, mel_cepstral_distortion, warping_path
from glowvox.evaluate.signal_checks import check_signal

_QUIET_DB = 45.0


def warped_distances(
    natural: NDArray[np.float32], spoken: NDArray[np.float32], transform: MelTransform
) -> dict[str, float]:
    """Return `mcd_dtw` in dB and `mel_dtw` in nats: both along the warping that is cheapest for the cepstra.

    Args:
        natural: the recording `[S]`.
        spoken: what is compared with it `[S']`, at the same rate and level.
        transform: of a mel contract with a natural logarithm.

    Raises:
        MelError: they are too long to warp.
    """
    first, second = transform(natural), transform(spoken)
    cepstra = [mel_cepstra(mel) for mel in (first, second)]
    distortion = mel_cepstral_distortion(first, second, align="dtw")
    squares = np.sum(cepstra[0] ** 2, 0)[:, None] + np.sum(cepstra[1] ** 2, 0) - 2 * cepstra[0].T @ cepstra[1]
    ours, theirs = np.array(warping_path(np.sqrt(np.maximum(squares, 0.0)))).T
    return {"mcd_dtw": distortion, "mel_dtw": float(np.abs(first[:, ours] - second[:, theirs]).mean())}


def speech_seconds(samples: NDArray[np.float32], sample_rate: int) -> float:
    """Return the length of a signal without the ends that lie 45 dB and more below its peak; 0 for silence."""
    peak = check_signal(samples, sample_rate).peak_db
    check = check_signal(samples, sample_rate, silence_db=max(peak - _QUIET_DB, -150.0))
    return 0.0 if check.silent else check.duration - check.leading_silence - check.trailing_silence


def duration_differences(
    natural: NDArray[np.float32], spoken: NDArray[np.float32], sample_rate: int
) -> dict[str, float]:
    """Return `duration_error` and `duration_bias` in percent of the recording's speech.

    Raises:
        MelError: the recording is silent.
    """
    wanted = speech_seconds(natural, sample_rate)
    if not wanted:
        raise MelError("the recording is silent, so nothing can be compared with its length")
    bias = 100.0 * (speech_seconds(spoken, sample_rate) / wanted - 1.0)
    return {"duration_error": abs(bias), "duration_bias": bias}
