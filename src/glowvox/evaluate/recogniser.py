"""Speech recognition and forced alignment, offline, by PocketSphinx and the US-English model in its wheel.

It is a modest recogniser: its error rate means something beside that of natural speech and of other systems under the
same conditions, not by itself. Every recording is recognised for itself (features normalised over the whole of it, the
decoder's running averages forgotten before), so the result depends neither on the order nor on the number of processes.
"""

import functools
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from glowvox.audio.resample import resample
from glowvox.errors import AudioError, MissingExtraError, TextError
from glowvox.evaluate.transcript import normalise_transcript

_RATE = 16000


@dataclass(frozen=True)
class TimedWord:
    """A word and when it was said."""

    text: str
    start: float
    """Seconds from the start of the recording."""
    end: float
    """Seconds from the start of the recording."""


def recognise(clips: Sequence[ArrayLike], sample_rate: int, *, jobs: int = 1) -> list[str]:
    """Return what was said in each clip: lower-case words separated by blanks, empty when nothing was understood.

    Args:
        clips: recordings `[S]`, full scale 1.
        sample_rate: of all clips, in Hz.
        jobs: processes to share the clips among.

    Raises:
        AudioError: a clip is empty or not finite.
        MissingExtraError: the package `pocketsphinx` is not installed.
    """
    _require()
    recordings = [_pcm(clip, sample_rate) for clip in clips]
    if jobs <= 1 or len(recordings) <= 1:
        return [_decode(recording) for recording in recordings]
    # Spawned, not forked: a process with threads of a numerical library must not be forked.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(recordings)), mp_context=context) as pool:
        return list(pool.map(_decode, recordings))


def force_align(samples: ArrayLike, sample_rate: int, text: str) -> list[TimedWord]:
    """Return the words of `text` with the times at which the recording says them.

    Args:
        samples: the recording `[S]`, full scale 1.
        sample_rate: in Hz.
        text: what is said; normalised by `normalise_transcript`.

    Raises:
        AudioError: the clip is empty or not finite, or the text cannot be found in it.
        TextError: the text has no words, or words that the pronunciation dictionary lacks (the message names them).
        MissingExtraError: the package `pocketsphinx` is not installed.
    """
    _require()
    recording = _pcm(samples, sample_rate)
    words = normalise_transcript(text).split()
    if not words:
        raise TextError(f"the text has no words to align: {text!r}")
    decoder = _aligner()
    unknown = sorted({word for word in words if decoder.lookup_word(word) is None})
    if unknown:
        raise TextError(f"the recogniser's dictionary lacks: {', '.join(unknown)}. Leave out or respell these words")
    decoder.set_align_text(" ".join(words))
    try:
        _run(decoder, recording)
        segments = list(decoder.seg() or [])
    except RuntimeError as error:
        raise AudioError(f"the text does not fit the recording of {len(recording) / 2 / _RATE:.2f} s") from error
    frame = 1.0 / decoder.config["frate"]
    found = [
        TimedWord(segment.word.split("(")[0], segment.start_frame * frame, (segment.end_frame + 1) * frame)
        for segment in segments
        if segment.word[0] not in "<["
    ]
    if [word.text for word in found] != words:
        raise AudioError(f"the text does not fit the recording of {len(recording) / 2 / _RATE:.2f} s")
    return found


def _require() -> None:
    try:
        import pocketsphinx  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("pocketsphinx", "train", "recognising speech") from error


@functools.cache
def _recogniser() -> Any:
    from pocketsphinx import Decoder

    return Decoder(cmn="batch", loglevel="FATAL")


@functools.cache
def _aligner() -> Any:
    from pocketsphinx import Decoder

    return Decoder(cmn="batch", loglevel="FATAL", lm=None)


def _run(decoder: Any, recording: bytes) -> None:
    decoder.reinit_feat()
    decoder.start_utt()
    try:
        decoder.process_raw(recording, no_search=False, full_utt=True)
    finally:
        decoder.end_utt()


def _decode(recording: bytes) -> str:
    if not any(recording):
        return ""  # The decoder always finds some word, in digital silence too.
    decoder = _recogniser()
    _run(decoder, recording)
    hypothesis = decoder.hyp()
    return normalise_transcript(hypothesis.hypstr) if hypothesis is not None else ""


def _pcm(samples: ArrayLike, sample_rate: int) -> bytes:
    """Return 16-bit samples at 16 kHz."""
    resampled = resample(np.asarray(samples, dtype=np.float32), sample_rate, _RATE)
    return np.round(np.clip(resampled, -1.0, 32767 / 32768) * 32768.0).astype("<i2").tobytes()
