"""How well a text fits a recording, by the acoustic model: what tells a wrong transcript from a right one.

The likelihood of a recording says more about the recording (noise, level, timbre) than about its text. What the
recording is like by itself cancels when the likelihood under its text is compared with that under other texts of about
the same length, laid over the same frames: the log-determinant is the same, and what is left is how much better the
text explains the frames than any speech would. Where words are missing from the text, or stand in it too much, the
comparison turns bad for a while, and the text's expected length does not fit the recording's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glowvox.errors import AudioError, TextError
from glowvox.evaluate.transcript import normalise_transcript
from glowvox.synthesis.aligner import Aligner, Heard
from glowvox.synthesis.monotonic_path import most_likely_frames, path_nats
from glowvox.synthesis.text_reading import ReadText, TextOptions

_OTHERS = 4
"""Other texts that a recording is compared under."""
_WINDOW_SECONDS = 0.4


@dataclass(frozen=True)
class TextFit:
    """What is measured on a recording with its text."""

    nats_per_frame: float
    """log p(mel | text) per mel frame; low: a bad recording, or speech unlike the training voice."""
    gain: float
    """How much more likely the text makes a frame than other texts do, nats; about 0: another text is said."""
    worst: float
    """The same over the worst 0.4 s; far below 0: there something else is said."""
    pace: float
    """log(frames of the recording / frames expected of the text): above 0 slow speech, or words missing in the text."""


class FitMeter:
    """Measures recordings with one model and one set of other texts."""

    def __init__(self, aligner: Aligner, others: Sequence[str]) -> None:
        """Read the other texts.

        Args:
            aligner: the model.
            others: texts of the model's language, of all usual lengths.

        Raises:
            TextError: fewer than two of them can be read.
        """
        self.aligner = aligner
        self._others: list[tuple[str, ReadText]] = []
        for text in others:
            try:
                self._others.append((normalise_transcript(text), aligner.reader.read(text, on_warning=_ignore)))
            except TextError:
                continue
        if len(self._others) < 2:
            raise TextError("a text's fit is measured against at least two other texts")
        self._lengths = np.array([read.expected_frames.sum() for _, read in self._others])
        self._window = max(1, round(_WINDOW_SECONDS * aligner.engine.audio.frame_rate))

    def measure(self, heard: Heard, text: str, options: TextOptions) -> TextFit:
        """Measure one recording.

        Args:
            heard: the recording.
            text: what is said to be said.
            options: how the text is read.

        Raises:
            TextError: the text holds no word.
            AudioError: the recording is too short for its text.
        """
        read = self.aligner.reader.read(text, **options)
        alignment = self.aligner.lay(read, heard)
        baseline = self._baseline(heard, normalise_transcript(text))
        better = alignment.frame_nats - baseline
        window = min(self._window, len(better))
        smooth = np.convolve(better, np.full(window, 1.0 / window), mode="valid")
        return TextFit(
            nats_per_frame=alignment.nats_per_frame,
            gain=float(better.mean()),
            worst=float(smooth.min()),
            pace=float(np.log(len(better) / read.expected_frames.sum())),
        )

    def _baseline(self, heard: Heard, text: str) -> NDArray[np.float64]:
        """Return the mean log-likelihood of each frame under the other texts whose length is nearest to it."""
        n_frames = heard.latent.shape[1]
        rows: list[NDArray[np.float64]] = []
        for place in np.argsort(np.abs(np.log(self._lengths / n_frames)), kind="stable"):
            spoken, read = self._others[place]
            if spoken == text or read.mean.shape[1] > n_frames:
                continue
            frames = most_likely_frames(heard.latent, read.mean, read.log_std)
            rows.append(path_nats(heard.latent, read.mean, read.log_std, frames))
            if len(rows) == _OTHERS:
                break
        if not rows:
            raise AudioError("the recording is shorter than any of the texts that it is compared under")
        return np.asarray(np.mean(rows, axis=0))


def _ignore(message: str) -> None:
    """Leave warnings about other people's texts alone."""
