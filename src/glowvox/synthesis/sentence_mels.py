"""From sentences to mels, in batches: tokens, context for short sentences, durations, latent, decoder; word times."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glowvox.align.prior import LONGEST_TOKEN, Frames, filled_frames, predicted_frames, sentence_latent
from glowvox.audio.pitch import harmonic_features, pitch_contour, varied
from glowvox.audio.sound import TimedMark, TimedPhoneme, TimedWord
from glowvox.engines.base import AcousticEngine, EncodedText
from glowvox.errors import TextError, VoiceError
from glowvox.synthesis.options import SpeechOptions, VocoderOptions, sentence_seed
from glowvox.text.tokenizer import Tokenizer, TokenSequence
from glowvox.text.utterance import Pause, Sentence, Word

GROWTH = 4
"""A piece has that many times the frames of the one before: the first is early, and few pay for being called."""
LONGEST_PIECE = 4096
"""Mel frames of a piece at most: memory does not grow with the sentence."""
LONG = 1.5
"""A sentence longer than so many first pieces is cut: 3 % more work in all, and the first sound a fifth earlier."""


def worth_pieces(frames: int, first: int, delay: int | None) -> bool:
    """Return whether a sentence is so long that its first piece is there much earlier than the whole.

    Args:
        frames: of its mel.
        first: of the first piece.
        delay: mel frames that the decoder must know after a frame; None: it takes no pieces.
    """
    return delay is not None and frames > LONG * (first + delay)


def decode_in_pieces(
    engine: AcousticEngine,
    latent: NDArray[np.float32],
    *,
    first: int,
    speaker: int | None = None,
    harmonics: NDArray[np.float32] | None = None,
) -> Iterator[NDArray[np.float32]]:
    """Yield the mel [M, T] of a sentence in pieces [M, t], each as soon as it is asked for.

    Args:
        engine: the acoustic model, whose decoder takes pieces.
        latent: [M, T], T a multiple of `engine.n_squeeze`.
        first: frames of the first piece at least; each one after is four times as long as the one before.
        speaker: number of the speaker; None with one speaker.
        harmonics: [K, T], see `AcousticEngine.decode`.

    Raises:
        EngineError, VoiceError: see `AcousticEngine.decode_piece`.
    """
    step, total, state = engine.n_squeeze, latent.shape[1], engine.begin_decoding()
    speakers = None if speaker is None else np.array([speaker], np.int64)
    size = _rounded_up(max(1, first), step)
    place, end = 0, size + _rounded_up(engine.decoder_delay or 0, step)
    while place < total:
        end = total if total - end < size else end  # so short a rest is not worth a call
        mel, state = engine.decode_piece(
            latent[None, :, place:end],
            state,
            speakers,
            None if harmonics is None else harmonics[None, :, place:end],
            final=end == total,
        )
        yield mel[0]
        size = min(GROWTH * size, LONGEST_PIECE - LONGEST_PIECE % step)
        place, end = end, end + size


def _rounded_up(frames: int, step: int) -> int:
    return -(-frames // step) * step


@dataclass(frozen=True)
class Request:
    """A sentence to be synthesized: its tokens, speaker and options."""

    sentence: Sentence
    tokens: TokenSequence
    context: tuple[int, ...]
    """Tokens that the encoder sees; those of the sentence, for a short one with more between."""
    speaker: int | None
    """Number of the speaker; None with one speaker."""
    options: SpeechOptions

    @property
    def seed(self) -> int:
        """Of all noise in this sentence."""
        return sentence_seed(self.options.seed, self.sentence.span[0])

    @property
    def vocoder_options(self) -> VocoderOptions:
        """What the sentence asks of the vocoder."""
        return self.options.for_vocoder(self.seed)


@dataclass(frozen=True, eq=False)
class Statistics:
    """Encoder output of one sentence: mean [M, L], log_std [M, L], frames [L] unrounded and as predicted, and
    melody [2, L] where the voice has pitch conditioning (see `EncodedText`)."""

    mean: NDArray[np.float32]
    log_std: NDArray[np.float32]
    weights: NDArray[np.float32]
    frames: Frames
    melody: NDArray[np.float32] | None


@dataclass(frozen=True, eq=False)
class SentenceMel:
    """A sentence's mel [M, T] and the frames of its tokens [L], which sum to T."""

    mel: NDArray[np.float32]
    frames: Frames


