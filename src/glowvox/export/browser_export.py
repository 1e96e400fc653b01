"""A voice for the browser: a folder that is a web page and a package of npm, with nothing to fetch but its own files.

One graph from tokens to samples, for onnxruntime-web; the text front end in JavaScript, translated from the Python
(`browser_front_end.py`) with its tables (`browser_tables.py`); a page, and a module with types.
"""

import gzip
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import glowvox
from glowvox import __version__
from glowvox.engines.graph_engine import ENCODER_NAME, METADATA_KEY, VOCODER_NAME, GraphCard, read_metadata
from glowvox.errors import ConfigError, TextError, VoiceError
from glowvox.export.browser_front_end import front_end_program
from glowvox.export.browser_tables import write_tables
from glowvox.export.graph_builder import Precision
from glowvox.export.rewritten_voice import rewritten
from glowvox.export.speech_graph import MOST_BLOCKS, SpeechGraph, SpeechInputs, new_graph, require_graphs
from glowvox.storage.whole_folder import replacing_folder
from glowvox.synthesis.installed_voices import find_voice
from glowvox.synthesis.script import FrontEnds
from glowvox.synthesis.voice_card import VoiceCard, read_voice_card
from glowvox.synthesis.voice_folder import files_folder, open_voice_folder

MARK = "glowvox-browser"
"""What `voice.json` says its format is."""
RUNTIME_FOLDER = "ort"
RUNTIME_FILES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
_RUNTIME = "onnxruntime-web"
_OLDEST_RUNTIME = "1.20.0"
SOURCES = Path(__file__).with_name("browser")
_PAGE_OF_THE_SERVER = Path(glowvox.__file__).with_name("serve") / "page"
_SHARED_FILES = (
    *("theme.css", "controls.css", "favicon.svg"),
    *("newsreader.woff2", "newsreader-ext.woff2", "newsreader-OFL.txt"),
)
_LANGUAGE = "en-us"


@dataclass(frozen=True)
class BrowserExport:
    """What was written."""

    folder: Path
    card: VoiceCard
    sizes: dict[str, int]
    """Bytes of each file, by its path in the folder."""
    precision: str
    """How the graph's weights are stored."""
    runtime: str | None
    """Version of onnxruntime-web in the folder; None: it is not there, and the page cannot speak."""


def export_browser(
    name: str | None,
    folder: Path,
    *,
    precision: Precision | None = None,
    runtime: Path | None = None,
    replace: bool = False,
) -> BrowserExport:
    """Write a voice's folder for the browser.

    Args:
        name: a voice's name, folder or `.voice` file; None: the default voice.
        folder: to create.
        precision: 'float32' or 'float16', of a voice that holds its models: its graphs are written anew, by PyTorch;
            None: as the voice has them, float16 where it has 8 bits, which WebAssembly rounds otherwise.
        runtime: the installed npm package onnxruntime-web, or a folder that holds it, which the page loads.
        replace: whether a folder that this function wrote before may be replaced.

    Raises:
        VoiceError: there is no such voice, it needs what one graph cannot do, it lacks its models, or the folder
            cannot be written.
        ConfigError: a precision that this export has no graphs of, or no onnxruntime-web where one should be.
        TextError: the voice does not speak American English, or with another back end.
        EngineError: a graph is damaged.
    """
    _refuse_existing(folder, replace=replace)
    package = None if runtime is None else find_runtime(runtime)
    with open_voice_folder(find_voice(name)) as place:
        card = read_voice_card(place)
        _check_language(card)
        source = files_folder(place, card)
        with tempfile.TemporaryDirectory(prefix="glowvox-") as graphs:
            stored = _stored_precision(source, card)
            if precision is None and stored == "int8":
                precision = "float16"
            if precision is not None:
                source = rewritten(source, card, precision, Path(graphs))
            speech = SpeechGraph(source, card)
            graph = browser_graph(speech)
    with replacing_folder(folder, VoiceError) as made:
        _write(made, speech, graph, package)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return BrowserExport(
        folder,
        card,
        {path.relative_to(folder).as_posix(): path.stat().st_size for path in files},
        precision or stored,
        None if package is None else _version_of(package),
    )


