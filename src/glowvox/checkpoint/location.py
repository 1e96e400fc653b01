"""Where a model lies: its own folder, or a training run's `best`, `last` or a step of it."""

from pathlib import Path

from glowvox.checkpoint.inert import printable
from glowvox.errors import CheckpointError

CONFIG_NAME = "config.json"
WEIGHTS_NAME = "model.safetensors"
CHECKPOINTS_NAME = "checkpoints"
_POINTERS = ("best", "last")
_MAX_POINTER_BYTES = 4096


def is_model_folder(path: Path) -> bool:
    """Whether a folder holds a model in our format."""
    return (path / CONFIG_NAME).is_file() and (path / WEIGHTS_NAME).is_file()


def is_run_folder(path: Path) -> bool:
    """Whether a folder is a training run."""
    return (path / CHECKPOINTS_NAME).is_dir()


def find_model_folder(path: str | Path) -> Path:
    """Return the folder with the model that a path stands for.

    Args:
        path: a model folder; a training run (its `best`, else its `last`); a run's `best` or `last`, which may be a
            folder, a link or a text file with a path such as `checkpoints/000123` in it; or a run's `checkpoints/STEP`.

    Raises:
        CheckpointError: there is no model there.
    """
    path = Path(path)
    if path.is_file():
        if path.name == CONFIG_NAME or path.name == WEIGHTS_NAME:
            path = path.parent
        elif path.name in _POINTERS:
            path = _follow(path)
        else:
            raise CheckpointError(f"{path}: a file, not a model folder; 'glowvox convert' turns checkpoints into one")
    if is_model_folder(path):
        return path
    if is_run_folder(path):
        for name in _POINTERS:
            pointer = path / name
            if pointer.is_file():
                return _checked(_follow(pointer))
            if pointer.is_dir():
                return _checked(pointer)
        raise CheckpointError(
            f"{path}: this training run has neither 'best' nor 'last' yet; name a folder below checkpoints/"
        )
    return _checked(path)


def _checked(path: Path) -> Path:
    if not path.exists():
        raise CheckpointError(f"{path}: there is no such folder")
    for name in (CONFIG_NAME, WEIGHTS_NAME):
        if not (path / name).is_file():
            raise CheckpointError(f"{path}: not a model folder, it has no {name}")
    return path


def _follow(pointer: Path) -> Path:
    """Return the folder that a text file names, relative to its own; it may not lead out of the run."""
    with pointer.open("rb") as stream:
        content = stream.read(_MAX_POINTER_BYTES + 1)
    try:
        name = content.decode("utf-8").strip()
    except UnicodeDecodeError:
        name = ""
    parts = Path(name).parts
    if not name or len(content) > _MAX_POINTER_BYTES or "\n" in name or "\0" in name:
        raise CheckpointError(f"{pointer}: expected one line with the path of a checkpoint folder")
    if Path(name).is_absolute() or ".." in parts:
        raise CheckpointError(f"{pointer}: {printable(name)} leads out of the training run")
    return pointer.parent / name
