"""A voice in the browser: how much is fetched, when it is heard, how fast it speaks, and whether it is Python's.

    python benchmarks/browser.py text --sentences sentences.csv      # with Node: are the tokens those of Python?
    python benchmarks/browser.py speech --onnxruntime-web node_modules/onnxruntime-web [--voice nora]

`text` reads each line (`id|text`, or a text) with Python's front end and with JavaScript's, and prints the share whose
tokens are the same, and those that differ. `speech` exports the voice, serves its folder on this machine, and opens it
in a headless Chromium to which all other hosts are closed. It prints the size of what is fetched, the time until
the voice is ready and from a text to its first sentence, the speed, and the largest difference of its samples from
those of `say` with the same graphs and noise, full scale being 1. Needs the extras `train` and `export`, and
Playwright.
"""

import argparse
import json
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np

TEXTS = (
    "Yes.",
    "Hello, world. How are you today?",
    "Every voice begins as noise. A flow bends it, step by step, until it says what you wrote.",
    "On March 3rd, 2021, Dr. Smith paid $5.20 for 3 lb of apples at 221B Baker St., and read the lead story twice.",
)
READ = """
import fs from "node:fs";
import { frontEnd } from "./lib/front_end.js";
import { unpacked } from "./lib/tables.js";
const files = {};
for (const name of ["lexicon", "tagger", "homographs", "meanings", "sounds", "tables"]) {
  files[name] = await unpacked(new Uint8Array(fs.readFileSync(`data/${name}.bin`)));
}
const [given, taken] = process.argv.slice(2);
const { symbols, texts } = JSON.parse(fs.readFileSync(given));
const began = performance.now();
const reader = frontEnd(files, { symbols });
const opened = performance.now();
const read = texts.map((text) => reader.process(text).sentences);
const done = performance.now();
const rows = read.map((sentences) => [
  sentences.map((sentence) => sentence.tokens),
  sentences.map((sentence) => sentence.words.map((word) => `${word.text} [${word.phonemes.join(" ")}]`)),
]);
fs.writeFileSync(taken, JSON.stringify({ rows, opened: opened - began, each: (done - opened) / texts.length }));
"""


def compare_texts(texts: Sequence[str], shown: int) -> None:
    """Read texts with both front ends; print the share of equal ones, and what differs."""
    from glowvox.export.browser_export import write_front_end
    from glowvox.text.front_end import load_front_end
    from glowvox.text.tokenizer import Tokenizer

    front_end, tokenizer = load_front_end("en-us"), Tokenizer(add_blank=False)
    began = time.perf_counter()
    expected = []
    for text in texts:
        sentences = front_end.process(text).sentences
        expected.append(
            (
                [tokenizer.encode(each).ids[1:-1] if each.items else [] for each in sentences],
                [[f"{word.text} [{' '.join(word.phonemes)}]" for word in each.words] for each in sentences],
            )
        )
    python = 1e3 * (time.perf_counter() - began) / len(texts)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        sizes = write_front_end(folder)
        (folder / "package.json").write_text('{"type": "module"}')
        (folder / "read.js").write_text(READ)
        (folder / "given.json").write_text(json.dumps({"symbols": tokenizer.symbols, "texts": texts}))
        subprocess.run(["node", "read.js", "given.json", "taken.json"], cwd=folder, check=True)
        taken = json.loads((folder / "taken.json").read_text())
    differing = [
        (text, own, other)
        for text, (tokens, own), (others, other) in zip(texts, expected, taken["rows"], strict=True)
        if tokens != others
    ]
    same = len(texts) - len(differing)
    print(f"same tokens       {same:,} of {len(texts):,} texts, {100 * same / len(texts):.2f} %")
    print(f"tables            {sum(sizes.values()) / 1e6:.2f} MB: " + ", ".join(
        f"{name} {size / 1e6:.2f}" for name, size in sizes.items()
    ))  # fmt: skip
    print(f"opened            in {taken['opened']:.0f} ms")
    print(f"a text            {taken['each']:.2f} ms in Node, {python:.2f} ms in Python")
    for text, own, other in differing[:shown]:
        print(f"\n{text}\n  Python      {own}\n  JavaScript  {other}")


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, dict[str, int]]]:
    """Serve a folder on this machine; give its address, and the bytes of each file that was asked for."""
    asked: dict[str, int] = {}

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            place = Path(self.translate_path(self.path))
            asked[self.path] = place.stat().st_size if place.is_file() else 0
            super().do_GET()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


