"""Progress speaks at once, charges no start-up to the first item, and counts in the right number."""

import sys

import pytest

from glowvox.cli import progress as progress_module
from glowvox.errors import counted


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: now[0])
    return now


def _waited():
    """Wait for what is to be said of a phase."""
    for timer in list(progress_module._waiting):
        timer.join()


def test_a_phase_is_told_before_anything_is_counted(monkeypatch, clock, capsys):
    monkeypatch.setattr(progress_module, "_PATIENCE", 0.01)
    progress_module.Progress("recordings", begins="opening the model")
    _waited()
    assert capsys.readouterr().err == "opening the model ...\n"


def test_a_phase_that_is_over_at_once_is_not_told(monkeypatch, clock, capsys):
    monkeypatch.setattr(progress_module, "_PATIENCE", 30.0)
    progress_module.phase("opening the model")
    [timer] = progress_module._waiting
    progress_module.end_phase()
    timer.join(5.0)
    assert not timer.is_alive()
    assert capsys.readouterr().err == ""


def test_a_mistake_stays_the_only_line(tmp_path, capsys):
    from glowvox.cli.main import main

    assert main(["prepare", str(tmp_path / "none"), "-o", str(tmp_path / "data")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert progress_module._waiting == []


def test_start_up_is_not_charged_to_the_first_item(clock, capsys):
    progress = progress_module.Progress("recordings")
    clock[0] += 60.0  # models are opened
    progress(0, 10)
    clock[0] += 16.0
    progress(8, 10)
    assert capsys.readouterr().err.splitlines() == ["8 of 10 recordings, 4 s remain"]


def test_what_an_earlier_run_did_says_nothing_and_fills_no_log(clock, capsys):
    progress = progress_module.Progress("recordings")
    for done in range(1, 501):
        progress(done, 1000, done)
    assert capsys.readouterr().err == ""
    clock[0] += 20.0
    progress(510, 1000, 500)
    assert capsys.readouterr().err == "510 of 1000 recordings (500 from an earlier run), 980 s remain\n"


def test_counted_progress_names_what_is_at_work_and_what_remains(clock, capsys):
    show = progress_module.counted_progress()
    show(0, 40, "natural speech, clip 1")
    clock[0] += 10.0
    show(1, 40, "Griffin-Lim, clip 1")
    clock[0] += 10.0
    show(2, 40, "natural speech, clip 2")
    assert capsys.readouterr().err.splitlines() == [
        "[0/40] natural speech, clip 1",
        "[2/40] natural speech, clip 2, 380 s remain",
    ]


def test_a_terminal_is_written_in_place(clock, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(progress_module, "_PATIENCE", 0.01)
    progress = progress_module.Progress("clips", begins="reading", keep=False)
    _waited()
    clock[0] += 1.0
    progress(1, 2)
    progress(2, 2)
    assert capsys.readouterr().err == "\r\033[Kreading ...\r\033[K1 of 2 clips, 1 s remain\r\033[K"


@pytest.mark.parametrize(("count", "said"), [(0, "0 cues"), (1, "1 cue"), (2, "2 cues")])
def test_counted(count, said):
    assert counted(count, "cue") == said


def test_counted_with_a_plural_of_its_own():
    assert counted(1, "mismatch", "mismatches") == "1 mismatch"
    assert counted(3, "mismatch", "mismatches") == "3 mismatches"


@pytest.mark.parametrize(("terminal", "seconds"), [(True, 0.5), (False, 15.0)])
def test_a_status_line_is_due_now_and_then(monkeypatch, clock, terminal, seconds):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    line = progress_module.StatusLine("bulk")
    due = []
    for _ in range(4):
        clock[0] += 0.4 * seconds
        due.append(line.due())
    assert due == [False, False, True, False]


def test_a_status_line_is_written_over_on_a_terminal_alone(monkeypatch, capsys):
    def shown():
        line = progress_module.StatusLine("book")
        line.show("3 % spoken")
        line.note("a word is not known")
        line.end()
        return capsys.readouterr().err

    assert shown() == "3 % spoken\nglowvox book: a word is not known\n"
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert shown() == "\r\033[K3 % spoken\r\033[Kglowvox book: a word is not known\n\r\033[K"
