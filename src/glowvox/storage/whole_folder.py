"""Writing a folder aside and renaming it, so that a failure never leaves half of one, nor destroys what was there."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from glowvox.errors import GlowvoxError


@contextlib.contextmanager
def replacing_folder(folder: Path, error: type[GlowvoxError]) -> Iterator[Path]:
    """Give the path of a folder to make, which takes the place of `folder` when the block ends well.

    Until then it lies in a hidden folder beside it, which vanishes however the block ends. What `folder` held is gone
    afterwards: whoever may not lose it asks before.

    Args:
        folder: the folder to write; those above it are made.
        error: the class of the error raised.

    Raises:
        GlowvoxError: it cannot be written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as place:
            made = Path(place) / "new"
            yield made
            old = Path(place) / "old"
            if folder.exists():
                folder.replace(old)
            try:
                made.replace(folder)
            except OSError:
                if old.exists():  # which would vanish with the hidden folder
                    old.replace(folder)
                raise
    except OSError as problem:
        raise error(f"{folder}: cannot be written ({problem.strerror or problem})") from problem
