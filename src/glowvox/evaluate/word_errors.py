"""Word and character error rates, with the edits of every sentence, so that skipped and repeated words can be found."""

import functools
import multiprocessing
import re
import unicodedata
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from glowvox.audio.files import resample
from glowvox.errors import AudioError, DataError, MissingExtraError, TextError
from glowvox.evaluate.report import Figure, Report

_ABBREVIATIONS = {
    "mr": "mister",
    "mrs": "missus",
    "dr": "doctor",
    "etc": "et cetera",
    "vs": "versus",
}


def normalise_transcript(text: str) -> str:
    """Return lower-case words separated by single blanks.

    In this order: Unicode compatibility forms (NFKC), lower case, typographic apostrophes made straight, dashes and
    hyphens made blanks, everything but letters, digits and apostrophes within words removed, a few abbreviations
    spelled out (mr, mrs, dr, etc, vs). Digits stay as they are: spell numbers out before, where a recogniser does.
    """
    text = unicodedata.normalize("NFKC", text).lower().replace("\u2019", "'").replace("\u2018", "'")
    text = re.sub(r"[^\w']|_", " ", text)
    words = [word.strip("'") for word in text.split()]
    return " ".join(_ABBREVIATIONS.get(word, word) for word in words if word)


@dataclass(frozen=True)
class Edit:
    """One run of differing words."""

    kind: Literal["substitute", "delete", "insert"]
    position: int
    """Index of the first word concerned in the reference (for an insertion: the word that it stands before)."""
    reference: tuple[str, ...]
    """Words of the reference, none for an insertion."""
    hypothesis: tuple[str, ...]
    """Words of the hypothesis, none for a deletion."""


