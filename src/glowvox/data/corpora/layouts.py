"""Recognising a corpus' layout."""

from pathlib import Path

from glowvox.data.corpora.ljspeech import is_ljspeech, read_ljspeech
from glowvox.data.corpora.manifest import find_manifest, read_manifest
from glowvox.data.corpora.plain import is_plain, read_plain
from glowvox.data.corpora.utterance import Corpus
from glowvox.data.corpora.vctk import is_vctk, read_vctk
from glowvox.errors import DataError

LAYOUTS = ("auto", "ljspeech", "plain", "vctk", "manifest")


def read_corpus(path: Path, layout: str = "auto") -> Corpus:
    """Read the list of a corpus' recordings and texts; the recordings themselves are not opened.

    Args:
        path: the corpus' folder, or a manifest.
        layout: one of `LAYOUTS`; `auto` recognises it.

    Raises:
        DataError: there is no such folder, nothing is recognised, or the layout does not fit.
    """
    if layout not in LAYOUTS:
        raise DataError(f"no layout '{layout}'; there are {', '.join(LAYOUTS)}")
    if not (path.is_dir() or path.is_file()):
        raise DataError(f"{path}: no such folder or manifest")
    try:
        corpus = _read(path, layout)
    except OSError as error:
        raise DataError(f"{error.filename or path}: cannot be read ({error.strerror})") from error
    if corpus is None:
        wanted = "recordings" if layout == "auto" else f"a corpus in the layout '{layout}'"
        raise DataError(
            f"{path}: no {wanted} found. A corpus is a folder with metadata.csv (id|text) and wavs/, a folder with "
            ".txt or .lab files beside the audio, txt/SPEAKER and wav48/SPEAKER, or a CSV or JSONL manifest with the "
            "columns audio,text,speaker,language"
        )
    if not corpus.utterances and not corpus.findings:
        raise DataError(f"{path}: the corpus is empty")
    corpus.utterances.sort(key=lambda utterance: utterance.id)
    return corpus


def _read(path: Path, layout: str) -> Corpus | None:
    folder = path.is_dir()
    if layout in ("auto", "ljspeech") and folder and is_ljspeech(path):
        return read_ljspeech(path)
    if layout in ("auto", "vctk") and folder and is_vctk(path):
        return read_vctk(path)
    if layout in ("auto", "manifest"):
        manifest = find_manifest(path)
        if manifest is not None:
            return read_manifest(manifest)
    if layout in ("auto", "plain") and folder and is_plain(path):
        return read_plain(path)
    return None
