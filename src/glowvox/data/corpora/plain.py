"""A plain folder: recordings anywhere below it, each with a `.txt` or `.lab` file of the same name beside it."""

from pathlib import Path

from glowvox.data.corpora.utterance import Corpus, Utterance, audio_files, read_text_file, text_files
from glowvox.data.findings import left_out


def is_plain(folder: Path) -> bool:
    """Tell whether there is any recording below a folder."""
    return bool(audio_files(folder))


def read_plain(folder: Path) -> Corpus:
    """Read a plain folder of recordings and texts by one speaker."""
    corpus = Corpus(folder, "plain folder")
    texts: dict[Path, Path] = {}
    for path in text_files(folder):
        texts.setdefault(path.with_suffix(""), path)
    used = set()
    for audio in audio_files(folder):
        stem = audio.with_suffix("")
        identifier = audio.relative_to(folder).with_suffix("").as_posix()
        if stem not in texts:
            corpus.add(Utterance(identifier, audio, None, speaker=""))
            continue
        used.add(stem)
        try:
            text = read_text_file(texts[stem])
        except (OSError, ValueError) as error:
            reason = f"{texts[stem].name}: {error}"
            corpus.findings.append(left_out("unreadable text", corpus.relative(audio), reason))
            continue
        corpus.add(Utterance(identifier, audio, text, speaker=""))
    for stem in sorted(set(texts) - used):
        corpus.findings.append(
            left_out("text without audio", corpus.relative(texts[stem]), "no recording of the same name beside it")
        )
    return corpus
