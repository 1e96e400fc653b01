"""Distillation (teacher-student training): texts spoken by another system become a corpus that `prepare` reads.

A corpus folder holds `wavs/VOICE/ID.flac`, the manifest `metadata.jsonl` (audio, text, speaker, language), the list
`left-out.jsonl` with a reason for each text that has no clip, `journal.jsonl`, from which an interrupted run goes on,
and `distillation.json`, which names the teacher: its name, version, voices and licence go wherever the speech goes.
"""

import contextlib
import errno
import hashlib
import json
import signal
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.atomic_file import replacing
from glowvox.audio.files import read_audio, write_audio
from glowvox.data.checks import MOST_CLIPPED, QUIETEST_PEAK, clipped_share
from glowvox.data.corpora import Finding, left_out, note, warning
from glowvox.data.spoken_texts import LONGEST_NAME, Text, is_file_name, read_texts
from glowvox.data.teachers import OpenTeacher, Request, Teacher, TeacherError
from glowvox.errors import ConfigError, DataError, GlowvoxError
from glowvox.storage.file_lock import try_lock
from glowvox.storage.text_files import UTF_8, json_rows, text_lines
from glowvox.text.front_end import resolve_language

CARD_FILE = "distillation.json"
_FORMAT = 1
_IN_PROGRESS = "in_progress"
"""In the card: whether the manifest is not yet that of all clips, as during a run, and after one that was killed."""
_JOURNAL, _METADATA, _LEFT_OUT = "journal.jsonl", "metadata.jsonl", "left-out.jsonl"
_NOTHING_LACKING = frozenset({"nothing to say", "duplicate text", "misread"})
_WAITING_PER_THREAD = 4
_MOST_JOBS = 256
_LOST = "its clip was there and is gone, or not whole; a run with this text speaks it again"
_FULL_SCALE = 0.99


@dataclass(frozen=True)
class TeacherCard:
    """Who speaks, and under which licence."""

    teacher: str
    """Name of the system, such as `Kokoro-82M`."""
    version: str
    licence: str
    """An SPDX expression, of the model and what it says."""
    voices: tuple[str, ...]
    """The voices that are asked for; each becomes a speaker."""

    def __post_init__(self) -> None:
        for name, value in (("name", self.teacher), ("version", self.version), ("licence", self.licence)):
            if not value.strip():
                raise ConfigError(f"the teacher's {name} must not be empty: every voice it teaches names it")
        if not self.voices:
            raise ConfigError("name at least one voice of the teacher")
        for voice in self.voices:
            if not is_file_name(voice):
                raise ConfigError(
                    f"'{voice[:60]}' cannot be the name of a speaker and a folder: use letters, digits, - _ . and no "
                    f"more than 100 of them or {LONGEST_NAME} bytes"
                )
        if len(set(self.voices)) < len(self.voices):
            raise ConfigError("a voice is named twice")


@dataclass(frozen=True)
class DistillationSettings:
    """What a distillation is asked to do."""

    language: str = "en-us"
    """Language of the texts."""
    jobs: int = 1
    """Texts spoken at a time."""
    longest_text: int = 1000
    """Characters; longer texts are left out."""
    most_failures: int = 20
    """So many texts in a row that are not spoken end the run: it is the teacher that fails, not the texts."""

    def __post_init__(self) -> None:
        if not 1 <= self.jobs <= _MOST_JOBS:
            raise ConfigError(f"the jobs must be between 1 and {_MOST_JOBS}, got {self.jobs}")
        if self.longest_text < 1 or self.most_failures < 1:
            raise ConfigError("the longest text and the most failures must be at least 1")


Check = Callable[[NDArray[np.float32], int, str], str | None]
"""Judges `(samples [S], rate, text)` further, such as by recognising it: the reason why it is left out, or None."""
Progress = Callable[[int, int, int], None]
"""Called with the clips done, those there are, and how many of those done were there already."""


