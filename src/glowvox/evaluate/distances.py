"""Every figure that compares one clip of copy synthesis with its original."""

import importlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glowvox.audio.files import resample
from glowvox.audio.mel import MelTransform
from glowvox.audio.yin import PitchTrack, track_pitch
from glowvox.config.audio import AudioConfig
from glowvox.errors import AudioError, MelError, MissingExtraError, one_line
from glowvox.evaluate.signal_checks import check_signal, match_level, tonal_energy


@dataclass(frozen=True)
class MelDistance:
    """How far one log-mel lies from another, in the unit of the logarithm (nats for the natural one)."""

    l1: float
    """Mean absolute difference over all bins and frames."""
    l2: float
    """Root of the mean squared difference over all bins and frames."""


def log_mel_distance(reference: ArrayLike, estimate: ArrayLike) -> MelDistance:
    """Return the mean absolute and the root-mean-square difference of two log-mels.

    Args:
        reference: `[M, T]`, logarithmic, without normalisation.
        estimate: `[M, T]`, of the same contract.

    Raises:
        MelError: the shapes differ, nothing is there to compare, or a value is not finite.
    """
    first, second = comparable_mels(reference, estimate)
    if first.shape != second.shape:
        raise MelError(
            f"cannot compare mels of {first.shape[1]} and {second.shape[1]} frames one to one: "
            "cut them to the same length or use a distance that warps time"
        )
    difference = first - second
    return MelDistance(l1=float(np.mean(np.abs(difference))), l2=float(np.sqrt(np.mean(difference**2))))


