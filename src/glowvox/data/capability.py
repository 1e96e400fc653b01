"""What a data set can support: rules of thumb by hours, said before anybody spends days of computing."""

from collections.abc import Mapping

_VOCODER = (
    (0.1, "too little even to fine-tune: record at least 10 minutes"),
    (0.5, "fine-tune only, starting from a trained vocoder (--init-from)"),
    (10.0, "a small preset can be trained from scratch; a large one should start from a trained vocoder"),
    (float("inf"), "any preset can be trained from scratch"),
)
_ACOUSTIC = (
    (0.1, "too little even to fine-tune: record at least 10 minutes"),
    (2.0, "fine-tune only, starting from a trained acoustic model (--init-from)"),
    (10.0, "training from scratch gives intelligible but uneven speech; fine-tuning sounds better"),
    (float("inf"), "enough to train from scratch"),
)
_LITTLE_SPEAKER_HOURS = 5 / 60


def capability(hours: float, text_hours: float, speaker_hours: Mapping[str, float]) -> list[str]:
    """Return sentences on what the training part of a data set is good for.

    Args:
        hours: length of all training clips.
        text_hours: length of those that have a text.
        speaker_hours: length for each speaker.
    """
    lines = [f"{_length(hours)} for a vocoder: {_rule(_VOCODER, hours)}"]
    if text_hours == 0:
        lines.append("no text: this data cannot train an acoustic model")
    else:
        several = f" of {len(speaker_hours)} speakers" if len(speaker_hours) > 1 else ""
        lines.append(f"{_length(text_hours)}{several} for an acoustic model: {_rule(_ACOUSTIC, text_hours)}")
    few = sorted(name for name, own in speaker_hours.items() if own < _LITTLE_SPEAKER_HOURS)
    if few and len(speaker_hours) > 1:
        named = ", ".join(few[:10]) + (" and others" if len(few) > 10 else "")
        lines.append(f"{len(few)} of {len(speaker_hours)} speakers have less than 5 minutes: {named}")
    return lines


def _rule(rules: tuple[tuple[float, str], ...], hours: float) -> str:
    return next(text for below, text in rules if hours < below)


def _length(hours: float) -> str:
    return f"{hours:.1f} h" if hours >= 0.95 else f"{hours * 60:.0f} min ({hours:.1g} h)"
