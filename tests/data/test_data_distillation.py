"""Distillation: what a teacher says becomes a corpus, whatever the teacher does; a run that was stopped goes on."""

import contextlib
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import soundfile

from glowvox.config.audio import AudioConfig
from glowvox.data.corpora import read_corpus
from glowvox.data.distillation import (
    DistillationSettings,
    TeacherCard,
    check_speech,
    distill,
    read_card,
)
from glowvox.data.preparation import PrepareSettings, prepare_corpus
from glowvox.data.prepared import PreparedData
from glowvox.data.teachers import (
    OpenTeacher,
    Request,
    Speech,
    Teacher,
    TeacherError,
)
from glowvox.errors import ConfigError, DataError
from glowvox.evaluate.clips import spoken_files

CARD = TeacherCard("Stub", "1.0", "CC0-1.0", ("ann", "bob"))
RATE = 22050


def buzz(seconds: float, seed: int) -> np.ndarray:
    """Sound that comes and goes, as speech does."""
    rng = np.random.default_rng(seed)
    time_ = np.arange(int(seconds * RATE)) / RATE
    sound = 0.3 * np.sin(2 * np.pi * (120 + seed % 50) * time_) * np.sin(2 * np.pi * 2 * time_) ** 2
    return (sound + 0.001 * rng.standard_normal(len(time_))).astype(np.float32)


def _texts(folder: Path, *lines: str, name: str = "texts.txt") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


class _Scripted(Teacher):
    """Speaks by a function of the request, and counts."""

    asked: ClassVar[list[Request]] = []

    def __init__(self, answer=None):
        self._answer = answer or (lambda request: (buzz(0.08 * len(request.text), request.seed), RATE, 1))

    def speak(self, request: Request) -> Speech:
        _Scripted.asked.append(request)
        return self._answer(request)


def _scripted(answer=None) -> OpenTeacher:
    _Scripted.asked = []
    return lambda: _Scripted(answer)


def _content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "journal.jsonl"
    }


def test_a_corpus_that_prepare_reads(tmp_path: Path) -> None:
    texts = _texts(tmp_path, "one|The first of all.", "two|And the second one.", name="texts.csv")
    report = distill(texts, tmp_path / "corpus", CARD, _scripted(), DistillationSettings())
    assert report.kept == 4
    corpus = read_corpus(tmp_path / "corpus")
    assert [(one.speaker, one.text) for one in corpus.utterances] == [
        ("ann", "The first of all."),
        ("ann", "And the second one."),
        ("bob", "The first of all."),
        ("bob", "And the second one."),
    ]
    assert corpus.findings == []
    prepare_corpus(tmp_path / "corpus", tmp_path / "data", PrepareSettings(validation=0.5))
    data = PreparedData(tmp_path / "data")
    assert data.teachers == [
        {"teacher": "Stub", "version": "1.0", "licence": "CC0-1.0", "voices": ["ann", "bob"]},
    ]
    assert data.speakers == ("ann", "bob")


def test_a_corpus_of_recordings_has_no_teacher(tmp_path: Path) -> None:
    (tmp_path / "wavs").mkdir()
    for name in ("a", "b"):
        soundfile.write(tmp_path / "wavs" / f"{name}.wav", buzz(1.0, len(name)), RATE)
    (tmp_path / "metadata.csv").write_text("a|One thing.\nb|Another thing.\n")
    prepare_corpus(tmp_path, tmp_path.parent / f"{tmp_path.name}-data", PrepareSettings(validation=0.5))
    assert PreparedData(tmp_path.parent / f"{tmp_path.name}-data").teachers == []


