"""What the code may not do: rules over a file's text, as functions that yield what is wrong as `FILE:LINE: why`.

Run as a script (`python -m architecture.code_rules` in tests/), it lists the files over the soft limit of length.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from architecture.source_file import ROOT, SourceFile

SOFT_LIMIT, HARD_LIMIT = 500, 800
BANNED_NAMES = frozenset({"utils", "util", "helpers", "helper", "common", "misc"})
SPEECH = frozenset(
    [
        "mel",
        "mels",
        "phoneme",
        "phonemes",
        "speech",
        "audio",
        "vocoder",
        "text",
        "tts",
        "waveglow",
        "voice",
        "speaker",
        "spectrogram",
        "waveform",
        "token",
    ]
)
NOT_AT_IMPORT = frozenset(
    [
        "open",
        "print",
        "input",
        "exec",
        "eval",
        "read_text",
        "read_bytes",
        "getenv",
        "environ",
        "import_module",
        "find_spec",
        "files",
        "Popen",
        "run",
        "seed",
        "manual_seed",
        "basicConfig",
        "getLogger",
        "set_num_threads",
        "device",
        "connect",
        "mkdir",
        "Thread",
        "Process",
        "Lock",
    ]
)
"""Calls that read, write, start or change something; a constant is computed without them."""


def calls(file: SourceFile) -> Iterator[str]:
    """Calls and attributes that the house does not use, or only in one room."""
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in ("hasattr", "eval", "exec", "__import__"):
                yield file.at(node.lineno, f"{called}() is not used here")
            if isinstance(node.func, ast.Attribute) and node.func.attr == "cuda":
                yield file.at(node.lineno, ".cuda(): the device follows the parameters and inputs")
            if called in ("torch.load", "torch.save") and file.room != "checkpoint":
                yield file.at(node.lineno, f"{called}: only checkpoint reads pickles")
            if called == "open" and file.room == "models":
                yield file.at(node.lineno, "models does no input or output: open()")
            if any(word.arg == "allow_pickle" and ast.unparse(word.value) != "False" for word in node.keywords):
                yield file.at(node.lineno, "allow_pickle: only checkpoint reads pickles")
        attribute = node.attr if isinstance(node, ast.Attribute) else ""
        if attribute == "optim" and file.room != "training" and ast.unparse(node) == "torch.optim":
            yield file.at(node.lineno, "only training has an optimiser")
        if attribute == "path" and ast.unparse(node) == "sys.path":
            yield file.at(node.lineno, "sys.path stays as it is")
        if isinstance(node, ast.arg) and node.arg == "reverse":
            yield file.at(node.lineno, "no reverse flag: forward and inverse are two methods")


def import_effects(file: SourceFile) -> Iterator[str]:
    """Nothing happens at import but definitions."""
    if file.name == "__main__.py":
        return
    for node in file.tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test) and not node.orelse:
            continue
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            for part in ast.walk(node):
                name = part.attr if isinstance(part, ast.Attribute) else part.id if isinstance(part, ast.Name) else ""
                if name in NOT_AT_IMPORT:
                    yield file.at(part.lineno, f"{name} at import")
            continue
        yield file.at(node.lineno, f"{type(node).__name__} runs at import")


def speech_words(file: SourceFile) -> Iterator[str]:
    """flows/ knows nothing of speech: neither its identifiers nor its messages; docstrings may cite papers."""
    if file.room != "flows":
        return
    docstrings = {
        node.value
        for node in ast.walk(file.tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(file.tree):
        names = [getattr(node, field, None) for field in ("id", "attr", "arg", "name", "module")]
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings:
            names.append(node.value)
        for name in names:
            spoken = {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", str(name))} & SPEECH
            if isinstance(name, str) and spoken:
                yield file.at(getattr(node, "lineno", 0), f"'{name}' speaks of speech: {', '.join(sorted(spoken))}")


def concrete_bases(files: Iterable[SourceFile]) -> Iterator[str]:
    """Every class is abstract or final: nothing inherits from a concrete class of ours (errors excepted)."""
    classes = {
        node.name: (file, node) for file in files for node in ast.walk(file.tree) if isinstance(node, ast.ClassDef)
    }

    def abstract(name: str) -> bool:
        _, node = classes[name]
        bases = [ast.unparse(base).split("[")[0].split(".")[-1] for base in node.bases]
        return any(base in ("ABC", "Protocol") for base in bases)

    for file, node in classes.values():
        for base in (ast.unparse(base).split("[")[0].split(".")[-1] for base in node.bases):
            if base in classes and file.room != "errors" and classes[base][0].room != "errors" and not abstract(base):
                yield file.at(node.lineno, f"{node.name} inherits from {base}, which is not abstract")


def banned_names(paths: Iterable[Path]) -> Iterator[str]:
    """Names that say nothing of what is inside."""
    for path in paths:
        words = {part.split(".")[0].lower() for part in path.parts}
        if words & BANNED_NAMES:
            yield f"{path}: name it after what is in it"


def long_files(limit: int) -> Iterator[str]:
    """Python files of the repository with more lines than that."""
    for folder in ("src", "tests", "benchmarks", "examples", "docs"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            lines = path.read_text(encoding="utf-8").count("\n")
            if lines > limit:
                yield f"{path.relative_to(ROOT).as_posix()}: {lines} lines, more than {limit}"


if __name__ == "__main__":
    for line in long_files(SOFT_LIMIT):
        print(f"long: {line}")
