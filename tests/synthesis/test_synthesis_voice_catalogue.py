"""Catalogues of voices: what they offer is downloaded whole and verified, and a hostile one is one line."""

import copy
import functools
import hashlib
import http.server
import json
import threading

import pytest
from tiny_voice import write_tiny_voice

import glowvox.storage.download as downloads
from glowvox.cli.main import main
from glowvox.errors import VoiceError
from glowvox.export.catalogue import write_catalogue
from glowvox.synthesis.installed_voices import find_voice, load_voice
from glowvox.synthesis.voice_catalogue import VoiceCatalogue, catalogue_address, read_catalogue
from glowvox.synthesis.voice_folder import pack_voice


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    """A folder with a catalogue of two voices, as a web server would offer it."""
    place = tmp_path_factory.mktemp("public")
    write_tiny_voice(place / "voices" / "anna", place / "models" / "anna")
    write_tiny_voice(place / "voices" / "bob", place / "models" / "bob")
    pack_voice(place / "voices" / "bob", place / "voices" / "Robert.voice")
    (place / "voices" / "anna.mp3").write_bytes(b"a sample")
    write_catalogue(place / "voices", place / "public", samples=False)
    return place / "public"


@pytest.fixture
def home(tmp_path, monkeypatch):
    home = tmp_path / "home"
    monkeypatch.setenv("GLOWVOX_VOICES", str(home))
    monkeypatch.delenv("GLOWVOX_CATALOGUE", raising=False)
    return home