def test_threads_and_interruptions_change_nothing(tmp_path: Path) -> None:
    texts = _texts(tmp_path, *(f"This is sentence number {number} of them all." for number in range(12)))
    distill(texts, tmp_path / "whole", CARD, _scripted(), DistillationSettings())
    whole = _content(tmp_path / "whole")
    distill(texts, tmp_path / "threads", CARD, _scripted(), DistillationSettings(jobs=3))
    assert _content(tmp_path / "threads") == whole

    spoken = 0

    def interrupted(request: Request) -> Speech:
        nonlocal spoken
        spoken += 1
        if spoken == 9:
            raise KeyboardInterrupt
        return buzz(0.08 * len(request.text), request.seed), RATE, 1

    with pytest.raises(KeyboardInterrupt):
        distill(texts, tmp_path / "parts", CARD, _scripted(interrupted), DistillationSettings())
    before = _content(tmp_path / "parts")
    # What a kill can leave: half a line, half a file, and a clip that is gone.
    with (tmp_path / "parts" / "journal.jsonl").open("a") as file:
        file.write('{"voice": "ann", "id"')
    (tmp_path / "parts" / "wavs" / "ann" / ".x.flac.1234.part").write_bytes(b"fLaC")
    gone = next(name for name in before if name.endswith(".flac"))
    (tmp_path / "parts" / gone).unlink()
    teacher = _scripted()
    distill(texts, tmp_path / "parts", CARD, teacher, DistillationSettings(jobs=2))
    (tmp_path / "parts" / "wavs" / "ann" / ".x.flac.1234.part").unlink()
    assert _content(tmp_path / "parts") == whole
    assert len(_Scripted.asked) == 24 - 8 + 1
    distill(texts, tmp_path / "parts", CARD, _scripted(), DistillationSettings())
    assert _Scripted.asked == []


def test_more_texts_and_voices_are_added(tmp_path: Path) -> None:
    texts = _texts(tmp_path, "The first of all sentences.", "The second of all sentences.")
    corpus = tmp_path / "corpus"
    alone = TeacherCard("Stub", "1.0", "CC0-1.0", ("ann",))
    distill(texts, corpus, alone, _scripted(), DistillationSettings())
    _texts(tmp_path, "A sentence before the first.", "The second of all sentences.", "The first of all sentences.")
    distill(texts, corpus, CARD, _scripted(), DistillationSettings())
    assert sorted((one.voice, one.text[:8]) for one in _Scripted.asked) == [
        ("ann", "A senten"),
        ("bob", "A senten"),
        ("bob", "The firs"),
        ("bob", "The seco"),
    ]
    card = read_card(corpus)
    assert card is not None
    assert card["voices"] == ["ann", "bob"]


