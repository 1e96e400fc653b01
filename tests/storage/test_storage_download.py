"""Downloads: resumed, verified, whole or not at all, whatever the server does."""

import hashlib
import http.server
import threading

import pytest

import glowvox.storage.download as module
from glowvox.errors import DataError
from glowvox.storage.download import download, read_file, shown

CONTENT = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class _Handler(http.server.BaseHTTPRequestHandler):
    """Answers by the first part of the path; keeps what it was asked."""

    def do_GET(self):
        server = self.server
        server.asked.append((self.path, self.headers.get("Range"), self.headers.get("Authorization")))
        kind = self.path.split("/")[1].partition("?")[0]
        start = int((self.headers.get("Range") or "bytes=0-")[6:-1])
        if kind == "login" and self.headers.get("Authorization") is None:
            self._send(401, b"")
        elif kind == "absent":
            self._send(404, b"")
        elif kind == "busy" and len(server.asked) < 3:
            self._send(503, b"")
        elif kind == "to":
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.end_headers()
        elif kind == "loop":
            self.send_response(302)
            self.send_header("Location", f"{self.path}/x")
            self.end_headers()
        elif kind == "breaks":
            self._send(206 if start else 200, CONTENT[start:], start, upto=300_000)
        elif kind == "stuck":
            self._send(206 if start else 200, CONTENT[start:], start, upto=0 if start else 1000)
        elif kind == "whole":  # knows no ranges
            self._send(200, CONTENT)
        elif kind == "elsewhere":
            self._send(206 if start else 200, CONTENT[start + 1 :] if start else CONTENT, start + 1 if start else 0)
        elif kind == "long":
            self._send(200, CONTENT + b"more")
        elif kind == "endless":
            self.send_response(200)
            self.end_headers()
            while True:
                self.wfile.write(CONTENT)
        elif kind == "short":
            self._send(200, CONTENT[:-1])
        elif kind == "other":
            self._send(200, bytes(len(CONTENT)))
        else:
            self._send(206 if start else 200, CONTENT[start:], start)

    def _send(self, status, body, start=0, upto=None):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.end_headers()
        self.wfile.write(body[:upto])

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(module, "_WAIT_SECONDS", 0.001)
    monkeypatch.setenv("no_proxy", "*")
    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    served.daemon_threads = True
    served.handle_error = lambda *_: None  # clients that go
    served.asked = []
    served.url = f"http://127.0.0.1:{served.server_port}"
    threading.Thread(target=served.serve_forever, args=(0.01,), daemon=True).start()
    yield served
    served.shutdown()
    served.server_close()


SIZE = len(CONTENT)


def _fetch(url, target, size=SIZE):
    download(url, target, size=size, sha256=SHA256)


@pytest.mark.parametrize("kind", ["plain", "whole", "breaks", "busy", "to//plain", "elsewhere"])
def test_what_was_meant_is_there_whole(server, tmp_path, kind):
    target = tmp_path / "new" / "a.bin"
    download(f"{server.url}/{kind}/a", target, size=len(CONTENT), sha256=SHA256)
    assert target.read_bytes() == CONTENT
    assert [entry.name for entry in target.parent.iterdir()] == ["a.bin"]
    asked = len(server.asked)
    _fetch(f"{server.url}/{kind}/a", target)
    assert len(server.asked) == asked  # what is there already is not fetched again


def test_a_download_that_broke_off_goes_on(server, tmp_path):
    target = tmp_path / "a.bin"
    with pytest.raises(DataError, match=r"stuck/a broke off after 1,000 of 1,024,000 bytes .*and it goes on"):
        _fetch(f"{server.url}/stuck/a", target)
    assert not target.exists()
    (left,) = tmp_path.iterdir()
    assert left.read_bytes() == CONTENT[:1000]
    grown = []
    download(
        f"{server.url}/plain/a",
        target,
        size=len(CONTENT),
        sha256=SHA256,
        told=lambda done, total: grown.append((done, total)),
    )
    assert server.asked[-1][1] == "bytes=1000-"
    assert target.read_bytes() == CONTENT
    assert grown[0][0] > 1000 and grown[-1] == (len(CONTENT), len(CONTENT))
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.bin"]


