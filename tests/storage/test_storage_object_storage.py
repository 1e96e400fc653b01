"""Folders and object storage: the same files behind one interface, whole or not there, whatever fails."""

from pathlib import Path

import pytest

from glowvox.errors import DataError, MissingExtraError
from glowvox.storage.object_storage import LocalStorage, address_of, open_file, open_storage


@pytest.fixture(params=["local", "file", "memory"])
def url(request, tmp_path):
    """The address of an empty place."""
    if request.param == "local":
        return str(tmp_path / "place")
    if request.param == "file":
        return f"file://{tmp_path / 'place'}"
    fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed (extra: cluster)")
    system = fsspec.filesystem("memory")
    if system.exists("/storage-test"):
        system.rm("/storage-test", recursive=True)
    return "memory://storage-test"


def test_files_are_written_read_listed_and_removed(url):
    storage = open_storage(url)
    assert storage.sizes("a") == {}
    storage.write("a/one", b"first")
    storage.write("a/one", b"again!")
    aside = storage.aside()
    aside.write_bytes(b"second file")
    storage.put("a/two", aside)
    assert storage.read("a/one") == b"again!" and storage.sizes("a") == {"one": 6, "two": 11}
    with open_file(f"{url}/a/two") as file:
        assert file.read() == b"second file"
    storage.remove("a/one")
    storage.remove("a/one")
    assert storage.sizes("a") == {"two": 11}
    for missing in ("a/one", "nothing/at/all"):
        with pytest.raises(FileNotFoundError):
            storage.read(missing)
    with pytest.raises(DataError, match="a/one"):
        open_file(f"{url}/a/one")


def test_sweeping_leaves_finished_files_alone(tmp_path):
    storage = open_storage(str(tmp_path))
    storage.write("a", b"whole")
    storage.aside().write_bytes(b"half")
    storage.sweep()
    assert [path.name for path in tmp_path.rglob("*")] == ["a"]
    storage.sweep()
    (storage.workplace() / "somebody's").write_bytes(b"")
    storage.sweep()
    assert (tmp_path / ".work" / "somebody's").exists()


def test_listings_show_what_other_machines_wrote(monkeypatch):
    pytest.importorskip("fsspec", reason="fsspec is not installed (extra: cluster)")
    storage, kept = open_storage("memory://storage-listed"), {}
    listed = storage._system.ls
    monkeypatch.setattr(storage._system, "ls", lambda path, detail: kept.setdefault(path, listed(path, detail=detail)))
    monkeypatch.setattr(storage._system, "invalidate_cache", kept.clear)
    storage.write("a/one", b"1")
    assert storage.sizes("a") == {"one": 1}
    storage.write("a/two", b"22")
    assert storage.sizes("a") == {"one": 1, "two": 2}


def test_a_folder_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for place in ("file", "file/in/it"):
        with pytest.raises(DataError, match=f"{tmp_path}/file: is a file; choose a folder"):
            open_storage(str(tmp_path / place))
    storage = LocalStorage(str(tmp_path / "file"))  # it may become a file while it is in use
    for action in (
        lambda: storage.write("a", b""),
        lambda: storage.put("a", tmp_path / "file"),
        lambda: storage.sizes("a"),
        lambda: storage.read("a"),
        lambda: storage.remove("a"),
    ):
        with pytest.raises(DataError, match=f"{tmp_path}/file.*: cannot be "):
            action()


def test_addresses_of_no_known_place_are_refused(monkeypatch):
    pytest.importorskip("fsspec", reason="fsspec is not installed (extra: cluster)")
    for address in ("nowhere://a", "s3a-b://a"):
        with pytest.raises(DataError, match=address):
            open_storage(address)
    monkeypatch.setitem(__import__("sys").modules, "fsspec.core", None)
    with pytest.raises(MissingExtraError, match=r"the address memory://a needs .*glowvox\[cluster\]"):
        open_storage("memory://a")


def test_object_storage_that_fails_now_and_then(monkeypatch, tmp_path):
    pytest.importorskip("fsspec", reason="fsspec is not installed (extra: cluster)")
    monkeypatch.setattr("glowvox.storage.object_storage._WAIT_SECONDS", 0.0)
    storage = open_storage("memory://bulk-flaky")
    put, failures = storage._system.put_file, [OSError("reset"), TimeoutError("late")]

    def flaky(*arguments):
        if failures:
            raise failures.pop()
        put(*arguments)

    monkeypatch.setattr(storage._system, "put_file", flaky)
    storage.write("a/b", b"content")
    assert storage.read("a/b") == b"content" and storage.sizes("a") == {"b": 7}
    failures += [OSError("gone for good")] * 9
    with pytest.raises(DataError, match="a/c: cannot be written"):
        storage.write("a/c", b"content")
    assert storage.sizes("a") == {"b": 7}


def test_fetching_tries_again_and_leaves_no_half_files(monkeypatch, tmp_path):
    pytest.importorskip("fsspec", reason="fsspec is not installed (extra: cluster)")
    monkeypatch.setattr("glowvox.storage.object_storage._WAIT_SECONDS", 0.0)
    storage = open_storage("memory://storage-flaky")
    storage.write("one", b"content")
    get, failures = storage._system.get_file, [OSError("reset"), TimeoutError("late")]

    def flaky(name, target):
        if failures:
            Path(target).write_bytes(b"con")
            raise failures.pop()
        get(name, target)

    monkeypatch.setattr(storage._system, "get_file", flaky)
    storage.fetch("one", tmp_path / "in" / "one")
    assert (tmp_path / "in" / "one").read_bytes() == b"content"
    failures += [OSError("gone\nfor good")] * 9
    with pytest.raises(DataError, match=r"one: cannot be read \(gone for good\)"):
        storage.fetch("one", tmp_path / "two")
    failures.clear()
    with pytest.raises(FileNotFoundError):
        storage.fetch("nothing", tmp_path / "two")
    with pytest.raises(DataError, match="one/x: cannot be written"):
        storage.fetch("one", tmp_path / "in" / "one" / "x")
    assert [path.name for path in tmp_path.rglob("*")] == ["in", "one"]


def test_an_address_survives_a_path():
    for address in ("s3://bucket/data", "file:///data/x", "/data/x", "data/x", "C:/x"):
        assert address_of(Path(address)) == address_of(address) == address
