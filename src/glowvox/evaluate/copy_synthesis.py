"""Every figure that compares one clip of copy synthesis with its original."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.mel import MelTransform
from glowvox.audio.pitch import PitchTrack, track_pitch
from glowvox.config.audio import AudioConfig
from glowvox.errors import AudioError, MelError
from glowvox.evaluate.intelligibility import short_time_intelligibility, wideband_pesq
from glowvox.evaluate.level import match_level
from glowvox.evaluate.mcd import mel_cepstral_distortion
from glowvox.evaluate.mel_distance import log_mel_distance
from glowvox.evaluate.pitch_distance import pitch_distance
from glowvox.evaluate.signal_checks import check_signal
from glowvox.evaluate.tonal import tonal_energy


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