@dataclass(frozen=True)
class SentenceErrors:
    """The word errors of one sentence, after normalisation."""

    reference: str
    hypothesis: str
    hits: int
    substitutions: int
    deletions: int
    insertions: int
    edits: tuple[Edit, ...]
    character_edits: int
    characters: int
    """Characters of the reference, blanks included."""

    @property
    def words(self) -> int:
        """Words of the reference."""
        return self.hits + self.substitutions + self.deletions

    @property
    def errors(self) -> int:
        """Substituted, deleted and inserted words."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def word_error_rate(self) -> float:
        """Errors per word of the reference; above 1 when much was inserted."""
        return self.errors / self.words

    @property
    def longest_skip(self) -> int:
        """Words in the longest run of deletions: what a voice that skips words shows."""
        return max((len(edit.reference) for edit in self.edits if edit.kind == "delete"), default=0)

    @property
    def longest_repeat(self) -> int:
        """Words in the longest insertion that says again what the words before or after it say."""
        words = tuple(self.reference.split())
        longest = 0
        for edit in self.edits:
            if edit.kind == "insert":
                size = len(edit.hypothesis)
                before = words[max(0, edit.position - size) : edit.position]
                if edit.hypothesis in (before, words[edit.position : edit.position + size]):
                    longest = max(longest, size)
        return longest


@dataclass(frozen=True)
class WordErrors:
    """The word errors of a set of sentences."""

    sentences: tuple[SentenceErrors, ...]

    @property
    def word_error_rate(self) -> float:
        """All errors over all words of the references."""
        return sum(s.errors for s in self.sentences) / sum(s.words for s in self.sentences)

    @property
    def character_error_rate(self) -> float:
        """All character edits over all characters of the references."""
        return sum(s.character_edits for s in self.sentences) / sum(s.characters for s in self.sentences)

    def skipping_or_repeating(self, least: int = 2) -> float:
        """Return the share of sentences with a run of at least `least` skipped words or any repeated word.

        A recogniser loses single short words in natural speech too; a run of them is what a voice lost.
        """
        bad = sum(s.longest_skip >= least or s.longest_repeat > 0 for s in self.sentences)
        return bad / len(self.sentences)


def word_errors(references: Sequence[str], hypotheses: Sequence[str]) -> WordErrors:
    """Align recognised texts with what was meant, after `normalise_transcript` of both.

    Raises:
        DataError: no sentences, other numbers of them, or a reference without words.
        MissingExtraError: the package `jiwer` is not installed.
    """
    try:
        import jiwer
    except ImportError as error:
        raise MissingExtraError("jiwer", "train", "measuring word error rates") from error
    if not references or len(references) != len(hypotheses):
        raise DataError(f"cannot compare {len(references)} texts with {len(hypotheses)} recognised ones")
    meant = [normalise_transcript(text) for text in references]
    heard = [normalise_transcript(text) for text in hypotheses]
    for index, text in enumerate(meant):
        if not text:
            raise DataError(f"text {index + 1} has no words to recognise: {references[index]!r}")
    by_word, by_character = jiwer.process_words(meant, heard), jiwer.process_characters(meant, heard)
    sentences = []
    for index, (words, letters) in enumerate(zip(by_word.alignments, by_character.alignments, strict=True)):
        edits = tuple(
            _edit(chunk, by_word.references[index], by_word.hypotheses[index])
            for chunk in words
            if chunk.type != "equal"
        )
        sentences.append(
            SentenceErrors(
                reference=meant[index],
                hypothesis=heard[index],
                hits=sum(chunk.ref_end_idx - chunk.ref_start_idx for chunk in words if chunk.type == "equal"),
                substitutions=sum(len(edit.reference) for edit in edits if edit.kind == "substitute"),
                deletions=sum(len(edit.reference) for edit in edits if edit.kind == "delete"),
                insertions=sum(len(edit.hypothesis) for edit in edits if edit.kind == "insert"),
                edits=edits,
                character_edits=sum(
                    max(chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx)
                    for chunk in letters
                    if chunk.type != "equal"
                ),
                characters=len(meant[index]),
            )
        )
    return WordErrors(tuple(sentences))


def _edit(chunk: Any, reference: list[str], hypothesis: list[str]) -> Edit:
    return Edit(
        kind=chunk.type,
        position=chunk.ref_start_idx,
        reference=tuple(reference[chunk.ref_start_idx : chunk.ref_end_idx]),
        hypothesis=tuple(hypothesis[chunk.hyp_start_idx : chunk.hyp_end_idx]),
    )


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

    By PocketSphinx, offline, with the US-English model in its wheel. It is a modest recogniser: its error rate means
    something beside that of natural speech and of other systems under the same conditions, not by itself. Every
    recording is recognised for itself (features normalised over the whole of it, the decoder's running averages
    forgotten before), so the result depends neither on the order nor on the number of processes.

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


Recogniser = Callable[[Sequence[Any], int], list[str]]
"""Gives what was said in each of several clips `[S]` at one rate."""
POCKETSPHINX = "PocketSphinx, which misreads a fifth of natural speech: read the rates beside those of recordings"


def with_word_errors(
    report: Report,
    *,
    jobs: int = 1,
    progress: Callable[[int, int, str], None] | None = None,
    recogniser: Recogniser | None = None,
    name: str = POCKETSPHINX,
) -> Report:
    """Return the report with `wer` and `cer` (in percent) of every system and clip, and what was understood.

    Args:
        report: clips with and without text; those without stay as they are.
        jobs: processes for the recogniser.
        progress: called with systems done, systems in all, and the name of the next.
        recogniser: what recognises; None: PocketSphinx, in `jobs` processes.
        name: of the recogniser, for the report.

    Raises:
        DataError: no clip has a text.
        MissingExtraError: the recogniser is not installed.
    """
    spoken = [index for index, clip in enumerate(report.clips) if clip.text and normalise_transcript(clip.text)]
    if not spoken:
        raise DataError("a word error rate needs texts, and none of the recordings has one")
    clips, systems = list(report.clips), {name: dict(figures) for name, figures in report.systems.items()}
    for number, system in enumerate(systems):
        if progress is not None:
            progress(number, len(systems), f"recognising {system}")
        said = [clips[index].outputs[system].samples for index in spoken]
        heard = recogniser(said, report.sample_rate) if recogniser else recognise(said, report.sample_rate, jobs=jobs)
        errors = word_errors([clips[index].text or "" for index in spoken], heard)
        for index, sentence in zip(spoken, errors.sentences, strict=True):
            output = clips[index].outputs[system]
            rates = {
                "wer": 100.0 * sentence.word_error_rate,
                "cer": 100.0 * sentence.character_edits / sentence.characters,
            }
            changed = replace(output, values={**output.values, **rates}, heard=sentence.hypothesis)
            clips[index] = replace(clips[index], outputs={**clips[index].outputs, system: changed})
        systems[system]["wer"] = Figure(100.0 * errors.word_error_rate, clips=len(spoken))
        systems[system]["cer"] = Figure(100.0 * errors.character_error_rate, clips=len(spoken))
    return replace(report, clips=tuple(clips), systems=systems, settings={**report.settings, "Recogniser": name})