class MelSynthesizer:
    """Text-to-mel synthesis of sentences, in batches, over any acoustic engine."""

    def __init__(self, engine: AcousticEngine, tokenizer: Tokenizer) -> None:
        """Take an engine and the tokenizer that its model was trained with.

        Raises:
            TextError: the tokenizer has another number of symbols than the model.
        """
        if len(tokenizer) != engine.n_symbols:
            raise TextError(
                f"the tokenizer has {len(tokenizer)} symbols, the acoustic model {engine.n_symbols}; "
                "they do not belong together"
            )
        self.engine = engine
        self.tokenizer = tokenizer

    def request(self, sentence: Sentence, speaker: int | None, options: SpeechOptions) -> Request:
        """Return what is needed to speak a sentence.

        Raises:
            TextError: a phoneme is not one of the voice's.
            VoiceError: another pitch is asked of a voice without pitch conditioning.
        """
        if not self.engine.melody and (options.pitch_shift, options.pitch_range) != (0.0, 1.0):
            raise VoiceError("this voice has no melody to change; leave the pitch shift and the pitch range out")
        tokens = self.tokenizer.encode(sentence)
        context = tokens.ids
        if len(tokens) < options.context_tokens:
            between = () if isinstance(sentence.items[-1], Pause) else (Pause(".", sentence.span),)
            twice = replace(sentence, items=(*sentence.items, *between, *sentence.items))
            context = self.tokenizer.encode(twice).ids
        return Request(sentence, tokens, tuple(context), speaker, options)

    def statistics(self, requests: Sequence[Request]) -> list[Statistics]:
        """Encode sentences in one batch.

        Raises:
            TextError, VoiceError, EngineError: see `AcousticEngine.encode`.
        """
        lengths = np.array([len(request.context) for request in requests], np.int64)
        tokens = np.full((len(requests), lengths.max()), self.tokenizer.pad_id, np.int64)
        for row, request in zip(tokens, requests, strict=True):
            row[: len(request.context)] = request.context
        encoded = self.engine.encode(tokens, lengths, _speakers(requests))
        return [self._of_one(encoded, number, request) for number, request in enumerate(requests)]

    def mels(
        self, requests: Sequence[Request], statistics: Sequence[Statistics], frames: Sequence[Frames | None]
    ) -> list[SentenceMel]:
        """Decode sentences in one batch.

        Args:
            requests: the sentences.
            statistics: what the encoder said of them.
            frames: durations of the tokens [L], exactly kept; None: as predicted.

        Raises:
            TextError: durations that do not fit the tokens.
            VoiceError, EngineError: see `AcousticEngine.decode`.
        """
        made = [self._latent(*one) for one in zip(requests, statistics, frames, strict=True)]
        kept, latents, contours = zip(*made, strict=True)
        decoded = self._decoded(requests, latents, contours)
        return [SentenceMel(mel[:, : own.sum()], own) for mel, own in zip(decoded, kept, strict=True)]

    def mel_pieces(
        self, request: Request, known: Statistics, given: Frames | None, *, first: int
    ) -> tuple[Frames, Iterator[NDArray[np.float32]]]:
        """Return the frames of a sentence's tokens [L], and its mel [M, T] in pieces [M, t] as they are asked for.

        A sentence that is not long comes in one piece.

        Args:
            request: the sentence.
            known: what the encoder said of it.
            given: see `mels`.
            first: frames of the first piece at least.

        Raises:
            TextError, VoiceError, EngineError: see `mels`, the decoder's when the pieces are asked for.
        """
        own, latent, contour = self._latent(request, known, given)
        if not worth_pieces(latent.shape[1], first, self.engine.decoder_delay):
            [mel] = self._decoded([request], [latent], [contour])
            return own, iter([mel[:, : own.sum()]])
        harmonics = harmonic_features(contour[None], self.engine.audio)[0] if self.engine.melody else None
        pieces = decode_in_pieces(self.engine, latent, first=first, speaker=request.speaker, harmonics=harmonics)
        return own, _cut(pieces, int(own.sum()))

    def _decoded(
        self, requests: Sequence[Request], latents: Sequence[NDArray[np.float32]], contours: Sequence[NDArray[Any]]
    ) -> NDArray[np.float32]:
        """Return the mels [B, M, T] of latents [M, T] and pitches [T] of several lengths."""
        lengths = np.array([latent.shape[1] for latent in latents], np.int64)
        batch = np.zeros((len(latents), self.engine.audio.n_mels, lengths.max()), np.float32)
        pitch = np.zeros((len(latents), batch.shape[2]))
        for number, (latent, contour) in enumerate(zip(latents, contours, strict=True)):
            batch[number, :, : latent.shape[1]] = latent
            pitch[number, : len(contour)] = contour
        harmonics = harmonic_features(pitch, self.engine.audio) if self.engine.melody else None
        return self.engine.decode(batch, lengths, _speakers(requests), harmonics)

    def _latent(
        self, request: Request, known: Statistics, given: Frames | None
    ) -> tuple[Frames, NDArray[np.float32], NDArray[np.float64]]:
        """Return the frames of a sentence's tokens [L], its latent [M, T] and its pitch [T], see `_contour`."""
        own = known.frames if given is None else _checked(given, request)
        filled = filled_frames(own, self.engine.n_squeeze)
        latent = sentence_latent(
            known.mean, known.log_std, filled, temperature=request.options.temperature, seed=request.seed
        )
        return own, latent, _contour(known, filled, request)

    def _of_one(self, encoded: EncodedText, number: int, request: Request) -> Statistics:
        """Cut one sentence out of a batch: its own tokens, without the context between."""
        length, whole = len(request.tokens), len(request.context)
        # The end symbol, with its blank, closes the context; the tokens before it open it.
        tail = 2 if self.tokenizer.add_blank else 1
        kept = np.r_[0 : length - tail, whole - tail : whole]
        log_duration = encoded.log_duration[number, kept]
        scale = _rates(request) / np.float32(request.options.speed)
        with np.errstate(over="ignore"):
            weights = np.minimum(np.exp(log_duration) * scale, np.float32(1e6))
        frames = predicted_frames(log_duration, scale, self.engine.n_squeeze)
        melody = None if encoded.melody is None else encoded.melody[number][:, kept]
        return Statistics(encoded.mean[number][:, kept], encoded.log_std[number][:, kept], weights, frames, melody)


