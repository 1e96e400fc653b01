"""A run from the command line: whole, interrupted, changed, damaged; on one machine without Ray."""

import hashlib
import json
import tarfile
import tracemalloc

import pytest

from glowvox.bulk import workers as shard_work
from glowvox.bulk.card import RunSettings
from glowvox.bulk.isolated_retry import IsolatedRetry
from glowvox.bulk.ledger import read_complete
from glowvox.bulk.output import FileNames
from glowvox.bulk.packed_voice import pack_voice_for_workers
from glowvox.bulk.plan import read_plan, write_plan
from glowvox.bulk.row import BadRow, Row
from glowvox.bulk.run import Progress, Told, do_run
from glowvox.bulk.speaker import SynthesizedRow
from glowvox.bulk.workers import LocalWorker, ShardResult, Workers, do_shard
from glowvox.cli.main import main
from glowvox.errors import DataError, EngineError
from glowvox.storage.object_storage import open_storage

TEXTS = ("Hello.", "One two.", "Go on.", "Stop it.", "No more.", "A b c.", "The end.")


@pytest.fixture
def manifest(tmp_path):
    rows = [{"id": f"row/{number}", "text": text} for number, text in enumerate(TEXTS)]
    rows[2] |= {"speaker": "bob", "speed": 2.0}
    rows[4] |= {"speaker": "nobody"}
    rows.insert(5, {"id": "row/0", "text": "The same again."})
    path = tmp_path / "manifest.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def bulk(manifest, exported_voice, capsys):
    def run(output, *more, status=0):
        line = ["bulk", str(manifest), "-o", str(output), "--voice", str(exported_voice), "--shard-rows", "2"]
        ended = main([*line, "--workers", "0", "--json", *more])
        told = capsys.readouterr()
        if status:
            assert ended == status
            return told.err
        report = json.loads(told.out)
        assert ended == (1 if report["errors"] else 0)
        return report

    return run


def listed(folder, name="rows.jsonl"):
    return [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]


