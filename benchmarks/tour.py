"""The tour: which files a sentence, a training step and an HTTP request pass, in the order in which they are entered.

    python benchmarks/tour.py [--only sentence acoustic-step vocoder-step request] [--text TEXT] [--counts]

Everything runs under `sys.setprofile`; what is printed are files of `src/glowvox` with the functions entered in each,
and how many files, functions and nested calls there were. Read the files in this order to learn how Glowvox works.
The models that take a training step are tiny, and learn from a few seconds of buzzing made here.
"""

import argparse
import contextlib
import io
import json
import os
import signal
import socket
import sys
import tempfile
import threading
import time
import types
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

TEXT = "Hello, world."
TINY = {
    "acoustic": ("glow-tts-tiny", {"glow_tts.n_blocks": 2, "glow_tts.n_layers": 1}),
    "vocoder": ("lapped-small", {"waveglow.n_flows": 2, "waveglow.n_layers": 2, "vocoder_training.pitch_steps": 2}),
}
"""A preset for each model, and what makes it small."""


class Recorder:
    """Profile function that takes down the files and functions of a package as they are entered.

    Args:
        package: folder of the package.
    """

    def __init__(self, package: Path) -> None:
        self.files: dict[str, dict[str, None]] = {}
        """The qualified names of each file's functions, both in the order of their first call."""
        self.depth = 0
        """Frames of the package that were open at once, at most."""
        self.on = True
        self._root = f"{package}{os.sep}"

    def __call__(self, frame: types.FrameType, event: str, argument: Any) -> None:
        """Take down a call; a module's own code and comprehensions are no functions."""
        code = frame.f_code
        if event != "call" or not self.on or not code.co_filename.startswith(self._root) or code.co_name[0] == "<":
            return
        file = code.co_filename[len(self._root) :]
        self.files.setdefault(file, {}).setdefault(code.co_qualname)
        self.depth = max(self.depth, self._open(frame))

    def _open(self, frame: types.FrameType | None) -> int:
        frames = 0
        while frame is not None:
            frames += frame.f_code.co_filename.startswith(self._root)
            frame = frame.f_back
        return frames

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Record in this thread and in those that it starts."""
        threading.setprofile(self)
        sys.setprofile(self)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)  # type: ignore[arg-type]

    @contextlib.contextmanager
    def running_within(self, owner: type, method: str) -> Iterator[None]:
        """Record what the first call of a method calls, however deep, and the call itself."""
        plain = getattr(owner, method)

        def first(*args: Any, **named: Any) -> Any:
            setattr(owner, method, plain)
            with self.running():
                return plain(*args, **named)

        setattr(owner, method, first)
        try:
            yield
        finally:
            setattr(owner, method, plain)

    def report(self, title: str, *, counts_only: bool) -> str:
        """Return the files with their functions, and the counts."""
        functions = sum(map(len, self.files.values()))
        lines = [f"{title}: {len(self.files)} files, {functions} functions, {self.depth} frames deep"]
        if not counts_only:
            for number, (file, names) in enumerate(self.files.items(), 1):
                lines.append(f"{number:4}. {file}: {', '.join(names)}")
        return "\n".join(lines)


def package_folder() -> Path:
    """Return the folder of the package that is measured."""
    import glowvox

    return Path(str(glowvox.__file__)).parent


def sentence(text: str) -> Recorder:
    """Speak a sentence with a voice that is loaded: from text to samples."""
    import glowvox

    voice = glowvox.load_voice(engine="onnx")
    recorder = Recorder(package_folder())
    with recorder.running():
        voice.say(text)
    return recorder


def training_step(model: str) -> Recorder:
    """Take a training step of a tiny model on a few seconds of sound."""
    from glowvox.cli.main import main
    from glowvox.training.loop import Trainer

    preset, small = TINY[model]
    settings = {
        "training.steps": 2,
        "training.batch_size": 2,
        "training.validation_clips": 1,
        "training.log_every": 1,
        **small,
    }
    recorder = Recorder(package_folder())
    with tempfile.TemporaryDirectory() as place, contextlib.redirect_stdout(io.StringIO()):
        corpus, data, run = (str(Path(place) / name) for name in ("corpus", "data", "run"))
        write_corpus(Path(corpus))
        contract = ["--contract", preset]
        done = main(["prepare", corpus, "-o", data, "--validation", "0.25", "--language", "en-us", *contract])
        chosen = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
        with recorder.running_within(Trainer, "_one_step"):
            done = done or main(
                ["train", model, "--preset", preset, "--data", data, "--run", run, "--device", "cpu", *chosen]
            )
    if done:
        raise SystemExit(f"the training step failed with status {done}")
    return recorder


def write_corpus(folder: Path, clips: int = 4, seconds: float = 1.6, rate: int = 22050) -> None:
    """Write WAV files of a buzz with harmonics, and `metadata.csv` with a text for each."""
    from glowvox.audio.files import write_audio

    (folder / "wavs").mkdir(parents=True)
    texts = ("Hello there.", "A small test.", "One more of them.", "The last of all.")
    time_axis = np.arange(int(seconds * rate)) / rate
    for number in range(clips):
        phase = 2 * np.pi * np.cumsum(120 + 30 * np.sin(2 * np.pi * 0.7 * time_axis + number)) / rate
        envelope = 0.5 + 0.5 * np.sin(2 * np.pi * 2.5 * time_axis) ** 2
        harmonics = sum(np.cos(k * phase) / k for k in range(1, 20))
        noise = 0.005 * np.random.default_rng(number).standard_normal(len(time_axis))
        write_audio(
            folder / "wavs" / f"clip{number}.wav", (0.08 * envelope * harmonics + noise).astype(np.float32), rate
        )
    rows = (f"clip{number}|{texts[number % len(texts)]}" for number in range(clips))
    (folder / "metadata.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def request(text: str) -> Recorder:
    """Send an HTTP request for a sentence to a server in this process, which then ends as SIGTERM has it end."""
    from glowvox.cli.main import main

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    recorder = Recorder(package_folder())
    recorder.on = False
    failures: list[BaseException] = []

    def ask() -> None:
        try:
            body = {"input": text, "response_format": "wav"}
            for recorded in (False, True):  # the first one has engines opened and caches filled
                recorder.on = recorded
                answer_from(port, "/v1/audio/speech", body)
        except (OSError, TimeoutError) as error:
            failures.append(error)
        finally:
            recorder.on = False
            os.kill(os.getpid(), signal.SIGTERM)

    client = threading.Thread(target=ask)
    client.start()
    with recorder.running():
        main(["serve", "--port", str(port), "--engine", "onnx", "--log-level", "error"])
    client.join()
    if failures:
        raise SystemExit(f"the request failed: {failures[0]}")
    return recorder


def answer_from(port: int, path: str, body: dict[str, str], patience: float = 60.0) -> bytes:
    """Return what the server answers, as soon as it listens."""
    content = json.dumps(body).encode()
    address = f"http://127.0.0.1:{port}{path}"
    until = time.monotonic() + patience
    while True:
        wanted = urllib.request.Request(address, content, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(wanted, timeout=patience) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError:
            raise
        except urllib.error.URLError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def main() -> None:
    """Walk the ways that are asked for and print them."""
    walks: dict[str, tuple[str, Callable[[str], Recorder]]] = {
        "sentence": ("A sentence, from text to samples", sentence),
        "acoustic-step": ("A training step of Glow-TTS", lambda text: training_step("acoustic")),
        "vocoder-step": ("A training step of WaveGlow", lambda text: training_step("vocoder")),
        "request": ("An HTTP request for a sentence, with the sentence", request),
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=walks, default=list(walks), help="walk these only")
    parser.add_argument("--text", default=TEXT, help=f"the sentence (default: {TEXT})")
    parser.add_argument("--counts", action="store_true", help="print no files, only how many")
    options = parser.parse_args()
    for name in options.only:
        title, walk = walks[name]
        print(walk(options.text).report(title, counts_only=options.counts), flush=True)


if __name__ == "__main__":
    main()
