"""The VCTK layout: `txt/SPEAKER/ID.txt` and `wav48*/SPEAKER/ID.wav`, or `ID_mic1.flac` in its later release."""

import re
from pathlib import Path

from glowvox.data.corpora.utterance import Corpus, Utterance, audio_files, read_text_file, text_files
from glowvox.data.findings import left_out, note

_MICROPHONE = re.compile(r"_mic(\d+)$")


def is_vctk(folder: Path) -> bool:
    """Tell whether a folder has `txt/` and a folder whose name starts with `wav`, both with folders of speakers."""
    return (folder / "txt").is_dir() and _audio_folder(folder) is not None


def read_vctk(folder: Path) -> Corpus:
    """Read a corpus in the VCTK layout; of a text recorded by several microphones the first is used."""
    corpus = Corpus(folder, "VCTK")
    place = _audio_folder(folder) or folder
    texts = {path.relative_to(folder / "txt").with_suffix("").as_posix(): path for path in text_files(folder / "txt")}
    audio: dict[str, Path] = {}
    others = 0
    for path in audio_files(place):
        name = _MICROPHONE.sub("", path.relative_to(place).with_suffix("").as_posix())
        others += name in audio
        audio.setdefault(name, path)
    if others:
        corpus.findings.append(
            note("further microphone", place.name, f"{others} recordings of further microphones are not used")
        )
    for name, path in audio.items():
        speaker = name.split("/")[0]
        if name not in texts:
            corpus.add(Utterance(name, path, None, speaker))
            continue
        try:
            corpus.add(Utterance(name, path, read_text_file(texts[name]), speaker))
        except (OSError, ValueError) as error:
            reason = f"{corpus.relative(texts[name])}: {error}"
            corpus.findings.append(left_out("unreadable text", corpus.relative(path), reason))
    for name in sorted(set(texts) - set(audio)):
        corpus.findings.append(
            left_out("text without audio", corpus.relative(texts[name]), f"no recording in {place.name}/")
        )
    return corpus


def _audio_folder(folder: Path) -> Path | None:
    for path in sorted(folder.glob("wav*")):
        if path.is_dir() and any(child.is_dir() for child in path.iterdir()):
            return path
    return None