def _cut(pieces: Iterator[NDArray[np.float32]], frames: int) -> Iterator[NDArray[np.float32]]:
    """Yield pieces up to a number of frames: the decoder is given a few more, to fill its last step."""
    for piece in pieces:
        yield piece[:, :frames]
        frames -= min(frames, piece.shape[1])


def _contour(known: Statistics, frames: Frames, request: Request) -> NDArray[np.float64]:
    """Return the pitch of a sentence, Hz [T]; nothing for a voice without pitch conditioning."""
    if known.melody is None:
        return np.zeros(0)
    height, voicing = known.melody
    options = request.options
    wished = [word.pitch for word in request.sentence.words]
    shift = options.pitch_shift + per_token(request.tokens, wished, wished[0]) if any(wished) else options.pitch_shift
    return pitch_contour(varied(height, voicing, frames, shift=shift, spread=options.pitch_range), voicing, frames)


def _rates(request: Request) -> NDArray[np.float32]:
    """Return the length scale that the words of a sentence ask for, per token."""
    return per_token(request.tokens, [1.0 / word.rate for word in request.sentence.words], 1.0)


def per_token(tokens: TokenSequence, values: Sequence[float], before: float) -> NDArray[np.float32]:
    """Return a value of each word for each token [L]; a pause goes with the word before.

    Args:
        tokens: L of them.
        values: one for each word.
        before: for what stands before the first word.
    """
    result = np.empty(len(tokens), np.float32)
    last = before
    for place, word in enumerate(tokens.words):
        last = last if word < 0 else values[word]
        result[place] = last
    return result


