"""The pages of the documentation for tests: their blocks of code, how these run, and the files that they speak of."""

import re
import runpy
import shlex
from dataclasses import dataclass
from pathlib import Path

from tiny_voice import acoustic_model, vocoder_model, write_tiny_voice

from glowvox import Audio
from glowvox.checkpoint.model_folder import save_model
from glowvox.cli.main import main
from glowvox.text.front_end import load_front_end
from glowvox.text.tokenizer import Tokenizer

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
_BLOCK = re.compile(r"(?:<!-- (run|not run: [^>]+?) -->\n)?^```([^`\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_PROGRAMS = ("sh", "python")
SMALL = {
    ("train", "vocoder"): [
        *("--set", "training.steps=2", "--set", "training.validate_every=2", "--set", "training.batch_size=2"),
        *("--set", "waveglow.n_flows=2", "--set", "waveglow.n_channels=16", "--set", "waveglow.n_skip_channels=16"),
        *("--set", "waveglow.encoder_channels=16", "--set", "vocoder_training.segment_frames=16"),
        *("--set", "vocoder_training.pitch_steps=5"),
        "--no-tensorboard",
    ],
    ("evaluate", "vocoder"): ["--clips", "1"],
}
"""What is added to a command so that it takes seconds."""


@dataclass(frozen=True)
class Snippet:
    """A block of shell commands or Python on a page, and what the comment before it says: `run`, `not run: WHY`."""

    kind: str
    code: str
    mark: str

    @property
    def runs(self) -> bool:
        """Whether the tests execute it."""
        return self.mark == "run"


def snippets(page: Path) -> list[Snippet]:
    """Return the snippets of a page in their order; blocks in other languages are none."""
    found = _BLOCK.findall(page.read_text(encoding="utf-8"))
    return [Snippet(kind, code, mark) for mark, kind, code in found if kind in _PROGRAMS]


def run_page(page: Path) -> None:
    """Run the marked snippets of a page in the current folder, the Python ones in one namespace."""
    names: dict[str, object] = {"__name__": "page"}
    for snippet in snippets(page):
        if not snippet.runs:
            continue
        if snippet.kind == "python":
            exec(compile(snippet.code, page.name, "exec"), names)
            continue
        for line in snippet.code.replace("\\\n", " ").strip().splitlines():
            program, *words = shlex.split(line, comments=True)
            assert program == "glowvox", f"only glowvox commands can be marked to be run, not {line!r}"
            words += SMALL.get(tuple(words[:2]), [])
            assert main(words) == 0, f"{page.name}: {line}"


def write_files(folder: Path) -> None:
    """Write what the examples work on: recordings, models, a voice."""
    speech = runpy.run_path(str(EXAMPLES / "speech_like.py"))
    (folder / "recordings").mkdir()
    for index in range(6):
        samples = speech["speech_like"](1.0, 100 + 10 * index, index)
        Audio(samples, speech["SAMPLE_RATE"]).save(folder / "recordings" / f"{index}.wav")
        (folder / "recordings" / f"{index}.txt").write_text(f"This is sentence number {index}.", encoding="utf-8")
    Audio(speech["speech_like"](1.0), speech["SAMPLE_RATE"]).save(folder / "recording.wav")
    write_tiny_voice(folder / "voices/pair", folder / "models/pair", speakers=("ann", "bob"))
    front_ends = {"en-us": load_front_end("en-us").to_dict()}
    text = {"tokenizer": Tokenizer().to_dict(), "front_ends": front_ends, "speakers": ["ann"]}
    save_model(acoustic_model(), folder / "runs/acoustic", provenance={"text": text})
    save_model(vocoder_model(), folder / "models/vocoder")
