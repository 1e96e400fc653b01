"""Preparing a corpus: from the recordings as people keep them to the form that training reads."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from glowvox.config.audio import AudioConfig
from glowvox.data.checks import Limits, Spoken, check_duplicates, check_speaking_rates, check_text
from glowvox.data.clip_file import clip_file_name
from glowvox.data.clip_maker import ClipRecord, ClipSettings, ClipTask, crashed, make_clip
from glowvox.data.corpora import Corpus, Utterance, read_corpus
from glowvox.data.findings import note
from glowvox.data.parallel import run_in_order
from glowvox.data.prepared import DATASET_FILE, FORMAT_VERSION, SPLITS, ClipRow
from glowvox.data.report import ReportedClip, build_report, split_summary
from glowvox.data.report_html import render_html
from glowvox.data.split import Sentence, check_fraction, split_by_ids, split_by_sentence
from glowvox.data.target import CLIPS, Target
from glowvox.errors import ConfigError, DataError

Progress = Callable[[int, int, int], None]
"""Called with the recordings done, those there are, and how many of those done were reused from an earlier run."""


@dataclass(frozen=True)
class PrepareSettings:
    """What a preparation is asked to do."""

    audio: AudioConfig = dataclasses.field(default_factory=AudioConfig)
    """The mel contract."""
    language: str = "en-us"
    """Language of texts whose row does not name one."""
    layout: str = "auto"
    """The corpus' layout, or `auto`."""
    loudness_db: float = -23.0
    """Target active speech level in dB of full scale."""
    trim: bool = False
    """Whether silence is trimmed at both ends."""
    without_text: bool = False
    """Whether recordings without text are kept (for a vocoder)."""
    limits: Limits = dataclasses.field(default_factory=Limits)
    """Lengths between which a recording is used."""
    validation: float = 0.03
    """Share of the sentences for validation."""
    validation_ids: tuple[str, ...] | None = None
    """Ids for validation, in place of the share."""
    jobs: int = 1
    """Processes."""

    def __post_init__(self) -> None:
        check_fraction(self.validation)
        if self.jobs < 1:
            raise ConfigError(f"the number of jobs must be at least 1, got {self.jobs}")
        if not self.language.strip():
            raise ConfigError("the language must not be empty; name one such as en-us")


def prepare_corpus(
    source: Path, folder: Path, settings: PrepareSettings, progress: Progress | None = None
) -> dict[str, Any]:
    """Prepare a corpus and return the report that is also written beside the data.

    Interrupted and started again, it goes on: clips made from the same recordings with the same settings are reused.

    Args:
        source: the corpus' folder, or a manifest.
        folder: where the prepared data goes; new, empty, or an earlier preparation of the same corpus.
        settings: what is asked for.
        progress: told about every recording.

    Raises:
        DataError: no corpus, a folder that must not be written, unknown validation ids, or nothing usable.
        ConfigError: contradicting settings.
    """
    clip_settings = ClipSettings(settings.audio, settings.loudness_db, settings.trim, settings.limits)
    target = Target(folder, source)
    corpus = read_corpus(source, settings.layout)
    _check_ids(corpus, settings.validation_ids)
    wanted = _check_texts(corpus, settings)
    target.begin(clip_settings.fingerprint())
    clips = _make_clips(corpus, wanted, folder / CLIPS, clip_settings, settings.jobs, progress)
    clips = _check_together(corpus, clips, settings.language)
    if not clips:
        target.write_json("report.json", {"findings": [asdict(finding) for finding in sorted(corpus.findings)]})
        raise DataError(_nothing_left(corpus, folder))
    validation = _split(corpus, clips, settings)
    name = source.resolve().stem if source.is_file() else source.resolve().name
    reported = [
        ReportedClip(
            _row(utterance, record, name, settings),
            "validation" if utterance.id in validation else "train",
            record.measured,
        )
        for utterance, record in clips
    ]
    report = build_report(name, corpus.layout, reported, corpus.findings, settings.audio, _shown(settings))
    _write(target, reported, report, settings)
    return report


def _check_ids(corpus: Corpus, ids: tuple[str, ...] | None) -> None:
    known = {utterance.id for utterance in corpus.utterances}
    unknown = sorted(set(ids or ()) - known)
    if unknown:
        raise DataError(
            f"{len(unknown)} of {len(set(ids or ()))} ids for validation are not in the corpus, the first is "
            f"'{unknown[0]}'; an id of this corpus is '{min(known, default='')}'"
        )


def _check_texts(corpus: Corpus, settings: PrepareSettings) -> list[Utterance]:
    wanted = []
    for utterance in corpus.utterances:
        subject = corpus.relative(utterance.audio)
        findings = check_text(subject, utterance.text, without_text=settings.without_text)
        corpus.findings += findings
        if not any(finding.severity == "left out" for finding in findings):
            wanted.append(utterance)
    return wanted


