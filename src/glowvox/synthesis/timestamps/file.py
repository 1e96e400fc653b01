"""Writing the times of words to a file whose name says the format."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from glowvox.audio.atomic_file import replacing
from glowvox.errors import AudioError
from glowvox.synthesis.timestamps.formats import as_json, ctm, srt, textgrid, vtt
from glowvox.synthesis.timestamps.timeline import Timeline

FORMATS: dict[str, Callable[[Timeline], str]] = {".srt": srt, ".vtt": vtt, ".textgrid": textgrid, ".json": as_json}


def timestamp_format(path: str | os.PathLike[str]) -> Callable[[Timeline], str]:
    """Return what makes the content of a file of that name.

    A `.ctm` file names its recording in every row: by its own name. One that ends in `.phones.ctm` holds phonemes.

    Raises:
        AudioError: the name does not end in one of the formats.
    """
    suffix = Path(path).suffix
    if suffix.lower() == ".ctm":
        stem = Path(path).stem
        phones = stem.lower().endswith(".phones")
        return partial(ctm, name=stem[: -len(".phones")] if phones else stem, phones=phones)
    if suffix.lower() not in FORMATS:
        raise AudioError(f"{path}: times of words are written as .srt, .vtt, .TextGrid, .json or .ctm, not '{suffix}'")
    return FORMATS[suffix.lower()]


def write_timestamps(timeline: Timeline, path: str | os.PathLike[str]) -> None:
    """Write the times of words; what was there before stays until it is complete.

    Raises:
        AudioError: the name does not end in .srt, .vtt, .TextGrid, .json or .ctm, or it cannot be written.
    """
    content = timestamp_format(path)(timeline).encode("utf-8")
    with replacing(path) as stream:
        stream.write(content)
