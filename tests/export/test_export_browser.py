"""A voice for the browser: the samples of `say`, in Node and in a browser that reaches no other host."""

import base64
import dataclasses
import json
import shutil
import sys
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from node_program import RUNTIME, needs_runtime, run_node
from small_voice import make_voice

from glowvox.audio.files import read_audio
from glowvox.cli.main import main
from glowvox.errors import ConfigError, TextError, VoiceError
from glowvox.export import browser_export
from glowvox.export.browser_export import export_browser, find_runtime, package_of
from glowvox.synthesis.installed_voices import load_voice
from glowvox.synthesis.voice_card import read_voice_card
from glowvox.text.front_end import load_front_end

sys.path.append(str(Path(__file__).parents[1] / "serve"))
from page_browser import headless, opened

TEXT = "Hello, wide world! Dr. Smith has 21 cats 😀.\n\nIs that so?"
VOICES = {
    "melody and source": {"melody": True, "harmonic": True, "pitch_channels": 24, "source_mix": True, "refine": 2},
    "speakers": {"speakers": ("ann", "bob")},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Makes a voice of a kind, and its folder for the browser, once."""
    known = {}

    def of(kind):
        if kind not in known:
            place = make_voice(tmp_path_factory.mktemp("voice"), **VOICES[kind])
            folder = tmp_path_factory.mktemp("web") / "site"
            export_browser(str(place), folder, runtime=RUNTIME if RUNTIME.is_dir() else None)
            known[kind] = load_voice(place, engine="onnx"), folder, place
        return known[kind]

    return of


@pytest.fixture
def quick(monkeypatch):
    """Writes no tables, which take seconds."""

    def written(folder):
        (folder / "data").mkdir()
        return {}

    monkeypatch.setattr(browser_export, "write_front_end", written)


def assert_said(samples, expected, bound=1e-4):
    """Random models are loud: the bound is for a signal of full scale."""
    assert len(samples) == len(expected)
    np.testing.assert_allclose(samples, expected, rtol=0, atol=bound * max(1.0, np.abs(expected).max()))


SPEAK = """
const ort = (await import("onnxruntime-web/wasm")).default;
ort.env.wasm.numThreads = 1;
const { load, wavBytes, TextError } = await import("./site/glowvox.js");
const files = async (url) => new Response(fs.readFileSync(url));
let most = 0;
const progress = (done, total) => (most = Math.max(most, done / total));
const voice = await load({ ort, fetch: files, progress });
const said = [];
for (const [text, options] of given) {
  const { samples, sampleRate, sentences, warnings } = await voice.say(text, options);
  fs.writeFileSync(`said${said.length}.f32`, new Uint8Array(samples.buffer));
  said.push([sampleRate, sentences, warnings]);
}
const wrong = async (text, options) => voice.say(text, options).then(() => "", (error) => [error.name, error.message]);
const errors = [
  await wrong("..."), await wrong("Hi", { speed: 0 }), await wrong("Hi", { seed: -1 }),
  await wrong("Hi", { speaker: "eve" }), await wrong("Hi", { signal: AbortSignal.abort() }),
  new TextError("x") instanceof Error,
];
const { sentences } = await voice.read("Yes. No.");
await voice.close();
const wav = wavBytes(Float32Array.of(0, 1, -2), 8000).length;
return { said, errors, read: sentences.map((one) => one.text), most, wav };
"""


def speak(folder, asked):
    place = folder.parent
    (place / "node_modules").exists() or (place / "node_modules").symlink_to(RUNTIME.parent.absolute())
    made = run_node(place, SPEAK, asked)
    return made, [np.fromfile(place / f"said{number}.f32", np.float32) for number in range(len(asked))]


@needs_runtime
def test_node_speaks_the_samples_of_say(made):
    voice, folder, _ = made("melody and source")
    told, said = speak(
        folder, [[TEXT, {}], [TEXT, {"speed": 1.3, "seed": 7, "sentencePause": 0.5}], ["Yes.", {"sigma": 0}]]
    )
    assert_said(said[0], voice.say(TEXT, markup="plain").samples)
    assert_said(said[1], voice.say(TEXT, markup="plain", speed=1.3, seed=7, sentence_pause=0.5).samples)
    assert_said(said[2], voice.say("Yes.", sigma=0.0).samples)
    rate, sentences, warnings = told["said"][0]
    assert rate == voice.sample_rate and len(sentences) == 3 and warnings == []
    assert [one["text"] for one in sentences][2] == "Is that so?"
    assert sentences[1]["start"] == pytest.approx(sentences[0]["seconds"])
    assert sum(one["seconds"] for one in sentences) == pytest.approx(len(said[0]) / rate)
    assert sentences[0]["words"][0]["text"] == "Hello" and TEXT[slice(*sentences[0]["span"])] == "Hello, wide world!"
    assert told["read"] == ["Yes.", "No."] and told["most"] == 1 and told["wav"] == 44 + 6
    kinds, messages = zip(*told["errors"][:5], strict=True)
    assert kinds == ("TextError", "RangeError", "RangeError", "RangeError", "AbortError") and told["errors"][5]
    assert "speed must be a number from 0.1 to 10" in messages[1] and "no speaker eve: ann" in messages[3]


@needs_runtime
def test_node_speaks_as_each_speaker_and_reads_long_texts_in_parts(made):
    voice, folder, _ = made("speakers")
    long = "\n\n".join(f"This is paragraph {number}, which is there." for number in range(1, 125))
    told, said = speak(folder, [["Hello there.", {"speaker": "bob"}], ["Hello there.", {}], [long, {"speed": 10}]])
    assert_said(said[0], voice.say("Hello there.", speaker="bob").samples)
    assert_said(said[1], voice.say("Hello there.", speaker="ann").samples)
    assert np.abs(said[0][: len(said[1])] - said[1][: len(said[0])]).max() > 1e-3
    assert len(long) > 4000 and len(told["said"][2][1]) == 124
    assert_said(said[2], voice.say(long, markup="plain", speed=10).samples)


@contextmanager
def served(folder):
    """Serve a folder on this machine; give its address."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


HEAR = """
async (text) => {
  const { loadInWorker } = await import("./glowvox.js");
  const voice = await loadInWorker();
  const { samples } = await voice.say(text);
  const stop = new AbortController();
  let heard = 0;
  let how = "";
  try {
    for await (const sentence of voice.stream("One. Two. Three. Four.", { signal: stop.signal })) {
      heard += sentence.samples.length > 0;
      stop.abort();
    }
  } catch (error) {
    how = error.name;
  }
  const again = (await voice.say("Yes.")).samples.length;
  const wrong = await voice.say("...").catch((error) => error.name);
  await voice.close();
  let bytes = "";
  for (const byte of new Uint8Array(samples.buffer)) bytes += String.fromCharCode(byte);
  return [btoa(bytes), heard, how, again > 0, wrong];
}
"""


@needs_runtime
def test_a_browser_speaks_with_all_other_hosts_closed(made, tmp_path):
    voice, folder, _ = made("melody and source")
    with headless() as browser, served(folder) as address, opened(browser, address, accept_downloads=True) as page:
        page.route("**/*", lambda route: route.continue_() if route.request.url.startswith(address) else route.abort())
        page.wait_for_selector("body[data-state=ready]")
        assert page.inner_text("#voice-name") == voice.card.name
        data, heard, how, again, wrong = page.evaluate(HEAR, TEXT)
        assert_said(np.frombuffer(base64.b64decode(data), np.float32), voice.say(TEXT, markup="plain").samples)
        assert (heard, how, again, wrong) == (1, "AbortError", True, "TextError")

        page.fill("#text", "Yes. Glimmerlark!")
        page.click("#speak")
        page.wait_for_selector("#download:enabled")
        page.keyboard.press("Escape")
        page.wait_for_selector("body[data-state=ready]")
        assert "Glimmerlark" in page.inner_text("#warnings") and "s of speech" in page.inner_text("#figures")
        with page.expect_download() as download:
            page.click("#download")
        download.value.save_as(tmp_path / "said.wav")
        samples, _ = read_audio(tmp_path / "said.wav")
        assert_said(np.clip(samples, -1, 1), np.clip(voice.say("Yes. Glimmerlark!").samples, -1, 1), 2e-4)

        page.fill("#text", "...")
        page.click("#speak")
        page.wait_for_selector("#warnings li")
        assert "nothing to say" in page.inner_text("#warnings")
        page.wait_for_selector("body[data-state=ready]")


def test_the_page_says_what_is_missing_without_a_runtime(made, tmp_path):
    _, folder, _ = made("speakers")
    shutil.copytree(folder, tmp_path / "site", ignore=shutil.ignore_patterns("ort"))
    with headless() as browser, served(tmp_path / "site") as address, opened(browser, address) as page:
        page.wait_for_selector("body[data-state=failed]")
        assert "onnxruntime-web is not in the folder ort/" in page.inner_text("#health")
        assert page.is_disabled("#speak")


def test_a_folder_is_a_site_and_a_package(made):
    voice, folder, _ = made("speakers")
    package = json.loads((folder / "package.json").read_text())
    assert package["name"] == "glowvox-voice-tiny" and package["license"] == "Apache-2.0 AND CC0-1.0"
    named = [package["types"], package["exports"]["."]["default"], package["exports"]["."]["types"], *package["files"]]
    assert all((folder / name).exists() for name in named)
    assert package["peerDependencies"] == {"onnxruntime-web": ">=1.20.0"}
    about = json.loads((folder / "data" / "voice.json").read_text())
    assert about["speakers"] == ["ann", "bob"] and about["sample_rate"] == voice.sample_rate
    assert all((folder / "data" / name).stat().st_size == size for name, size in about["files"].items())
    # Every name that the module exports has a type, and nothing else has.
    exported = {"load", "loadInWorker", "wavBytes", "TextError"}
    types = (folder / "glowvox.d.ts").read_text()
    assert all(f"export function {name}(" in types or f"export class {name} " in types for name in exported)
    assert {path.name for path in folder.iterdir()} >= {"index.html", "README.md", "page", "lib", "data"}
    texts = [path.read_text() for path in folder.rglob("*") if path.suffix in (".js", ".html", ".css")]
    assert not any("https://" in text for text in texts if "export function load($py" not in text)


def test_the_command_writes_and_replaces(made, quick, tmp_path, capsys):
    _, _, place = made("speakers")
    command = ["export", "voice", str(place), "--to", "browser", "-o", str(tmp_path / "out")]
    assert main([*command, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["onnxruntime_web"] is None and told["precision"] == "float32" and "index.html" in told["files"]
    assert main(command) == 2 and "--force" in capsys.readouterr().err
    assert main([*command, "--force"]) == 0
    assert "npm install onnxruntime-web" in capsys.readouterr().out
    assert "`ort/`" in (tmp_path / "out" / "README.md").read_text()
    package = tmp_path / "node_modules" / "onnxruntime-web"
    (package / "dist").mkdir(parents=True)
    for name in browser_export.RUNTIME_FILES:
        (package / "dist" / name).write_text("runtime")
    (package / "package.json").write_text('{"version": "1.2.3"}')
    assert main([*command, "--force", "--onnxruntime-web", str(tmp_path)]) == 0
    assert "onnxruntime-web 1.2.3" in capsys.readouterr().out
    assert (tmp_path / "out" / "ort" / "ort.wasm.min.mjs").read_text() == "runtime"
    (tmp_path / "out" / "data" / "voice.json").unlink()
    assert main([*command, "--force"]) == 2 and "other files" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nora", "--to", "browser", "--licence", "CC0-1.0"], "leave --licence out"),
        (["nora", "--to", "sherpa-onnx", "--onnxruntime-web", "x"], "--onnxruntime-web is for the browser"),
        (["--onnxruntime-web", "x"], "--onnxruntime-web is for the browser"),
        (["nora", "--to", "browser", "--onnxruntime-web", "nowhere"], "npm install onnxruntime-web"),
        (["nobody", "--to", "browser"], "nobody"),
        (["nora", "--to", "browser", "--precision", "int8"], "8 bits"),
    ],
)
def test_mistakes_are_told_in_one_line(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["export", "voice", *arguments, "-o", "x"]) == 2
    told = capsys.readouterr().err.strip()
    assert message in told and len(told.splitlines()) == 1
    assert not (tmp_path / "x").exists()


def test_what_cannot_be_written_is_refused(made, quick, tmp_path, monkeypatch):
    _, _, place = made("speakers")
    with pytest.raises(ConfigError, match="older than"):
        find_runtime(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(VoiceError, match="cannot be written"):
        export_browser(str(place), tmp_path / "file" / "out")
    # British English is read with another dictionary.
    card = dataclasses.replace(read_voice_card(place), front_ends={"en-us": load_front_end("en-gb").to_dict()})
    monkeypatch.setattr(browser_export, "read_voice_card", lambda folder: card)
    with pytest.raises((TextError, VoiceError), match="en-gb"):
        export_browser(str(place), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "licence", "package", "both"),
    [
        ("Ann.B", "CC0-1.0", "glowvox-voice-ann-b", "Apache-2.0 AND CC0-1.0"),
        ("nora", "Apache-2.0", "glowvox-voice-nora", "Apache-2.0"),
        ("a_b", "MIT OR CC0-1.0", "glowvox-voice-a-b", "Apache-2.0 AND (MIT OR CC0-1.0)"),
    ],
)
def test_names_and_licences_are_those_of_npm(name, licence, package, both, made):
    card = dataclasses.replace(read_voice_card(made("speakers")[2]), name=name, licence=licence)
    made_package = package_of(card)
    assert (made_package["name"], made_package["license"]) == (package, both)
