"""The figures of a voice's sentences, in the order in which reports show them."""

from glowvox.evaluate.measures import Measure

VOICE_MEASURES = (
    Measure(
        "wer",
        "Word error rate",
        "%",
        "lower",
        1,
        "Errors of an offline recogniser (PocketSphinx, US English) against the text; read it beside natural speech.",
    ),
    Measure("cer", "Character error rate", "%", "lower", 1, "The same recogniser's edits per character."),
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
