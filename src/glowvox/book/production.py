"""A script becomes sound: utterances on all cores, parts kept as they are finished, tracks encoded beside them."""

import errno
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.files import quantise, resample
from glowvox.book.script import Track, Utterance
from glowvox.book.sound_files import SoundFile, write_sound
from glowvox.book.source import Cover
from glowvox.book.work_folder import WorkFolder
from glowvox.errors import DataError, GlowvoxError, SilentTextError
from glowvox.synthesis.options import sentence_seed
from glowvox.synthesis.script import Lexicon
from glowvox.synthesis.voice import Voice

_AHEAD = 4
"""Utterances under way for each core: enough that none waits for a long one."""


@dataclass(frozen=True, eq=False)
class Narrator:
    """A voice of a book, opened for one thread, with its options."""

    voice: Voice
    options: Mapping[str, Any]
    lexicon: Lexicon | None = None


@dataclass(frozen=True, eq=False)
class SpokenUtterance:
    """An utterance as samples."""

    samples: NDArray[np.int16]
    """[S], the silence before it included."""
    words: Sequence[tuple[int, int, float, float]]
    """Of each word its characters in the passage and its time in seconds, counted from the first sample."""
    warnings: Sequence[str]


@dataclass(frozen=True)
class TrackFile:
    """A track that is finished."""

    track: Track
    path: Path
    sound: SoundFile
    words: Sequence[Sequence[tuple[int, int, float, float]]]
    """For each passage its words: characters and times in the file, in seconds."""


@dataclass(frozen=True)
class Encoding:
    """How tracks are written."""

    format: str
    """See `sound_files.FORMATS`."""
    bit_rate: int
    tags: Callable[[Track], Mapping[str, str]]
    cover: Cover | None
    path: Callable[[Track], Path]


Progress = Callable[[int, int, Track], None]
"""Told how many characters are spoken, how many of those earlier, and the track at work."""


def speak_utterance(utterance: Utterance, narrator: Narrator, sample_rate: int, seed: int) -> SpokenUtterance:
    """Speak an utterance: a function of it, its voice and the seed, whatever is spoken beside it.

    Raises:
        GlowvoxError: see `Voice.say`.
    """
    warnings: list[str] = []
    silence = np.zeros(round(utterance.pause * sample_rate), np.int16)
    try:
        audio = narrator.voice.say(
            utterance.text,
            lexicon=narrator.lexicon,
            on_warning=warnings.append,
            **{**narrator.options, "markup": "plain", "seed": sentence_seed(seed, utterance.number)},
        )
    except SilentTextError as error:
        return SpokenUtterance(silence, (), [f"{error}: {utterance.text[:40]!r}"])
    samples = audio.samples
    if audio.sample_rate != sample_rate:
        samples = resample(samples, audio.sample_rate, sample_rate)
    numbers = np.asarray(quantise(np.clip(samples, -1.0, 1.0), "PCM_16"), np.int16)
    words, place = [], 0
    for word in audio.words:
        start = utterance.text.find(word.text, place)
        if start < 0 or not word.text:
            continue
        place = start + len(word.text)
        before = len(silence) / sample_rate
        words.append((utterance.start + start, utterance.start + place, before + word.start, before + word.end))
    return SpokenUtterance(np.concatenate([silence, numbers]), words, warnings)


