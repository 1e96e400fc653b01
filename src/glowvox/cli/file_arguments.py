"""Files that a command reads and writes: none that is read is replaced, and what cannot be written is said first."""

from collections.abc import Mapping
from pathlib import Path

from glowvox.errors import ConfigError


def check_files(read: Mapping[str, str | Path | None], written: Mapping[str, str | Path | None]) -> None:
    """Check the files of a command before it begins its work.

    Args:
        read: by what the user calls them; None, where there is none.
        written: the same; `-` is standard output.

    Raises:
        ConfigError: a file that is written is one that is read, or written twice, or its folder does not exist.
    """
    known = {name: Path(place) for name, place in read.items() if place is not None}
    for name, place in written.items():
        if place is None or str(place) == "-":
            continue
        path = Path(place)
        for other, taken in known.items():
            if _is_same(path, taken):
                lost = "which would be lost" if other in read else "and both are written"
                raise ConfigError(f"{name}: {path} is also the file of {other}, {lost}; name another one")
        if not path.absolute().parent.is_dir():
            raise ConfigError(f"{name}: cannot write {path}: the folder {path.parent} does not exist; create it first")
        known[name] = path


def _is_same(one: Path, other: Path) -> bool:
    if one.exists() and other.exists():
        return one.is_file() and one.samefile(other)
    return one.absolute() == other.absolute()