def browser_graph(speech: SpeechGraph) -> bytes:
    """Return a voice as one ONNX file: tokens, length scale, temperature, sigma and the state of the noise in, samples
    out; where it has several speakers, the number of one as well.
    """
    graph = new_graph()
    tokens = graph.input("tokens", ["T"], np.int64)
    length_scale, temperature, sigma = (graph.input(name, [1]) for name in ("length_scale", "temperature", "sigma"))
    key, states = graph.input("key", [2], np.int64), graph.input("states", ["N", 4], np.int64)
    card = speech.card
    speaker = None
    if speech.speakers > 1:
        known = card.model_speakers or card.speakers
        numbers = graph.integers([known.index(each) for each in card.speakers])
        several = len(card.speakers) > 1
        speaker = graph.op("Gather", numbers, graph.input("speaker", [1], np.int64), axis=0) if several else numbers
    given = SpeechInputs(tokens, temperature, sigma, length_scale, key, states, speaker)
    graph.output(graph.op("Identity", speech.write(graph, given)), "samples", ["S"])
    written: bytes = graph.model("speech", {"comment": f"glowvox {__version__}"}).SerializeToString()
    return written


def find_runtime(place: Path) -> Path:
    """Return the folder `dist` of an installed onnxruntime-web.

    Args:
        place: the package, a folder with `node_modules`, or `node_modules` itself.

    Raises:
        ConfigError: it is not there, or lacks the files.
    """
    for package in (place, place / _RUNTIME, place / "node_modules" / _RUNTIME):
        dist = package / "dist"
        if all((dist / name).is_file() for name in RUNTIME_FILES):
            return dist
    raise ConfigError(
        f"{place}: {_RUNTIME} is not there, or older than {_OLDEST_RUNTIME}; run 'npm install {_RUNTIME}', and give "
        f"the folder node_modules/{_RUNTIME}"
    )