@dataclass(frozen=True)
class _Outcome:
    """A line of the journal: what became of one text in one voice."""

    voice: str
    id: str
    text: str
    seconds: float = 0.0
    kind: str = ""
    """Why it was left out, in a few fixed words; empty: it is kept."""
    reason: str = ""
    checked: bool = False
    """Whether a further check has judged it."""
    judged: str = ""
    """What that check asked for."""
    size: int = 0
    """Bytes of the clip; 0: not known."""

    @property
    def key(self) -> tuple[str, str]:
        return self.voice, self.id

    @property
    def is_final(self) -> bool:
        """Whether the next run leaves it as it is: what the teacher did not speak is asked for again."""
        return self.kind != "not spoken"


@dataclass
class DistillationReport:
    """What came out of a distillation."""

    kept: int = 0
    """Clips of the texts and voices that this run asked for."""
    seconds: float = 0.0
    others: int = 0
    """Clips of other texts and voices, which earlier runs put into the corpus."""
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_partial(self) -> bool:
        """Whether a text that could be spoken has no clip.

        A line without words and a repeated text lack nothing, and what a further check left out was to be left out.
        """
        return any(one.severity == "left out" and one.kind not in _NOTHING_LACKING for one in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        findings = [asdict(one) for one in self.findings]
        return {"kept": self.kept, "hours": self.seconds / 3600, "others": self.others, "findings": findings}


def distill(
    texts: Path,
    folder: Path,
    card: TeacherCard,
    teacher: OpenTeacher,
    settings: DistillationSettings,
    check: Check | None = None,
    progress: Progress | None = None,
    *,
    judged: str = "",
) -> DistillationReport:
    """Have a teacher speak every text in every voice, and write what it says as a corpus.

    Started again it goes on: clips that are there are kept, bit for bit, and only what the teacher did not speak is
    asked for again. A clip that fails a check is listed, left out, and never stops the run. With another further check
    than before, clips that are there are judged again; what it left out is spoken again, also where there is none now.

    Args:
        texts: see `read_texts`.
        folder: the corpus; new, empty, or begun before with the same teacher.
        card: who speaks.
        teacher: opens it, once for each thread.
        settings: what is asked for.
        check: a further judgement of each clip.
        progress: told about every clip.
        judged: what the check asks for, in words: with other words it is another check.

    Raises:
        DataError: the texts or the folder cannot be used, the disk is full, the teacher failed for
            `settings.most_failures` texts in a row, or not one clip was kept.
    """
    rows, findings = read_texts(texts, settings.longest_text)
    with contextlib.closing(_CorpusFolder(folder, card, settings)) as corpus:
        report = DistillationReport(findings=list(findings))
        wanted = [(voice, row) for row in rows for voice in card.voices]
        _speak_all(wanted, corpus, texts, _Speaking(corpus, teacher, check, judged), settings, progress, report)
    return report


def _speak_all(
    wanted: Sequence[tuple[str, Text]],
    corpus: "_CorpusFolder",
    texts: Path,
    speaking: "_Speaking",
    settings: DistillationSettings,
    progress: Progress | None,
    report: DistillationReport,
) -> None:
    findings = list(report.findings)
    folder = corpus.folder
    earlier = corpus.outcomes()
    known, speaking.to_judge = corpus.settled(earlier, wanted, speaking.judged)
    for voice, row in wanted:
        before = earlier.get((voice, row.id))
        if before is not None and before.text != row.text:
            reason = f"it was '{before.text[:80]}' in an earlier run and is '{row.text[:80]}' now: spoken again"
            report.findings.append(warning("changed text", f"{voice}/{row.id}", reason))
            # Until it is spoken, no manifest may pair the clip, which can be either's, with the former text.
            earlier[voice, row.id] = _Outcome(voice, row.id, row.text, kind="not spoken", reason="its text is new")
    todo = [(voice, row) for voice, row in wanted if (voice, row.id) not in known]
    reused = len(wanted) - len(todo)

    def finish() -> tuple[int, list[_Outcome]]:
        return corpus.finish(earlier.values(), {(voice, row.id) for voice, row in wanted}, findings, texts.name)

    failed = 0
    try:
        for done, outcome in enumerate(speaking.all(todo, settings.jobs), 1):
            corpus.note(outcome)
            known[outcome.key] = earlier[outcome.key] = outcome
            failed = failed + 1 if outcome.kind == "not spoken" else 0
            if failed == settings.most_failures:
                raise DataError(
                    f"the teacher did not speak {failed} texts in a row, the last because: {outcome.reason}. Mend it "
                    f"and start again: the {sum(not one.kind for one in known.values())} clips in {folder} are kept"
                )
            if progress is not None:
                progress(reused + done, len(wanted), reused)
    except BaseException:
        with _undisturbed():
            speaking.stop()
            # What went wrong first says more than that the manifest cannot be written either.
            with contextlib.suppress(DataError):
                finish()
        raise
    with _undisturbed():
        speaking.stop()
        report.others, lost = finish()
    report.findings += [warning("lost", f"{one.voice}/{one.id}", _LOST) for one in lost]
    for outcome in (known[voice, row.id] for voice, row in wanted):
        if outcome.kind:
            report.findings.append(left_out(outcome.kind, f"{outcome.voice}/{outcome.id}", outcome.reason))
        else:
            report.kept += 1
            report.seconds += outcome.seconds
            if outcome.reason:
                report.findings.append(note("dealt with", f"{outcome.voice}/{outcome.id}", outcome.reason))
    if not report.kept:
        first = report.findings[-1].reason if report.findings else "there was none"
        raise DataError(f"not one clip could be kept, the last because: {first}. All reasons: {folder / _LEFT_OUT}")


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Let a second interrupt wait until the teachers are ended and the manifest is written, which is soon."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    requests = [one for one in signal.Signals if one.name in ("SIGINT", "SIGTERM", "SIGHUP")]
    before = {one: signal.signal(one, signal.SIG_IGN) for one in requests}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, signal.SIG_DFL if handler is None else handler)


