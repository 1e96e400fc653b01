"""Preparing a corpus: from the recordings as people keep them to the form that training reads."""

import dataclasses
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from glowvox.audio.atomic_file import replacing
from glowvox.config.audio import AudioConfig
from glowvox.config.preset import preset_of, read_preset
from glowvox.config.schema import from_dict
from glowvox.data.checks import Limits, MeasuredUtterance, check_duplicates, check_speaking_rates, check_text
from glowvox.data.clips import SUFFIX, ClipRecord, ClipSettings, ClipTask, clip_file_name, crashed, make_clip
from glowvox.data.corpora import Corpus, Utterance, note, read_corpus
from glowvox.data.distillation import read_card, require_finished
from glowvox.data.parallel import run_in_order
from glowvox.data.prepared import DATASET_FILE, FORMAT_VERSION, SPLITS, ClipRow
from glowvox.data.report import ReportedClip, build_report, render_html, split_summary
from glowvox.data.split import Sentence, check_fraction, split_by_ids, split_by_sentence
from glowvox.errors import ConfigError, DataError
from glowvox.text.front_end import FRONT_END_VERSION

CLIPS = "clips"
_MARKER = "prepare.json"
_MARK = "prepared by glowvox"


class Target:
    """A folder for prepared data.

    A marker file says which corpus it belongs to. It is written first, so that an interrupted preparation can be told
    from a folder of somebody's files, which is never written into.

    Args:
        folder: the folder; it need not exist.
        corpus: the corpus' folder, or its manifest.

    Raises:
        DataError: the folder is the corpus or lies in it, holds other files, or another corpus' data.
    """

    def __init__(self, folder: Path, corpus: Path) -> None:
        self.folder = folder
        self._corpus = corpus.resolve()
        place = folder.resolve()
        home = self._corpus if self._corpus.is_dir() else self._corpus.parent
        if place == home or (self._corpus.is_dir() and place.is_relative_to(home)):
            raise DataError(f"{folder}: lies in the corpus {corpus}, which is never written to; choose another folder")
        if folder.exists() and not folder.is_dir():
            raise DataError(f"{folder}: is a file; choose a folder")
        marker = self._read_marker()
        if marker is None and folder.is_dir() and any(folder.iterdir()):
            raise DataError(f"{folder}: holds files that are no prepared data; choose an empty or a new folder")
        if marker is not None and marker.get("corpus") != str(self._corpus):
            raise DataError(
                f"{folder}: holds the prepared data of {marker.get('corpus')}; choose another folder, or delete it"
            )
        self._begun_with = marker.get("clips") if marker else None

    def front_end_before(self) -> int | None:
        """Return the version of the text front end of the data that is there already; None: there is none."""
        try:
            dataset = json.loads((self.folder / DATASET_FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        version = dataset.get("front_end_version", 1) if isinstance(dataset, dict) else 1
        return version if isinstance(version, int) else 1

    def begin(self, clip_fingerprint: str) -> None:
        """Create the folder and mark it; data made with other settings stops being readable before it is replaced.

        Args:
            clip_fingerprint: hash of the settings that decide the clips' content.
        """
        try:
            (self.folder / CLIPS).mkdir(parents=True, exist_ok=True)
            if self._begun_with != clip_fingerprint:
                (self.folder / DATASET_FILE).unlink(missing_ok=True)
        except OSError as error:
            raise DataError(f"{self.folder}: cannot be written ({error.strerror})") from error
        self.write_json(_MARKER, {"format": _MARK, "corpus": str(self._corpus), "clips": clip_fingerprint})

    def write_json(self, name: str, content: Any) -> None:
        """Write plain data as an indented JSON file."""
        self.write(name, json.dumps(content, ensure_ascii=False, indent=1) + "\n")

    def write_lines(self, name: str, rows: list[dict[str, Any]]) -> None:
        """Write one JSON object per line."""
        self.write(name, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))

    def write(self, name: str, content: str) -> None:
        """Write a text file aside and rename it; a file name's undecodable bytes become JSON's \\u escapes."""
        with replacing(self.folder / name, DataError) as file:
            file.write(content.encode("utf-8", "backslashreplace"))

    def remove_other_clips(self, names: set[str]) -> None:
        """Remove clips that are not (or no longer) part of the data, and what an interruption left half written."""
        for path in (self.folder / CLIPS).iterdir():
            if path.name not in names and (path.suffix == SUFFIX or path.name.endswith(".part")):
                path.unlink()

    def _read_marker(self) -> dict[str, Any] | None:
        try:
            marker = json.loads((self.folder / _MARKER).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return marker if isinstance(marker, dict) and marker.get("format") == _MARK else None


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
    source: Path,
    folder: Path,
    settings: PrepareSettings,
    progress: Progress | None = None,
    *,
    noted: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Prepare a corpus and return the report that is also written beside the data.

    Interrupted and started again, it goes on: clips made from the same recordings with the same settings are reused.

    Args:
        source: the corpus' folder, or a manifest.
        folder: where the prepared data goes; new, empty, or an earlier preparation of the same corpus.
        settings: what is asked for.
        progress: told about every recording.
        noted: told in one line of data that an older version of the text front end prepared.

    Raises:
        DataError: no corpus, one that is still being distilled, a folder that must not be written, unknown validation
            ids, or nothing usable.
        ConfigError: contradicting settings.
    """
    clip_settings = ClipSettings(settings.audio, settings.loudness_db, settings.trim, settings.limits)
    target = Target(folder, source)
    require_finished(source)
    corpus = read_corpus(source, settings.layout)
    _check_ids(corpus, settings.validation_ids)
    wanted = _check_texts(corpus, settings)
    before = target.front_end_before()
    if before is not None and before < FRONT_END_VERSION and noted is not None:
        noted(
            f"{folder}: prepared with version {before} of the text front end before, now with version "
            f"{FRONT_END_VERSION}, which says some words otherwise; clips that fit are kept"
        )
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
    report = build_report(
        name, corpus.layout, reported, corpus.findings, settings.audio, _shown(settings), corpus.encodings
    )
    _write(target, reported, report, settings, read_card(source if source.is_dir() else source.parent))
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
        utterance.id: MeasuredUtterance(
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


def _write(
    target: Target,
    clips: list[ReportedClip],
    report: dict[str, Any],
    settings: PrepareSettings,
    teacher: dict[str, Any] | None,
) -> None:
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
        "front_end_version": FRONT_END_VERSION,
        "speakers": sorted({clip.row.speaker for clip in clips}),
        "splits": {split: split_summary(rows[split], settings.audio.sample_rate) for split in SPLITS},
    }
    if teacher is not None:
        dataset["teacher"] = {key: teacher[key] for key in ("teacher", "version", "licence", "voices")}
    # Last: whoever finds this file finds everything that it speaks of.
    target.write_json(DATASET_FILE, dataset)
    target.remove_other_clips({Path(clip.row.file).name for clip in clips})


def _nothing_left(corpus: Corpus, folder: Path) -> str:
    first = min((finding for finding in corpus.findings if finding.severity == "left out"), default=None)
    example = f"; for example {first.subject}: {first.reason}" if first else ""
    hint = ""
    if corpus.utterances and all(utterance.text is None for utterance in corpus.utterances):
        unread = [finding for finding in corpus.findings if finding.kind == "unread list"]
        hint = f". {unread[0].subject} {unread[0].reason}" if unread else ". There is no text at all"
        hint += ": keep the recordings with --without-text to train a vocoder"
    return f"no recording of {corpus.folder} can be used{example}{hint}. All findings are in {folder / 'report.json'}"


def read_contract(source: str) -> AudioConfig:
    """Return the mel contract of a preset, a run's `config.toml`, a data set's or model's JSON, or a file of its own.

    Args:
        source: a preset's name, or the path of a `.toml` or `.json` file. The file holds the fields of `AudioConfig` at
            the top, or in a table `audio`, or is a preset.

    Raises:
        ConfigError: there is no such file or preset, or it holds no valid contract.
    """
    table = _read_json(Path(source)) if source.endswith(".json") else read_preset(source)
    if isinstance(table.get("model"), dict) and "type" in table["model"]:
        preset = preset_of(table)
        return preset.waveglow.audio if preset.model.type == "waveglow" else preset.glow_tts.audio
    fields = table.get("audio", table)
    if not isinstance(fields, dict):
        raise ConfigError(f"{source}: 'audio' is not a table of settings")
    audio = from_dict(AudioConfig, {name: value for name, value in fields.items() if name != "fingerprint"}, "audio")
    if fields.get("fingerprint", audio.fingerprint()) != audio.fingerprint():
        raise ConfigError(f"{source}: the fingerprint does not fit the mel contract; the file was changed by hand")
    return audio


def _read_json(path: Path) -> dict[str, Any]:
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise ConfigError(f"{path} is not a JSON file: {error}") from error
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: expected a JSON object with a mel contract")
    return table