def _version_of(dist: Path) -> str:
    try:
        return str(json.loads((dist.parent / "package.json").read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return "unknown"


def _check_language(card: VoiceCard) -> None:
    front_end = FrontEnds(card.front_ends).load(card.language)
    if front_end.name != f"gruut/{_LANGUAGE}":
        raise TextError(
            f"the voice {card.name} reads with {front_end.name}; in the browser there is American English only "
            f"(gruut/{_LANGUAGE})"
        )


def _stored_precision(folder: Path, card: VoiceCard) -> str:
    """Return how a voice's graphs store their weights.

    Raises:
        VoiceError: it has no graphs, or lacks some.
    """
    kinds = set()
    require_graphs(folder, card)
    for name in (ENCODER_NAME, VOCODER_NAME):
        kinds.add(GraphCard.from_json(read_metadata(folder / name).get(METADATA_KEY), name).precision)
    return "int8" if "int8" in kinds else min(kinds)


def _refuse_existing(folder: Path, *, replace: bool) -> None:
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    try:
        own = json.loads((folder / "data" / "voice.json").read_text(encoding="utf-8")).get("format") == MARK
    except (OSError, ValueError, AttributeError):
        own = False
    if not (replace and own):
        what = (
            "; replace it with --force, or" if own else " and holds other files;" if folder.is_dir() else " as a file;"
        )
        raise VoiceError(f"{folder}: is there already{what} choose another name")


def _write(folder: Path, speech: SpeechGraph, graph: bytes, runtime: Path | None) -> None:
    """Write all files into a folder that is not there yet."""
    card = speech.card
    shutil.copytree(SOURCES, folder)
    (folder / "page" / "index.html").replace(folder / "index.html")
    for name in _SHARED_FILES:
        shutil.copyfile(_PAGE_OF_THE_SERVER / name, folder / "page" / name)
    sizes = write_front_end(folder)
    data = folder / "data"
    packed = gzip.compress(graph, 9, mtime=0)
    (data / "model.bin").write_bytes(packed)
    about = voice_about(speech) | {"files": {"model.bin": len(packed), **sizes}}
    (data / "voice.json").write_text(json.dumps(about, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (folder / "package.json").write_text(json.dumps(package_of(card), indent=2) + "\n", encoding="utf-8")
    if runtime is not None:
        (folder / RUNTIME_FOLDER).mkdir()
        for name in RUNTIME_FILES:
            shutil.copyfile(runtime / name, folder / RUNTIME_FOLDER / name)
        note = f"onnxruntime-web {_version_of(runtime)}, Copyright (c) Microsoft Corporation, MIT License.\n"
        (folder / RUNTIME_FOLDER / "README.md").write_text(note, encoding="utf-8")
    (folder / "README.md").write_text(_readme(card, with_runtime=runtime is not None), encoding="utf-8")


def write_front_end(folder: Path) -> dict[str, int]:
    """Write the text front end in JavaScript with its tables, into `lib` and `data`; return the tables' bytes by file.

    Raises:
        TextError: the language data are not installed.
    """
    shutil.copytree(SOURCES / "lib", folder / "lib", dirs_exist_ok=True)
    (folder / "lib" / "text.js").write_text(front_end_program(), encoding="utf-8")
    (folder / "data").mkdir()
    return write_tables(folder / "data")


def voice_about(speech: SpeechGraph) -> dict[str, Any]:
    """Return what JavaScript must know of a voice."""
    card, options = speech.card, speech.options
    return {
        "format": MARK,
        "format_version": 1,
        "name": card.name,
        "description": card.description,
        "language": card.language,
        "licence": card.licence,
        "speakers": list(card.speakers),
        "sample_rate": speech.audio.sample_rate,
        "symbols": list(speech.tokenizer.symbols),
        "noise_blocks": MOST_BLOCKS,
        "defaults": {
            "speed": options.speed,
            "temperature": options.temperature,
            "sigma": options.sigma,
            "seed": options.seed,
            "sentencePause": options.sentence_pause,
            "paragraphPause": options.paragraph_pause,
            "pauseTags": options.pause_tags,
        },
    }


def package_of(card: VoiceCard) -> dict[str, Any]:
    """Return the `package.json` of a voice."""
    licences = list(dict.fromkeys(["Apache-2.0", card.licence]))
    slug = (
        "".join(sign if sign.isalnum() else "-" for sign in card.name.lower() if sign.isascii()).strip("-") or "voice"
    )
    return {
        "name": f"glowvox-voice-{slug}",
        "version": __version__.split("+")[0].replace(".dev", "-dev."),
        "description": f"{card.description or 'A voice of Glowvox.'} Text to speech in the browser, without a server.",
        "license": " AND ".join(f"({each})" if " " in each else each for each in licences),
        "type": "module",
        "exports": {
            ".": {"types": "./glowvox.d.ts", "default": "./glowvox.js"},
            "./data/*": "./data/*",
            "./package.json": "./package.json",
        },
        "types": "./glowvox.d.ts",
        "files": ["glowvox.js", "glowvox.d.ts", "lib", "data", "README.md"],
        "sideEffects": ["./lib/worker.js"],
        "peerDependencies": {_RUNTIME: f">={_OLDEST_RUNTIME}"},
        "keywords": ["text-to-speech", "tts", "speech", "onnx", "glowvox"],
    }


def _readme(card: VoiceCard, *, with_runtime: bool) -> str:
    missing = (
        ""
        if with_runtime
        else "\nThe page needs onnxruntime-web in the folder `ort/`: `npm install onnxruntime-web`, then copy "
        + ", ".join(f"`{name}`" for name in RUNTIME_FILES)
        + " there from `node_modules/onnxruntime-web/dist`.\n"
    )
    return f"""\
# {card.name} in the browser

{card.description or "A voice of Glowvox."} Language: {card.language}. Licence: {card.licence}.

**As a page.** Serve this folder as it is, with any web server: `python -m http.server`. Nothing is fetched from
elsewhere, and no text leaves the page.
{missing}
**As a module**, with onnxruntime-web beside it:

    import * as ort from "onnxruntime-web/wasm";
    import {{ load, wavBytes }} from "glowvox-voice-...";

    const voice = await load({{ ort }});
    const {{ samples, sampleRate }} = await voice.say("Hello, world.");
    for await (const sentence of voice.stream(longText)) play(sentence.samples);

`loadInWorker({{ ortUrl }})` gives the same voice in a worker, so that the page stays awake; `ortUrl` is the address of
`ort.wasm.min.mjs`, its WebAssembly beside it. `glowvox.d.ts` lists everything.

- Chrome 112, Firefox 116, Safari 17, Node 20, and later ones.
- The text is read as Glowvox's Python reads it, with the same phonemes: American English in plain text, with
  `[[ phonemes ]]` and `[pause:1s]` in it. There is no SSML and no Markdown. Words in other scripts are read by their
  letters, or left out with a warning.
- The samples are those of Glowvox's Python with the same model and seed, but for rounding.
- The dictionary and the tagger are those of gruut (MIT), the typeface is Newsreader (OFL).
"""