def content(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_good_row_is_spoken_and_every_bad_one_has_a_reason(tmp_path, bulk):
    report = bulk(tmp_path / "out")
    assert (report["rows"], report["spoken"], report["errors"], report["shards"]) == (8, 6, 2, 4)
    rows = listed(tmp_path / "out")
    assert [row["id"] for row in rows] == [f"row/{number}" for number in (0, 1, 2, 3, 5, 6)]
    assert len({row["seed"] for row in rows}) == 6
    for row in rows:
        found = (tmp_path / "out" / row["file"]).read_bytes()
        assert hashlib.sha256(found).hexdigest() == row["sha256"] and row["samples"] > 0
    errors = listed(tmp_path / "out", "errors.jsonl")
    assert [(error["row"], error["id"]) for error in errors] == [(4, "row/4"), (5, "row/0")]
    assert "nobody" in errors[0]["error"] and "row 0" in errors[1]["error"]
    assert len(list((tmp_path / "out" / "audio").rglob("*.flac"))) == 6
    assert not (tmp_path / "out" / ".work").exists()


def test_the_exit_status_tells_whether_every_row_was_spoken(tmp_path, exported_voice, capsys):
    for name, rows, status in (("good", "1|One.\n2|Two.\n", 0), ("bad", "1|One.\n2\n", 1)):
        path = tmp_path / f"{name}.csv"
        path.write_text(rows, encoding="utf-8")
        line = ["bulk", str(path), "-o", str(tmp_path / name), "--voice", str(exported_voice), "--workers", "0"]
        for _ in range(2):  # a run that is finished already says the same
            assert main(line) == status
            assert ("could not be spoken" in capsys.readouterr().err) == bool(status)


def test_a_run_continues_where_it_stopped(tmp_path, bulk, monkeypatch):
    bulk(tmp_path / "whole")
    whole, do = content(tmp_path / "whole"), shard_work.do_shard

    def interrupted(storage, shard, settings, speak):
        if shard.number == 2:
            raise KeyboardInterrupt
        return do(storage, shard, settings, speak)

    monkeypatch.setattr("glowvox.bulk.workers.do_shard", interrupted)
    bulk(tmp_path / "out", status=130)
    ledgers = sorted((tmp_path / "out" / "ledger").iterdir())
    times = [path.stat().st_mtime_ns for path in ledgers]
    assert len(ledgers) == 2 and not (tmp_path / "out" / "rows.jsonl").exists()
    monkeypatch.undo()
    assert bulk(tmp_path / "out")["rows_from_earlier"] == 4
    assert content(tmp_path / "out") == whole
    assert [path.stat().st_mtime_ns for path in ledgers] == times


def test_what_is_lost_or_damaged_is_spoken_again(tmp_path, bulk):
    bulk(tmp_path / "out")
    whole = content(tmp_path / "out")
    (tmp_path / "out" / listed(tmp_path / "out")[0]["file"]).unlink()
    (tmp_path / "out" / "ledger" / "00000001.json").write_text('{"shard": 1', encoding="utf-8")
    assert bulk(tmp_path / "out")["rows_from_earlier"] == 4
    assert content(tmp_path / "out") == whole
    victim = tmp_path / "out" / listed(tmp_path / "out")[5]["file"]
    victim.write_bytes(bytes(len(victim.read_bytes())))
    assert bulk(tmp_path / "out")["rows_from_earlier"] == 8
    assert bulk(tmp_path / "out", "--verify")["rows_from_earlier"] == 6
    assert content(tmp_path / "out") == whole


def test_another_run_is_refused(tmp_path, bulk, manifest):
    bulk(tmp_path / "out")
    before = content(tmp_path / "out")
    assert "seed was 0, now 1" in bulk(tmp_path / "out", "--seed", "1", status=2)
    assert "output was 'files', now 'parquet'" in bulk(tmp_path / "out", "--to", "parquet", status=2)
    assert "'speaker': 'bob'" in bulk(tmp_path / "out", "--speaker", "bob", status=2)
    with manifest.open("a", encoding="utf-8") as file:
        file.write('{"id": "more", "text": "More."}\n')
    assert "not the one of then" in bulk(tmp_path / "out", status=2)
    assert content(tmp_path / "out") == before


def test_mistakes_are_told_before_anything_is_written(tmp_path, bulk, manifest):
    for more, told in (
        (("--speaker", "nobody"), "nobody"),
        (("--speed", "99"), "speed"),
        (("--threads", "0"), "--threads"),
        (("--workers", "-1"), "--workers"),
        (("--shard-rows", "0"), "shard"),
        (("--address", "auto"), "--workers 0"),
        (("--engine", "steam"), "steam"),
    ):
        assert told in bulk(tmp_path / "out", *more, status=2)
    before = manifest.read_bytes()
    for output in (manifest, manifest / "speech"):
        assert f"{manifest}: is a file; choose a folder" in bulk(output, status=2)
    assert manifest.read_bytes() == before
    manifest.write_text("\n", encoding="utf-8")
    assert "no rows" in bulk(tmp_path / "empty", status=2)
    assert not (tmp_path / "out").exists()


def test_shards_hold_what_the_files_hold(tmp_path, bulk):
    bulk(tmp_path / "files")
    bulk(tmp_path / "tar", "--to", "webdataset")
    bulk(tmp_path / "again", "--to", "webdataset")
    expected = {row["id"]: row["sha256"] for row in listed(tmp_path / "files")}
    tars = {}
    for path in sorted((tmp_path / "tar" / "shards").iterdir()):
        assert path.read_bytes() == (tmp_path / "again" / "shards" / path.name).read_bytes()
        with tarfile.open(path) as tar:
            members = tar.getmembers()
            keys = [member.name.split(".") for member in members]
            assert [end for _, end in keys] == ["flac", "json"] * (len(keys) // 2)
            for sound, told in zip(members[::2], members[1::2], strict=True):
                assert sound.name.split(".")[0] == told.name.split(".")[0]
                record = json.loads(tar.extractfile(told).read())
                assert record["text"] and record["seconds"] and record["seed"] is not None
                tars[record["id"]] = hashlib.sha256(tar.extractfile(sound).read()).hexdigest()
    assert tars == expected


def test_tables_hold_what_the_files_hold(tmp_path, bulk):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed (extra: cluster)")
    bulk(tmp_path / "files")
    bulk(tmp_path / "parquet", "--to", "parquet")
    tables = {}
    for path in sorted((tmp_path / "parquet" / "shards").iterdir()):
        for row in parquet.read_table(path).to_pylist():
            assert hashlib.sha256(row["audio"]).hexdigest() == row["sha256"] and row["text"]
            tables[row["id"]] = row["sha256"]
    assert tables == {row["id"]: row["sha256"] for row in listed(tmp_path / "files")}


def test_object_storage(bulk, tmp_path):
    pytest.importorskip("fsspec", reason="fsspec is not installed (extra: cluster)")
    report = bulk("memory://bulk-test/out", "--to", "webdataset")
    storage = open_storage("memory://bulk-test/out")
    assert report["spoken"] == 6 and len(storage.sizes("shards")) == 3
    bulk(tmp_path / "local", "--to", "webdataset")
    assert storage.read("rows.jsonl") == (tmp_path / "local" / "rows.jsonl").read_bytes()
    assert bulk("memory://bulk-test/out", "--to", "webdataset")["rows_from_earlier"] == 8
    with pytest.raises(FileNotFoundError):
        storage.read("nothing")


def test_without_ray_one_process_works_and_more_are_refused(
    tmp_path, bulk, monkeypatch, manifest, exported_voice, capsys
):
    monkeypatch.setattr("glowvox.cli.bulk.ray_is_installed", lambda: False)
    assert "glowvox[cluster]" in bulk(tmp_path / "out", "--workers", "2", status=2)
    output = str(tmp_path / "alone")
    line = ["bulk", str(manifest), "-o", output, "--voice", str(exported_voice), "--shard-rows", "2"]
    monkeypatch.setattr("glowvox.cli.bulk.os.cpu_count", lambda: 4)
    assert main(line) == 1
    assert "Ray is not installed, so one process works alone" in capsys.readouterr().err
    assert len(listed(tmp_path / "alone")) == 6


class FailingWorkers(Workers):
    """Workers that fail at one shard, lose another, and do the rest."""

    def results(self, shards):
        worker = LocalWorker(self.url, self.settings, self.voice, self.threads)
        for shard in shards:
            if shard.number == 0:
                yield from worker.results([shard])
            elif shard.number == 1:
                yield ShardResult(1, failure="no memory left")


class HopelessWorkers(Workers):
    """Workers that can do nothing."""

    def results(self, shards):
        for shard in shards:
            yield ShardResult(shard.number, failure="the engine does not start")


@pytest.fixture
def planned(tmp_path, bulk, exported_voice):
    """A run that is planned and not done, and the same run done."""
    bulk(tmp_path / "whole")
    bulk(tmp_path / "out")
    for name in ("ledger", "audio"):
        for path in sorted((tmp_path / "out" / name).rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
    voice = pack_voice_for_workers(str(exported_voice), "auto")
    settings = RunSettings(voice.name, voice.sha256, voice.engine, {}, shard_rows=2)
    return open_storage(str(tmp_path / "out")), settings, voice


def test_shards_that_failed_or_were_lost_are_done_row_by_row(tmp_path, planned):
    storage, settings, voice = planned
    notes = []
    told = Told(lambda rows: None, lambda standing: None, notes.append)
    workers = FailingWorkers(storage.url, settings, voice, 1)
    report = do_run(storage, read_plan(storage), settings, workers, told)
    assert report.done_again == (1, 2, 3) and "no memory left" in notes[0]
    assert content(tmp_path / "out") == content(tmp_path / "whole")


def test_a_run_in_which_nothing_works_stops(planned):
    storage, settings, voice = planned
    told = Told(lambda rows: None, lambda standing: None, lambda line: None)
    with pytest.raises(EngineError, match="3 shards: the engine does not start"):
        do_run(storage, read_plan(storage), settings, HopelessWorkers(storage.url, settings, voice, 1), told)


def test_memory_does_not_grow_with_the_manifest(tmp_path):
    text = "word " * 1000
    storage = open_storage(str(tmp_path / "plan"))
    rows = (Row(number, f"id{number}", f"{number} {text}") for number in range(8000))
    tracemalloc.start()
    shards = write_plan(storage, rows, 100, lambda planned: None)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(shards) == 80 and sum(shard.characters for shard in shards) > 40_000_000
    assert peak < 8_000_000


def test_a_row_that_kills_its_process_is_a_bad_row(planned, monkeypatch):
    _, settings, voice = planned
    good, deadly = Row(0, "a", "Hello."), Row(1, "b", "Hello.")
    with IsolatedRetry(voice, settings, 1) as speaker:
        assert isinstance(speaker(good), SynthesizedRow)
        [process] = speaker._pool._processes.values()
        process.kill()
        found = speaker(deadly)
        assert isinstance(found, BadRow) and "killed" in found.error
        assert isinstance(speaker(good), SynthesizedRow)


def test_a_full_disk_stops_the_run_and_loses_nothing(planned, monkeypatch):
    storage, settings, _ = planned
    shards = read_plan(storage)
    spoken = SynthesizedRow(Row(0, "a", "x"), b"sound", 5, 22050, 0, ())
    do_shard(storage, shards[0], settings, lambda row: spoken)

    def full(name, source):
        raise DataError("the disk is full")

    monkeypatch.setattr(storage, "put", full)
    with pytest.raises(DataError, match="full"):
        do_shard(storage, shards[1], settings, lambda row: spoken)
    assert read_complete(storage, shards[0]) is not None and read_complete(storage, shards[1]) is None


def test_file_names_are_harmless_and_distinct():
    names = FileNames()
    ids = ["a", "A", "../../etc/passwd", "a.b", "a/b", "ü", "x" * 200, "x" * 199 + "y", "CON", " ", "%2F", "/"]
    found = [names.name(one, number) for number, one in enumerate(ids)]
    assert len({name.lower() for name in found}) == len(ids)
    for name in found:
        assert name and not set(name) & set("./\\: ") and len(name) < 95
    assert found[0] == "a" and found[2] == "%2E%2E%2F%2E%2E%2Fetc%2Fpasswd"


def test_the_remaining_time_is_neither_hoped_nor_feared():
    now = [100.0]
    progress = Progress(100, 10_000, lambda: now[0])
    progress.reuse(50, 5000, 1)
    assert progress.standing().remaining is None and "not known yet" in progress.standing().line()
    now[0] += 30.0
    # Ten workers, thirty seconds of starting, then each its first shard at once: no miracle.
    for _ in range(10):
        progress.add(1, 100, 0, 10.0)
    assert progress.standing().remaining == pytest.approx(30.0 * 4000 / 1000)
    for _ in range(10):
        now[0] += 10.0
        progress.add(1, 100, 0, 10.0)
    assert progress.standing().remaining == pytest.approx(100.0 * 3000 / 1900)
    # An hour at a tenth of the pace: the pace of now counts.
    for _ in range(20):
        now[0] += 180.0
        progress.add(1, 100, 0, 10.0)
    assert progress.standing().remaining == pytest.approx(180.0 * 10, rel=0.05)
    standing = progress.standing()
    assert (standing.rows, standing.reused_rows, standing.errors) == (90, 50, 1)
