"""What voice conversion does: who the speech is like before and after, and whether it is still understood.

    python benchmarks/convert_voice.py runs/pair --vocoder runs/vocoder/best --data data-ann/ --from ann --to bob

Recordings of the validation split are converted. *Speaker likelihood*: log p(mel | text, target) - log p(mel | text,
source) per mel frame; conversion should turn it from below zero to above. *Word error rate*: of the recordings, of the
result, and of the recordings spoken again by the vocoder alone, which is what the vocoder costs. The recogniser knows
US English.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from glowvox.data.prepared import PreparedData
from glowvox.engines.choose import load_vocoder
from glowvox.evaluate.batch_alignment import open_aligner
from glowvox.evaluate.word_errors import recognise, word_errors
from glowvox.synthesis.conversion import VoiceConverter, report
from glowvox.synthesis.vocoder import Vocoder


def main() -> None:
    """Convert, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="a voice of several speakers, a Glow-TTS model folder or a training run")
    parser.add_argument("--vocoder", required=True, help="model folder, run or exported graph")
    parser.add_argument("--data", required=True, type=Path, help="prepared data of the source speaker")
    parser.add_argument("--from", dest="source", required=True)
    parser.add_argument("--to", required=True)
    parser.add_argument("--residual", type=float, default=1.0)
    parser.add_argument("--clips", type=int, default=30)
    parser.add_argument("--out", type=Path, help="folder for the results, to be listened to")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--wer", action="store_true", help="count word errors (US English)")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    aligner = open_aligner(args.model, threads=args.threads)
    vocoder = Vocoder(load_vocoder(args.vocoder, threads=args.threads))
    converter = VoiceConverter(aligner, vocoder)
    rate = aligner.engine.audio.sample_rate
    clips = PreparedData(args.data).clips("validation")
    if args.clips < len(clips):
        clips = [clips[place * len(clips) // args.clips] for place in range(args.clips)]
    if args.out is not None:
        args.out.mkdir(parents=True, exist_ok=True)
    rows, sounds, began = [], [], time.perf_counter()
    for clip in clips:
        samples = clip.load()[0].astype(np.float32) / 32768.0
        made = converter.convert(
            samples, rate, clip.text, target=args.to, source=args.source, residual=args.residual, language=clip.language
        )
        rows.append(report(made, args.to))
        sounds.append((samples, vocoder(aligner.mel(samples, rate)), made.audio.samples))
        if args.out is not None:
            made.audio.save(args.out / f"{clip.id}.wav")
    before, after = (np.array([row[f"target_over_source_{when}"] for row in rows]) for when in ("before", "after"))
    told = {
        "clips": len(clips),
        "residual": args.residual,
        "target_over_source_before_nats_per_frame": round(float(before.mean()), 3),
        "target_over_source_after_nats_per_frame": round(float(after.mean()), 3),
        "taken_for_the_target_before": round(float((before > 0).mean()), 3),
        "taken_for_the_target_after": round(float((after > 0).mean()), 3),
        "seconds": round(time.perf_counter() - began, 1),
    }
    if args.wer:
        texts = [clip.text for clip in clips]
        for name, row in zip(("recordings", "vocoder", "converted"), zip(*sounds, strict=True), strict=True):
            errors = word_errors(texts, recognise(row, rate))
            told[f"wer_{name}_percent"] = round(100.0 * errors.word_error_rate, 2)
    print(json.dumps(told, indent=None if args.json else 1))


if __name__ == "__main__":
    main()
