"""The report of a preparation as plain data: what is in, what was left out and why, and what it can support."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from glowvox.config.audio import AudioConfig
from glowvox.data.capability import capability
from glowvox.data.checks import group_by_kind, letters_per_second
from glowvox.data.findings import Finding
from glowvox.data.prepared import SPLITS, ClipRow
from glowvox.data.recording import Measurements
from glowvox.data.split import normalised_sentence


@dataclass(frozen=True)
class ReportedClip:
    """A clip of the data set with what was measured on its recording."""

    row: ClipRow
    split: str
    measured: Measurements


def build_report(
    title: str,
    layout: str,
    clips: Sequence[ReportedClip],
    findings: Sequence[Finding],
    audio: AudioConfig,
    settings: dict[str, Any],
) -> dict[str, Any]:
    """Return the report; it depends on the corpus and the settings only, not on time or place.

    Args:
        title: name of the corpus.
        layout: its layout.
        clips: what is in the data set.
        findings: everything the checks said.
        audio: the mel contract.
        settings: what was asked for.
    """
    rate = audio.sample_rate
    train = [clip for clip in clips if clip.split == "train"]
    speakers: dict[str, float] = defaultdict(float)
    for clip in train:
        speakers[clip.row.speaker] += clip.row.samples / rate / 3600
    hours = sum(speakers.values())
    with_text = sum(clip.row.samples for clip in train if clip.row.text) / rate / 3600
    frames = sum(clip.row.frames for clip in clips)
    return {
        "corpus": title,
        "layout": layout,
        "settings": settings,
        "splits": {split: split_summary([clip.row for clip in clips if clip.split == split], rate) for split in SPLITS},
        "speakers": {name: round(own, 4) for name, own in sorted(speakers.items())},
        "memory_bytes": frames * (audio.hop_length * 2 + audio.n_mels * 4),
        "can_support": capability(hours, with_text, speakers),
        "severities": dict(Counter(finding.severity for finding in findings)),
        "kinds": {kind: len(group) for kind, group in group_by_kind(findings).items()},
        "findings": [asdict(finding) for group in group_by_kind(findings).values() for finding in group],
        "statistics": _statistics(clips),
        "clips": [_clip(clip) for clip in clips],
    }


def split_summary(rows: Sequence[ClipRow], sample_rate: int) -> dict[str, Any]:
    """Return the number of clips and of different sentences, and the hours of a split."""
    return {
        "clips": len(rows),
        "sentences": len({normalised_sentence(row.text) or row.id for row in rows}),
        "hours": round(sum(row.samples for row in rows) / sample_rate / 3600, 4),
    }


def _clip(clip: ReportedClip) -> dict[str, Any]:
    measured = clip.measured
    return {
        "id": clip.row.id,
        "split": clip.split,
        "seconds": round(measured.seconds, 3),
        "level_db": round(measured.level_db, 2),
        "peak": round(measured.peak, 4),
        "letters_per_second": round(letters_per_second(clip.row.text, measured.speech_seconds), 2),
    }


def _statistics(clips: Sequence[ReportedClip]) -> dict[str, dict[str, float]]:
    rows = [_clip(clip) for clip in clips]
    columns = {name: sorted(row[name] for row in rows) for name in ("seconds", "level_db", "letters_per_second")}
    return {
        name: {"smallest": values[0], "median": round(median(values), 3), "largest": values[-1]}
        for name, values in columns.items()
        if values
    }