class Production:
    """Speaks the tracks of a book into files, and goes on where an earlier run stopped."""

    def __init__(
        self,
        narrators: Mapping[str, Narrator],
        folder: WorkFolder,
        encoding: Encoding,
        *,
        seed: int,
        threads: int,
        warn: Callable[[str], None],
    ) -> None:
        """Take what speaks and where to.

        Args:
            narrators: by role, the narrator's own among them; each safe to call from several threads.
            folder: keeps what is finished.
            encoding: how tracks are written.
            seed: of all noise.
            threads: utterances spoken at a time.
            warn: told of everything that was guessed or left out, each once.
        """
        self._narrators, self._folder, self._encoding = narrators, folder, encoding
        self._seed, self._threads = seed, threads
        self._rate = narrators["narrator"].voice.sample_rate
        self._warn, self._told = warn, set[str]()
        self._done = self._reused = 0

    def files(self, tracks: Sequence[Track], progress: Progress) -> Iterator[TrackFile]:
        """Yield the tracks in order as they are finished.

        Raises:
            DataError: something cannot be written; what is finished stays.
            GlowvoxError: see `Voice.say`.
        """
        speakers = ThreadPoolExecutor(self._threads, thread_name_prefix="glowvox-book")
        encoder = ThreadPoolExecutor(1, thread_name_prefix="glowvox-book-encoder")
        try:
            yield from self._files(tracks, progress, speakers, encoder)
        except GlowvoxError as error:
            raise self._explained(error) from error
        except OSError as error:
            raise self._explained(DataError(f"cannot write: {error.strerror or error}"), error) from error
        finally:
            speakers.shutdown(cancel_futures=True)
            encoder.shutdown(cancel_futures=True)

    def guarded(self, write: Callable[[], float]) -> float:
        """Return what a last step gives, with the same words as `files` where the disk is full.

        Raises:
            DataError: it cannot be written.
        """
        try:
            return write()
        except GlowvoxError as error:
            raise self._explained(error) from error
        except OSError as error:
            raise self._explained(DataError(f"cannot write: {error.strerror or error}"), error) from error

    def _files(
        self, tracks: Sequence[Track], progress: Progress, speakers: ThreadPoolExecutor, encoder: ThreadPoolExecutor
    ) -> Iterator[TrackFile]:
        finished = {track.number: known for track in tracks if (known := self._finished(track)) is not None}
        begun = {
            (track.number, part): known
            for track in tracks
            if track.number not in finished
            for part in range(len(track.parts))
            if (known := self._folder.part(track.number, part)) is not None
        }
        spoken = self._spoken(tracks, finished, begun, speakers)
        encoding: deque[Future[TrackFile]] = deque()
        for track in tracks:
            if track.number in finished:
                self._count(track.characters, reused=True)
                progress(self._done, self._reused, track)
                while encoding:
                    yield encoding.popleft().result()
                yield self._known_file(track, finished[track.number])
                continue
            for part, utterances in enumerate(track.parts):
                reused = (track.number, part) in begun
                if not reused:
                    self._save_part(track, part, utterances, spoken)
                self._count(sum(len(one.text) for one in utterances), reused=reused)
                progress(self._done, self._reused, track)
            while encoding:
                yield encoding.popleft().result()
            encoding.append(encoder.submit(self._encode, track))
        while encoding:
            yield encoding.popleft().result()

    def _spoken(
        self,
        tracks: Sequence[Track],
        finished: Mapping[int, Any],
        begun: Mapping[tuple[int, int], Any],
        speakers: ThreadPoolExecutor,
    ) -> Iterator[SpokenUtterance]:
        """Yield what is still to be spoken, in order, some utterances being spoken ahead."""
        waiting: deque[Future[SpokenUtterance]] = deque()
        for track in tracks:
            for part, utterances in enumerate(track.parts):
                if track.number in finished or (track.number, part) in begun:
                    continue
                for one in utterances:
                    narrator = self._narrators.get(one.role) or self._narrators["narrator"]
                    waiting.append(speakers.submit(speak_utterance, one, narrator, self._rate, self._seed))
                    if len(waiting) >= _AHEAD * self._threads:
                        yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _save_part(
        self, track: Track, part: int, utterances: Sequence[Utterance], spoken: Iterator[SpokenUtterance]
    ) -> None:
        sounds: list[NDArray[np.int16]] = []
        words: list[list[float]] = []
        length = 0
        for one in utterances:
            said = next(spoken)
            offset = length / self._rate
            words.extend(
                [one.passage, first, last, round(offset + begin, 5), round(offset + end, 5)]
                for first, last, begin, end in said.words
            )
            sounds.append(said.samples)
            length += len(said.samples)
            for warning in said.warnings:
                if warning not in self._told:
                    self._told.add(warning)
                    self._warn(warning)
        if part == len(track.parts) - 1:
            sounds.append(np.zeros(round(track.ending * self._rate), np.int16))
        samples = np.concatenate(sounds)
        known = {"samples": len(samples), "words": words}
        self._folder.save_part(track.number, part, samples, self._rate, known)

    def _encode(self, track: Track) -> TrackFile:
        """Write a track from its parts. The words stand in the sound file's own time."""
        parts = [self._folder.part(track.number, part) or {} for part in range(len(track.parts))]
        words: list[list[float]] = []
        length = 0
        for known in parts:
            offset = length / self._rate
            words.extend(
                [passage, first, last, round(offset + begin, 5), round(offset + end, 5)]
                for passage, first, last, begin, end in known.get("words", ())
            )
            length += known.get("samples", 0)
        path = self._encoding.path(track)
        sound = write_sound(
            path,
            self._encoding.format,
            self._folder.samples(track.number, len(track.parts)),
            self._rate,
            bit_rate=self._encoding.bit_rate,
            tags=self._encoding.tags(track),
            cover=self._encoding.cover,
        )
        known = {
            "samples": sound.samples,
            "rate": sound.sample_rate,
            "packets": sound.packets,
            "bytes": path.stat().st_size,
            "words": words,
        }
        self._folder.save_track(track.number, known, len(track.parts))
        return self._known_file(track, known)

    def _finished(self, track: Track) -> dict[str, Any] | None:
        known = self._folder.track(track.number)
        path = self._encoding.path(track)
        return known if known and path.is_file() and path.stat().st_size == known.get("bytes") else None

    def _known_file(self, track: Track, known: Mapping[str, Any]) -> TrackFile:
        words: list[list[tuple[int, int, float, float]]] = [[] for _ in track.passages]
        for passage, first, last, begin, end in known["words"]:
            words[int(passage)].append((int(first), int(last), float(begin), float(end)))
        sound = SoundFile(known["samples"], known["rate"], known["packets"])
        return TrackFile(track, self._encoding.path(track), sound, words)

    def _count(self, characters: int, *, reused: bool) -> None:
        self._done += characters
        self._reused += characters if reused else 0

    def _explained(self, error: GlowvoxError, cause: OSError | None = None) -> GlowvoxError:
        found: BaseException | None = cause or error
        while found is not None:
            if isinstance(found, OSError) and found.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                return DataError(
                    f"the disk is full ({self._folder.path}); make room and start again: what is finished is kept"
                )
            found = found.__cause__ or found.__context__
        return error