SPEAK = """
async ([text, options]) => {
  const began = performance.now();
  const [pieces, times] = [[], []];
  for await (const sentence of window.voice.stream(text, options)) {
    times.push(performance.now() - began);
    pieces.push(sentence.samples);
  }
  const all = new Uint8Array(await new Blob(pieces).arrayBuffer());
  let text64 = "";
  for (let i = 0; i < all.length; i += 30000) text64 += btoa(String.fromCharCode(...all.subarray(i, i + 30000)));
  return [times, text64];
}
"""
LOAD = """
async () => {
  const began = performance.now();
  const { loadInWorker } = await import("./glowvox.js");
  window.voice = await loadInWorker();
  return performance.now() - began;
}
"""


def compare_speech(name: str | None, runtime: Path, texts: Sequence[str]) -> None:
    """Speak texts in Chromium and in Python; print sizes, times and differences."""
    import base64

    from playwright.sync_api import sync_playwright

    from glowvox.export.browser_export import export_browser
    from glowvox.export.rewritten_voice import rewritten
    from glowvox.synthesis.installed_voices import find_voice, load_voice
    from glowvox.synthesis.voice_folder import files_folder, open_voice_folder

    with tempfile.TemporaryDirectory() as place, open_voice_folder(find_voice(name)) as source:
        folder = Path(place) / "web"
        done = export_browser(name, folder, runtime=runtime)
        # The same voice in Python: its folder, with graphs of the precision that was exported.
        own = Path(place) / "voice"
        shutil.copytree(files_folder(source, done.card), own)
        shutil.copyfile(source / "voice.json", own / "voice.json")
        if done.precision in ("float16", "float32"):
            rewritten(own, done.card, done.precision, own)  # type: ignore[arg-type]
        voice = load_voice(own, engine="onnx")
        expected = [voice.say(text, markup="plain").samples for text in texts]
        print(f"voice             {done.card.name}, {done.precision}; onnxruntime-web {done.runtime}")
        with served(folder) as (address, asked), sync_playwright() as player:
            path = player.chromium.executable_path
            found = path if Path(path).exists() else shutil.which("chromium") or shutil.which("google-chrome")
            browser = player.chromium.launch(executable_path=found, args=["--no-sandbox"])
            page = browser.new_page()
            page.set_default_timeout(600_000)
            others = []
            page.route(
                "**/*",
                lambda route: (
                    route.continue_()
                    if route.request.url.startswith((address, "blob:", "data:"))
                    else (others.append(route.request.url), route.abort())
                ),
            )
            page.goto(address)
            page.wait_for_selector("body[data-state=ready]")
            fetched = dict(asked)
            ready = page.evaluate(LOAD)
            print(f"fetched           {sum(fetched.values()) / 1e6:.1f} MB in {len(fetched)} files, "
                  f"from other hosts {len(others)}")  # fmt: skip
            for part in ("/data/model.bin", "/ort/", "/data/", ""):
                names = [each for each in fetched if each.startswith(part)]
                size = sum(fetched.pop(each) for each in names)
                print(f"                  {size / 1e6:5.1f} MB  {part or 'page and module'}")
            print(f"ready             {ready / 1e3:.2f} s after it was asked for, from this machine")
            page.evaluate(SPEAK, [texts[0], {}])
            for text, samples in zip(texts, expected, strict=True):
                times, data = page.evaluate(SPEAK, [text, {}])
                heard = np.frombuffer(base64.b64decode(data), np.float32)
                length = len(samples) / voice.sample_rate
                same = len(heard) == len(samples)
                far = float(np.abs(heard - samples).max()) if same else float("nan")
                print(f"{length:5.1f} s of speech   first sound {times[0]:5.0f} ms, all in {times[-1]:5.0f} ms, "
                      f"{1e3 * length / times[-1]:4.1f} times as fast as it sounds; "
                      f"{'difference ' + format(far, '.1e') if same else 'of another length'}")  # fmt: skip
            browser.close()


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="kind", required=True)
    text = kinds.add_parser("text")
    text.add_argument("--sentences", type=Path, required=True, help="lines `id|text`, or a text each")
    text.add_argument("--shown", type=int, default=20, help="differing texts that are printed")
    speech = kinds.add_parser("speech")
    speech.add_argument("--onnxruntime-web", type=Path, required=True, help="the npm package's folder")
    speech.add_argument("--voice", help="a voice's name, folder or file")
    args = parser.parse_args()
    if args.kind == "speech":
        compare_speech(args.voice, args.onnxruntime_web, TEXTS)
        return
    lines = args.sentences.read_text(encoding="utf-8").splitlines()
    compare_texts([line.split("|", 1)[-1].strip() for line in lines if line.strip()], args.shown)


if __name__ == "__main__":
    main()