@pytest.mark.parametrize("kind", ["whole", "elsewhere"])
def test_a_server_that_does_not_go_on_begins_again(server, tmp_path, kind):
    target = tmp_path / "a.bin"
    with pytest.raises(DataError):
        _fetch(f"{server.url}/stuck/a", target)
    if kind == "elsewhere":  # what it sends is never taken for what was asked
        with pytest.raises(DataError, match="sent another part"):
            _fetch(f"{server.url}/{kind}/a", target)
    else:
        _fetch(f"{server.url}/{kind}/a", target)
        assert target.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("other", "its SHA-256 is another one"),
        ("long", "has 1,024,004 bytes, not 1,024,000"),
        ("endless", "has more than 1,024,000 bytes"),
        ("short", "has 1,023,999 bytes, not 1,024,000"),
    ],
)
def test_another_file_leaves_nothing(server, tmp_path, kind, said):
    (tmp_path / "a.bin").write_bytes(b"precious")
    with pytest.raises(DataError, match=f"{said}; nothing of it was kept"):
        _fetch(f"{server.url}/{kind}/a", tmp_path / "a.bin")
    assert [(entry.name, entry.read_bytes()) for entry in tmp_path.iterdir()] == [("a.bin", b"precious")]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("absent", "the server answers 404 Not Found"),
        ("to/file:///etc/hostname", "302, a redirection that is not followed"),
        ("to/ftp://127.0.0.1/a", "302, a redirection that is not followed"),
        ("to/http://me:it@127.0.0.1/a", "302, a redirection that is not followed"),
        ("loop", "302, a redirection that is not followed"),
    ],
)
def test_what_cannot_be_fetched(server, tmp_path, kind, said):
    with pytest.raises(DataError) as error:
        _fetch(f"{server.url}/{kind}", tmp_path / "a.bin")
    assert said in str(error.value) and "\n" not in str(error.value)
    assert not (tmp_path / "a.bin").exists()


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:1/a", "http://[::1/a", "http://127.0.0.1:port/a", "http:///a", "http://nowhere.invalid/a b"],
)
def test_addresses_where_nobody_answers(server, tmp_path, url):
    with pytest.raises(DataError) as error:
        _fetch(url, tmp_path / "a.bin")
    assert "\n" not in str(error.value)


def test_a_login_goes_to_its_host_alone(server, tmp_path):
    login = server.url.replace("http://", "http://me:s%20ecret@")
    with pytest.raises(DataError, match="answers 401"):
        _fetch(f"{server.url}/login/a", tmp_path / "a.bin")
    _fetch(f"{login}/login/a", tmp_path / "a.bin")
    assert server.asked[-1][2] == "Basic bWU6cyBlY3JldA=="
    _fetch(f"{login}/to//plain/a", tmp_path / "b.bin")
    assert server.asked[-1][2] == "Basic bWU6cyBlY3JldA=="
    other = server.url.replace("127.0.0.1", "localhost")
    _fetch(f"{login}/to/{other}/plain/a", tmp_path / "c.bin")
    assert server.asked[-1] == ("/plain/a", None, None)
    with pytest.raises(DataError) as error:
        _fetch(f"{login}/absent?token=key", tmp_path / "d.bin")
    assert "ecret" not in str(error.value) and "key" not in str(error.value)
    assert shown(f"{login}/x?token=key") == f"{server.url}/x"


def test_paths_and_other_storage_are_addresses_too(tmp_path):
    fsspec = pytest.importorskip("fsspec")
    (tmp_path / "source.bin").write_bytes(CONTENT)
    fsspec.filesystem("memory").pipe_file("/voices/a.bin", CONTENT)
    for number, url in enumerate(
        (str(tmp_path / "source.bin"), f"file://{tmp_path}/source.bin", "memory://voices/a.bin")
    ):
        _fetch(url, tmp_path / f"{number}.bin")
        assert (tmp_path / f"{number}.bin").read_bytes() == CONTENT
    with pytest.raises(DataError, match="cannot read"):
        _fetch(str(tmp_path / "absent"), tmp_path / "b.bin")


def test_a_full_disk_is_said_before(tmp_path):
    (tmp_path / "source.bin").write_bytes(CONTENT)
    with pytest.raises(DataError, match="needs 1,000,000,000,000 MB, and the disk has"):
        _fetch(str(tmp_path / "source.bin"), tmp_path / "a.bin", size=10**18)


def test_two_processes_do_not_write_one_file(tmp_path):
    fcntl = pytest.importorskip("fcntl")
    (tmp_path / "source.bin").write_bytes(CONTENT)
    with (tmp_path / f".a.bin.{SHA256[:16]}.part").open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(DataError, match="another process is fetching it"):
            _fetch(str(tmp_path / "source.bin"), tmp_path / "a.bin")
    _fetch(str(tmp_path / "source.bin"), tmp_path / "a.bin")


def test_a_small_file_is_read_and_a_large_one_is_not(server, tmp_path):
    assert read_file(f"{server.url}/busy/a", limit=len(CONTENT)) == CONTENT
    for url in (f"{server.url}/plain/a", f"{server.url}/endless/a"):
        with pytest.raises(DataError, match="has more than 1,000 bytes"):
            read_file(url, limit=1000)
    with pytest.raises(DataError, match="cannot read"):
        read_file(str(tmp_path), limit=10)
    with pytest.raises(DataError, match="cannot read http"):
        read_file("http://127.0.0.1:1/a", limit=10)
