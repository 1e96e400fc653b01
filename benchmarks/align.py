"""How exact forced alignment is: where the truth is known, and beside another aligner.

    python benchmarks/align.py runs/acoustic --vocoder runs/vocoder/best --data data/ --clips 30

Two tables. *Synthesised speech with known durations*: texts of the data are rendered by the acoustic model with
durations that were drawn around its own (so that the truth is not what it likes best), spoken by the vocoder, and the
samples are aligned again. Every beginning and end of a word or phoneme counts. *Recordings*: the beginnings and ends of
words against PocketSphinx's aligner, which has its own model, dictionary and errors; neither is the truth.

Without --vocoder the mels are aligned as they are.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from glowvox.audio.sound import TimedWord
from glowvox.data.prepared import PreparedData
from glowvox.engines.choose import load_vocoder
from glowvox.errors import GlowvoxError
from glowvox.evaluate.batch_alignment import open_aligner
from glowvox.evaluate.word_errors import force_align, normalise_transcript
from glowvox.synthesis.aligner import Aligner
from glowvox.synthesis.options import SpeechOptions
from glowvox.synthesis.sentence_mels import Clock, MelSynthesizer, timed_words
from glowvox.synthesis.vocoder import Vocoder
from glowvox.text.tokenizer import Tokenizer


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="a voice, a Glow-TTS model folder or a training run")
    parser.add_argument("--vocoder", help="a vocoder: model folder, run or exported graph")
    parser.add_argument("--data", required=True, type=Path, help="prepared data, whose validation split is used")
    parser.add_argument("--clips", type=int, default=30, help="clips at most, spread evenly")
    parser.add_argument("--jitter", type=float, default=0.2, help="deviation of the log durations from the predicted")
    parser.add_argument("--temperature", type=float, default=0.667, help="of the rendered mels")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    aligner = open_aligner(args.model, threads=args.threads)
    vocoder = None if args.vocoder is None else Vocoder(load_vocoder(args.vocoder, threads=args.threads))
    clips = PreparedData(args.data).clips("validation")
    clips = (
        [clips[place * len(clips) // args.clips] for place in range(args.clips)] if args.clips < len(clips) else clips
    )
    rng = np.random.default_rng(0)

    known: dict[str, list[float]] = {"words": [], "phonemes": []}
    for clip in clips:
        for kind, errors in synthesised(aligner, vocoder, clip.text, args.jitter, args.temperature, rng).items():
            known[kind].extend(errors)
    against: list[float] = []
    skipped, seconds, took = 0, 0.0, 0.0
    rate = aligner.engine.audio.sample_rate
    for clip in clips:
        samples = clip.load()[0].astype(np.float32) / 32768.0
        began = time.perf_counter()
        found = aligner.align(samples, rate, clip.text).words
        took, seconds = took + time.perf_counter() - began, seconds + len(samples) / rate
        try:
            other = force_align(samples, rate, clip.text)
        except GlowvoxError:
            skipped += 1
            continue
        pairs = paired(found, [word.text for word in other])
        if pairs is None:
            skipped += 1
            continue
        for ours, theirs in zip(pairs, other, strict=True):
            if ours is not None:
                against += [ours.start - theirs.start, ours.end - theirs.end]
    report = {
        "synthesised": {kind: figures(errors) for kind, errors in known.items()},
        "recordings_against_pocketsphinx": {**figures(against), "clips_skipped": skipped},
        "real_time_factor": round(took / seconds, 4),
        "clips": len(clips),
    }
    print(json.dumps(report, indent=None if args.json else 1))


def synthesised(
    aligner: Aligner, vocoder: Vocoder | None, text: str, jitter: float, temperature: float, rng: np.random.Generator
) -> dict[str, list[float]]:
    """Return the signed errors in seconds of all borders of a text that was rendered with known durations."""
    maker = MelSynthesizer(aligner.engine, Tokenizer.from_dict(aligner.reader.side.tokenizer))
    read = aligner.reader.read(text)
    statistics = maker.statistics(read.requests)
    frames = [
        np.maximum(1, np.round(one.weights * np.exp(jitter * rng.standard_normal(len(one.weights))))).astype(np.int64)
        for one in statistics
    ]
    options = SpeechOptions(temperature=temperature, seed=7)
    wished = [replace(request, options=options) for request in read.requests]
    mels = maker.mels(wished, statistics, frames)
    truth: list[TimedWord] = []
    passed, clock_rate = 0, aligner.engine.audio.frame_rate
    for request, made in zip(read.requests, mels, strict=True):
        truth += timed_words(request.sentence, request.tokens, made.frames, Clock(passed / clock_rate, clock_rate))
        passed += int(made.frames.sum())
    mel = np.concatenate([made.mel for made in mels], axis=1)
    if vocoder is None:
        found = aligner.lay(read, aligner.hear(mel)).words
    else:
        found = aligner.align(vocoder(mel), aligner.engine.audio.sample_rate, text).words
    errors: dict[str, list[float]] = {"words": [], "phonemes": []}
    for true, ours in zip(truth, found, strict=True):
        errors["words"] += [ours.start - true.start, ours.end - true.end]
        for before, after in zip(true.phonemes, ours.phonemes, strict=True):
            errors["phonemes"] += [after.start - before.start, after.end - before.end]
    return errors


def paired(found: Sequence[TimedWord], others: Sequence[str]) -> list[TimedWord | None] | None:
    """Return our word for each of the other aligner's; None inside for one of several that a word is spoken as."""
    result: list[TimedWord | None] = []
    for word in found:
        parts = normalise_transcript(word.text).split()
        result += [word] if len(parts) == 1 else [None] * len(parts)
    return result if len(result) == len(others) else None


def figures(errors: Sequence[float]) -> dict[str, float]:
    """Return what there is to say about signed errors in seconds, in milliseconds."""
    values = 1000.0 * np.asarray(errors, np.float64)
    if not values.size:
        return {"borders": 0}
    size = np.abs(values)
    return {
        "borders": len(values),
        "median_ms": round(float(np.median(size)), 1),
        "p95_ms": round(float(np.percentile(size, 95)), 1),
        "within_25_ms": round(float((size <= 25.0).mean()), 3),
        "within_50_ms": round(float((size <= 50.0).mean()), 3),
        "bias_ms": round(float(np.median(values)), 1),
    }


if __name__ == "__main__":
    main()
