"""Who may import whom: the table of ARCHITECTURE.md, as functions that yield what is wrong as `FILE:LINE: why`."""

import sys
from collections.abc import Iterable, Iterator

from architecture.source_file import SourceFile, top

RANK_0 = frozenset({"errors", "config"})
RANK_1 = frozenset({"text", "audio", "storage", "flows", "nn", "align"})
RANK_2 = frozenset({"models", "data"})
RANK_3 = frozenset({"checkpoint", "engines"})
RANK_4 = frozenset({"training", "synthesis"})
RANK_5 = frozenset({"evaluate", "export", "serve", "bulk", "screen_reader", "book"})
MAY_IMPORT: dict[str, frozenset[str]] = {
    "errors": frozenset(),
    "config": frozenset({"errors"}),
    **dict.fromkeys(RANK_1, RANK_0),
    "text": RANK_0 | {"storage"},
    **dict.fromkeys(RANK_2, RANK_0 | RANK_1),
    "cuda": RANK_0 | RANK_1 | RANK_2,
    "checkpoint": RANK_0 | RANK_1 | RANK_2,
    "engines": RANK_0 | {"audio", "storage"},
    "training": RANK_0 | RANK_1 | RANK_2 | RANK_3 | {"cuda"},
    "synthesis": RANK_0 | RANK_1 | {"engines"},
    "evaluate": RANK_0 | RANK_1 | RANK_2 | RANK_3 | RANK_4,
    "export": RANK_0 | RANK_1 | RANK_2 | RANK_3 | RANK_4,
    "serve": RANK_0 | {"synthesis"},
    "bulk": RANK_0 | {"storage", "synthesis"},
    "screen_reader": RANK_0 | {"text", "audio", "synthesis"},
    "book": RANK_0 | {"text", "audio", "storage", "synthesis"},
    "cli": RANK_0 | RANK_1 | RANK_2 | RANK_3 | RANK_4 | RANK_5,
}
"""Which rooms a room may import from, besides itself; rooms that it does not name import nothing from the package."""

TORCH_ENGINE = "engines/torch"
WITHOUT_TORCH = frozenset(
    {"errors", "config", "text", "audio", "storage", "synthesis", "serve", "bulk", "screen_reader", "book"}
)
WEB = frozenset({"fastapi", "starlette", "uvicorn", "websockets", "wyoming", "aiohttp", "flask", "prometheus_client"})
ASSISTANTS = frozenset({"mcp", "mcp_types"})
PICKLES = frozenset({"pickle", "pickletools", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"})
ENGINE_LIBRARIES = ("onnxruntime", "openvino", "torch", "tensorrt")
FILES = frozenset(
    {"io", "json", "os", "pathlib", "safetensors", "shutil", "soundfile", "sqlite3", "tempfile", "zipfile"}
)


def _room_of(module: str) -> str:
    return module.split(".")[1] if module.startswith("glowvox.") else ""


def table(file: SourceFile) -> Iterator[str]:
    """Imports go down the table only."""
    if file.name in ("__init__.py", "__main__.py"):
        return
    allowed = MAY_IMPORT.get(file.room, frozenset()) | {file.room}
    if file.name.startswith(TORCH_ENGINE):
        allowed |= {"models", "checkpoint", "flows", "nn", "cuda"}
    for found in file.imports:
        room = _room_of(found.module)
        if room and room != "__version__" and room not in allowed:
            yield file.at(found.line, f"{file.room} may not import {found.module}")


def gates(file: SourceFile) -> Iterator[str]:
    """Some libraries have one room; some rooms do without some libraries."""
    for found in file.imports:
        library = top(found.module)
        if library == "torch" and (file.room in WITHOUT_TORCH or file.name in ("__init__.py", "__main__.py")):
            yield file.at(found.line, f"{file.room} does without torch")
        if library == "torch" and file.room == "engines" and not file.name.startswith(TORCH_ENGINE):
            yield file.at(found.line, f"only {TORCH_ENGINE} imports torch")
        if library in WEB | ASSISTANTS and file.room != "serve":
            yield file.at(found.line, f"{library} belongs in serve")
        if library == "ray" and file.room != "bulk":
            yield file.at(found.line, "ray belongs in bulk")
        if library == "fsspec" and (file.room != "storage" or not found.deferred):
            yield file.at(found.line, "fsspec belongs in the functions of storage")
        if library in PICKLES and file.room != "checkpoint":
            yield file.at(found.line, f"{library}: only checkpoint reads pickles")
        if found.module.startswith("torch.optim") and file.room != "training":
            yield file.at(found.line, "only training has an optimiser")
        if file.room in RANK_0 and library not in sys.stdlib_module_names | {"glowvox"}:
            yield file.at(found.line, f"{file.room} needs the standard library only, not {library}")
        if file.room == "models" and library in FILES:
            yield file.at(found.line, f"models does no input or output: {library}")
        if file.room == "cli" and not (found.deferred or found.typing_only) and not _light(found.module):
            yield file.at(found.line, f"a command imports {found.module} inside its functions")


def _light(module: str) -> bool:
    return (
        top(module) in sys.stdlib_module_names
        or module == "glowvox.__version__"
        or _room_of(module) in RANK_0 | {"cli"}
    )


def engines_apart(files: Iterable[SourceFile]) -> Iterator[str]:
    """One file per engine: an engine's library is imported by one file of engines/, PyTorch by those of its engine."""
    for library in ENGINE_LIBRARIES:
        users = sorted(
            {
                file.name
                for file in files
                if file.room == "engines"
                and not (library == "torch" and file.name.startswith(TORCH_ENGINE))
                and any(top(found.module) == library for found in file.imports)
            }
        )
        for extra in users[1:]:
            yield f"{extra}: {library} is {users[0]}'s"


def reaches_torch(files: Iterable[SourceFile]) -> Iterator[str]:
    """Importing a file of a room without torch imports no torch through others either."""
    by_module = {file.module: file for file in files}

    def loaded(module: str) -> Iterator[str]:
        parts = module.split(".")
        yield from (name for end in range(2, len(parts) + 1) if (name := ".".join(parts[:end])) in by_module)

    for start in by_module.values():
        if start.room not in WITHOUT_TORCH | {"cli"}:
            continue
        seen, waiting = {start.module}, [start.module]
        while waiting:
            file = by_module[waiting.pop()]
            for found in (one for one in file.imports if not (one.deferred or one.typing_only)):
                if top(found.module) == "torch":
                    yield f"{start.name}: importing it imports torch, through {file.name}"
                for module in loaded(found.module):
                    if module not in seen:
                        seen.add(module)
                        waiting.append(module)


def circles(files: Iterable[SourceFile]) -> Iterator[str]:
    """No file imports, inside its functions or through others, what imports it; names for types alone are let be."""
    by_module = {file.module: file for file in files}

    def imported(file: SourceFile) -> Iterator[str]:
        for found in file.imports:
            parts = found.module.split(".")
            names = (".".join(parts[:end]) for end in range(len(parts), 1, -1))
            module = next((name for name in names if name in by_module), file.module)
            if module != file.module and not found.typing_only:
                yield module

    uses = {name: set(imported(file)) for name, file in by_module.items()}
    for start in uses:
        seen, waiting = set(uses[start]), list(uses[start])
        while waiting:
            for module in uses[waiting.pop()] - seen:
                seen.add(module)
                waiting.append(module)
        if start in seen:
            yield f"{by_module[start].name}: its imports lead back to it"
