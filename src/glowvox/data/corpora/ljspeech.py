"""The LJ Speech layout: `metadata.csv` with rows `id|text` or `id|text|normalised text`, and recordings in `wavs/`."""

from pathlib import Path

from glowvox.data.corpora.utterance import Corpus, Utterance, audio_files, clean_text
from glowvox.data.findings import left_out

LIST = "metadata.csv"
_AUDIO_FOLDERS = ("wavs", "wav")


def is_ljspeech(folder: Path) -> bool:
    """Tell whether a folder has a `metadata.csv` whose first row looks like `id|text`, not like a header."""
    path = folder / LIST
    if not path.is_file():
        return False
    with path.open("rb") as file:
        first = next((line for line in file if line.strip()), b"").decode("utf-8-sig", "replace")
    columns = [column.strip().lower() for column in first.split("|")]
    return len(columns) > 1 and not {"audio", "text"} <= set(columns)


def read_ljspeech(folder: Path) -> Corpus:
    """Read a corpus in the LJ Speech layout; the third column, where there is one, is the text that is used."""
    corpus = Corpus(folder, "LJ Speech")
    place = next((folder / name for name in _AUDIO_FOLDERS if (folder / name).is_dir()), folder)
    audio: dict[str, Path] = {}
    for path in audio_files(place):
        name = path.relative_to(place).with_suffix("").as_posix()
        if name in audio:
            corpus.findings.append(
                left_out("duplicate id", corpus.relative(path), f"the same name as {corpus.relative(audio[name])}")
            )
        else:
            audio[name] = path
    mentioned = set()
    for number, raw in enumerate((folder / LIST).read_bytes().split(b"\n"), 1):
        where = f"{LIST}, line {number}"
        if not raw.strip():
            continue
        try:
            columns = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r").split("|")
        except UnicodeDecodeError as error:
            corpus.findings.append(left_out("malformed row", where, f"not UTF-8 ({error.reason} at {error.start})"))
            continue
        if len(columns) < 2:
            corpus.findings.append(left_out("malformed row", where, f"no text column in '{columns[0][:60]}'"))
            continue
        name = columns[0].strip()
        if name not in audio and Path(name).suffix and str(Path(name).with_suffix("")) in audio:
            name = str(Path(name).with_suffix(""))
        if name not in audio:
            corpus.findings.append(left_out("text without audio", where, f"no recording '{name}' in {place.name}/"))
            continue
        mentioned.add(name)
        text = clean_text(columns[2] if len(columns) > 2 and columns[2].strip() else columns[1])
        corpus.add(Utterance(name, audio[name], text, speaker=""))
    for name in sorted(set(audio) - mentioned):
        corpus.add(Utterance(name, audio[name], None, speaker=""))
    return corpus