def _make_clips(
    corpus: Corpus,
    wanted: Sequence[Utterance],
    folder: Path,
    settings: ClipSettings,
    jobs: int,
    progress: Progress | None,
) -> list[tuple[Utterance, ClipRecord]]:
    def task(utterance: Utterance) -> ClipTask:
        subject = corpus.relative(utterance.audio)
        return ClipTask(utterance.audio, subject, folder / clip_file_name(utterance.id), settings)

    results: list[tuple[Utterance, ClipRecord]] = []
    reused = 0
    made = run_in_order(make_clip, map(task, wanted), min(jobs, max(1, len(wanted))), crashed)
    for done, (utterance, result) in enumerate(zip(wanted, made, strict=True), 1):
        corpus.findings += result.findings
        reused += result.reused
        if result.record is not None:
            results.append((utterance, result.record))
        if progress is not None:
            progress(done, len(wanted), reused)
    return results


def _check_together(
    corpus: Corpus, clips: list[tuple[Utterance, ClipRecord]], language: str
) -> list[tuple[Utterance, ClipRecord]]:
    """Run the checks that compare recordings with each other, and drop what they leave out."""
    spoken = {
        utterance.id: Spoken(
            corpus.relative(utterance.audio), utterance.text or "", utterance.language or language, record.measured
        )
        for utterance, record in clips
    }
    duplicates = check_duplicates(spoken.values())
    twice = {finding.subject for finding in duplicates}
    rates = check_speaking_rates(item for item in spoken.values() if item.subject not in twice)
    corpus.findings += [*duplicates, *rates]
    out = {finding.subject for finding in (*duplicates, *rates) if finding.severity == "left out"}
    return [(utterance, record) for utterance, record in clips if spoken[utterance.id].subject not in out]


def _split(corpus: Corpus, clips: list[tuple[Utterance, ClipRecord]], settings: PrepareSettings) -> set[str]:
    sentences = [Sentence(utterance.id, utterance.text or "") for utterance, _ in clips]
    if settings.validation_ids is None:
        return split_by_sentence(sentences, settings.validation)
    chosen = split_by_ids(sentences, settings.validation_ids)
    for identifier in sorted(chosen - set(settings.validation_ids)):
        reason = "another take of a sentence named for validation; it is in validation too"
        corpus.findings.append(note("moved to validation", identifier, reason))
    return chosen


def _row(utterance: Utterance, record: ClipRecord, corpus: str, settings: PrepareSettings) -> ClipRow:
    return ClipRow(
        id=utterance.id,
        text=utterance.text or "",
        speaker=utterance.speaker or corpus,
        language=utterance.language or settings.language,
        samples=record.samples,
        frames=record.samples // settings.audio.hop_length,
        file=f"{CLIPS}/{clip_file_name(utterance.id)}",
        gain=record.gain,
    )


def _shown(settings: PrepareSettings) -> dict[str, Any]:
    by_ids = settings.validation_ids is not None
    return {
        "language": settings.language,
        "sample_rate": settings.audio.sample_rate,
        "mel_contract": settings.audio.fingerprint(),
        "loudness_db": settings.loudness_db,
        "trim": settings.trim,
        "without_text": settings.without_text,
        "min_seconds": settings.limits.min_seconds,
        "max_seconds": settings.limits.max_seconds,
        "validation": "by ids" if by_ids else settings.validation,
    }


def _write(target: Target, clips: list[ReportedClip], report: dict[str, Any], settings: PrepareSettings) -> None:
    rows = {split: [clip.row for clip in clips if clip.split == split] for split in SPLITS}
    for split in SPLITS:
        target.write_lines(f"{split}.jsonl", [asdict(row) for row in rows[split]])
    target.write_json("report.json", report)
    target.write("report.html", render_html(report))
    dataset = {
        "format_version": FORMAT_VERSION,
        "corpus": report["corpus"],
        "audio": {**asdict(settings.audio), "fingerprint": settings.audio.fingerprint()},
        "loudness_db": settings.loudness_db,
        "trim": settings.trim,
        "language": settings.language,
        "speakers": sorted({clip.row.speaker for clip in clips}),
        "splits": {split: split_summary(rows[split], settings.audio.sample_rate) for split in SPLITS},
    }
    # Last: whoever finds this file finds everything that it speaks of.
    target.write_json(DATASET_FILE, dataset)
    target.remove_other_clips({Path(clip.row.file).name for clip in clips})


def _nothing_left(corpus: Corpus, folder: Path) -> str:
    first = min((finding for finding in corpus.findings if finding.severity == "left out"), default=None)
    example = f"; for example {first.subject}: {first.reason}" if first else ""
    hint = ""
    if corpus.utterances and all(utterance.text is None for utterance in corpus.utterances):
        hint = ". There is no text at all: keep the recordings with --without-text to train a vocoder"
    return f"no recording of {corpus.folder} can be used{example}{hint}. All findings are in {folder / 'report.json'}"