class _CorpusFolder:
    """The folder that is written: claimed by `distillation.json`, never somebody's folder of other files.

    One process at a time writes it: the journal is locked until `close`, or until the process ends, however it ends.
    """

    def __init__(self, folder: Path, card: TeacherCard, settings: DistillationSettings) -> None:
        self.folder = folder
        self._language = settings.language
        self._journal = folder / _JOURNAL
        try:
            if folder.exists() and not folder.is_dir():
                raise DataError(f"{folder}: is a file; choose a folder")
            self._described(card)
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = self._journal.open("ab")
        except OSError as error:
            raise DataError(f"{folder}: cannot be written ({error.strerror})") from error
        try:
            if not try_lock(self._lock):
                raise DataError(f"{folder}: another run is writing this corpus; wait for it, or stop it")
            # Once more, since another run may have been at work until now.
            described = self._described(card)
            # First of all: whatever else is there, the folder is then known as a distillation's.
            self._card = {"format_version": _FORMAT, **described}
            self._write_card(in_progress=True)
            try:
                for voice in card.voices:
                    (folder / "wavs" / voice).mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise DataError(f"{folder}: cannot be written ({error.strerror})") from error
        except BaseException:
            self._lock.close()
            raise

    def _described(self, card: TeacherCard) -> dict[str, Any]:
        """Return what the card file is to say, or refuse a folder of something else."""
        described = {**asdict(card), "voices": sorted(card.voices), "language": self._language}
        begun = read_card(self.folder)
        if begun is None and self.folder.is_dir() and any(not self._is_begun(one) for one in self.folder.iterdir()):
            raise DataError(f"{self.folder}: holds files that no distillation wrote; choose an empty or a new folder")
        if begun is not None:
            for key, value in described.items():
                is_same = begun.get(key) == value or (
                    key == "language" and resolve_language(str(begun.get(key))) == resolve_language(value)
                )
                if key != "voices" and not is_same:
                    raise DataError(
                        f"{self.folder}: was begun with {key} '{begun.get(key)}', not '{value}'; choose another folder"
                    )
            described["voices"] = sorted({*begun.get("voices", ()), *card.voices})
        return described

    def _is_begun(self, path: Path) -> bool:
        """Whether a file is what a run leaves that was killed, or found the disk full, before the card was written."""
        if path.name.startswith(f".{CARD_FILE}.") and path.name.endswith(".part"):
            return True
        return path == self._journal and path.is_file() and not path.stat().st_size

    def close(self) -> None:
        """Let others write it."""
        self._lock.close()

    def path(self, voice: str, identifier: str) -> Path:
        """Return where a clip lies."""
        return self.folder / "wavs" / voice / f"{identifier}.flac"

    def outcomes(self) -> dict[tuple[str, str], _Outcome]:
        """Return what became last of every text in every voice, in the order in which they first came up."""
        return {outcome.key: outcome for outcome in self._lines()}

    def settled(
        self, earlier: Mapping[tuple[str, str], _Outcome], wanted: Sequence[tuple[str, Text]], judged: str | None
    ) -> tuple[dict[tuple[str, str], _Outcome], dict[tuple[str, str], _Outcome]]:
        """Return what earlier runs settled of what is wanted, and the clips that are there and are still to be judged.

        Args:
            earlier: what became of texts.
            wanted: the texts in the voices that are asked for.
            judged: what this run's further check asks for; None: there is none.
        """
        known: dict[tuple[str, str], _Outcome] = {}
        to_judge: dict[tuple[str, str], _Outcome] = {}
        for voice, row in wanted:
            outcome = earlier.get((voice, row.id))
            if outcome is None or outcome.text != row.text or not outcome.is_final:
                continue
            is_judged = outcome.checked and outcome.judged == judged
            if outcome.kind:
                if outcome.kind != "misread" or is_judged:
                    known[outcome.key] = outcome
            elif self._is_there(outcome):
                (known if judged is None or is_judged else to_judge)[outcome.key] = outcome
        return known, to_judge

    def _is_there(self, outcome: _Outcome) -> bool:
        try:
            size = self.path(outcome.voice, outcome.id).stat().st_size
        except OSError:
            return False
        # A machine that went down may have left a file without its content.
        return size == outcome.size if outcome.size else size > 0

    def _lines(self) -> Iterator[_Outcome]:
        if not self._journal.is_file():
            return
        with _readable(self._journal), self._journal.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                # The last line of a run that was killed may be half a line.
                try:
                    outcome = _Outcome(**json.loads(line))
                except (ValueError, TypeError):
                    continue
                if all(isinstance(one, str) for one in (*outcome.key, outcome.text, outcome.kind, outcome.reason)):
                    yield outcome

    def note(self, outcome: _Outcome) -> None:
        """Add a line to the journal."""
        line = json.dumps(asdict(outcome), ensure_ascii=False) + "\n"
        try:
            with self._journal.open("ab") as file:
                # A line that was cut off by a kill is ended first.
                if file.tell() and not self._ends_with_newline():
                    line = "\n" + line
                file.write(_encoded(line))
        except OSError as error:
            raise DataError(_unwritable(self._journal, error)) from error

    def _ends_with_newline(self) -> bool:
        with self._journal.open("rb") as file:
            file.seek(-1, 2)
            return file.read(1) == b"\n"

    def finish(
        self,
        outcomes: Iterable[_Outcome],
        wanted: Collection[tuple[str, str]],
        findings: Sequence[Finding],
        texts: str,
    ) -> tuple[int, list[_Outcome]]:
        """Write the manifest and the list of what was left out, of all runs.

        Args:
            outcomes: of every text in every voice that ever was asked for.
            wanted: keys of those that this run asked for.
            findings: about lines of this run's file of texts.
            texts: that file's name.

        Returns:
            Clips of other runs, and outcomes whose clips are gone.
        """
        kept: list[dict[str, str]] = []
        lost: list[_Outcome] = []
        others = 0
        out = self._lines_left_out_before(texts)
        out += [
            {"line": one.subject, "kind": one.kind, "reason": one.reason}
            for one in findings
            if one.severity == "left out"
        ]
        for outcome in outcomes:
            if outcome.kind:
                out.append({name: getattr(outcome, name) for name in ("voice", "id", "kind", "reason", "text")})
            elif self._is_there(outcome):
                audio = self.path(outcome.voice, outcome.id).relative_to(self.folder).as_posix()
                row = {"audio": audio, "text": outcome.text, "speaker": outcome.voice, "language": self._language}
                kept.append(row)
                others += outcome.key not in wanted
            else:
                lost.append(outcome)
                row = {"voice": outcome.voice, "id": outcome.id, "kind": "lost", "reason": _LOST, "text": outcome.text}
                out.append(row)
        for name, rows in ((_METADATA, kept), (_LEFT_OUT, out)):
            self._write(name, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
        # Last: until then, the manifest may lack clips, or pair one with a former text.
        self._write_card(in_progress=False)
        return others, lost

    def _write_card(self, *, in_progress: bool) -> None:
        self._write(
            CARD_FILE, json.dumps({**self._card, _IN_PROGRESS: in_progress}, ensure_ascii=False, indent=1) + "\n"
        )

    def _lines_left_out_before(self, texts: str) -> list[dict[str, str]]:
        """Return what the list says of lines of other files of texts."""
        path = self.folder / _LEFT_OUT
        if not path.is_file():
            return []
        with _readable(path), path.open("rb") as stream:
            rows = [row for _, row in json_rows(text_lines(stream, UTF_8)) if isinstance(row, dict)]
        return [row for row in rows if "line" in row and not str(row["line"]).startswith(f"{texts}, line ")]

    def _write(self, name: str, content: str) -> None:
        with replacing(self.folder / name, DataError) as file:
            file.write(_encoded(content))


class _Speaking:
    """Threads that ask the teacher, each through a teacher of its own."""

    def __init__(self, corpus: _CorpusFolder, teacher: OpenTeacher, check: Check | None, judged: str) -> None:
        self._corpus, self._teacher, self._check = corpus, teacher, check
        self.judged = None if check is None else judged
        """What the further check asks for; None: there is none."""
        self.to_judge: dict[tuple[str, str], _Outcome] = {}
        """Clips that are there, which are judged and not spoken again."""
        self._own = threading.local()
        self._opened: list[Teacher] = []
        self._opening = threading.Lock()
        self._stopped = False
        self._pool: ThreadPoolExecutor | None = None

    def all(self, wanted: Sequence[tuple[str, Text]], jobs: int) -> Iterator[_Outcome]:
        """Yield the outcomes in order, a few clips ahead of who takes them."""
        self._pool = ThreadPoolExecutor(jobs)
        futures: deque[Future[_Outcome]] = deque()
        remaining = iter(wanted)
        while True:
            while len(futures) < jobs * _WAITING_PER_THREAD:
                try:
                    voice, row = next(remaining)
                except StopIteration:
                    break
                futures.append(self._pool.submit(self._one, voice, row))
            if not futures:
                return
            yield futures.popleft().result()

    def stop(self) -> None:
        """End the teachers, whatever they are at, and the threads."""
        with self._opening:
            self._stopped = True
            opened = tuple(self._opened)
        for teacher in opened:
            teacher.stop()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        for teacher in opened:
            teacher.close()

    def _one(self, voice: str, row: Text) -> _Outcome:
        before = self.to_judge.get((voice, row.id))
        if before is not None and (again := self._judged_again(before)) is not None:
            return again
        seed = int.from_bytes(hashlib.sha256(f"{voice}\n{row.id}\n{row.text}".encode()).digest()[:4], "big") >> 1
        try:
            samples, rate, channels = self._mine().speak(Request(row.text, voice, seed))
        except TeacherError as error:
            return _Outcome(voice, row.id, row.text, kind="not spoken", reason=str(error))
        wrong = check_speech(samples, rate, row.text)
        if wrong is None and self._check is not None:
            found = self._check(samples, rate, row.text)
            wrong = None if found is None else ("misread", found)
        path = self._corpus.path(voice, row.id)
        if wrong is not None:
            _remove(path)
            judged = wrong[0] == "misread"
            return _Outcome(
                voice, row.id, row.text, 0.0, *wrong, checked=judged, judged=(self.judged or "") if judged else ""
            )
        peak = float(np.abs(samples).max())
        dealt = [f"{channels} channels, mixed to one"] if channels > 1 else []
        if peak > 1.0:
            dealt.append(f"brought down to full scale, which it exceeded {peak:.2f} times")
        try:
            write_audio(path, samples * min(1.0, _FULL_SCALE / peak), rate)
        except GlowvoxError as error:
            raise DataError(f"{error}; what is there is kept, start again to go on") from error
        return _Outcome(
            voice,
            row.id,
            row.text,
            seconds=len(samples) / rate,
            reason="; ".join(dealt),
            checked=self._check is not None,
            judged=self.judged or "",
            size=path.stat().st_size,
        )

    def _judged_again(self, before: _Outcome) -> _Outcome | None:
        """Return what the further check says of a clip that is there; None: it cannot be read."""
        path = self._corpus.path(before.voice, before.id)
        try:
            samples, rate = read_audio(path)
        except GlowvoxError:
            return None
        found = None if self._check is None else self._check(samples, rate, before.text)
        judged = replace(before, checked=True, judged=self.judged or "")
        if found is None:
            return judged
        _remove(path)
        return replace(judged, seconds=0.0, kind="misread", reason=found, size=0)

    def _mine(self) -> Teacher:
        mine: Teacher | None = getattr(self._own, "teacher", None)
        if mine is None:
            with self._opening:
                if self._stopped:
                    raise TeacherError("the run was stopped")
                mine = self._own.teacher = self._teacher()
                self._opened.append(mine)
        return mine


_LOWEST_RATE = 8000
_SHORTEST, _FASTEST, _SLOWEST = 0.15, 40.0, 2.5
"""Seconds of any clip; characters a second that nobody reaches, and that nobody falls below but for a pause."""
_LONGEST_PAUSES = 4.0
_FRAME_SECONDS = 0.02
_LEAST_VARIATION_DB = 12.0
"""From its loudest to its quietest twentieth, speech varies by 30 dB and more; noise, hum and tones by a few."""


def check_speech(samples: NDArray[np.float32], rate: int, text: str) -> tuple[str, str] | None:
    """Return `(kind, reason)` for a clip that cannot be speech of its text, None for one that can.

    Args:
        samples: `[S]`, full scale 1.
        rate: in Hz.
        text: what was to be said.
    """
    seconds = len(samples) / rate
    characters = sum(_READING.get(character, 1 if character.isalnum() else 0) for character in text)
    if rate < _LOWEST_RATE:
        return "too low a rate", f"{rate} Hz, at least {_LOWEST_RATE} are needed"
    if not _fits_flac(rate):
        return "an odd rate", f"{rate} Hz, which a FLAC file cannot hold"
    if not np.isfinite(samples).all():
        return "not finite", f"{np.count_nonzero(~np.isfinite(samples))} samples are NaN or infinite"
    if seconds < _SHORTEST:
        return "empty", f"{seconds:.2f} s of sound"
    if float(np.abs(samples).max()) < QUIETEST_PEAK:
        return "silent", f"its loudest sample is {float(np.abs(samples).max()):.5f} of full scale"
    clipped = clipped_share(samples)
    if clipped > MOST_CLIPPED:
        return "clipped", f"{clipped:.2%} of the samples are cut off"
    if seconds < characters / _FASTEST:
        return "too short", f"{seconds:.2f} s for {len(text)} characters: something is missing"
    if seconds > characters / _SLOWEST + _LONGEST_PAUSES:
        return "too long", f"{seconds:.1f} s for {len(text)} characters"
    frame = round(_FRAME_SECONDS * rate)
    frames = samples[: len(samples) // frame * frame].reshape(-1, frame)
    levels = 10 * np.log10(np.square(frames, dtype=np.float64).mean(1) + 1e-10)
    quiet, loud = np.percentile(levels, (5, 95))
    if loud - quiet < _LEAST_VARIATION_DB:
        return "no speech", f"a steady sound: its level varies by {loud - quiet:.1f} dB only"
    return None


def _fits_flac(rate: int) -> bool:
    """Whether a FLAC frame has a way to write a rate: in Hz, or in tens of Hz, with 16 bits."""
    return rate < 1 << 16 or (rate % 10 == 0 and rate // 10 < 1 << 16)


_READING = {**dict.fromkeys("0123456789", 4), **dict.fromkeys("$€£%&+=@", 5)}
"""Letters that a figure or a sign stands for when it is read, on average."""


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); nothing is lost, start again to go on") from error


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"{path}: cannot be removed ({error.strerror}); start again to go on") from error


def _encoded(lines: str) -> bytes:
    r"""Return JSON as UTF-8; what is no letter, as in a file name's or an error's odd bytes, as `\udcXX`."""
    return lines.encode("utf-8", "backslashreplace")


def _unwritable(path: Path, error: OSError) -> str:
    why = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
    return f"cannot write {path}: {why}; what is there is kept, start again to go on"


def read_card(folder: Path) -> dict[str, Any] | None:
    """Return what `distillation.json` says of a corpus' teacher, None for a corpus of recordings.

    Raises:
        DataError: the file is damaged, or of a newer version.
    """
    path = folder / CARD_FILE
    if not path.is_file():
        return None
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from error
    named = ("teacher", "version", "licence")
    voices = card.get("voices", []) if isinstance(card, dict) else None
    if not (
        isinstance(card, dict)
        and all(isinstance(card.get(key), str) for key in named)
        and isinstance(voices, list)
        and all(isinstance(voice, str) for voice in voices)
    ):
        raise DataError(f"{path}: does not name a teacher, its version and licence; the file is damaged")
    if card.get("format_version") != _FORMAT:
        raise DataError(f"{path}: format version {card.get('format_version')} is not known; update Glowvox")
    return card


def require_finished(source: Path) -> None:
    """Refuse a corpus whose distillation goes on or was killed, since its manifest is not that of its clips.

    Args:
        source: a corpus' folder, or a manifest; of recordings too, of which nothing is asked.

    Raises:
        DataError: it is to be waited for, or started again; or its card is damaged, or of a newer version.
    """
    folder = source if source.is_dir() else source.parent
    if not source.is_dir() and source.name != _METADATA:
        return
    card = read_card(folder)
    # Corpora of older versions do not say it; one that was killed before its end had no manifest yet.
    if card is None or not card.get(_IN_PROGRESS, not (folder / _METADATA).exists()):
        return
    try:
        with (folder / _JOURNAL).open("rb") as journal:
            is_running = not try_lock(journal)
    except OSError:
        is_running = False
    if is_running:
        raise DataError(
            f"{folder}: 'glowvox distill' is still writing this corpus; wait for its end, or stop it with Ctrl-C, "
            "which completes the list of what is there"
        )
    raise DataError(
        f"{folder}: its distillation was ended before its list of clips was complete; start the same 'glowvox distill' "
        "again: it goes on, and completes the list also where it is stopped with Ctrl-C"
    )
