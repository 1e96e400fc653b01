"""A voice's folder, wherever it comes from: a `.voice` file is unpacked for as long as it is read."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from glowvox.errors import VoiceError
from glowvox.synthesis.voice_archive import ARCHIVE_SUFFIX, unpack_voice


@contextlib.contextmanager
def opened_folder(path: Path) -> Iterator[Path]:
    """Give the folder of a voice; that of a `.voice` file vanishes when the block ends.

    Raises:
        VoiceError: the file is no voice, or damaged.
    """
    if path.is_dir():
        yield path
        return
    if path.suffix.lower() != ARCHIVE_SUFFIX:
        raise VoiceError(f"{path}: a voice is a folder, or a file that ends in {ARCHIVE_SUFFIX}")
    with tempfile.TemporaryDirectory(prefix="glowvox-", ignore_cleanup_errors=True) as place:
        unpack_voice(path, Path(place))
        yield Path(place)