def comparable_mels(reference: ArrayLike, estimate: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return two mels `[M, T]` in float64 after checking that their bins can be compared (frames may differ).

    Raises:
        MelError: not two-dimensional, empty, not finite, or different numbers of bins.
    """
    pair = []
    for name, mel in (("reference", reference), ("estimate", estimate)):
        array = np.asarray(mel, dtype=np.float64)
        if array.ndim != 2 or array.size == 0:
            raise MelError(f"the {name} mel has shape {array.shape}: expected [bins, frames], both at least 1")
        if not np.isfinite(array).all():
            raise MelError(f"the {name} mel holds values that are not finite (NaN or infinity)")
        pair.append(array)
    if pair[0].shape[0] != pair[1].shape[0]:
        raise MelError(f"the mels have {pair[0].shape[0]} and {pair[1].shape[0]} bins: compare mels of one contract")
    return pair[0], pair[1]


_DECIBELS = 10.0 / np.log(10.0) * np.sqrt(2.0)
_LARGEST_TABLE = 50_000_000
"""Cells of the warping table; 50 million are 400 MB, two sentences of 80 seconds at 86 frames per second."""


def mel_cepstra(log_mel: ArrayLike, order: int = 13, first: int = 1) -> NDArray[np.float64]:
    """Return `order` cepstra `[order, T]` from c`first` on of a natural log-mel `[M, T]`, by the orthonormal DCT-II.

    Raises:
        MelError: the mel is no `[M, T]` array or has too few bins for the order.
    """
    mel = np.asarray(log_mel, dtype=np.float64)
    if mel.ndim != 2 or not (order >= 1 and first >= 0 and first + order <= mel.shape[0]):
        raise MelError(f"cannot take {order} cepstra of a mel of shape {mel.shape}: need [bins, frames] with more bins")
    bins = mel.shape[0]
    numbers = np.arange(first, first + order)
    angles = np.pi / bins * np.outer(numbers, np.arange(bins) + 0.5)
    scale = np.where(numbers == 0, np.sqrt(1.0 / bins), np.sqrt(2.0 / bins))
    result: NDArray[np.float64] = scale[:, None] * np.cos(angles) @ mel
    return result


def mel_cepstral_distortion(
    reference: ArrayLike,
    estimate: ArrayLike,
    *,
    order: int = 13,
    first: int = 1,
    align: Literal["frames", "dtw"] = "frames",
) -> float:
    """Return the mel-cepstral distortion (MCD) of two natural log-mels in dB.

    The definition, because many are in use: the cepstra are those of the natural log-mel under an orthonormal DCT-II;
    c1 to c13 count, c0 (the level) does not; and per pair of frames

        MCD = 10 / ln 10 * sqrt(2 * sum_{k=1..13} (c_k - c'_k)^2)    [dB]

    (R. Kubichek, "Mel-cepstral distance measure for objective speech quality assessment", 1993), averaged over frames.
    Figures are comparable only with figures of the same definition and the same mel contract: counting c0 to c12
    instead, as some do, gives 0.3 to 0.5 dB more for the same speech.

    Args:
        reference: `[M, T]`.
        estimate: `[M, T']` of the same mel contract.
        order: number of cepstra.
        first: number of the first of them; 0 counts the level, as some definitions do.
        align: `frames` compares frame t with frame t (copy synthesis; the lengths must agree); `dtw` warps time first
            (steps of one frame in either or both) and averages over the steps of the cheapest path.

    Raises:
        MelError: the mels cannot be compared, or are too long to warp.
    """
    pair = comparable_mels(reference, estimate)
    ours, theirs = (mel_cepstra(mel, order, first) for mel in pair)
    if align == "frames":
        if ours.shape != theirs.shape:
            raise MelError(
                f"cannot compare {ours.shape[1]} with {theirs.shape[1]} frames one to one: "
                "cut them to the same length or align them by 'dtw'"
            )
        return float(_DECIBELS * np.mean(np.sqrt(np.sum((ours - theirs) ** 2, axis=0))))
    return float(_DECIBELS * _warped_mean(ours, theirs))


def _warped_mean(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Mean distance along the cheapest monotonic path through the table of frame distances."""
    if first.shape[1] * second.shape[1] > _LARGEST_TABLE:
        raise MelError(
            f"{first.shape[1]} x {second.shape[1]} frames are too many to warp: compare one sentence at a time"
        )
    squares = np.sum(first**2, axis=0)[:, None] + np.sum(second**2, axis=0)[None, :] - 2.0 * first.T @ second
    distance = np.sqrt(np.maximum(squares, 0.0))
    return float(np.mean([distance[step] for step in warping_path(distance)]))


def warping_path(distance: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Return the cheapest path through a table of distances `[T, T']`, from the first to the last corner.

    Dynamic time warping with the steps (1, 0), (0, 1) and (1, 1), all of weight one. The table is filled along its
    anti-diagonals, whose cells do not depend on each other.
    """
    rows, columns = distance.shape
    total = np.full((rows + 1, columns + 1), np.inf)
    total[0, 0] = 0.0
    for diagonal in range(rows + columns - 1):
        row = np.arange(max(0, diagonal - columns + 1), min(rows, diagonal + 1))
        column = diagonal - row
        best = np.minimum(np.minimum(total[row, column + 1], total[row + 1, column]), total[row, column])
        total[row + 1, column + 1] = distance[row, column] + best
    path = [(rows - 1, columns - 1)]
    while path[-1] != (0, 0):
        i, j = path[-1]
        options = ((total[i, j], (i - 1, j - 1)), (total[i, j + 1], (i - 1, j)), (total[i + 1, j], (i, j - 1)))
        path.append(min(options)[1])
    return path[::-1]


@dataclass(frozen=True)
class PitchDistance:
    """How the pitch of two aligned signals differs."""

    cents: float
    """Root-mean-square difference in hundredths of a semitone where both are voiced; NaN where that is nowhere."""
    voicing_error: float
    """Share of the frames that are voiced in one and not in the other."""


def pitch_distance(reference: PitchTrack, estimate: PitchTrack) -> PitchDistance:
    """Compare two tracks frame by frame.

    Raises:
        AudioError: the tracks have different lengths.
    """
    if reference.frequency.shape != estimate.frequency.shape:
        raise AudioError(
            f"cannot compare pitch tracks of {reference.frequency.size} and {estimate.frequency.size} frames"
        )
    both = reference.voiced & estimate.voiced
    cents = 1200.0 * np.log2(estimate.frequency[both] / reference.frequency[both])
    return PitchDistance(
        cents=float(np.sqrt(np.mean(cents**2))) if both.any() else float("nan"),
        voicing_error=float(np.mean(reference.voiced != estimate.voiced)),
    )


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


# Both compare with a clean, time-aligned original, so they measure copy synthesis, not text-to-speech.
_PESQ_RATE = 16000
_STOI_RATE = 10000
_STOI_LEAST = 256 + 29 * 128
"""Samples of the 30 frames over which STOI correlates."""


def wideband_pesq(reference: ArrayLike, estimate: ArrayLike, sample_rate: int) -> float:
    """Return wide-band PESQ (ITU-T P.862.2, both signals at 16 kHz) as a MOS-LQO from about 1.0 to 4.64.

    Args:
        reference: the original `[S]`, full scale 1.
        estimate: the signal to judge `[S]`, aligned in time.
        sample_rate: of both, in Hz.

    Raises:
        AudioError: the measure is not defined for these signals (silent, too short, not finite, other lengths).
        MissingExtraError: the package `pesq` is not installed.
    """
    pesq = _load("pesq", "measuring PESQ")
    first, second = _pair(reference, estimate, sample_rate, _PESQ_RATE)
    if not (first.any() and second.any()):
        raise AudioError("PESQ is not defined for a silent signal")
    try:
        return float(pesq.pesq(_PESQ_RATE, first, second, "wb"))
    except (pesq.PesqError, ValueError) as error:
        raise AudioError(f"PESQ cannot judge these signals: {one_line(error)}") from error


def short_time_intelligibility(
    reference: ArrayLike, estimate: ArrayLike, sample_rate: int, *, extended: bool = False
) -> float:
    """Return STOI (Taal et al., 2011), or extended STOI (Jensen and Taal, 2016): about 0 to 1, 1 being the original.

    Args:
        reference: the original `[S]`.
        estimate: the signal to judge `[S]`, aligned in time.
        sample_rate: of both, in Hz.
        extended: whether to use the variant for modulated noise.

    Raises:
        AudioError: fewer than 30 frames (0.4 s) of speech, not finite, or other lengths.
        MissingExtraError: the package `pystoi` is not installed.
    """
    pystoi = _load("pystoi", "measuring STOI")
    first, second = _pair(reference, estimate, sample_rate, _STOI_RATE)
    if not first.any():
        raise AudioError("STOI is not defined for a silent original")
    if first.size < _STOI_LEAST:
        raise AudioError(f"STOI needs at least 0.4 seconds, got {first.size / _STOI_RATE:.2f}")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        value = float(pystoi.stoi(first, second, _STOI_RATE, extended=extended))
    # pystoi reports too little speech by a warning and a made-up value of 1e-5.
    if any("Not enough STFT frames" in str(warning.message) for warning in caught):
        raise AudioError("STOI needs at least 0.4 seconds of speech that is not silent")
    return value


def _pair(
    reference: ArrayLike, estimate: ArrayLike, sample_rate: int, target_rate: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    first, second = np.asarray(reference, dtype=np.float32), np.asarray(estimate, dtype=np.float32)
    if first.shape != second.shape:
        raise AudioError(f"the signals have {first.size} and {second.size} samples: cut them to the same length")
    return resample(first, sample_rate, target_rate), resample(second, sample_rate, target_rate)


def _load(package: str, purpose: str) -> ModuleType:
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise MissingExtraError(package, "train", purpose) from error


@dataclass(frozen=True)
class CopyScores:
    """The output at the level of the original, its figures, and notes on what is missing or wrong."""

    samples: NDArray[np.float32]
    values: dict[str, float]
    notes: tuple[str, ...]


class CopyJudge:
    """Compares outputs with one original, of which it computes everything once.

    Args:
        original: `[S]`, full scale 1.
        config: the mel contract; distances are measured in natural logarithms, whatever the contract's are.
        group: samples in a group of the flow, for the tonal energy.

    Raises:
        AudioError: the original is too short for one frame or not finite.
    """

    def __init__(self, original: NDArray[np.float32], config: AudioConfig, group: int) -> None:
        self.original = original
        self.config = replace(config, log="ln", mean=0.0, std=1.0)
        self.group = group
        self._transform = MelTransform(self.config)
        self._mel = self._transform(original)
        self._pitch = self._track(original)

    def judge(self, output: NDArray[np.float32]) -> CopyScores:
        """Return the figures of an output `[S]`; a figure that is not defined for it is left out and noted."""
        rate, values, notes = self.config.sample_rate, dict[str, float](), list[str]()
        try:
            aligned, values["level_db"] = match_level(self.original, output)
        except AudioError as error:
            return CopyScores(np.nan_to_num(output).astype(np.float32), {}, (str(error),))
        notes += check_signal(output, rate).problems(longest_pause=float("inf"))

        def fill(measure: Callable[[], dict[str, float]]) -> None:
            try:
                values.update(measure())
            except (AudioError, MelError) as error:
                notes.append(str(error))

        mel = self._transform(aligned)
        distance = log_mel_distance(self._mel, mel)
        values.update(mel_l1=distance.l1, mel_l2=distance.l2, mcd=mel_cepstral_distortion(self._mel, mel))
        values["mcd_c0"] = mel_cepstral_distortion(self._mel, mel, first=0)
        fill(lambda: {"pesq": wideband_pesq(self.original, aligned, rate)})
        fill(lambda: {"stoi": short_time_intelligibility(self.original, aligned, rate)})
        fill(lambda: tonal_values(aligned, rate, self.group))
        pitch = pitch_distance(self._pitch, self._track(aligned))
        values["voicing_error"] = 100.0 * pitch.voicing_error
        if np.isfinite(pitch.cents):
            values["f0_cents"] = pitch.cents
        return CopyScores(aligned, values, tuple(notes))

    def _track(self, samples: NDArray[np.float32]) -> PitchTrack:
        return track_pitch(samples, self.config.sample_rate, hop_length=self.config.hop_length)


def tonal_values(samples: NDArray[np.float32], sample_rate: int, group: int) -> dict[str, float]:
    """Return the mean and the worst tonal energy under the keys of the measures.

    Raises:
        AudioError: see `tonal_energy`.
    """
    energy = tonal_energy(samples, sample_rate, group)
    return {"tonal_mean": energy.mean, "tonal_worst": energy.worst}