class VolumeCurve:
    """Multiplies the samples of a sentence, as they come in pieces, by the volume that its words ask for."""

    def __init__(self, request: Request, frames: Frames, hop_length: int) -> None:
        """Take the sentence, the frames of its tokens [L] and the samples of a frame."""
        wished = [word.volume for word in request.sentence.words]
        self._even = all(value == 1.0 for value in wished)
        tokens = per_token(request.tokens, wished, wished[0] if wished else 1.0)
        self._frames = np.repeat(tokens, frames)
        self._hop = hop_length
        self._place = 0

    def __call__(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the next samples [S]; where the volume changes, it does so within a frame."""
        if self._even or not len(self._frames):
            return samples
        places = (np.arange(self._place, self._place + len(samples)) + 0.5) / self._hop - 0.5
        self._place += len(samples)
        louder = samples * np.interp(places, np.arange(len(self._frames)), self._frames).astype(np.float32)
        size = np.abs(louder)
        # Peaks are bent rather than cut off; those that were there before stay.
        bent = np.maximum(size - _KNEE, 0.0) / (1.0 - _KNEE)
        rounded = np.sign(louder) * (_KNEE + (1.0 - _KNEE) * np.tanh(bent))
        return np.where((size > _KNEE) & (size > np.abs(samples)), rounded, louder).astype(np.float32)


_KNEE = 0.8


FADE_SECONDS = 0.004


class EdgeFade:
    """Fade-in and fade-out of a sentence that arrives in pieces, so that it neither begins nor ends with a click.

    It is as many samples behind as a fade is long.
    """

    def __init__(self, sample_rate: int) -> None:
        length = max(1, round(FADE_SECONDS * sample_rate))
        self._ramp = np.sin(np.linspace(0, np.pi / 2, length + 2)[1:-1]).astype(np.float32) ** 2
        """Rises from zero to one, both left out."""
        self._done = 0
        self._held = np.empty(0, np.float32)

    def push(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take samples [S], any number of them, and return those that no fade-out reaches."""
        ready = np.concatenate([self._held, self._faded_in(samples)])
        keep = min(len(ready), len(self._ramp))
        self._held = ready[len(ready) - keep :]
        return ready[: len(ready) - keep]

    def finish(self) -> NDArray[np.float32]:
        """End the audio and return what was held back, faded out."""
        held, self._held = self._held, np.empty(0, np.float32)
        return held * self._ramp[: len(held)][::-1]

    def _faded_in(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        ramp = self._ramp[self._done : self._done + len(samples)]
        self._done += len(samples)
        if not len(ramp):
            return samples
        faded = samples.copy()
        faded[: len(ramp)] *= ramp
        return faded


def _speakers(requests: Sequence[Request]) -> NDArray[np.int64] | None:
    numbers = [request.speaker for request in requests if request.speaker is not None]
    return np.array(numbers, np.int64) if numbers else None


def _checked(frames: Frames, request: Request) -> Frames:
    array = np.asarray(frames)
    if array.shape != (len(request.tokens),) or array.dtype.kind not in "iu":
        raise TextError(
            f"the sentence '{request.sentence.text[:40]}' needs {len(request.tokens)} durations in whole frames, "
            f"got {array.dtype} {list(array.shape)}"
        )
    if (array < 0).any() or not array.any():
        raise TextError("durations must not be negative, and a sentence needs at least one frame")
    if array.max() > LONGEST_TOKEN:
        raise TextError(f"a token may last {LONGEST_TOKEN} frames at most, got {array.max()}")
    return array.astype(np.int64)


@dataclass(frozen=True)
class Clock:
    """Turns frames of a sentence into seconds of the whole audio."""

    start: float
    """Seconds of audio before the sentence."""
    frame_rate: float
    """Mel frames per second."""

    def seconds(self, frames: int) -> float:
        """Return when a number of frames has passed."""
        return self.start + frames / self.frame_rate


def written_words(sentence: Sentence) -> list[list[int]]:
    """Return, for each word as written, the indices of the words that it is spoken as: `$3` is three dollars."""
    words = sentence.words
    return [[*group] for _, group in groupby(range(len(words)), key=lambda index: _written_place(words, index))]


def written_word_of_token(sentence: Sentence, tokens: TokenSequence) -> list[int]:
    """Return the index of the written word that each token belongs to, -1 for none.

    What stands between two spoken words of one written word belongs to it.
    """
    number_of = {index: number for number, group in enumerate(written_words(sentence)) for index in group}
    owner = [number_of.get(word, -1) for word in tokens.words]
    last: dict[int, int] = {number: place for place, number in enumerate(owner) if number >= 0}
    current = -1
    for place, number in enumerate(owner):
        current = number if number >= 0 else current
        if number < 0 <= current and place < last[current]:
            owner[place] = current
    return owner


def written_text(sentence: Sentence, group: Sequence[int]) -> str:
    """Return a word as it was written; as it is spoken where nothing was (a substitution)."""
    words = sentence.words
    start, end = words[group[0]].span
    return sentence.text[start - sentence.span[0] : end - sentence.span[0]].strip() or words[group[0]].text


def timed_words(
    sentence: Sentence, tokens: TokenSequence, frames: NDArray[np.int64], clock: Clock
) -> tuple[TimedWord, ...]:
    """Return the words, as written, with their times and phonemes.

    Args:
        sentence: what is spoken.
        tokens: its tokens (L).
        frames: [L], how long each lasts.
        clock: tells the seconds.
    """
    ends = np.cumsum(frames)
    borders = np.concatenate([[0], ends])
    places: dict[tuple[int, int], tuple[int, int]] = {}
    for token, key in enumerate(zip(tokens.words, tokens.phonemes, strict=True)):
        first = places.get(key, (int(borders[token]), 0))[0]
        places[key] = (first, int(borders[token + 1]))
    spans = _gaps(sentence)
    words = sentence.words
    result = []
    groups = written_words(sentence)
    for number, group in enumerate(groups):
        phonemes = tuple(
            TimedPhoneme(phoneme, clock.seconds(places[index, place][0]), clock.seconds(places[index, place][1]))
            for index in group
            for place, phoneme in enumerate(words[index].phonemes)
        )
        result.append(
            TimedWord(
                written_text(sentence, group),
                phonemes[0].start,
                phonemes[-1].end,
                phonemes,
                before=spans[0] if number == 0 else "",
                after=spans[number + 1],
                ends_sentence=number == len(groups) - 1,
            )
        )
    return tuple(result)


def timed_marks(sentence: Sentence, tokens: TokenSequence, frames: NDArray[np.int64], clock: Clock) -> list[TimedMark]:
    """Return the marks of a sentence: each is reached when the word after it begins, or at the sentence's end."""
    borders = np.concatenate([[0], np.cumsum(frames)])
    starts: dict[int, int] = {}
    for token, word in enumerate(tokens.words):
        starts.setdefault(word, int(borders[token]))
    return [
        TimedMark(mark.name, clock.seconds(starts.get(mark.word_index, int(borders[-1])))) for mark in sentence.marks
    ]


def _written_place(words: Sequence[Word], index: int) -> tuple[int, int] | int:
    """Return what words of one written word have in common; words without a place of their own stand alone."""
    start, end = words[index].span
    return (start, end) if start < end else -index - 1


def _gaps(sentence: Sentence) -> list[str]:
    """Return what is written before the first word, between words, and after the last one."""
    offset, text = sentence.span[0], sentence.text
    groups = written_words(sentence)
    gaps, place = [], 0
    for group in groups:
        start, end = sentence.words[group[0]].span
        gaps.append(text[place : max(place, start - offset)])
        place = max(place, end - offset)
    last = text[place:]
    return [*gaps, last if last[-1:].isspace() else last + " "]
