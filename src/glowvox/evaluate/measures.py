"""The measures of an evaluation: what figures are called, their units, which way is better, and what they mean."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Measure:
    """One figure that an evaluation gives for a system."""

    key: str
    """Name in JSON."""
    label: str
    """Name for people."""
    unit: str
    better: Literal["higher", "lower", "zero", "neither"]
    digits: int
    """Digits after the point."""
    meaning: str
    """One sentence for the report."""


WORD_MEASURES = (
    Measure(
        "wer",
        "Word error rate",
        "%",
        "lower",
        1,
        "Errors of a recogniser (named among the settings) against the text; read it beside natural speech.",
    ),
    Measure("cer", "Character error rate", "%", "lower", 1, "The same recogniser's edits per character."),
)
"""What a recogniser gives, for whatever speaks."""

VOCODER_MEASURES = (
    Measure(
        "pesq",
        "PESQ, wide band",
        "MOS",
        "higher",
        2,
        "Perceived quality beside the original (ITU-T P.862.2), 1 to 4.64.",
    ),
    Measure("stoi", "STOI", "", "higher", 3, "Short-time objective intelligibility beside the original, 0 to 1."),
    Measure(
        "mcd",
        "MCD",
        "dB",
        "lower",
        2,
        "Mel-cepstral distortion over c1 to c13 of the log-mel, frame by frame: 10 / ln 10 * sqrt(2 * sum of squares).",
    ),
    Measure("mcd_c0", "MCD with the level", "dB", "lower", 2, "The same over c0 to c12, as some publications count."),
    Measure("mel_l1", "Log-mel distance", "nats", "lower", 3, "Mean absolute difference of the natural log-mels."),
    Measure(
        "mel_l2", "Log-mel distance, RMS", "nats", "lower", 3, "Root-mean-square difference of the natural log-mels."
    ),
    *WORD_MEASURES,
    Measure(
        "nats_per_sample",
        "Negative log-likelihood",
        "nats/sample",
        "lower",
        3,
        "Exact, of the recording under the flow, per sample, base density N(0, 1).",
    ),
    Measure(
        "bits_per_dim",
        "Bits per dimension",
        "bits/sample",
        "lower",
        3,
        "The same, for samples of 16 bits: what an ideal coder would need.",
    ),
    Measure(
        "tonal_mean",
        "Tonal energy, mean",
        "dB",
        "lower",
        2,
        "Mean level of the lines at multiples of rate / group above the bins beside them; natural speech lies near 0.",
    ),
    Measure(
        "tonal_worst",
        "Tonal energy, worst line",
        "dB",
        "lower",
        2,
        "Level of the strongest of these lines above the bins beside it.",
    ),
    Measure(
        "f0_cents",
        "Pitch error",
        "cents",
        "lower",
        1,
        "Root-mean-square difference of the fundamental frequency where both are voiced.",
    ),
    Measure(
        "voicing_error", "Voicing error", "%", "lower", 2, "Frames that are voiced in one and unvoiced in the other."
    ),
    Measure(
        "level_db",
        "Level correction",
        "dB",
        "zero",
        2,
        "Gain that gave the output the level of the original before anything was compared.",
    ),
    Measure(
        "rtf", "Real-time factor", "", "lower", 4, "Computing time over playing time; below 1 is faster than real time."
    ),
    Measure(
        "peak_mib",
        "Peak memory",
        "MiB",
        "lower",
        0,
        "Growth of the process's memory while it vocodes the most demanding clip, its weights not included.",
    ),
)
"""The figures of a vocoder's copy synthesis, in the order in which reports show them."""

VOICE_MEASURES = (
    *WORD_MEASURES,
    Measure(
        "skips",
        "Skipped or repeated",
        "%",
        "lower",
        1,
        "Sentences in which the recogniser misses two words in a row or more, or hears a word of the text again; a "
        "recogniser does so with natural speech too.",
    ),
    Measure(
        "mcd_dtw",
        "MCD, warped",
        "dB",
        "lower",
        2,
        "Mel-cepstral distortion (c1 to c13) from the recording along the cheapest warping of time.",
    ),
    Measure(
        "mel_dtw",
        "Log-mel distance, warped",
        "nats",
        "lower",
        3,
        "Mean absolute difference of the natural log-mels along the same warping.",
    ),
    Measure(
        "duration_error",
        "Duration error",
        "%",
        "lower",
        1,
        "Mean absolute difference of the speech's length from the recording's, silence at the ends left out.",
    ),
    Measure(
        "duration_bias",
        "Duration bias",
        "%",
        "zero",
        1,
        "Mean difference of the speech's length from the recording's; above zero the voice is slower.",
    ),
    Measure("f0_median", "Pitch, median", "Hz", "neither", 1, "Median of the fundamental frequency."),
    Measure(
        "f0_range",
        "Pitch range",
        "semitones",
        "neither",
        1,
        "From the 5th to the 95th percentile of the fundamental frequency; far below natural speech is monotonous.",
    ),
    Measure(
        "faults",
        "Signal faults",
        "%",
        "lower",
        1,
        "Sentences that are silent, clipped, offset, or hold a silence of more than 1.5 seconds.",
    ),
    Measure("pause", "Longest pause", "s", "neither", 2, "Longest silence (below -60 dB) within speech."),
    Measure("peak_db", "Peak", "dB", "neither", 1, "Largest sample below full scale."),
    Measure(
        "rtf", "Real-time factor", "", "lower", 3, "Computing time over playing time; below 1 is faster than real time."
    ),
    Measure(
        "first_audio_ms",
        "Time to first audio",
        "ms",
        "lower",
        0,
        "From the text to the first samples of a stream, in a process that has spoken before.",
    ),
)
"""The figures of a voice's sentences, in the order in which reports show them."""

OPINION_MEASURES = (
    Measure(
        "distillmos",
        "DistillMOS",
        "MOS",
        "higher",
        2,
        "Predicted opinion of listeners on quality, 1 to 5; differences below 0.03 over 48 sentences are noise.",
    ),
    Measure("dnsmos", "DNSMOS, overall", "MOS", "higher", 2, "Predicted opinion (ITU-T P.835), 1 to 5."),
    Measure("p808", "DNSMOS, P.808", "MOS", "higher", 2, "Predicted opinion (ITU-T P.808), 1 to 5."),
)
"""What predictors of listeners' opinions give."""
