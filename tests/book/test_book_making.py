"""Books are made: chapters equal the table of contents, and a run that was killed goes on to the same bytes."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import av
import numpy as np
import pytest
from small_books import TWO_PAGES, png, write_epub
from tiny_voice import fake_voice

from glowvox.book.audiobook import book_tags
from glowvox.book.chapters import hear_book
from glowvox.book.dialogue import dialogue_parts
from glowvox.book.open_book import open_book
from glowvox.book.script import BookPauses, script_of
from glowvox.book.sound_files import ChapterSound, join_m4b, write_sound
from glowvox.book.source import Cover
from glowvox.book.work_folder import WorkFolder
from glowvox.cli.main import main
from glowvox.errors import DataError


@pytest.fixture
def quick(monkeypatch):
    import glowvox.book.narration as module

    monkeypatch.setattr(module, "load_voice", lambda name, **rest: fake_voice())


def chapters_of(path):
    with av.open(str(path)) as found:
        return [(one["metadata"]["title"], float(one["start"] * one["time_base"])) for one in found.chapters()]


@pytest.mark.usefixtures("quick")
def test_the_chapters_of_an_m4b_are_the_table_of_contents(tmp_path, capsys):
    toc = [("I", "one.xhtml#top"), ("Zwölf & mehr <b>", "two.xhtml")]
    escaped = [(title.replace("&", "&amp;").replace("<", "&lt;"), target) for title, target in toc]
    book = write_epub(tmp_path / "b.epub", TWO_PAGES, escaped, cover=True)
    out = tmp_path / "b.m4b"
    assert main(["book", str(book), "-o", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    starts = chapters_of(out)
    assert [title for title, _ in starts] == [title for title, _ in toc]
    assert starts[0][1] == 0 and starts[1][1] == pytest.approx(told["chapters"][0]["seconds"], abs=0.15)
    with av.open(str(out)) as found:
        assert found.metadata["title"] == "A Small Book" and found.metadata["artist"] == "Ann Author"
        assert [stream.codec.name for stream in found.streams.video] == ["png"]
        audio = found.streams.audio[0]
        length = sum(frame.samples for frame in found.decode(audio)) / audio.rate
    assert length == pytest.approx(told["seconds"], abs=0.1)
    assert [path.name for path in tmp_path.iterdir()] == ["b.epub", "b.m4b"] or len(list(tmp_path.iterdir())) == 2
    if shutil.which("ffprobe"):
        shown = subprocess.run(
            ["ffprobe", "-v", "error", "-show_chapters", "-of", "json", str(out)], capture_output=True, check=True
        )
        assert [one["tags"]["title"] for one in json.loads(shown.stdout)["chapters"]] == [title for title, _ in toc]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("form", ["mp3", "flac"])
def test_a_folder_of_chapters(tmp_path, form):
    pages = {"one.xhtml": "<h1>One/../Two?</h1><p>It was late.</p>", "two.xhtml": "<h1>End</h1><p>She left.</p>"}
    toc = [("One/../Two?", "one.xhtml"), ("End", "two.xhtml")]
    book = write_epub(tmp_path / "b.epub", pages, toc, cover=True)
    out = tmp_path / "out"
    assert main(["book", str(book), "-o", str(out), "--format", form]) == 0
    names = sorted(path.name for path in out.iterdir())
    assert names == [f"01 One .. Two.{form}", f"02 End.{form}"]
    with av.open(str(out / names[1])) as found:
        tags = {key.lower(): value for key, value in found.metadata.items()}
        assert (tags["title"], tags["album"], tags["track"]) == ("End", "A Small Book", "2/2")
        assert found.streams.audio[0].codec.name.startswith(form) and len(found.streams.video) == 1


@pytest.mark.usefixtures("quick")
def test_a_dry_run_tells_and_makes_nothing(tmp_path, capsys):
    book = write_epub(
        tmp_path / "b.epub", {"one.xhtml": "<h1>One</h1><p>The glimflork slept. A glimflork woke.</p>"}, []
    )
    assert main(["book", str(book), "--dry-run", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["words"] == 7 and told["chapters"][0]["title"] == "A Small Book" and told["seconds"] > 0.5
    assert told["unknown_words"] == [{"word": "glimflork", "count": 2}]
    lexicon = tmp_path / "names.txt"
    lexicon.write_text("glimflork = G L IH M\n".replace("G L IH M", "glimm fork"))
    assert main(["book", str(book), "--dry-run", "--lexicon", str(lexicon)]) == 0
    assert "no lexicon has" not in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.epub", "names.txt"]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-o", "x.mp3"], "folder"),
        (["-o", "x.wav"], "folder"),
        (["-o", "x.m4b", "--format", "flac"], "no flac"),
        (["-o", "none/x.m4b"], "does not exist"),
        (["-o", "x.m4b", "--keep", "everything"], "--keep knows"),
        (["-o", "x.m4b", "--bit-rate", "1"], "bit rate"),
        (["-o", "x.m4b", "--threads", "0"], "--threads"),
        (["-o", "x.m4b", "--heading-pause", "-1"], "heading pause"),
        (["-o", "x.m4b", "--cover", "b.epub"], "JPEG or PNG"),
        (["-o", "x.m4b", "--lexicon", "none.txt"], "lexicon"),
        ([], "-o names"),
    ],
)
def test_mistakes_are_one_line(tmp_path, capsys, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    write_epub(tmp_path / "b.epub")
    assert main(["book", "b.epub", *arguments]) == 2
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["b.epub"]


@pytest.mark.parametrize(
    ("written", "year"),
    [
        ("1999-05-01", "1999"),
        ("January 1999", "1999"),
        ("c. 1850", "1850"),
        ("19990501", "1999"),
        ("150 BC", ""),
        ("", ""),
    ],
)
def test_the_year_of_a_book_is_a_year(tmp_path, written, year):
    source = open_book(write_epub(tmp_path / "b.epub"))
    source.date = written
    assert book_tags(hear_book(source), "nora")["date"] == year


@pytest.mark.usefixtures("quick")
def test_a_book_does_not_replace_itself(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    content = write_epub(tmp_path / "b.epub").read_bytes()
    (tmp_path / "link.epub").symlink_to("b.epub")
    for output in ("b.epub", str(tmp_path / "b.epub"), "link.epub"):
        assert main(["book", "b.epub", "-o", output]) == 2
        assert "is the book itself" in capsys.readouterr().err
    assert (tmp_path / "b.epub").read_bytes() == content


def many_chapters(path, count=8):
    pages = {f"{n}.xhtml": f"<h1>Part {n}</h1><p>{'She went home, and it was late. ' * 4}</p>" for n in range(count)}
    return write_epub(path, pages, [(f"Part {n}", f"{n}.xhtml") for n in range(count)])


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("out", ["b.m4b", "b.epub", "folder"])
def test_a_run_that_failed_goes_on_to_the_same_bytes(tmp_path, monkeypatch, capsys, out):
    """The disk fills up in the middle; what was finished is not spoken again."""
    book = many_chapters(tmp_path / "in.epub", 4)
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    for place in (whole, torn):
        place.mkdir()
    assert main(["book", str(book), "-o", str(whole / out), "--threads", "1"]) == 0
    import glowvox.book.work_folder as module

    real, count = module.replacing, 0

    def filling(path, error):
        nonlocal count
        count += 1
        if count > 8:
            raise DataError(f"cannot write {path}: No space left") from OSError(errno.ENOSPC, "No space left")
        return real(path, error)

    monkeypatch.setattr(module, "replacing", filling)
    capsys.readouterr()
    assert main(["book", str(book), "-o", str(torn / out), "--threads", "2"]) == 2
    err = capsys.readouterr().err.splitlines()
    assert "the disk is full" in err[-1] and "start again" in err[-1]
    monkeypatch.setattr(module, "replacing", real)
    spoken = []
    import glowvox.book.production as production

    speak = production.speak_utterance
    monkeypatch.setattr(
        production, "speak_utterance", lambda one, *rest: spoken.append(one.number) or speak(one, *rest)
    )
    assert main(["book", str(book), "-o", str(torn / out), "--threads", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["went_on"] and 0 < len(spoken) < 8
    files = {
        place: {path.name: path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file()}
        for place in (whole, torn)
    }
    if out == "b.epub":
        entries = [
            {one: archive.read(one) for one in archive.namelist()}
            for archive in (zipfile.ZipFile(place / out) for place in (whole, torn))
        ]
        for name in entries[0]:
            assert entries[0][name] == entries[1][name], name
    assert files[whole] == files[torn]


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_to_the_same_bytes(tmp_path):
    """kill -9 of the real program with the real voice, in the middle; then once more from the beginning to compare."""
    book = many_chapters(tmp_path / "in.epub")
    command = [sys.executable, "-m", "glowvox", "book", str(book), "--threads", "1", "-o"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    torn, whole = tmp_path / "torn.m4b", tmp_path / "whole.m4b"
    work = tmp_path / ".torn.m4b.glowvox-book"
    with subprocess.Popen([*command, str(torn)], env=env, stderr=subprocess.DEVNULL) as running:
        until = time.monotonic() + 240
        while not (work / "0002.json").exists() and running.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        running.send_signal(signal.SIGKILL)
    assert (work / "0002.json").exists() and not torn.exists()
    first = (work / "0001.m4a").stat().st_mtime_ns
    done = subprocess.run([*command, str(torn), "--json"], env=env, capture_output=True, check=True)
    assert json.loads(done.stdout)["went_on"] and first
    subprocess.run([*command, str(whole)], env=env, capture_output=True, check=True)
    assert torn.read_bytes() == whole.read_bytes()
    assert not work.exists()


def test_two_runs_do_not_work_on_one_book(tmp_path):
    first = WorkFolder(tmp_path / "work", {"a": 1})
    with pytest.raises(DataError, match="another run"):
        WorkFolder(tmp_path / "work", {"a": 1})
    first.save_part(1, 0, np.zeros(100, np.int16), 22050, {"samples": 100})
    first.close()
    same = WorkFolder(tmp_path / "work", {"a": 1})
    assert same.goes_on and same.part(1, 0)["samples"] == 100 and same.part(1, 1) is None
    (tmp_path / "work" / "0001-000.flac").write_bytes(b"torn")
    assert same.part(1, 0) is None
    same.close()
    other = WorkFolder(tmp_path / "work", {"a": 2})
    assert not other.goes_on and other.part(1, 0) is None
    other.remove()
    assert not (tmp_path / "work").exists()


def test_joined_chapters_begin_where_their_marks_are(tmp_path):
    """Each chapter begins with silence and a tone; the tones are found where the marks say."""
    rate = 22050
    tone = (np.sin(np.arange(rate) / 5) * 12000).astype(np.int16)
    chapters = []
    for number in range(3):
        blocks = [np.zeros(rate // 2, np.int16), tone, np.zeros(rate, np.int16)]
        path = tmp_path / f"{number}.m4a"
        sound = write_sound(path, "m4a", blocks, rate, bit_rate=64_000, tags={})
        assert sound.samples == 5 * rate // 2
        chapters.append(ChapterSound(path, f"Part {number}", sound.packets))
    out = tmp_path / "x.m4b"
    seconds = join_m4b(out, chapters, rate, tags={"title": "x"}, cover=Cover(b"no picture", "image/png"))
    with av.open(str(out)) as found:
        frames = [frame.to_ndarray()[0] for frame in found.decode(audio=0)]
    samples = np.concatenate(frames)
    assert len(samples) / rate == pytest.approx(seconds, abs=0.1)
    for _, start in chapters_of(out):
        begin = round(start * rate)
        loud = np.flatnonzero(np.abs(samples[begin : begin + 2 * rate]) > 0.1)
        assert loud[0] == pytest.approx(rate // 2, abs=1100)


def test_a_picture_that_is_none_is_left_out_and_one_that_is_stays(tmp_path):
    silence = [np.zeros(5000, np.int16)]
    for content, count in ((png(), 1), (b"\x89PNG\r\n\x1a\nbroken", 0)):
        path = tmp_path / "x.mp3"
        write_sound(path, "mp3", silence, 22050, bit_rate=64_000, tags={}, cover=Cover(content, "image/png"))
        with av.open(str(path)) as found:
            assert len(found.streams.video) == count


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("“Yes,” he said. “No.”", [("“Yes,”", "dialogue"), (" he said. ", "narrator"), ("“No.”", "dialogue")]),
        ('He said: "Go."', [("He said: ", "narrator"), ('"Go."', "dialogue")]),
        ("„Ja“, sagte er.", [("„Ja“", "dialogue"), (", sagte er.", "narrator")]),
        ("“It goes on", [("“It goes on", "dialogue")]),
        (
            "‘Yes,’ he said, ‘it’s late.’",
            [("‘Yes,’", "dialogue"), (" he said, ", "narrator"), ("‘it’s late.’", "dialogue")],
        ),
        ("No one spoke.", [("No one spoke.", "narrator")]),
    ],
)
def test_dialogue(text, parts):
    assert [(text[start:end], role) for start, end, role in dialogue_parts(text)] == parts


def test_scripts_cover_the_text_in_bounded_pieces(tmp_path):
    from glowvox.book.chapters import hear_book
    from glowvox.book.open_book import open_book

    long = "She went home, and it was late. " * 300
    book = hear_book(
        open_book(write_epub(tmp_path / "b.epub", {"a.xhtml": f"<h1>One</h1><p>{long}</p><p>“Go,” he said.</p>"}, []))
    )
    [track] = script_of(book, BookPauses(), by_page=False, roles=("narrator", "dialogue"))
    every = [one for part in track.parts for one in part]
    assert max(len(one.text) for one in every) <= 900 and len(track.parts) > 1
    assert [one.number for one in every] == list(range(len(every)))
    assert [one.role for one in every[-2:]] == ["dialogue", "narrator"]
    joined = " ".join(one.text for one in every if one.passage == 1)
    assert joined.split() == long.split()
    assert every[0].pause == 0.5 and every[1].pause == 1.0


@pytest.mark.usefixtures("quick")
def test_dialogue_has_its_own_voice(tmp_path, opened):
    book = write_epub(tmp_path / "b.epub", {"a.xhtml": "<p>“Go home now,” he said.</p>"}, [])
    assert main(["book", str(book), "-o", str(tmp_path / "x.m4b"), "--dialogue-voice", "other"]) == 0
    assert opened == [None, "other"]


def test_full_disks_of_a_real_file_system(tmp_path):
    place = Path("/dev/full")
    if not place.exists():
        pytest.skip("no /dev/full")
    with pytest.raises((DataError, OSError)) as caught:
        write_sound(place, "flac", [np.ones(500_000, np.int16)], 22050, bit_rate=64_000, tags={})
    found = caught.value
    assert "No space left" in str(found)
