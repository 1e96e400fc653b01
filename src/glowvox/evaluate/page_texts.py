"""What the page of a report says in words, by what was evaluated."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PageTexts:
    """The words of a page."""

    tiles: tuple[str, ...]
    """Measures of the key figures."""
    scores: tuple[str, ...]
    """Measures shown with every take."""
    counted: str
    """How clips and seconds are introduced: a format with `clips`, `seconds` and `systems`."""
    levels: str
    """What is said of the level of the takes."""
    method: str
    """How it was measured."""


VOCODER_TEXTS = PageTexts(
    tiles=("pesq", "stoi", "mcd", "wer", "bits_per_dim", "rtf"),
    scores=("pesq", "stoi", "mcd", "mel_l1", "wer", "tonal_mean"),
    counted="{clips} recordings, {seconds:.0f} seconds of natural speech, {systems} beside it.",
    levels="All takes have the level of the original.",
    method="Every system got the mel spectrogram of the same recording. Its output was brought to the level of the "
    "recording before anything was compared; the gain is the level correction in the table. PESQ is computed at "
    "16 kHz, STOI at 10 kHz.",
)
VOICE_TEXTS = PageTexts(
    tiles=("wer", "skips", "mcd_dtw", "duration_error", "rtf", "first_audio_ms"),
    scores=("wer", "mcd_dtw", "duration_bias", "f0_range", "rtf"),
    counted="{clips} sentences, {seconds:.0f} seconds. {systems}.",
    levels="All takes of a sentence have the level of its recording.",
    method="The voice spoke the texts of the recordings, which it has not learned from. Its timing is its own, so it "
    "is compared with a recording along the warping of time that brings their cepstra closest. Copy synthesis is the "
    "recording's own mel spectrogram through the voice's vocoder: what is lost there, the vocoder loses. Pitch, pauses "
    "and peaks are those of the voice as it is; before all else it is brought to the recording's level.",
)


def page_texts(subject: str) -> PageTexts:
    """Return the words for a report's subject."""
    return VOICE_TEXTS if subject == "voice" else VOCODER_TEXTS