def test_the_manifest_names_the_clips_of_all_runs(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    ann, bob = (TeacherCard("Stub", "1.0", "CC0-1.0", (voice,)) for voice in ("ann", "bob"))

    def moody(request: Request) -> Speech:
        if "wrong" in request.text:
            return np.zeros(RATE, np.float32), RATE, 1
        return buzz(0.08 * len(request.text), request.seed), RATE, 1

    first = _texts(tmp_path, "a|What is right here.", "b|What is wrong here.", "no bar", name="first.csv")
    second = _texts(tmp_path, "c|Something else again.", "no bar here", name="second.csv")
    distill(first, corpus, ann, _scripted(moody), DistillationSettings())
    assert distill(first, corpus, bob, _scripted(moody), DistillationSettings()).others == 1
    report = distill(second, corpus, bob, _scripted(moody), DistillationSettings())
    assert (report.kept, report.others) == (1, 2)
    assert [one.id for one in read_corpus(corpus).utterances] == ["wavs/ann/a", "wavs/bob/a", "wavs/bob/c"]
    rows = [json.loads(line) for line in (corpus / "left-out.jsonl").read_text().splitlines()]
    assert [row.get("line", row.get("voice")) for row in rows] == [
        "first.csv, line 3",
        "second.csv, line 2",
        "ann",
        "bob",
    ]
    before = _content(corpus)
    distill(second, corpus, bob, _scripted(moody), DistillationSettings())
    assert _content(corpus) == before


def test_one_run_at_a_time(tmp_path: Path) -> None:
    texts = _texts(tmp_path, "The first of all sentences.")
    corpus = tmp_path / "corpus"

    def meanwhile(request: Request) -> Speech:
        script = (
            f"import fcntl; fcntl.flock(open({str(corpus / 'journal.jsonl')!r}, 'ab'), fcntl.LOCK_EX | fcntl.LOCK_NB)"
        )
        other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
        assert "BlockingIOError" in other.stderr
        with pytest.raises(DataError, match="another run is writing this corpus"):
            distill(texts, corpus, CARD, lambda: _Scripted(), DistillationSettings())
        return buzz(0.08 * len(request.text), request.seed), RATE, 1

    distill(
        texts, corpus, TeacherCard("Stub", "1.0", "CC0-1.0", ("ann",)), _scripted(meanwhile), DistillationSettings()
    )
    card = read_card(corpus)
    assert card is not None
    assert card["voices"] == ["ann"]
    distill(texts, corpus, CARD, _scripted(), DistillationSettings())


def test_an_unfinished_corpus_is_not_prepared(tmp_path: Path) -> None:
    """Its journal looks like a list of recordings, without the voices and with what the last run said before."""
    corpus, killed = tmp_path / "corpus", tmp_path / "killed"
    texts = _texts(tmp_path, "one|This is the first one.", "two|This is the second one.", name="texts.csv")
    told: list[str] = []

    def meanwhile(request: Request) -> Speech:
        if not killed.exists() and len(list(corpus.rglob("*.flac"))) == 2:
            shutil.copytree(corpus, killed)
            for source in (corpus, corpus / "metadata.jsonl"):
                with pytest.raises(DataError) as caught:
                    prepare_corpus(source, tmp_path / "data", PrepareSettings())
                told.append(str(caught.value))
        return buzz(0.08 * len(request.text), request.seed), RATE, 1

    distill(texts, corpus, CARD, _scripted(), DistillationSettings())
    _texts(tmp_path, "one|This is another first one.", "two|This is the second one.", name="texts.csv")
    (corpus / "wavs" / "ann" / "one.flac").unlink()
    (corpus / "wavs" / "ann" / "two.flac").unlink()
    distill(texts, corpus, CARD, _scripted(meanwhile), DistillationSettings())
    assert len(told) == 2
    assert all("still writing this corpus; wait for its end, or stop it" in line for line in told)
    assert not (tmp_path / "data").exists()
    prepare_corpus(corpus, tmp_path / "data", PrepareSettings(validation=0.5))
    with pytest.raises(DataError, match="was complete; start the same 'glowvox distill' again"):
        prepare_corpus(killed, tmp_path / "other", PrepareSettings())
    with pytest.raises(DataError, match="was complete"):
        spoken_files(killed, AudioConfig())
    distill(texts, killed, CARD, _scripted(), DistillationSettings())
    prepare_corpus(killed, tmp_path / "other", PrepareSettings(validation=0.5))
    assert PreparedData(tmp_path / "other").speakers == ("ann", "bob")


def test_a_corpus_of_an_older_version_says_nothing_of_its_progress(tmp_path: Path) -> None:
    corpus, texts = tmp_path / "corpus", _texts(tmp_path, "The first of them all.", "And the second of them.")
    distill(texts, corpus, CARD, _scripted(), DistillationSettings())
    card = json.loads((corpus / "distillation.json").read_text())
    assert card.pop("in_progress") is False
    (corpus / "distillation.json").write_text(json.dumps(card))
    prepare_corpus(corpus, tmp_path / "data", PrepareSettings(validation=0.5))
    (corpus / "metadata.jsonl").unlink()
    with pytest.raises(DataError, match="was complete"):
        prepare_corpus(corpus, tmp_path / "data", PrepareSettings(validation=0.5))


def test_a_changed_text_is_spoken_again(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    distill(_texts(tmp_path, "a|One thing only.", name="t.csv"), corpus, CARD, _scripted(), DistillationSettings())
    report = distill(
        _texts(tmp_path, "a|Another thing.", name="t.csv"), corpus, CARD, _scripted(), DistillationSettings()
    )
    assert [(one.kind, one.subject) for one in report.findings] == [
        ("changed text", "ann/a"),
        ("changed text", "bob/a"),
    ]
    assert len(_Scripted.asked) == 2
    assert {one.text for one in read_corpus(corpus).utterances} == {"Another thing."}


@pytest.mark.parametrize(
    ("samples", "kind"),
    [
        (np.zeros(RATE, np.float32), "silent"),
        (np.zeros(100, np.float32), "empty"),
        (np.full(RATE, np.nan, np.float32), "not finite"),
        (0.1 * np.random.default_rng(1).standard_normal(RATE).astype(np.float32), "no speech"),
        (0.3 * np.sin(np.arange(RATE) * 0.05).astype(np.float32), "no speech"),
        (np.clip(4 * buzz(1.5, 3), -0.5, 0.5), "clipped"),
        (buzz(0.2, 3), "too short"),
        (buzz(20.0, 3), "too long"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_clip_that_fails_is_listed_and_left_out(tmp_path: Path, samples: np.ndarray, kind: str) -> None:
    def answer(request: Request) -> Speech:
        if "wrong" in request.text:
            return samples, RATE, 1
        return buzz(0.08 * len(request.text), request.seed), RATE, 1

    texts = _texts(tmp_path, "a|What is right here.", "b|What is wrong here.", name="t.csv")
    card = TeacherCard("Stub", "1.0", "CC0-1.0", ("ann",))
    report = distill(texts, tmp_path / "corpus", card, _scripted(answer), DistillationSettings())
    assert report.kept == 1
    rows = [json.loads(line) for line in (tmp_path / "corpus" / "left-out.jsonl").read_text().splitlines()]
    assert [(row["id"], row["kind"]) for row in rows] == [("b", kind)]
    assert [path.name for path in (tmp_path / "corpus" / "wavs" / "ann").iterdir()] == ["a.flac"]


@pytest.mark.parametrize("rate", [800_000, 655_360, 96_001, 65_536])
def test_a_rate_that_no_file_holds_is_listed_and_the_run_goes_on(tmp_path: Path, rate: int) -> None:
    def answer(request: Request) -> Speech:
        sound = buzz(0.08 * len(request.text), request.seed)
        return (sound, RATE, 1) if "right" in request.text else (np.repeat(sound, rate // RATE), rate, 1)

    texts = _texts(tmp_path, "An odd rate, this is.", "A right rate, this is.")
    card = TeacherCard("Stub", "1.0", "CC0-1.0", ("ann",))
    report = distill(texts, tmp_path / "corpus", card, _scripted(answer), DistillationSettings())
    assert (report.kept, [one.kind for one in report.findings], report.is_partial) == (1, ["an odd rate"], True)


@pytest.mark.parametrize("rate", [8000, 44_100, 65_535, 65_540, 96_000, 192_000, 655_350])
def test_other_rates_are_written(tmp_path: Path, rate: int) -> None:
    sound = np.repeat(buzz(1.5, 1), max(1, rate // RATE))[: int(1.5 * rate)]
    texts = _texts(tmp_path, "Some rate, this is.")
    card = TeacherCard("Stub", "1.0", "CC0-1.0", ("ann",))
    assert distill(texts, tmp_path / "corpus", card, _scripted(lambda _: (sound, rate, 1)), DistillationSettings()).kept


@pytest.mark.parametrize("left", [0, 100])
def test_a_clip_that_lost_its_content_is_spoken_again(tmp_path: Path, left: int) -> None:
    texts = _texts(tmp_path, "a|One thing only.", "b|Another thing.", name="t.csv")
    card = TeacherCard("Stub", "1.0", "CC0-1.0", ("ann",))
    distill(texts, tmp_path / "corpus", card, _scripted(), DistillationSettings())
    clip = tmp_path / "corpus" / "wavs" / "ann" / "a.flac"
    whole = clip.read_bytes()
    clip.write_bytes(whole[:left])
    distill(texts, tmp_path / "corpus", card, _scripted(), DistillationSettings())
    assert [one.text for one in _Scripted.asked] == ["One thing only."]
    assert clip.read_bytes() == whole


def test_ids_and_voices_that_are_long_in_bytes_only(tmp_path: Path) -> None:
    texts = _texts(tmp_path, "\u6f22" * 95 + "|One.", "\u6f22" * 80 + "|A second thing.", name="t.csv")
    card = TeacherCard("Stub", "1.0", "CC0-1.0", ("\u6f22" * 80,))
    report = distill(texts, tmp_path / "corpus", card, _scripted(), DistillationSettings())
    assert (report.kept, [one.kind for one in report.findings]) == (1, ["malformed line"])
    with pytest.raises(ConfigError, match="240 bytes"):
        TeacherCard("Stub", "1.0", "CC0-1.0", ("\u6f22" * 95,))


def test_real_speech_passes_the_checks(shared: Path) -> None:
    rows = (shared / "speech" / "ljspeech-sample" / "metadata.csv").read_text(encoding="utf-8").splitlines()
    for row in rows:
        name, text = row.split("|")[:2]
        samples, rate = soundfile.read(shared / "speech" / "ljspeech-sample" / "wavs" / f"{name}.wav", dtype="float32")
        assert check_speech(samples, rate, text) is None, name


@pytest.mark.parametrize(
    ("text", "seconds"), [("No.", 0.4), ("12:45, 1999 and $3.50", 4.0), ("Well then. [silence]", 6.0), ("H", 0.3)]
)
def test_short_and_numeric_texts_pass(text: str, seconds: float) -> None:
    assert check_speech(buzz(seconds, 1), RATE, text) is None


def test_a_further_check_leaves_out_and_removes(tmp_path: Path) -> None:
    texts = _texts(tmp_path, "a|Quite right here.", "b|Quite wrong here.", name="t.csv")
    card = TeacherCard("Stub", "1.0", "CC0-1.0", ("ann",))
    corpus = tmp_path / "corpus"
    distill(texts, corpus, card, _scripted(), DistillationSettings())
    assert (corpus / "wavs" / "ann" / "b.flac").is_file()

    def check(samples: np.ndarray, rate: int, text: str) -> str | None:
        return "heard something else" if "wrong" in text else None

    report = distill(texts, corpus, card, _scripted(), DistillationSettings(), check)
    assert not report.is_partial
    assert [(one.kind, one.reason) for one in report.findings] == [("misread", "heard something else")]
    assert not (corpus / "wavs" / "ann" / "b.flac").exists()
    # Judged once is judged; what is there is not spoken again to be judged.
    assert _Scripted.asked == []
    distill(texts, corpus, card, _scripted(), DistillationSettings(), check)
    assert _Scripted.asked == []
    # Without the check, and with another one, the corpus is what such a run would have made at once.
    assert distill(texts, corpus, card, _scripted(), DistillationSettings()).kept == 2
    assert [one.text for one in _Scripted.asked] == ["Quite wrong here."]
    assert distill(texts, corpus, card, _scripted(), DistillationSettings(), check, judged="strictly").kept == 1
    assert _Scripted.asked == []
    mild = distill(texts, corpus, card, _scripted(), DistillationSettings(), lambda *_: None, judged="mildly")
    assert mild.kept == 2
    assert [one.text for one in _Scripted.asked] == ["Quite wrong here."]


def test_what_is_not_spoken_is_asked_for_again(tmp_path: Path) -> None:
    def moody(request: Request) -> Speech:
        if "wrong" in request.text:
            raise TeacherError("not in the mood")
        return buzz(0.08 * len(request.text), request.seed), RATE, 1

    texts = _texts(tmp_path, "What is right here.", "What is wrong here.")
    card = TeacherCard("Stub", "1.0", "CC0-1.0", ("ann",))
    report = distill(texts, tmp_path / "corpus", card, _scripted(moody), DistillationSettings())
    assert [(one.kind, one.reason) for one in report.findings] == [("not spoken", "not in the mood")]
    assert distill(texts, tmp_path / "corpus", card, _scripted(), DistillationSettings()).kept == 2
    assert [one.text for one in _Scripted.asked] == ["What is wrong here."]


def test_a_teacher_that_fails_in_a_row_ends_the_run(tmp_path: Path) -> None:
    def dying(request: Request) -> Speech:
        if len(_Scripted.asked) > 3:
            raise TeacherError("gone")
        return buzz(0.08 * len(request.text), request.seed), RATE, 1

    texts = _texts(tmp_path, *(f"This is sentence number {number}." for number in range(30)))
    card = TeacherCard("Stub", "1.0", "CC0-1.0", ("ann",))
    with pytest.raises(DataError, match=r"did not speak 5 texts in a row, the last because: gone.*the 3 clips"):
        distill(texts, tmp_path / "corpus", card, _scripted(dying), DistillationSettings(most_failures=5))
    assert len(read_corpus(tmp_path / "corpus").utterances) == 3
    assert distill(texts, tmp_path / "corpus", card, _scripted(), DistillationSettings()).kept == 30


def test_a_full_disk_is_one_line_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import glowvox.data.distillation as module
    from glowvox.errors import AudioError

    real, written = module.write_audio, []

    def full(path: Path, samples: np.ndarray, rate: int) -> None:
        if len(written) == 2:
            raise AudioError(f"cannot write {path}: the disk is full")
        written.append(path)
        real(path, samples, rate)

    monkeypatch.setattr(module, "write_audio", full)
    texts = _texts(tmp_path, *(f"This is sentence number {number}." for number in range(4)))
    card = TeacherCard("Stub", "1.0", "CC0-1.0", ("ann",))
    with pytest.raises(DataError, match="the disk is full; what is there is kept, start again to go on"):
        distill(texts, tmp_path / "corpus", card, _scripted(), DistillationSettings())
    monkeypatch.undo()
    # Where the manifest cannot be written either, the first line is the one that helps.
    written.clear()
    monkeypatch.setattr(module, "write_audio", full)
    monkeypatch.setattr(module, "_METADATA", "no-such-folder/metadata.jsonl")
    distilled = tmp_path / "other"
    with pytest.raises(DataError, match="the disk is full; what is there is kept, start again to go on"):
        distill(texts, distilled, card, _scripted(), DistillationSettings())
    monkeypatch.undo()
    distill(texts, tmp_path / "corpus", card, _scripted(), DistillationSettings())
    assert len(_Scripted.asked) == 2


@pytest.mark.parametrize("left", [("journal.jsonl", ".distillation.json.0a1b.part"), (".distillation.json.0a1b.part",)])
def test_a_run_that_ended_before_its_card_was_written_goes_on(tmp_path: Path, left: tuple[str, ...]) -> None:
    texts, corpus = _texts(tmp_path, "One sentence to be spoken."), tmp_path / "corpus"
    corpus.mkdir()
    for name in left:
        (corpus / name).touch()
    assert distill(texts, corpus, CARD, _scripted(), DistillationSettings()).kept == 2


def test_a_disk_that_is_full_from_the_first_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts, corpus = _texts(tmp_path, "One sentence to be spoken."), tmp_path / "corpus"

    @contextlib.contextmanager
    def full(path: Path, error: type[DataError]) -> Iterator[None]:
        raise error(f"cannot write {path}: No space left on device")
        yield

    monkeypatch.setattr("glowvox.data.distillation.replacing", full)
    with pytest.raises(DataError, match="No space left"):
        distill(texts, corpus, CARD, _scripted(), DistillationSettings())
    monkeypatch.undo()
    assert distill(texts, corpus, CARD, _scripted(), DistillationSettings()).kept == 2


def test_odd_letters_in_reasons_ids_and_names(tmp_path: Path) -> None:
    """What is no Unicode is written as an escape, which JSON reads back."""

    def moody(request: Request) -> Speech:
        if "wrong" in request.text:
            raise TeacherError("not \udc80 today")
        return buzz(0.08 * len(request.text), request.seed), RATE, 1

    texts = tmp_path / "te\udcffxts.jsonl"
    rows = [{"text": "What is right here."}, {"text": "What is wrong here."}, {"text": "And this?", "id": "a\ud800"}]
    texts.write_text("".join(json.dumps(row) + "\n" for row in rows))
    card = TeacherCard("Stub", "1.0", "CC0-1.0", ("ann",))
    assert distill(texts, tmp_path / "corpus", card, _scripted(moody), DistillationSettings()).kept == 1
    left = [json.loads(line) for line in (tmp_path / "corpus" / "left-out.jsonl").read_text().splitlines()]
    assert left[0]["line"] == "te\udcffxts.jsonl, line 3"
    assert "the id 'a\ud800' cannot be" in left[0]["reason"]
    assert left[1]["reason"] == "not \udc80 today"
    before = _content(tmp_path / "corpus")
    distill(texts, tmp_path / "corpus", card, _scripted(moody), DistillationSettings())
    assert _content(tmp_path / "corpus") == before


def test_a_clip_that_is_gone_is_told(tmp_path: Path) -> None:
    corpus, card = tmp_path / "corpus", TeacherCard("Stub", "1.0", "CC0-1.0", ("ann",))
    both = _texts(tmp_path, "a|One thing only.", "b|Another thing.", name="both.csv")
    distill(both, corpus, card, _scripted(), DistillationSettings())
    (corpus / "wavs" / "ann" / "a.flac").unlink()
    one = _texts(tmp_path, "b|Another thing.", name="one.csv")
    report = distill(one, corpus, card, _scripted(), DistillationSettings())
    assert [(found.severity, found.kind, found.subject) for found in report.findings] == [("warning", "lost", "ann/a")]
    assert [json.loads(line)["id"] for line in (corpus / "left-out.jsonl").read_text().splitlines()] == ["a"]
    assert not distill(both, corpus, card, _scripted(), DistillationSettings()).findings
    assert (corpus / "left-out.jsonl").read_text() == ""


def test_a_damaged_journal_and_card(tmp_path: Path) -> None:
    corpus, texts = tmp_path / "corpus", _texts(tmp_path, "One sentence to be spoken.")
    distill(texts, corpus, CARD, _scripted(), DistillationSettings())
    with (corpus / "journal.jsonl").open("a") as file:
        file.write('{"voice": [], "id": "x", "text": "y"}\n{"voice": "ann", "id": "x", "text": 3}\n\0\0\n')
    distill(texts, corpus, CARD, _scripted(), DistillationSettings())
    assert _Scripted.asked == []
    card = json.loads((corpus / "distillation.json").read_text())
    for voices in (None, "ann", [1]):
        (corpus / "distillation.json").write_text(json.dumps({**card, "voices": voices}))
        with pytest.raises(DataError, match="damaged"):
            distill(texts, corpus, CARD, _scripted(), DistillationSettings())


@pytest.mark.parametrize("name", ["journal.jsonl", "left-out.jsonl"])
def test_a_list_that_cannot_be_read_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    corpus, texts = tmp_path / "corpus", _texts(tmp_path, "One sentence to be spoken.")
    distill(texts, corpus, CARD, _scripted(), DistillationSettings())
    before, real = _content(corpus), Path.open

    def refused(self: Path, mode: str = "r", **more: str) -> object:
        if self.name == name and "r" in mode:
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return real(self, mode, **more)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", refused)
        with pytest.raises(DataError, match=rf"{name}: cannot be read \(Permission denied\); nothing is lost"):
            distill(texts, corpus, CARD, _scripted(), DistillationSettings())
    distill(texts, corpus, CARD, _scripted(), DistillationSettings())
    assert _Scripted.asked == []
    assert _content(corpus) == before


def test_a_language_has_several_names(tmp_path: Path) -> None:
    corpus, texts = tmp_path / "corpus", _texts(tmp_path, "One sentence to be spoken.")
    distill(texts, corpus, CARD, _scripted(), DistillationSettings(language="en"))
    distill(texts, corpus, CARD, _scripted(), DistillationSettings(language="en_US"))
    assert _Scripted.asked == []
    with pytest.raises(DataError, match="begun with language"):
        distill(texts, corpus, CARD, _scripted(), DistillationSettings(language="en-gb"))


@pytest.mark.parametrize("jobs", [-1, 0, 257, 10**9])
def test_jobs_have_bounds(jobs: int) -> None:
    with pytest.raises(ConfigError, match=f"jobs must be between 1 and 256, got {jobs}"):
        DistillationSettings(jobs=jobs)


def test_a_folder_whose_name_is_too_long(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot be written \(File name too long\)"):
        distill(_texts(tmp_path, "One."), tmp_path / ("a" * 300), CARD, _scripted(), DistillationSettings())


def test_a_folder_of_somebody_else_is_not_written(tmp_path: Path) -> None:
    texts = _texts(tmp_path, "One sentence to be spoken.")
    with pytest.raises(DataError, match="no distillation wrote"):
        distill(texts, tmp_path, CARD, _scripted(), DistillationSettings())
    with pytest.raises(DataError, match="is a file"):
        distill(texts, texts, CARD, _scripted(), DistillationSettings())
    distill(texts, tmp_path / "corpus", CARD, _scripted(), DistillationSettings())
    with pytest.raises(DataError, match=r"begun with version '1\.0', not '2\.0'"):
        distill(
            texts,
            tmp_path / "corpus",
            TeacherCard("Stub", "2.0", "CC0-1.0", ("ann",)),
            _scripted(),
            DistillationSettings(),
        )
    (tmp_path / "corpus" / "distillation.json").write_text('{"teacher": "Stub"}')
    with pytest.raises(DataError, match="damaged"):
        distill(texts, tmp_path / "corpus", CARD, _scripted(), DistillationSettings())


@pytest.mark.parametrize(
    "fields",
    [("", "1", "MIT", ("a",)), ("S", " ", "MIT", ("a",)), ("S", "1", "", ("a",)), ("S", "1", "MIT", ()),
     ("S", "1", "MIT", ("a", "a")), ("S", "1", "MIT", ("../a",)), ("S", "1", "MIT", (".",))],
)  # fmt: skip
def test_a_teacher_has_a_name_a_version_a_licence_and_voices(fields: tuple) -> None:
    with pytest.raises(ConfigError):
        TeacherCard(*fields)


def _words(texts: Path, corpus: Path, *more: str) -> list[str]:
    words = [sys.executable, "-m", "glowvox", "distill", str(texts), "-o", str(corpus), "--teacher", "Stub"]
    return [*words, "--teacher-version", "1", "--licence", "CC0-1.0", "--voice", "ann", *more]


def test_the_command_line(tmp_path: Path, module: Path) -> None:
    texts = _texts(tmp_path, "One sentence to be spoken.", "please raise your hand", "And now a second sentence.")
    module.write_text(f"print('noise')\n{module.read_text()}")
    words = _words(texts, tmp_path / "corpus", "--function", f"{module}:speak")
    done = subprocess.run([*words, "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 1  # a text was not spoken
    report = json.loads(done.stdout)
    assert report["kept"] == 2
    assert [one["reason"] for one in report["findings"]] == ["RuntimeError: no such sound"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "left out: not spoken: 1: RuntimeError: no such sound" in done.stdout
    assert f"each of them, with its reason: {tmp_path / 'corpus' / 'left-out.jsonl'}" in done.stdout
    _texts(tmp_path, "One sentence to be spoken.", "One sentence to be spoken.", "...")
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0  # nothing lacks a clip
    assert "1 clip of other texts and voices beside them" in done.stdout
    done = subprocess.run([*words, "--language", "xx"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "'xx'; there are front ends for en-us, en-gb, de-de" in done.stderr


@pytest.mark.parametrize(
    "signals",
    [(signal.SIGINT, signal.SIGINT), (signal.SIGTERM,), (signal.SIGHUP,)],
    ids=["twice", "terminated", "hung up"],
)
@pytest.mark.parametrize("way", ["--command", "--function"])
def test_a_run_that_is_stopped_ends_its_teacher_and_writes_the_manifest(
    tmp_path: Path, module: Path, way: str, signals: tuple[signal.Signals, ...]
) -> None:
    texts = _texts(tmp_path, "One sentence to be spoken.", "please hang now", "And now a second sentence.")
    (tmp_path / "temporary").mkdir()
    script = tmp_path / "speak.py"
    script.write_text(
        "import os, sys, soundfile\n"
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        "from teacher import speak\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n"
        "soundfile.write(sys.argv[1], *speak(sys.argv[2], 'ann', 1))\n"
    )
    teacher = f"{sys.executable} {script} {{output}} {{text}}" if way == "--command" else f"{module}:speak"
    module.write_text(
        module.read_text().replace("time.sleep(60)", f"open({str(tmp_path / 'hangs')!r}, 'w'); time.sleep(60)")
    )
    run = subprocess.Popen(
        _words(texts, tmp_path / "corpus", way, teacher),
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(tmp_path / "temporary")},
    )
    for _ in range(600):
        if (tmp_path / "hangs").exists():
            break
        time.sleep(0.1)
    for one in signals:
        run.send_signal(one)
        time.sleep(0.02)
    _, told = run.communicate(timeout=30)
    # A second interrupt may come when all is written, and then ends the program as it does any other.
    assert run.returncode == 130 or (len(signals) == 2 and run.returncode == -signal.SIGINT)
    assert len(signals) == 2 or ("is kept, start again to go on" in told and "Traceback" not in told)
    assert len(read_corpus(tmp_path / "corpus").utterances) == 1
    assert list((tmp_path / "temporary").iterdir()) == []
    if way == "--command":
        with pytest.raises(ProcessLookupError):
            os.kill(int((tmp_path / "pid").read_text()), 0)