@pytest.fixture
def server(public, monkeypatch):
    monkeypatch.setattr(downloads, "_WAIT_SECONDS", 0.001)
    monkeypatch.setenv("no_proxy", "*")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Handler, directory=str(public))
    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    served.handle_error = lambda *_: None  # clients that go
    threading.Thread(target=served.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{served.server_port}"
    served.shutdown()
    served.server_close()


def _content(public):
    return json.loads((public / "catalogue.json").read_text("utf-8"))


def _written(tmp_path, content):
    place = tmp_path / "catalogue.json"
    place.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return str(place)


def test_a_catalogue_of_a_folder(public):
    anna, bob = _content(public)["voices"]
    archive = (public / "anna.voice").read_bytes()
    assert anna == {
        "name": "anna",
        "url": "anna.voice",
        "size": len(archive),
        "sha256": hashlib.sha256(archive).hexdigest(),
        "licence": "CC0-1.0",
        "language": "en-us",
        "languages": ["en-us"],
        "speakers": ["ann"],
        "sample_rate": 22050,
        "sample": "anna.mp3",
    }
    assert bob["name"] == "bob" and "sample" not in bob
    before = (public / "catalogue.json").read_bytes()
    write_catalogue(public, samples=False)  # in place, again: the same bytes
    assert (public / "catalogue.json").read_bytes() == before
    assert sorted(entry.name for entry in public.iterdir()) == [
        *("anna.mp3", "anna.voice", "bob.voice", "catalogue.json"),
    ]


def test_by_address_or_path_it_is_listed_and_downloaded(server, public, home, capsys, monkeypatch):
    assert main(["voices", "--available", "--catalogue", f"{server}/catalogue.json"]) == 0
    first, second = (" ".join(line.split()) for line in capsys.readouterr().out.splitlines())
    size = (public / "anna.voice").stat().st_size
    assert first == f"anna en-us {size / 1e6:,.1f} MB CC0-1.0"
    assert second.startswith("bob en-us ")
    assert main(["voices", "--download", "anna", "--catalogue", f"{server}/catalogue.json"]) == 0
    assert f"installed anna: {home / 'anna.voice'}" in capsys.readouterr().out
    assert find_voice("anna") == home / "anna.voice"
    assert len(load_voice("anna").say("Yes.").samples)
    monkeypatch.setenv("GLOWVOX_CATALOGUE", str(public / "catalogue.json"))
    assert main(["voices", "--available", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["name"], row["installed"]) for row in rows] == [("anna", True), ("bob", False)]
    assert rows[0]["sample"] == str(public / "anna.mp3")
    assert main(["voices", "--download", "anna"]) == 2
    assert "is installed already" in capsys.readouterr().err
    assert main(["voices", "--download", "anna", "--force", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"name": "anna", "path": str(home / "anna.voice")}
    assert main(["voices", "--download", "bob"]) == 0
    assert sorted(entry.name for entry in home.iterdir()) == ["anna.voice", "bob.voice"]


def test_a_broken_download_goes_on(public, server, home, capsys):
    archive = (public / "anna.voice").read_bytes()
    digest = hashlib.sha256(archive).hexdigest()
    (home / ".downloads").mkdir(parents=True)
    part = home / ".downloads" / f".anna.voice.{digest[:16]}.part"
    part.write_bytes(archive[:5000])
    assert main(["voices", "--download", "anna", "--catalogue", f"{server}/catalogue.json"]) == 0
    assert (home / "anna.voice").read_bytes() == archive
    assert [entry.name for entry in home.iterdir()] == ["anna.voice"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sha256": "0" * 64}, "its SHA-256 is another one; nothing of it was kept"),
        ({"size": 1000}, "nothing of it was kept"),
        ({"name": "eve"}, "the catalogue states the name 'eve', the voice itself 'anna'; nothing of it was kept"),
        ({"licence": "MIT"}, "the catalogue states the licence 'MIT', the voice itself 'CC0-1.0'; nothing of it"),
        ({"url": "catalogue.json"}, "not a voice that can be read"),
        ({"url": "absent.voice"}, "absent.voice: the server answers 404"),
    ],
)
def test_what_is_not_as_stated_is_not_kept(change, said, public, server, home, tmp_path, capsys):
    content = _content(public)
    entry = content["voices"][0] | {"url": f"{server}/anna.voice"} | change
    if entry["url"] == "catalogue.json":
        other = (public / "catalogue.json").read_bytes()
        entry |= {
            "url": f"{server}/catalogue.json",
            "size": len(other),
            "sha256": hashlib.sha256(other).hexdigest(),
        }
    elif "url" in change:
        entry["url"] = f"{server}/{change['url']}"
    place = _written(tmp_path, content | {"voices": [entry]})
    home.mkdir()
    (home / f"{entry['name']}.voice").write_bytes(b"the former one")
    assert main(["voices", "--download", entry["name"], "--catalogue", place, "--force"]) == 2
    errors = capsys.readouterr().err
    assert said.replace("absent.voice: the server", "the server") in errors and errors.count("\n") == 1
    kept = [path for path in home.rglob("*") if path.is_file() and path.suffix != ".part"]
    assert [(path.name, path.read_bytes()) for path in kept] == [(f"{entry['name']}.voice", b"the former one")]
    if "answers" not in said:
        assert not (home / ".downloads").exists()


def test_without_a_catalogue_nothing_is_asked(home, capsys):
    for arguments in (["--available"], ["--download", "anna"]):
        assert main(["voices", *arguments]) == 2
        assert "no catalogue is named, and there is no public one yet" in capsys.readouterr().err
    with pytest.raises(VoiceError, match="GLOWVOX_CATALOGUE"):
        catalogue_address(None)


def test_a_voice_that_is_not_offered(public, home, capsys):
    assert main(["voices", "--download", "zoe", "--catalogue", str(public / "catalogue.json")]) == 2
    assert "catalogue.json has no voice 'zoe'; it has anna, bob" in capsys.readouterr().err


def _changed(**change):
    def change_first(content):
        content["voices"][0] |= change

    return change_first


def _without(key):
    return lambda content: content["voices"][0].pop(key)


_HOSTILE = {
    "traversal": (_changed(name="../../etc/cron.d/x"), "is no name for a voice"),
    "hidden": (_changed(name=".x"), "is no name for a voice"),
    "escape": (_changed(name="a\x1b[2Jb"), "is no name for a voice"),
    "long name": (_changed(name="a" * 101), "is no name for a voice"),
    "file address": (_changed(url="file:///etc/passwd"), "is neither a file below the catalogue nor an https address"),
    "absolute": (_changed(url="/etc/passwd"), "is neither a file below"),
    "upwards": (_changed(url="a/../../x.voice"), "is neither a file below"),
    "backslashes": (_changed(url="..\\x.voice"), "is neither a file below"),
    "encoded": (_changed(url="%2e%2e/x.voice"), "is neither a file below"),
    "other host": (_changed(url="//other.example/x.voice"), "is neither a file below"),
    "login": (_changed(url="https://a:b@host/x.voice"), "is neither a file below"),
    "bucket": (_changed(url="s3://bucket/x.voice"), "is neither a file below"),
    "chained": (_changed(url="simplecache::file:///etc/passwd"), "is neither a file below"),
    "no address": (_changed(url=""), "is neither a file below"),
    "sample": (_changed(sample="file:///etc/passwd"), "sample: 'file:///etc/passwd' is neither"),
    "huge": (_changed(size=10**30), "expected a number of at most 64 bits"),
    "endless": (_changed(size=5 << 30), "a voice has 1 byte to 4 GiB"),
    "negative": (_changed(size=-1), "a voice has 1 byte to 4 GiB"),
    "size as text": (_changed(size="12"), "voice.size"),
    "size as truth": (_changed(size=True), "voice.size"),
    "hash": (_changed(sha256="abc"), "expected 64 hexadecimal digits"),
    "hash in path": (_changed(sha256="../" * 21 + "x"), "expected 64 hexadecimal digits"),
    "licence": (_changed(licence=""), "the licence and the language are stated"),
    "description": (_changed(description="\x1b]0;x\x07"), "is no line of text"),
    "lines": (_changed(description="a\nb"), "is no line of text"),
    "speakers": (_changed(speakers=["a\x00"]), "is no line of text"),
    "quality": (_changed(quality={"wer": "low"}), "is no name with a number"),
    "quality name": (_changed(quality={"\x1b": 1}), "is no name with a number"),
    "figures": (_changed(quality={f"a{n}": n for n in range(65)}), "more than 64 figures"),
    "rate": (_changed(sample_rate=0), "sample_rate"),
    "unknown": (_changed(command="rm"), "unknown setting 'command'"),
    "incomplete": (_without("sha256"), "the setting 'sha256' is missing"),
    "twice": (lambda content: content["voices"].append(content["voices"][0]), "the name 'anna' stands twice"),
    "twice in capitals": (
        lambda content: content["voices"].append(content["voices"][0] | {"name": "ANNA"}),
        "the name 'ANNA' stands twice",
    ),
    "no table": (lambda content: content["voices"].append("x"), "voice 3: voice: expected a table"),
    "no list": (lambda content: content.update(voices={}), "'voices' must be at most 10000 entries"),
    "many": (lambda content: content.update(voices=[{}] * 10_001), "'voices' must be at most 10000 entries"),
    "unknown key": (lambda content: content.update(more=1), "unknown key 'more'"),
    "newer": (lambda content: content.update(format_version=2), "format version 2, this program reads 1"),
    "another": (lambda content: content.update(format="glowvox-voice"), "not a catalogue of voices"),
}


@pytest.mark.parametrize("kind", _HOSTILE)
def test_a_hostile_catalogue_is_one_line(kind, public, home, tmp_path, capsys):
    change, said = _HOSTILE[kind]
    content = copy.deepcopy(_content(public))
    change(content)
    place = _written(tmp_path, content)
    for arguments in (["--available"], ["--download", "anna"]):
        assert main(["voices", *arguments, "--catalogue", place]) == 2
        errors = capsys.readouterr().err
        assert said in errors and errors.count("\n") == 1 and errors.rstrip("\n").isprintable()
    assert not home.exists()


@pytest.mark.parametrize(
    "content", ["", "null", "[]", "{", "[" * 100_000, '{"a": ' + "1" * 5000 + "}", '{"format": NaN}', "\ud800"]
)
def test_what_is_no_catalogue_is_one_line(content, home, tmp_path, capsys):
    place = tmp_path / "catalogue.json"
    place.write_bytes(content.encode("utf-8", "surrogatepass"))
    assert main(["voices", "--available", "--catalogue", str(place)]) == 2
    errors = capsys.readouterr().err
    assert "no catalogue of voices" in errors.replace("not a", "no") and errors.count("\n") == 1


def test_a_catalogue_that_is_too_long_or_not_there(home, tmp_path, capsys):
    (tmp_path / "long.json").write_bytes(b" " * (9 << 20))
    for place, said in (
        (tmp_path / "long.json", "has more than 8,388,608 bytes"),
        (tmp_path / "no.json", "cannot read"),
    ):
        assert main(["voices", "--available", "--catalogue", str(place)]) == 2
        errors = capsys.readouterr().err
        assert said in errors and errors.count("\n") == 1


def test_addresses_are_taken_from_where_the_catalogue_is():
    def address(catalogue, url):
        return VoiceCatalogue(catalogue, ()).address_of(url)

    assert address("https://a.example/v/catalogue.json", "x.voice") == "https://a.example/v/x.voice"
    assert address("https://me:it@a.example/v/catalogue.json?key=1", "s/x.mp3") == "https://me:it@a.example/v/s/x.mp3"
    assert address("/srv/v/catalogue.json", "x.voice") == "/srv/v/x.voice"
    assert address("file:///srv/v/catalogue.json", "x.voice") == "/srv/v/x.voice"
    assert address("s3://bucket/v/catalogue.json", "x.voice") == "s3://bucket/v/x.voice"
    assert address("http://a.example/c.json", "http://b.example/x.voice") == "http://b.example/x.voice"
    assert address("https://a.example/c.json", "https://b.example/x.voice") == "https://b.example/x.voice"
    with pytest.raises(VoiceError, match="which is not encrypted"):
        address("https://a.example/c.json", "http://b.example/x.voice")


def test_writing_a_catalogue(public, home, tmp_path, capsys):
    (tmp_path / "voices").mkdir()
    assert main(["voices", "--write-catalogue", str(tmp_path / "voices")]) == 2
    assert "holds no voice" in capsys.readouterr().err
    (tmp_path / "voices" / "anna.voice").write_bytes((public / "anna.voice").read_bytes())
    assert main(["voices", "--write-catalogue", str(tmp_path / "voices"), "-o", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out.startswith(f"{tmp_path / 'out' / 'catalogue.json'}: anna\n")
    (entry,) = read_catalogue(str(tmp_path / "out" / "catalogue.json")).voices
    assert entry.sample == "anna.mp3" and (tmp_path / "out" / "anna.mp3").stat().st_size > 1000
    (tmp_path / "voices" / "broken.voice").write_bytes(b"PK")
    assert main(["voices", "--write-catalogue", str(tmp_path / "voices"), "--no-samples"]) == 2
    assert "broken.voice: damaged" in capsys.readouterr().err
    assert not (tmp_path / "voices" / "catalogue.json").exists()


def test_the_figures_are_those_of_the_voice(home, tmp_path):
    entries = write_catalogue(find_voice("nora").parent, tmp_path, samples=False)
    nora = next(entry for entry in entries if entry.name == "nora")
    assert nora.quality["wer"] > 0 and nora.quality["distillmos"] > 4
    assert {entry.name for entry in read_catalogue(str(tmp_path / "catalogue.json")).voices} >= {"nora", "kathleen"}
