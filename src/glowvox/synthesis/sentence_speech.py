"""From one sentence to its samples: the mel, its values under the vocoder's contract, the vocoder."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from glowvox.synthesis.options import VocoderOptions
from glowvox.synthesis.plan import Part
from glowvox.synthesis.sentence_mels import MelMaker, Request
from glowvox.synthesis.timing import Frames
from glowvox.synthesis.vocoder import Vocoder
from glowvox.synthesis.voice_card import check_contracts

Samples = NDArray[np.float32]


class SentenceSpeech:
    """An acoustic model and a vocoder, for one sentence at a time."""

    def __init__(self, mels: MelMaker, vocoder: Vocoder) -> None:
        """Take both.

        Raises:
            VoiceError: their mel contracts do not fit, and no exact conversion exists.
        """
        self.mels = mels
        self.vocoder = vocoder
        self._scale, self._shift = check_contracts(mels.engine.audio, vocoder.engine.audio)

    def stream(self, part: Part, first_chunk: int | None) -> tuple[Frames, Iterator[Samples]]:
        """Return the frames of a sentence's tokens [L], and its samples as they are asked for.

        Args:
            part: the sentence, no silence.
            first_chunk: mel frames spoken at first, more in each chunk after; None: the whole sentence.

        Raises:
            TextError, VoiceError, EngineError: see `MelMaker` and `Vocoder`.
        """
        request = request_of(part)
        stream = self.vocoder.stream(options_of(request), first_chunk=first_chunk)
        [known] = self.mels.statistics([request])
        if first_chunk is None:
            [mel] = self.mels.mels([request], [known], [part.frames])
            return mel.frames, stream.speak([self.bridged(mel.mel)])
        frames, mels = self.mels.mel_pieces(request, known, part.frames, first=stream.next_frames)
        return frames, stream.speak(map(self.bridged, mels))

    def bridged(self, mel: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a mel [M, T] of the acoustic model under the vocoder's contract."""
        if (self._scale, self._shift) == (1.0, 0.0):
            return mel
        return (mel * self._scale + self._shift).astype(np.float32)


def options_of(request: Request) -> VocoderOptions:
    """Return what a sentence asks of the vocoder."""
    wished = request.options
    return VocoderOptions(sigma=wished.sigma, denoise=wished.denoise, refine=wished.refine, seed=request.seed)


def request_of(part: Part) -> Request:
    """Return the sentence of a part that is no silence."""
    assert part.request is not None
    return part.request
