"""The recordings an evaluation compares with: a prepared data set's validation split, or a folder of recordings."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from glowvox.audio.files import read_audio
from glowvox.config.audio import AudioConfig
from glowvox.data.corpora import read_corpus
from glowvox.data.prepared import DATASET_FILE, PreparedData
from glowvox.errors import DataError

T = TypeVar("T")


@dataclass(frozen=True)
class Recording:
    """A natural recording with what is said in it."""

    id: str
    samples: NDArray[np.float32]
    """`[S]`, at the evaluation's sample rate, full scale 1."""
    text: str | None
    """What is said; None where nobody wrote it down."""


def prepared_contract(source: Path) -> AudioConfig | None:
    """Return the mel contract of a prepared data set, or None for a folder of recordings."""
    return PreparedData(source).audio if (source / DATASET_FILE).is_file() else None


def read_recordings(
    source: Path, config: AudioConfig, *, limit: int | None = None, ids: Sequence[str] | None = None
) -> list[Recording]:
    """Return recordings at the contract's rate, in the order of their ids.

    Args:
        source: what `glowvox prepare` wrote (its validation split is read), or a corpus in any layout that it accepts.
        config: the mel contract of what is evaluated; prepared data must have the same.
        limit: at most so many, spread evenly over the list.
        ids: exactly these, in this order (`limit` then takes from them).

    Raises:
        DataError: no recordings, or an id that is not there.
        MelError: prepared with another contract.
        AudioError: a recording cannot be read.
    """
    if (source / DATASET_FILE).is_file():
        data = PreparedData(source)
        data.require(config)
        chosen = _choose({clip.id: clip for clip in data.clips("validation")}, source, limit, ids)
        return [
            Recording(name, clip.load()[0].astype(np.float32) / 32768.0, clip.text or None)
            for name, clip in chosen.items()
        ]
    corpus = read_corpus(source)
    utterances = _choose({utterance.id: utterance for utterance in corpus.utterances}, source, limit, ids)
    return [
        Recording(name, read_audio(utterance.audio, config.sample_rate)[0], utterance.text)
        for name, utterance in utterances.items()
    ]


def _choose(found: dict[str, T], source: Path, limit: int | None, ids: Sequence[str] | None) -> dict[str, T]:
    missing = [name for name in ids or () if name not in found]
    if missing:
        raise DataError(
            f"{source} has no recording '{missing[0]}'" + (f" ({len(missing)} ids are missing)" * (len(missing) > 1))
        )
    names = list(dict.fromkeys(ids)) if ids is not None else list(found)
    if not names:
        raise DataError(f"{source}: no recordings to evaluate")
    if limit is not None and limit < len(names):
        if limit < 1:
            raise DataError(f"the number of clips must be at least 1, got {limit}")
        names = [names[index * len(names) // limit] for index in range(limit)]
    return {name: found[name] for name in names}
