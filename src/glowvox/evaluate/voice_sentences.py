"""The sentences that a voice is judged by: those of recordings, or of a list."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from glowvox.errors import DataError
from glowvox.evaluate.clips import Recording

_MAX_BYTES = 16 << 20


def read_sentences(path: Path) -> list[Recording]:
    """Return the sentences of a file, one a line, `id|text` or the text alone; without samples.

    Raises:
        DataError: it cannot be read, or holds no sentence, or an id twice.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise DataError(f"{path}: more than {_MAX_BYTES >> 20} MiB; not a list of sentences")
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as a list of sentences ({error})") from error
    found: dict[str, Recording] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, bar, text = line.partition("|")
        name, text = (name.strip(), text.strip()) if bar else (f"sentence {number}", line.strip())
        if not name or not text:
            raise DataError(f"{path}, line {number}: expected 'id|text' or a text")
        if name in found:
            raise DataError(f"{path}, line {number}: the id '{name}' is there twice")
        found[name] = Recording(name, np.zeros(0, np.float32), text)
    if not found:
        raise DataError(f"{path}: holds no sentences (one a line, 'id|text' or the text alone)")
    return list(found.values())


def spread(sentences: Sequence[Recording], limit: int | None) -> list[Recording]:
    """Return at most `limit` sentences, spread evenly over the list.

    Raises:
        DataError: the limit is not positive.
    """
    if limit is None or limit >= len(sentences):
        return list(sentences)
    if limit < 1:
        raise DataError(f"the number of clips must be at least 1, got {limit}")
    return [sentences[index * len(sentences) // limit] for index in range(limit)]
